#include "media/codec.h"

#include <opus.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>
#ifdef HUAWU_G729
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>
#endif

#include "base/base.h"
#include "media/g711.h"

#define OPUS_BPS 24000
#define OPUS_COMPLEXITY 5
#define RESAMPLE_QUALITY 4 /* speexdsp's of 0..10: 64 taps, 60 dB and more of stop band */
#define FRAME_MS 20

/*
 * Ie and Bpl: ITU-T G.113 appendix I, tables I.1 and I.2: G.711 with packet loss concealment 0 / 25.1, G.729A 11 / 19. G.113 has no
 * narrow-band values for G.722 and Opus. We take 0 for Ie (neither sounds worse than G.711); for Bpl G.711's with G.722 (concealed
 * alike), and 25.1 with Opus too, though its FEC does better: an estimate should rather be too low.
 */
const struct codec_info codec_info[CODEC_N] = {
	[MED_PCMA] = {"PCMA", 8, 8, 8, 0, 25.1f},
	[MED_PCMU] = {"PCMU", 0, 8, 8, 0, 25.1f},
	[MED_G722] = {"G722", 9, 8, 16, 0, 25.1f},
	[MED_OPUS] = {"opus", 111, 48, 16, 0, 25.1f},
	[MED_G729] = {"G729", 18, 8, 8, 11, 19},
};

bool codec_here(enum med_codec c)
{
#ifndef HUAWU_G729
	if (c == MED_G729)
		return false;
#endif
	return c < CODEC_N;
}

/* ---- decoding ---- */

struct mdecoder {
	enum med_codec codec;
	union {
		OpusDecoder *opus;
		g722_decode_state_t *g722;
		void *any;
	};
	int16_t last[CODEC_PCM_MAX]; /* the last packet's sound, for concealment */
	unsigned n, lost;
};

struct mdecoder *mdecoder_new(enum med_codec c)
{
	struct mdecoder *d = xcalloc(1, sizeof(*d));
	int err = 0;

	d->codec = c;
	if (c == MED_OPUS)
		d->opus = opus_decoder_create(codec_info[c].rate_khz * 1000, 1, &err);
	else if (c == MED_G722)
		d->g722 = g722_decode_init(NULL, 64000, 0);
#ifdef HUAWU_G729
	else if (c == MED_G729)
		d->any = initBcg729DecoderChannel();
#endif
	if (!codec_is_law(c) && !d->any) {
		free(d);
		return NULL;
	}
	return d;
}

void mdecoder_free(struct mdecoder *d)
{
	if (!d)
		return;
	if (d->codec == MED_OPUS)
		opus_decoder_destroy(d->opus);
	else if (d->codec == MED_G722)
		(void)g722_decode_free(d->g722);
#ifdef HUAWU_G729
	else if (d->codec == MED_G729)
		closeBcg729DecoderChannel(d->any);
#endif
	free(d);
}

static unsigned law_decode(enum med_codec c, const uint8_t *p, size_t n, int16_t *pcm)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = c == MED_PCMA ? alaw_to_pcm(p[i]) : ulaw_to_pcm(p[i]);
	return (unsigned)n;
}

#ifdef HUAWU_G729
/* RFC 3551 4.5.6: frames of 10 octets for 10 ms; one of 2 at the end is comfort noise (annex B). */
static unsigned g729_decode(struct mdecoder *d, const uint8_t *p, size_t n, int16_t *pcm)
{
	unsigned got = 0;

	for (; n >= 2 && got + 80 <= CODEC_PCM_MAX; got += 80) {
		size_t len = n >= 10 ? 10 : 2;

		bcg729Decoder(d->any, p, (uint8_t)len, 0, len == 2, 0, pcm + got);
		p += len;
		n -= len;
	}
	return got;
}
#endif

static unsigned decode(struct mdecoder *d, const uint8_t *p, size_t n, int16_t *pcm)
{
	int r;

	switch (d->codec) {
	case MED_PCMA:
	case MED_PCMU:
		return n > CODEC_PCM_MAX ? 0 : law_decode(d->codec, p, n, pcm);
	case MED_G722:
		return n > CODEC_PCM_MAX / 2 ? 0 : (unsigned)g722_decode(d->g722, pcm, p, (int)n);
	case MED_OPUS:
		r = opus_decode(d->opus, p, (opus_int32)n, pcm, CODEC_PCM_MAX, 0);
		return r > 0 ? (unsigned)r : 0;
#ifdef HUAWU_G729
	case MED_G729:
		return g729_decode(d, p, n, pcm);
#endif
	default:
		return 0;
	}
}

unsigned mdecode(struct mdecoder *d, const uint8_t *p, size_t n, int16_t pcm[CODEC_PCM_MAX])
{
	unsigned got = n ? decode(d, p, n, pcm) : 0;

	if (!got)
		return 0;
	memcpy(d->last, pcm, got * sizeof(*pcm));
	d->n = got;
	d->lost = 0;
	return got;
}

/* Repeats the last sound, each time half as loud: a word's end rather than a hole or a buzz. */
static void repeat(struct mdecoder *d, int16_t *pcm, unsigned samples)
{
	for (unsigned i = 0; i < samples; i++)
		pcm[i] = d->n && d->lost < 4 ? (int16_t)(d->last[i % d->n] / (2 << d->lost)) : 0;
	d->lost++;
}

void mdecode_lost(struct mdecoder *d, const uint8_t *next, size_t n, int16_t *pcm, unsigned samples)
{
	int r = -1;

	if (d->codec == MED_OPUS)
		r = opus_decode(d->opus, next, next ? (opus_int32)n : 0, pcm, (int)samples, next ? 1 : 0);
	if (r != (int)samples)
		repeat(d, pcm, samples);
}

/* ---- coding ---- */

struct mencoder {
	enum med_codec codec;
	union {
		OpusEncoder *opus;
		g722_encode_state_t *g722;
		void *any;
	};
};

static OpusEncoder *opus_new(void)
{
	int err = 0;
	OpusEncoder *o = opus_encoder_create(codec_info[MED_OPUS].rate_khz * 1000, 1, OPUS_APPLICATION_VOIP, &err);

	if (!o)
		return NULL;
	(void)opus_encoder_ctl(o, OPUS_SET_BITRATE(OPUS_BPS));
	(void)opus_encoder_ctl(o, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY));
	(void)opus_encoder_ctl(o, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	(void)opus_encoder_ctl(o, OPUS_SET_INBAND_FEC(1));
	(void)opus_encoder_ctl(o, OPUS_SET_PACKET_LOSS_PERC(10)); /* it is used where the line is poor */
	return o;
}

struct mencoder *mencoder_new(enum med_codec c)
{
	struct mencoder *e = xcalloc(1, sizeof(*e));

	e->codec = c;
	if (c == MED_OPUS)
		e->opus = opus_new();
	else if (c == MED_G722)
		e->g722 = g722_encode_init(NULL, 64000, 0);
#ifdef HUAWU_G729
	else if (c == MED_G729)
		e->any = initBcg729EncoderChannel(0);
#endif
	if (!codec_is_law(c) && !e->any) {
		free(e);
		return NULL;
	}
	return e;
}

void mencoder_free(struct mencoder *e)
{
	if (!e)
		return;
	if (e->codec == MED_OPUS)
		opus_encoder_destroy(e->opus);
	else if (e->codec == MED_G722)
		(void)g722_encode_free(e->g722);
#ifdef HUAWU_G729
	else if (e->codec == MED_G729)
		closeBcg729EncoderChannel(e->any);
#endif
	free(e);
}

void mencoder_loss(struct mencoder *e, int pct)
{
	if (e->codec == MED_OPUS)
		(void)opus_encoder_ctl(e->opus, OPUS_SET_PACKET_LOSS_PERC(pct < 5 ? 5 : pct > 40 ? 40 : pct));
}

static size_t law_encode(enum med_codec c, const int16_t *pcm, uint8_t *out)
{
	for (unsigned i = 0; i < 8 * FRAME_MS; i++)
		out[i] = alaw_of(pcm[i]);
	if (c == MED_PCMU)
		g711_convert(out, 8 * FRAME_MS, LAW_ALAW, LAW_ULAW);
	return 8 * FRAME_MS;
}

#ifdef HUAWU_G729
static size_t g729_encode(struct mencoder *e, const int16_t *pcm, uint8_t *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < 2; i++) {
		uint8_t len = 0;

		bcg729Encoder(e->any, pcm + i * 80, out + n, &len);
		n += len;
	}
	return n;
}
#endif

size_t mencode(struct mencoder *e, const int16_t *pcm, uint8_t out[CODEC_OUT_MAX])
{
	unsigned samples = codec_info[e->codec].rate_khz * FRAME_MS;
	int r;

	switch (e->codec) {
	case MED_PCMA:
	case MED_PCMU:
		return law_encode(e->codec, pcm, out);
	case MED_G722:
		return (size_t)g722_encode(e->g722, out, pcm, (int)samples);
	case MED_OPUS:
		r = opus_encode(e->opus, pcm, (int)samples, out, CODEC_OUT_MAX);
		return r > 0 ? (size_t)r : 0;
#ifdef HUAWU_G729
	case MED_G729:
		return g729_encode(e, pcm, out);
#endif
	default:
		return 0;
	}
}

/* ---- rates ---- */

struct mresamp {
	SpeexResamplerState *st;
	unsigned from, to;
};

struct mresamp *mresamp_new(unsigned from_khz, unsigned to_khz)
{
	struct mresamp *r = xcalloc(1, sizeof(*r));
	int err = 0;

	r->from = from_khz;
	r->to = to_khz;
	r->st = speex_resampler_init(1, from_khz * 1000, to_khz * 1000, RESAMPLE_QUALITY, &err);
	if (!r->st) {
		free(r);
		return NULL;
	}
	return r;
}

void mresamp_free(struct mresamp *r)
{
	if (!r)
		return;
	speex_resampler_destroy(r->st);
	free(r);
}

unsigned mresamp(struct mresamp *r, const int16_t *in, unsigned n, int16_t *out)
{
	spx_uint32_t in_n = n, out_n = n * 2 + 16;

	(void)speex_resampler_process_int(r->st, 0, in, &in_n, out, &out_n);
	return out_n;
}
