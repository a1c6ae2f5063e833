/*
 * Packets to a leg's port: RTP, RTCP, and a browser's STUN and DTLS. Input: records of one byte (which leg, which source) and
 * one of length, then the packet. Bridged, recorded and playing legs share the work; nothing leaves loopback.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "media/media_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct media *m;
static struct mleg legs[3];

static void leg_init(struct mleg *l, unsigned i)
{
	l->t = &m->thread;
	l->handle = i + 1;
	l->fd = socket(AF_INET, SOCK_DGRAM, 0);
	l->rem = (struct leg_remote){.law = i ? LAW_ULAW : LAW_ALAW, .tx_pt = i ? 0 : 8, .tx_dtmf = 101, .rx_alaw = 8, .rx_ulaw = 0,
				     .rx_dtmf = 101, .may_send = true, .expect = true};
	l->rem.rtp = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void init(void)
{
	struct secure_conf *conf = xcalloc(1, sizeof(*conf));

	m = xcalloc(1, sizeof(*m));
	(void)loop_process_init();
	g711_tables();
	m->thread.m = m;
	ilist_init(&m->events);
	ilist_init(&m->thread.ticking);
	(void)pthread_mutex_init(&m->ev_lock, NULL);
	(void)mbox_new(&m->ev_box, 10);
	(void)msecure_shared_new(&m->secure);
	for (unsigned i = 0; i < 3; i++)
		leg_init(&legs[i], i);
	legs[0].peer = &legs[1];
	legs[1].peer = &legs[0];
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
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(9 + source)),
				   .sin_addr = {htonl(INADDR_LOOPBACK)}};
	uint8_t *room = malloc(PACKET_ROOM + n + PACKET_ROOM);

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

		one(&legs[data[0] % 3], data[0] >> 6 & 1, data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
	forget_events();
	return 0;
}
