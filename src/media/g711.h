/* G.711 (ITU-T G.711 tables 1a to 2b): tables made once at start, then only read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The laws are named by their static RTP payload types (RFC 3551). */
enum law { LAW_ULAW = 0, LAW_ALAW = 8 };

#define ALAW_SILENCE 0xD5
#define ULAW_SILENCE 0xFF

void g711_tables(void); /* any thread, any number of times */
uint8_t alaw_of(int16_t pcm);
int16_t alaw_to_pcm(uint8_t a);
int16_t ulaw_to_pcm(uint8_t u);
uint8_t ulaw_of_alaw(uint8_t a);
uint8_t alaw_of_ulaw(uint8_t u);
/** Converts @n octets from one law to the other in place; nothing to do when they are the same. */
void g711_convert(uint8_t *p, size_t n, enum law from, enum law to);
/** Copies @n octets to A-law. */
void g711_to_alaw(uint8_t *dst, size_t stride, const uint8_t *src, size_t n, enum law from);
