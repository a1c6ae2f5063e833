#include "sip/sip_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

#define HEAD "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"

static struct sipframe f;

/* What comes out of @bytes, fed @step at a time: one letter each (M, P, H, X), the lengths of messages in @lens. */
static const char *got(const char *bytes, size_t n, size_t step, size_t *lens)
{
	static char out[64];
	size_t m = 0;

	memset(out, 0, sizeof(out));
	for (size_t i = 0; i < n; i += step) {
		const char *msg;
		size_t len = 0;
		enum sipframe_got g;

		sipframe_add(&f, bytes + i, n - i < step ? n - i : step);
		while ((g = sipframe_next(&f, &msg, &len)) != SIPFRAME_MORE && m < sizeof(out) - 1) {
			assert_int_equal(sipframe_next(&f, &msg, &len), g); /* asking changes nothing */
			if (lens)
				lens[m] = len;
			out[m++] = ".MPHX"[g];
			if (g == SIPFRAME_HEAD || g == SIPFRAME_TOO_LONG) {
				sipframe_done(&f);
				return out;
			}
			sipframe_take(&f);
		}
	}
	sipframe_done(&f);
	return out;
}

static const char *got_text(const char *text)
{
	return got(text, strlen(text), strlen(text), NULL);
}

TEST(frame_messages_come_out_the_same_however_they_are_cut)
{
	static const char text[] = "\r\n" HEAD "Content-Length: 5\r\n\r\nhello\r\n\r\n" HEAD "l : 0\r\n\r\n" HEAD
				   "CONTENT-length:\r\n 3\r\nX: y\r\n\r\nabc" HEAD "Content-Length: 0\n\n";
	size_t head = strlen(HEAD), lens[8];

	for (size_t step = 1; step < sizeof(text); step++) {
		assert_string_equal(got(text, sizeof(text) - 1, step, lens), "MPMMM");
		assert_int_equal(lens[0], head + strlen("Content-Length: 5\r\n\r\nhello"));
		assert_int_equal(lens[2], head + strlen("l : 0\r\n\r\n"));
		assert_int_equal(lens[3], head + strlen("CONTENT-length:\r\n 3\r\nX: y\r\n\r\nabc"));
		assert_int_equal(lens[4], head + strlen("Content-Length: 0\n\n"));
	}
}

TEST(frame_single_line_ends_between_messages_are_no_keep_alive)
{
	assert_string_equal(got_text("\r\n"), "");
	assert_string_equal(got_text("\r\n\r\n\r\n\r\n"), "PP");
	assert_string_equal(got_text("\r\n" HEAD "Content-Length: 0\r\n\r\n"), "M");
}

TEST(frame_head_without_a_length_one_can_trust_is_the_last_thing_read)
{
	assert_string_equal(got_text(HEAD "\r\n" HEAD "Content-Length: 0\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: 1\r\nl: 1\r\n\r\nxx"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: -1\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: 0x10\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "Content-Length:\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: 99999999999999999999\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "Content-Length: 65536\r\n\r\n"), "H");
	assert_string_equal(got_text(HEAD "X-Content-Length: 0\r\n\r\n"), "H");
}

TEST(frame_body_longer_than_said_is_read_as_the_next_message)
{
	assert_string_equal(got_text(HEAD "Content-Length: 1\r\n\r\nabc\r\n\r\n"), "MH");
	assert_string_equal(got_text(HEAD "Content-Length: 9\r\n\r\nabc"), "");
}

/* 10 MB of header: refused at 32 kB, and no more than that and one read is ever held. */
TEST(frame_head_without_end_is_refused_early)
{
	char chunk[4096], *lines = xcalloc(1, 40000);
	size_t fed = 0, len;
	const char *msg;

	memset(chunk, 'a', sizeof(chunk));
	sipframe_add(&f, HEAD, strlen(HEAD));
	while (fed < (10 << 20) && sipframe_next(&f, &msg, &len) == SIPFRAME_MORE) {
		sipframe_add(&f, chunk, sizeof(chunk));
		fed += sizeof(chunk);
	}
	assert_true(fed <= SIPFRAME_HEAD_MAX + sizeof(chunk));
	assert_true(f.cap <= 65536);
	sipframe_done(&f);
	while (strlen(lines) < 33000)
		strcat(lines, "Subject: again and again and again and again and again\r\n");
	sipframe_add(&f, HEAD, strlen(HEAD));
	sipframe_add(&f, lines, strlen(lines));
	sipframe_add(&f, "Content-Length: 0\r\n\r\n", 21);
	assert_int_equal(sipframe_next(&f, &msg, &len), SIPFRAME_TOO_LONG);
	sipframe_done(&f);
	free(lines);
}

TEST(frame_gives_big_buffers_back)
{
	char *body = xcalloc(1, 60001);
	const char *msg;
	size_t len;

	memset(body, 'b', 60000);
	sipframe_add(&f, HEAD "Content-Length: 60000\r\n\r\n", strlen(HEAD) + 25);
	assert_int_equal(sipframe_next(&f, &msg, &len), SIPFRAME_MORE);
	assert_true(sipframe_pending(&f));
	sipframe_add(&f, body, 60000);
	assert_int_equal(sipframe_next(&f, &msg, &len), SIPFRAME_MESSAGE);
	assert_memory_equal(msg + len - 60000, body, 60000);
	sipframe_take(&f);
	assert_int_equal(f.cap, 0);
	assert_false(sipframe_pending(&f));
	sipframe_done(&f);
	free(body);
}
