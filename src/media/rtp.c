#include "media/rtp.h"

#include <math.h>
#include <string.h>

#include "media/codec.h"

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

bool mrtp_parse(struct rtp_pkt *ret, uint8_t *buf, size_t len)
{
	size_t off, pad = 0;

	if (len < RTP_HDR || buf[0] >> 6 != 2)
		return false;
	off = RTP_HDR + (size_t)(buf[0] & 15) * 4;
	if (buf[0] & 0x10) {
		if (len < off + 4)
			return false;
		off += 4 + (size_t)get16(buf + off + 2) * 4;
	}
	if (len < off)
		return false;
	if (buf[0] & 0x20) {
		pad = buf[len - 1];
		if (!pad || pad > len - off)
			return false;
	}
	ret->payload = buf + off;
	ret->len = len - off - pad;
	ret->pt = buf[1] & 0x7f;
	ret->marker = buf[1] >> 7;
	ret->seq = get16(buf + 2);
	ret->ts = get32(buf + 4);
	ret->ssrc = get32(buf + 8);
	return true;
}

void mrtp_header(uint8_t *h, uint8_t pt, bool marker, uint16_t seq, uint32_t ts, uint32_t ssrc)
{
	h[0] = 0x80;
	h[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
	put16(h + 2, seq);
	put32(h + 4, ts);
	put32(h + 8, ssrc);
}

/* A new SSRC, or a jump that no loss explains: a new stream; the old one's counts are kept. */
static void rx_restart(struct rtp_rx *rx, const struct rtp_pkt *p)
{
	if (rx->up) {
		rx->done_expected += rx->cycles + rx->max - rx->base + 1u;
		rx->done_got += rx->got;
	}
	rx->up = true;
	rx->ssrc = p->ssrc;
	rx->base = rx->max = p->seq;
	rx->cycles = 0;
	rx->got = 0;
	rx->transit = 0;
}

/* RFC 3550 A.8. */
static void rx_jitter(struct rtp_rx *rx, const struct rtp_pkt *p, int64_t now_us)
{
	unsigned khz = rx->khz ? rx->khz : 8;
	uint32_t transit = (uint32_t)((uint64_t)now_us * khz / 1000) - p->ts;
	int32_t d = (int32_t)(transit - rx->transit), max = (int32_t)khz * 10000;

	rx->late = (int32_t)(transit - rx->least);
	if (!rx->transit || rx->late < 0 || rx->late > max) {
		rx->least = transit;
		rx->late = 0;
	} else {
		rx->least += khz / 8;
	}
	if (rx->transit && d > -max && d < max)
		rx->jitter += ((float)(d < 0 ? -d : d) - rx->jitter) / 16;
	rx->transit = transit ? transit : 1;
}

#define RX_JUMP_MAX 3000 /* RFC 3550 A.1: MAX_DROPOUT */
#define RX_LATE_MAX 100  /* MAX_MISORDER */

void mrtp_rx(struct rtp_rx *rx, const struct rtp_pkt *p, int64_t now_us, bool in_jitter)
{
	uint16_t d = (uint16_t)(p->seq - rx->max);

	if (!rx->up || rx->ssrc != p->ssrc || (d > RX_JUMP_MAX && d < (uint16_t)-RX_LATE_MAX)) {
		rx_restart(rx, p);
	} else if (d && d <= RX_JUMP_MAX) {
		if (p->seq < rx->max)
			rx->cycles += 65536;
		rx->max = p->seq;
	}
	rx->got++;
	if (in_jitter)
		rx_jitter(rx, p, now_us);
}

uint32_t mrtp_rx_expected(const struct rtp_rx *rx)
{
	return rx->done_expected + (rx->up ? rx->cycles + rx->max - rx->base + 1u : 0);
}

uint32_t mrtp_rx_got(const struct rtp_rx *rx)
{
	return rx->done_got + rx->got;
}

uint32_t mrtp_rx_lost(const struct rtp_rx *rx)
{
	uint32_t e = mrtp_rx_expected(rx), g = mrtp_rx_got(rx);

	return e > g ? e - g : 0;
}

/* ---- RTCP ---- */

uint64_t mrtcp_ntp(int64_t us)
{
	uint64_t s = (uint64_t)us / 1000000, frac = (uint64_t)us % 1000000;

	return s << 32 | (frac << 32) / 1000000;
}

static uint8_t *report_block(uint8_t *p, const struct rtcp_out *o, struct rtp_rx *rx)
{
	uint32_t expected = mrtp_rx_expected(rx), got = mrtp_rx_got(rx), lost = mrtp_rx_lost(rx);
	uint32_t de = expected - rx->report_expected, dg = got - rx->report_got;

	rx->report_expected = expected;
	rx->report_got = got;
	put32(p, rx->ssrc);
	put32(p + 4, lost > 0x7fffff ? 0x7fffff : lost);
	p[4] = (uint8_t)(de > dg && de ? ((uint64_t)(de - dg) * 256 / de > 255 ? 255 : (uint64_t)(de - dg) * 256 / de) : 0);
	put32(p + 8, rx->cycles + rx->max);
	put32(p + 12, (uint32_t)rx->jitter);
	put32(p + 16, o->lsr);
	put32(p + 20, o->dlsr);
	return p + 24;
}

size_t mrtcp_write(uint8_t buf[RTCP_MAX], const struct rtcp_out *o, struct rtp_rx *rx)
{
	uint8_t *p = buf + 8, *sdes;

	buf[0] = (uint8_t)(0x80 | (rx->up ? 1 : 0));
	buf[1] = o->sender ? 200 : 201;
	put32(buf + 4, o->ssrc);
	if (o->sender) {
		put32(p, (uint32_t)(o->ntp >> 32));
		put32(p + 4, (uint32_t)o->ntp);
		put32(p + 8, o->ts);
		put32(p + 12, o->packets);
		put32(p + 16, o->octets);
		p += 20;
	}
	if (rx->up)
		p = report_block(p, o, rx);
	put16(buf + 2, (uint16_t)((p - buf) / 4 - 1));
	/* SDES with CNAME "huawu": 4 header, 4 SSRC, 2+5 item, end and padding to 16 */
	sdes = p;
	memset(sdes, 0, 16);
	sdes[0] = 0x81;
	sdes[1] = 202;
	put16(sdes + 2, 3);
	put32(sdes + 4, o->ssrc);
	sdes[8] = 1;
	sdes[9] = 5;
	memcpy(sdes + 10, "huawu", 5);
	return (size_t)(p - buf) + 16;
}

static void parse_blocks(struct rtcp_in *in, const uint8_t *p, const uint8_t *end, unsigned n, uint32_t ssrc)
{
	for (; n && end - p >= 24; n--, p += 24) {
		if (get32(p) != ssrc)
			continue;
		in->block = true;
		in->fraction = p[4];
		in->lost = get32(p + 4) & 0xffffff;
		if (in->lost & 0x800000) /* signed 24 bits: duplicates count as negative loss */
			in->lost = 0;
		in->ext_seq = get32(p + 8);
		in->jitter = get32(p + 12);
		in->lsr = get32(p + 16);
		in->dlsr = get32(p + 20);
	}
}

bool mrtcp_parse(struct rtcp_in *ret, const uint8_t *buf, size_t len, uint32_t ssrc)
{
	*ret = (struct rtcp_in){0};
	while (len) {
		size_t n;

		if (len < 4 || buf[0] >> 6 != 2)
			return false;
		n = ((size_t)get16(buf + 2) + 1) * 4;
		if (n > len)
			return false;
		if (buf[1] == 200 && n >= 28) {
			ret->sr = true;
			ret->sr_ntp_mid = get32(buf + 10);
			parse_blocks(ret, buf + 28, buf + n, buf[0] & 31, ssrc);
		} else if (buf[1] == 201 && n >= 8) {
			parse_blocks(ret, buf + 8, buf + n, buf[0] & 31, ssrc);
		}
		buf += n;
		len -= n;
	}
	return true;
}

/* ---- voice quality ---- */

/*
 * ITU-T G.107 (2015) with default values for all but codec, loss and delay: R = 93.2 - Idd - Ie_eff.
 *   Ie_eff = Ie + (95 - Ie) Ppl / (Ppl/BurstR + Bpl)   (7-29); BurstR = 1 (random loss)
 *   Idd    = 25 {(1 + X^6)^(1/6) - 3 (1 + (X/3)^6)^(1/6) + 2}, X = lg(Ta/100)/lg 2, for Ta > 100 ms   (7-27)
 * Bpl = 25.1 (G.113 table I.2: G.711 with packet loss concealment), as every phone and browser of today conceals; the
 * bare 4.3 would call 1 % loss (imperceptible in practice) a bad line. Ta is mouth to ear: the network's one-way
 * delay and a jitter buffer of twice the jitter. Ie and Bpl of the others stand in codec.c.
 */
float med_mos_codec(unsigned codec, float loss_pct, float delay_ms, float jitter_ms)
{
	const struct codec_info *ci = &codec_info[codec < CODEC_N ? codec : MED_PCMA];
	double ta = (double)delay_ms + 2 * (double)jitter_ms, ie = (double)ci->ie, idd = 0, r;

	if (loss_pct > 0)
		ie += (95.0 - ie) * (double)loss_pct / ((double)loss_pct + (double)ci->bpl);
	if (ta > 100) {
		double x = log2(ta / 100);

		idd = 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
	}
	r = 93.2 - idd - ie;
	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5f;
	return (float)(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

float med_mos(float loss_pct, float delay_ms, float jitter_ms)
{
	return med_mos_codec(MED_PCMA, loss_pct, delay_ms, jitter_ms);
}
