/* RTP of one simulated party: plain G.711 and RFC 4733 digits over a socket of its own, read and written by the tick. */
#include "sim/net_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rem_g711.h>

#define RTP_HEADER 12
#define ALAW_SILENCE 0xd5
#define QUIET_LEVEL 200.0 /* mean absolute sample below which a frame is a pause */
#define HANG_FRAMES 12    /* a pause shorter than this is still speech */
#define DIGIT_FRAMES 6    /* 120 ms pressed, RFC 4733 2.5.1.2: the end is sent three times */
#define DIGIT_GAP 5

int audio_open(struct audio *a, const char *host)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, host, &at.sin_addr) != 1)
		return -EINVAL;
	a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return -errno;
	if (bind(a->fd, (struct sockaddr *)&at, sizeof(at))) {
		int r = -errno;

		close(a->fd);
		return r;
	}
	a->open = true;
	a->pt = 8;
	a->seq = (uint16_t)rng_u64(&a->speaker.rng);
	a->ts = (uint32_t)rng_u64(&a->speaker.rng);
	a->ssrc = (uint32_t)rng_u64(&a->speaker.rng);
	return 0;
}

void audio_close(struct audio *a)
{
	if (a->open)
		close(a->fd);
	a->open = false;
}

uint16_t audio_port(const struct audio *a)
{
	struct sockaddr_in at = {0};
	socklen_t len = sizeof(at);

	(void)getsockname(a->fd, (struct sockaddr *)&at, &len);
	return ntohs(at.sin_port);
}

void audio_press(struct audio *a, const char *digits)
{
	(void)str_copy(a->digits, sizeof(a->digits), digits);
	a->digit_frame = 0;
}

static int level(const struct audio *a, const uint8_t *s, size_t n)
{
	long sum = 0;

	for (size_t i = 0; i < n; i++) {
		int v = a->pt == 8 ? g711_alaw2pcm(s[i]) : g711_ulaw2pcm(s[i]);

		sum += v < 0 ? -v : v;
	}
	return n ? (int)(sum / (long)n) : 0;
}

/* Counts one packet; answers the loudness of its sound, or -1. */
static int received(struct audio *a, const uint8_t *p, size_t n)
{
	uint16_t seq;
	int16_t gap;

	if (n < RTP_HEADER || p[0] >> 6 != 2 || (p[0] & 0x3f))
		return -1;
	seq = (uint16_t)(p[2] << 8 | p[3]);
	gap = (int16_t)(seq - a->rx_seq);
	if (a->rx && gap > 1 && gap < 1000)
		a->lost += (uint32_t)gap - 1;
	if (!a->rx || gap > 0 || gap < -1000)
		a->rx_seq = seq;
	a->rx++;
	return (p[1] & 0x7f) == a->pt ? level(a, p + RTP_HEADER, n - RTP_HEADER) : -1;
}

/* People pause, music and announcements hardly do: that is how a caller knows that somebody has come. */
static void note_pauses(struct audio *a, bool loud)
{
	a->quiet += !loud;
	if (++a->window < AUDIO_QUIET_FRAMES)
		return;
	if (a->quiet > AUDIO_QUIET_FRAMES * 3 / 10)
		a->pauses_heard = true;
	a->window = a->quiet = 0;
}

static void receive_all(struct audio *a)
{
	uint8_t buf[1500];
	bool loud = false;
	ssize_t n;

	for (int i = 0; i < 64 && (n = recv(a->fd, buf, sizeof(buf), 0)) > 0; i++)
		loud |= received(a, buf, (size_t)n) > QUIET_LEVEL;
	note_pauses(a, loud);
	if (loud)
		a->hang = HANG_FRAMES;
	else if (a->hang)
		a->hang--;
	a->other_speaks = a->hang > 0;
}

static void put_header(struct audio *a, uint8_t *p, uint8_t pt, bool marker, uint32_t ts)
{
	uint32_t nts = htonl(ts), nssrc = htonl(a->ssrc);

	p[0] = 0x80;
	p[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
	p[2] = (uint8_t)(a->seq >> 8);
	p[3] = (uint8_t)a->seq++;
	memcpy(p + 4, &nts, 4);
	memcpy(p + 8, &nssrc, 4);
}

static void send_packet(struct audio *a, const uint8_t *p, size_t n)
{
	if (sendto(a->fd, p, n, MSG_DONTWAIT, (struct sockaddr *)&a->to, sizeof(a->to)) == (ssize_t)n)
		a->tx++;
}

/* One frame of the digit pressed now: true while digits are left. */
static bool press_frame(struct audio *a)
{
	static const char keys[] = "0123456789*#ABCD";
	const char *key = a->digits[0] ? strchr(keys, a->digits[0]) : NULL;
	uint8_t p[RTP_HEADER + 4];
	int f = a->digit_frame;
	bool end = f >= DIGIT_FRAMES;
	unsigned duration = (unsigned)((end ? DIGIT_FRAMES : f + 1) * NET_FRAME);

	if (!a->digits[0])
		return false;
	if (key && a->event_pt && f < DIGIT_FRAMES + 3) {
		if (!f)
			a->digit_ts = a->ts;
		put_header(a, p, a->event_pt, !f, a->digit_ts);
		p[RTP_HEADER] = (uint8_t)(key - keys);
		p[RTP_HEADER + 1] = (uint8_t)((end ? 0x80 : 0) | 10);
		p[RTP_HEADER + 2] = (uint8_t)(duration >> 8);
		p[RTP_HEADER + 3] = (uint8_t)duration;
		send_packet(a, p, sizeof(p));
	}
	if (++a->digit_frame >= DIGIT_FRAMES + 3 + DIGIT_GAP) {
		memmove(a->digits, a->digits + 1, strlen(a->digits));
		a->digit_frame = 0;
	}
	return true;
}

/* The next 20 ms of what is played, with two seconds of silence before it begins anew. */
static void play_frame(struct audio *a, uint8_t out[NET_FRAME])
{
	for (int i = 0; i < NET_FRAME; i++, a->play_at++) {
		if (a->play_at >= a->plays->n + 2 * 8000)
			a->play_at = 0;
		out[i] = a->play_at < a->plays->n ? a->plays->alaw[a->play_at] : ALAW_SILENCE;
	}
}

void audio_tick(struct audio *a)
{
	uint8_t p[RTP_HEADER + NET_FRAME];
	bool first = !a->tx;

	if (!a->open)
		return;
	receive_all(a);
	if (!a->sending)
		return;
	if (!press_frame(a)) {
		if (a->plays)
			play_frame(a, p + RTP_HEADER);
		else if (a->mute)
			memset(p + RTP_HEADER, ALAW_SILENCE, NET_FRAME);
		else
			speaker_frame(&a->speaker, a->other_speaks, p + RTP_HEADER);
		if (a->pt == 0)
			for (int i = 0; i < NET_FRAME; i++)
				p[RTP_HEADER + i] = g711_pcm2ulaw(g711_alaw2pcm(p[RTP_HEADER + i]));
		put_header(a, p, a->pt, first, a->ts);
		send_packet(a, p, sizeof(p));
	}
	a->ts += NET_FRAME;
}
