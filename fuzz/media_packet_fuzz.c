/*
 * Packets to a leg's port: RTP, RTCP, SRTP, a browser's STUN and DTLS; decoders and digits in the sound. Input: records of one byte (which leg, which source) and
 * one of length, then the packet. Bridged, recorded and playing legs share the work; nothing leaves loopback.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "media/media_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LEGS 7 /* 0-1 and 3-4 bridged, 2 a browser, 5-6 bridged with keys, 5 of one suite and 6 of another */

static struct media *m;
static struct mleg legs[LEGS];
static const uint8_t codecs[LEGS] = {MED_PCMA, MED_PCMU, MED_PCMA, MED_OPUS, MED_G722, MED_PCMA, MED_PCMA};

static void leg_init(struct mleg *l, unsigned i)
{
	l->t = &m->thread;
	l->handle = i + 1;
	l->fd = socket(AF_INET, SOCK_DGRAM, 0);
	l->family = AF_INET;
	l->rem = (struct leg_remote){.tx = codecs[i], .tx_pt = codec_info[codecs[i]].pt, .tx_dtmf = 101, .rx_dtmf = 101,
				     .tx_khz = (uint8_t)codec_info[codecs[i]].khz, .dtmf_khz = 8, .may_send = true, .expect = true,
				     .inband = i == 1};
	memset(l->rem.rx, RX_NONE, sizeof(l->rem.rx));
	for (unsigned c = 0; c < CODEC_N; c++)
		if (codec_here(c))
			l->rem.rx[codec_info[c].pt] = (uint8_t)c;
	l->rem.rx[101] = RX_DTMF;
	l->rem.rx[13] = RX_CN;
	maddr_from4(&l->rem.rtp, htonl(INADDR_LOOPBACK), 9);
}

static void init(void)
{
	struct secure_conf *conf = xcalloc(1, sizeof(*conf));
	struct sdes_conf keys = {.tx = {.suite = SUITE_CM_80}, .rx = {.suite = SUITE_CM_32}};

	m = xcalloc(1, sizeof(*m));
	(void)loop_process_init();
	g711_tables();
	m->thread.m = m;
	ilist_init(&m->events);
	ilist_init(&m->thread.ticking);
	(void)pthread_mutex_init(&m->ev_lock, NULL);
	(void)mbox_new(&m->ev_box, 10);
	(void)msecure_shared_new(&m->secure);
	for (unsigned i = 0; i < LEGS; i++)
		leg_init(&legs[i], i);
	for (unsigned i = 0; i < LEGS - 1; i++)
		if (i != 1 && i != 2 && i != 4) {
			legs[i].peer = &legs[i + 1];
			legs[i + 1].peer = &legs[i];
		}
	(void)mcrypt_set(&legs[5].crypt, &keys);
	keys.rx.suite = SUITE_GCM_128;
	(void)mcrypt_set(&legs[6].crypt, &keys);
	(void)str_copy(conf->ufrag, sizeof(conf->ufrag), "abcd");
	(void)str_copy(conf->pwd, sizeof(conf->pwd), "0123456789abcdef0123456789");
	msecure_set(&legs[2], m->secure, conf);
}

static void forget_events(void)
{
	for (struct ilink *l; (l = ilist_pop_front(&m->events));)
		free(l); /* the link is the node's first member */
}

static void one(struct mleg *l, unsigned source, const uint8_t *p, size_t n)
{
	maddr from;
	uint8_t *room = malloc(PACKET_ROOM + n + PACKET_ROOM);

	maddr_from4(&from, htonl(INADDR_LOOPBACK), (uint16_t)(9 + source));
	memcpy(room + PACKET_ROOM, p, n);
	mleg_packet(l, room + PACKET_ROOM, n, &from);
	if (l == &legs[0] && n)
		mleg_rtcp(l, room + PACKET_ROOM, n);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!m)
		init();
	while (size >= 2) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		one(&legs[data[0] % LEGS], data[0] >> 6 & 1, data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
	forget_events();
	return 0;
}
