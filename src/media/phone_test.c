#include "media/phone_test.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "media/g711.h"

void phone_open(struct phone *p, double hz, uint32_t ssrc)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int big = 1 << 20;

	memset(p, 0, sizeof(*p));
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(p->fd >= 0);
	(void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	p->pt = LAW_ALAW;
	p->hz = hz;
	p->ssrc = ssrc;
	p->seq = 65500; /* the wrap comes soon */
	p->ts = 0xfffffff0;
}

void phone_close(struct phone *p)
{
	(void)close(p->fd);
}

int phone_sdp(const struct phone *p, char *sdp, size_t size, const char *pts, const char *dir)
{
	return snprintf(sdp, size, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
			"m=audio %u RTP/AVP %s\r\na=rtpmap:96 telephone-event/8000\r\na=%s\r\n", p->port, pts, dir);
}

void phone_aim(struct phone *p, const char *sdp)
{
	const char *m = strstr(sdp, "m=audio ");
	unsigned port;

	assert_non_null(m);
	assert_int_equal(sscanf(m, "m=audio %u", &port), 1);
	p->to = (uint16_t)port;
}

void phone_send_raw(struct phone *p, uint8_t pt, const uint8_t *payload, size_t n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(p->to)};
	uint8_t buf[RTP_HDR + 400];

	mrtp_header(buf, pt, false, p->seq++, p->ts, p->ssrc);
	memcpy(buf + RTP_HDR, payload, n);
	assert_int_equal(sendto(p->fd, buf, RTP_HDR + n, 0, (struct sockaddr *)&a, sizeof(a)), RTP_HDR + n);
}

void phone_send(struct phone *p)
{
	uint8_t f[160];

	g711_tables();
	for (int i = 0; i < 160; i++) {
		f[i] = alaw_of((int16_t)(8000 * sin(p->phase)));
		p->phase += 2 * M_PI * p->hz / 8000;
	}
	if (p->pt == LAW_ULAW)
		g711_convert(f, 160, LAW_ALAW, LAW_ULAW);
	phone_send_raw(p, p->pt, f, 160);
	p->ts += 160;
}

static void hear_event(struct phone *p, const struct rtp_pkt *k)
{
	p->dtmf++;
	p->dtmf_event = k->payload[0];
	if (k->payload[1] & 0x80) {
		p->dtmf_ends++;
		p->dtmf_duration = (uint16_t)(k->payload[2] << 8 | k->payload[3]);
	}
}

static void hear_packet(struct phone *p, const struct rtp_pkt *k)
{
	if (p->packets && ((int16_t)(k->seq - p->last_seq) <= 0 || k->ssrc != p->heard_ssrc))
		p->disorder = true;
	p->packets++;
	p->markers += k->marker;
	p->last_seq = k->seq;
	p->last_ts = k->ts;
	p->last_pt = k->pt;
	p->heard_ssrc = k->ssrc;
	if (k->pt >= 96) {
		hear_event(p, k);
		return;
	}
	for (size_t i = 0; i < k->len && p->n < PHONE_HEARD; i++)
		p->pcm[p->n++] = k->pt == LAW_ULAW ? ulaw_to_pcm(k->payload[i]) : alaw_to_pcm(k->payload[i]);
}

void phone_hear(struct phone *p)
{
	uint8_t buf[2048];
	struct rtp_pkt k;
	ssize_t n;

	while ((n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (!mrtp_is_rtcp(buf, (size_t)n) && mrtp_parse(&k, buf, (size_t)n))
			hear_packet(p, &k);
}

double tone_power(const int16_t *pcm, unsigned n, double hz)
{
	double s1 = 0, s2 = 0, all = 0, c = 2 * cos(2 * M_PI * hz / 8000);

	for (unsigned i = 0; i < n; i++) {
		double s = pcm[i] + c * s1 - s2;

		s2 = s1;
		s1 = s;
		all += (double)pcm[i] * pcm[i];
	}
	if (all <= 0)
		return 0;
	return (s1 * s1 + s2 * s2 - c * s1 * s2) * 2 / (all * n);
}
