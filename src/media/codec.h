/*
 * Codecs: what each is called in a description, and its coder and decoder on caller's buffers. Sound is int16, mono, at the
 * codec's own rate (8 or 16 kHz). Coders belong to one leg; they are made when a call needs them, never for a packet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

#define CODEC_N MED_CODECS
#define CODEC_PCM_MAX 1920 /* samples: 120 ms at 16 kHz, Opus's longest packet */
#define CODEC_OUT_MAX 400  /* octets of 20 ms, at most */

struct codec_info {
	const char *name;      /* in a=rtpmap, with clock; the first of encodings that mean the same */
	uint8_t pt;            /* static, or the one we offer */
	uint16_t khz;          /* RTP clock. G.722's is 8 by RFC 3551's error, though its sound is 16 kHz */
	uint16_t rate_khz;     /* of the sound */
	float ie, bpl;         /* ITU-T G.113 appendix I; see med_mos */
};

extern const struct codec_info codec_info[CODEC_N];

/** Whether this build has it. */
bool codec_here(enum med_codec c);
static inline bool codec_is_law(unsigned c)
{
	return c <= MED_PCMU;
}

struct mdecoder;
struct mencoder;

struct mdecoder *mdecoder_new(enum med_codec c);
void mdecoder_free(struct mdecoder *d);
/** Samples, 0 when the packet is not one of this codec's. */
unsigned mdecode(struct mdecoder *d, const uint8_t *p, size_t n, int16_t pcm[CODEC_PCM_MAX]);
/**
 * What stands for a lost packet of @samples: Opus asks @next, the packet after it (NULL: not there), for its copy (FEC), others
 * repeat what was heard, fading. Always gives @samples.
 */
void mdecode_lost(struct mdecoder *d, const uint8_t *next, size_t n, int16_t *pcm, unsigned samples);

struct mencoder *mencoder_new(enum med_codec c);
void mencoder_free(struct mencoder *e);
/** Codes 20 ms; answers octets. */
size_t mencode(struct mencoder *e, const int16_t *pcm, uint8_t out[CODEC_OUT_MAX]);
/** How much is lost on the way (per cent): Opus protects accordingly. */
void mencoder_loss(struct mencoder *e, int pct);

/* Between 8 and 16 kHz, band-limited; each direction of each stream needs its own. */
struct mresamp;
struct mresamp *mresamp_new(unsigned from_khz, unsigned to_khz);
void mresamp_free(struct mresamp *r);
/** @out has room for 2 * n + 16 samples; answers how many. */
unsigned mresamp(struct mresamp *r, const int16_t *in, unsigned n, int16_t *out);
