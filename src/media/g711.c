#include "media/g711.h"

#include <pthread.h>
#include <string.h>

static int16_t pcm_of_a[256], pcm_of_u[256];
static uint8_t a_of_u[256], u_of_a[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A-law: sign, 3 bits of segment, 4 of mantissa; even bits inverted on the line. Scaled to 16 bits. */
static int16_t expand_a(uint8_t a)
{
	int seg, v;

	a ^= 0x55;
	seg = a >> 4 & 7;
	v = (a & 15) << 4 | 8;
	if (seg)
		v = (v | 0x100) << (seg - 1);
	return (int16_t)(a & 0x80 ? v : -v);
}

/* µ-law: all bits inverted, bias 33 (132 in 16 bits). */
static int16_t expand_u(uint8_t u)
{
	int v;

	u = (uint8_t)~u;
	v = (((u & 15) << 3 | 0x84) << (u >> 4 & 7)) - 0x84;
	return (int16_t)(u & 0x80 ? -v : v);
}

/* The nearest code word by search: only used for tables and prompts, never per packet. */
static uint8_t nearest(const int16_t *table, int pcm)
{
	int best = 0, dist = 1 << 20;

	for (int i = 0; i < 256; i++) {
		int d = table[i] - pcm;

		if (d < 0)
			d = -d;
		if (d < dist) {
			dist = d;
			best = i;
		}
	}
	return (uint8_t)best;
}

static void make(void)
{
	for (int i = 0; i < 256; i++) {
		pcm_of_a[i] = expand_a((uint8_t)i);
		pcm_of_u[i] = expand_u((uint8_t)i);
	}
	for (int i = 0; i < 256; i++) {
		a_of_u[i] = nearest(pcm_of_a, pcm_of_u[i]);
		u_of_a[i] = nearest(pcm_of_u, pcm_of_a[i]);
	}
	a_of_u[ULAW_SILENCE] = ALAW_SILENCE;
	u_of_a[ALAW_SILENCE] = ULAW_SILENCE;
}

void g711_tables(void)
{
	(void)pthread_once(&once, make);
}

/* Decision values: segment 0 and 1 step 16, then 32, 64 ... in 16-bit units. */
uint8_t alaw_of(int16_t pcm)
{
	int v = pcm < 0 ? -(int)pcm - 1 : pcm;
	int seg = 0, a;

	for (int t = v >> 8; t; t >>= 1)
		seg++;
	a = seg ? seg << 4 | (v >> (seg + 3) & 15) : v >> 4;
	return (uint8_t)((a | (pcm < 0 ? 0 : 0x80)) ^ 0x55);
}

int16_t alaw_to_pcm(uint8_t a)
{
	return pcm_of_a[a];
}

int16_t ulaw_to_pcm(uint8_t u)
{
	return pcm_of_u[u];
}

uint8_t ulaw_of_alaw(uint8_t a)
{
	return u_of_a[a];
}

uint8_t alaw_of_ulaw(uint8_t u)
{
	return a_of_u[u];
}

void g711_convert(uint8_t *p, size_t n, enum law from, enum law to)
{
	const uint8_t *table = from == LAW_ULAW ? a_of_u : u_of_a;

	if (from == to)
		return;
	for (size_t i = 0; i < n; i++)
		p[i] = table[p[i]];
}

void g711_to_alaw(uint8_t *dst, size_t stride, const uint8_t *src, size_t n, enum law from)
{
	if (from == LAW_ALAW)
		for (size_t i = 0; i < n; i++)
			dst[i * stride] = src[i];
	else
		for (size_t i = 0; i < n; i++)
			dst[i * stride] = a_of_u[src[i]];
}
