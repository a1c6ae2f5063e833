/* A telephone for the tests of media: one UDP socket, its description, a tone to send, and what it hears. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

#include "media/media.h"
#include "media/rtp.h"

#define PHONE_HEARD 80000

struct phone {
	int fd;
	uint16_t port, to;   /* to: the leg's port */
	uint8_t pt;          /* of what it sends */
	uint16_t seq;
	uint32_t ts, ssrc;
	double hz, phase;
	/* heard */
	int16_t pcm[PHONE_HEARD];
	unsigned n, packets, markers, dtmf, dtmf_ends;
	uint8_t dtmf_event, last_pt;
	uint16_t last_seq, dtmf_duration;
	uint32_t last_ts, heard_ssrc;
	bool disorder;       /* sequence went back or SSRC changed */
};

void phone_open(struct phone *p, double hz, uint32_t ssrc);
void phone_close(struct phone *p);
int phone_sdp(const struct phone *p, char *sdp, size_t size, const char *pts, const char *dir);
void phone_aim(struct phone *p, const char *sdp);      /* to the m=audio port of @sdp */
void phone_send(struct phone *p);                      /* 20 ms of its tone */
void phone_send_raw(struct phone *p, uint8_t pt, const uint8_t *payload, size_t n);
void phone_hear(struct phone *p);                      /* all that has come */
double tone_power(const int16_t *pcm, unsigned n, double hz); /* Goertzel; share of the whole energy, 0..1 */
