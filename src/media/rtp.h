/*
 * RTP and RTCP (RFC 3550) without sockets: reading headers, receive statistics, reports, and the voice quality estimate.
 * Pure functions on caller's storage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HDR 12

struct rtp_pkt {
	uint8_t *payload; /* inside the buffer given; at least RTP_HDR bytes lie before it */
	size_t len;
	uint32_t ts, ssrc;
	uint16_t seq;
	uint8_t pt;
	bool marker;
};

/** Reads a packet in place; CSRCs, extension and padding are left out of the payload. False on anything malformed. */
bool mrtp_parse(struct rtp_pkt *ret, uint8_t *buf, size_t len);
void mrtp_header(uint8_t *h, uint8_t pt, bool marker, uint16_t seq, uint32_t ts, uint32_t ssrc);
/** RFC 5761 4: tells RTCP from RTP on one port. */
static inline bool mrtp_is_rtcp(const uint8_t *buf, size_t len)
{
	return len >= 8 && buf[0] >> 6 == 2 && buf[1] >= 192 && buf[1] <= 223;
}

/* What is known of one direction. Times are µs of any clock, jitter in the stream's clock. */
struct rtp_rx {
	bool up;                /* a packet of this SSRC has come */
	unsigned khz;           /* of the stream's clock; 0: 8 */
	uint32_t ssrc;
	uint16_t base, max;
	uint32_t cycles, got;   /* of this SSRC */
	uint32_t done_expected, done_got; /* of earlier ones */
	uint32_t transit, least; /* the least transit of late, which may rise by 0.6 % of the time: clocks drift */
	int32_t late;            /* of the last packet, above the least: what network and our own queue held it up */
	float jitter;
	uint32_t report_expected, report_got; /* totals at the last report */
};

void mrtp_rx(struct rtp_rx *rx, const struct rtp_pkt *p, int64_t now_us, bool in_jitter);
uint32_t mrtp_rx_expected(const struct rtp_rx *rx);
uint32_t mrtp_rx_got(const struct rtp_rx *rx);
uint32_t mrtp_rx_lost(const struct rtp_rx *rx);

/* ---- RTCP ---- */

#define RTCP_MAX 128

struct rtcp_out {
	uint32_t ssrc;
	bool sender;    /* SR, else RR */
	uint64_t ntp;   /* 32.32 */
	uint32_t ts, packets, octets;
	uint32_t lsr, dlsr; /* of their last SR, 1/65536 s */
};

/** SR or RR with one report block (when something was received) and CNAME; answers the length. Marks the report in @rx. */
size_t mrtcp_write(uint8_t buf[RTCP_MAX], const struct rtcp_out *o, struct rtp_rx *rx);

struct rtcp_in {
	bool sr, block;     /* what was there */
	uint32_t sr_ntp_mid; /* the middle 32 bits */
	uint32_t lost, ext_seq, jitter, lsr, dlsr; /* their block about @about */
	uint8_t fraction;
};

/** Reads a compound packet; takes the report block about our @ssrc. False on anything malformed. */
bool mrtcp_parse(struct rtcp_in *ret, const uint8_t *buf, size_t len, uint32_t ssrc);
uint64_t mrtcp_ntp(int64_t us);
