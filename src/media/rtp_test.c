#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/test.h"
#include "media/g711.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/rtp.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * By hand from G.107: loss 0, delay 0: R = 93.2, MOS = 1 + 3.262 + 93.2*33.2*6.8*7e-6 = 4.4093.
 * Loss 5 %: Ie = 95*5/30.1 = 15.7807, R = 77.4193: 1 + 2.70967 + 77.4193*17.4193*22.5807*7e-6 = 3.92284.
 * Delay 400 ms: X = 2, Idd = 25*(65^(1/6) - 3*(1+(2/3)^6)^(1/6) + 2) = 25*(2.005176 - 3*1.014110 + 2) = 24.0711,
 * R = 69.1289: 1 + 2.41951 + 69.1289*9.1289*30.8711*7e-6 = 3.55588.
 */
TEST(mos_is_that_of_the_e_model)
{
	assert_true(fabs((double)med_mos(0, 0, 0) - 4.4093) < 0.0005);
	assert_true(fabs((double)med_mos(5, 0, 0) - 3.9228) < 0.0005);
	assert_true(fabs((double)med_mos(0, 400, 0) - 3.5559) < 0.0005);
	assert_true(med_mos(0, 300, 50) == med_mos(0, 400, 0)); /* a jitter buffer of twice the jitter */
	assert_true(med_mos(100, 2000, 0) >= 1 && med_mos(100, 2000, 0) < 1.5f);
}

/* ITU-T G.711 table 1a/2a: the extremes and the steps round zero; G.191's A-law and µ-law give the same. */
TEST(g711_decodes_as_the_tables_say)
{
	g711_tables();
	assert_int_equal(alaw_to_pcm(0xd5), 8);
	assert_int_equal(alaw_to_pcm(0x55), -8);
	assert_int_equal(alaw_to_pcm(0xaa), 32256);
	assert_int_equal(alaw_to_pcm(0x2a), -32256);
	assert_int_equal(ulaw_to_pcm(0xff), 0);
	assert_int_equal(ulaw_to_pcm(0x80), 32124);
	assert_int_equal(ulaw_to_pcm(0x00), -32124);
	for (int i = 0; i < 256; i++)
		assert_int_equal(alaw_of(alaw_to_pcm((uint8_t)i)), i); /* every word comes back */
	for (int v = -32768; v < 32768; v += 7) {
		int e = abs(alaw_to_pcm(alaw_of((int16_t)v)) - v);

		assert_true(e <= 8 + abs(v) / 32 + 1); /* half a step: 1/32 of the value, or 8 near zero */
	}
}

TEST(laws_convert_without_losing_more_than_a_step)
{
	g711_tables();
	for (int i = 0; i < 256; i++) {
		int a = alaw_to_pcm((uint8_t)i), u = ulaw_to_pcm(ulaw_of_alaw((uint8_t)i));

		assert_true(abs(a - u) <= 8 + abs(a) / 16);
	}
	assert_int_equal(ulaw_of_alaw(ALAW_SILENCE), ULAW_SILENCE);
	assert_int_equal(alaw_of_ulaw(ULAW_SILENCE), ALAW_SILENCE);
}

static struct rtp_pkt pkt(uint16_t seq, uint32_t ts, uint32_t ssrc)
{
	return (struct rtp_pkt){.seq = seq, .ts = ts, .ssrc = ssrc};
}

TEST(loss_is_counted_across_wraps_and_new_sources)
{
	struct rtp_rx rx = {0};
	struct rtp_pkt p;

	for (unsigned i = 0; i < 10; i++) {
		if (i == 3 || i == 7)
			continue;
		p = pkt((uint16_t)(65531 + i), i * 160, 1);
		mrtp_rx(&rx, &p, i * 20000, true);
	}
	assert_int_equal(mrtp_rx_expected(&rx), 10);
	assert_int_equal(mrtp_rx_lost(&rx), 2);
	p = pkt(9, 5, 2);
	mrtp_rx(&rx, &p, 300000, true);
	p = pkt(11, 325, 2);
	mrtp_rx(&rx, &p, 340000, true);
	assert_int_equal(mrtp_rx_expected(&rx), 13);
	assert_int_equal(mrtp_rx_lost(&rx), 3);
}

/* RFC 3550 A.8: J += (|D| - J) / 16. Packets every 20 ms, then one 16 ms late (128 units): J = 8; on time again: D = 128: 15.5. */
TEST(jitter_follows_the_rfc)
{
	struct rtp_rx rx = {0};
	struct rtp_pkt p;

	for (unsigned i = 0; i < 4; i++) {
		p = pkt((uint16_t)i, i * 160, 1);
		mrtp_rx(&rx, &p, 1000000 + i * 20000 + (i == 2 ? 16000 : 0), true);
		if (i == 2)
			assert_true(rx.jitter == 8.0f);
	}
	assert_true(rx.jitter == 15.5f);
}

/* Transit is the clock in 1/8000 s less the timestamp: 1000 for the first, 800 for one that came 25 ms sooner, then 400 above that, less
   the one step by which the least has risen meanwhile; and a jump of ten seconds is another clock, not lateness. */
TEST(lateness_is_against_the_least_transit)
{
	struct rtp_rx rx = {0};
	struct {
		int64_t ticks;
		uint32_t ts;
		int32_t late;
	} in[] = {{1000, 0, 0}, {960, 160, 0}, {1520, 320, 400}, {1680, 480, 399}, {1840 + 90000, 640, 0}, {2000 + 90000, 800, 0}};

	for (unsigned i = 0; i < ARRAY_LEN(in); i++) {
		struct rtp_pkt p = {.seq = (uint16_t)(i + 1), .ts = in[i].ts, .ssrc = 5, .len = 160};

		mrtp_rx(&rx, &p, in[i].ticks * 125, true);
		assert_int_equal(rx.late, in[i].late);
	}
}

TEST(reports_are_read_back_as_written)
{
	struct rtp_rx rx = {0};
	struct rtcp_out o = {.ssrc = 5, .sender = true, .ntp = 0x0102030405060708ull, .ts = 9, .packets = 10, .octets = 1600,
			     .lsr = 0xabcd, .dlsr = 77};
	struct rtcp_in in;
	uint8_t buf[RTCP_MAX];
	struct rtp_pkt p;
	size_t n;

	for (uint16_t s = 0; s < 5; s = (uint16_t)(s + 2)) { /* 0, 2, 4: two of five are lost */
		p = pkt(s, s * 160u, 42);
		mrtp_rx(&rx, &p, s * 20000, true);
	}
	n = mrtcp_write(buf, &o, &rx);
	assert_int_equal(n, 28 + 24 + 16);
	assert_true(mrtcp_parse(&in, buf, n, 42));
	assert_true(in.sr && in.block);
	assert_int_equal(in.sr_ntp_mid, 0x03040506);
	assert_int_equal(in.lost, 2);
	assert_int_equal(in.fraction, 102); /* 2/5 of 256 */
	assert_int_equal(in.ext_seq, 4);
	assert_int_equal(in.lsr, 0xabcd);
	assert_int_equal(in.dlsr, 77);
	assert_true(mrtcp_parse(&in, buf, n, 43));
	assert_false(in.block);
	for (size_t cut = 1; cut < n; cut++)
		(void)mrtcp_parse(&in, buf, cut, 42);
	assert_false(mrtcp_parse(&in, buf, n - 1, 42));
}

TEST(rtp_headers_with_extras_are_read_and_lies_refused)
{
	uint8_t b[64] = {0x80 | 0x20 | 0x10 | 1, 0x88, 1, 2, 0, 0, 0, 3, 0, 0, 0, 4};
	struct rtp_pkt p;

	/* one CSRC at 12, extension at 16 with one word, payload of 5 at 24, padding of 3 */
	b[19] = 1;
	memcpy(b + 24, "hello", 5);
	b[31] = 3;
	assert_true(mrtp_parse(&p, b, 32));
	assert_int_equal(p.len, 5);
	assert_memory_equal(p.payload, "hello", 5);
	assert_int_equal(p.seq, 0x0102);
	assert_true(p.marker);
	b[31] = 9; /* more padding than payload */
	assert_false(mrtp_parse(&p, b, 32));
	b[31] = 0;
	assert_false(mrtp_parse(&p, b, 32));
	b[31] = 3;
	b[18] = 1; /* an extension longer than the packet */
	assert_false(mrtp_parse(&p, b, 32));
	assert_false(mrtp_parse(&p, b, 11));
	b[0] = 0x40;
	assert_false(mrtp_parse(&p, b, 32));
}

static void write_wav(const char *path, unsigned rate, unsigned samples, time_t mtime)
{
	uint8_t h[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0........\2\0\x10\0data....";
	struct timespec t[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};
	uint32_t bytes = samples * 2, byte_rate = rate * 2;
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	memcpy(h + 24, &rate, 4);
	memcpy(h + 28, &byte_rate, 4);
	memcpy(h + 40, &bytes, 4);
	(void)fwrite(h, 1, sizeof(h), f);
	for (unsigned i = 0; i < bytes; i++)
		(void)fputc(0, f);
	(void)fclose(f);
	assert_int_equal(utimensat(0, path, t, 0), 0);
}

TEST(a_sound_file_is_read_again_when_it_changes)
{
	const struct sound *s, *before;
	struct prompts *p;
	char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/huawu-media-test-%d.wav", (int)getpid());
	assert_int_equal(mprompt_new(&p), 0);
	write_wav(path, 16000, 1000, 1000000);
	assert_int_equal(mprompt_get(&s, p, path), -EINVAL); /* 16 kHz */
	write_wav(path, 8000, 1000, 1000001);
	assert_int_equal(mprompt_get(&s, p, path), 0);
	assert_int_equal(s->n, 1000);
	assert_int_equal(s->alaw[0], 0xd5);
	assert_int_equal(mprompt_get(&before, p, path), 0);
	assert_ptr_equal(before, s);
	write_wav(path, 8000, 2000, 1000002);
	assert_int_equal(mprompt_get(&s, p, path), 0);
	assert_int_equal(s->n, 2000);
	assert_int_equal(before->n, 1000); /* may still be playing */
	mprompt_free(p);
	(void)unlink(path);
}

TEST(all_embedded_prompts_are_sounds)
{
	const char *const *names;
	struct prompts *p;
	const struct sound *s;
	size_t n = med_prompt_names(&names);

	assert_int_equal(mprompt_new(&p), 0);
	assert_true(n > 40);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(mprompt_get(&s, p, names[i]), 0);
		assert_in_range(s->n, 800, 8000 * 60);
	}
	assert_int_equal(mprompt_get(&s, p, "zh/greeting"), 0);
	assert_in_range(s->n, 8000, 8000 * 8);
	assert_int_equal(mprompt_get(&s, p, "/no/such.wav"), -ENOENT);
	assert_int_equal(mprompt_get(&s, p, "/etc/passwd"), -EINVAL);
	mprompt_free(p);
}
