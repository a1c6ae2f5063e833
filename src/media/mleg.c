/*
 * The media half of a leg: packets in, packets out, one tick of 20 ms for everything that is not a packet.
 *
 * A packet is relayed when it arrives; the tick serves players, digits, recordings and, spread over 250 ticks, RTCP
 * and silence. All of it is one media thread's.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "media/mdtmf.h"
#include "media/media_int.h"

#define NAT_SETTLE_MS 3000 /* how long a source other than the described one is only tentative */
#define LATE_MAX 64        /* packets out of order that are still passed on */
#define JUMP_MAX 1000
#define BLIND_MAX 250      /* packets to where nothing came from and no signalling either: five seconds; then one a second */
#define ALIVE_MS 15000     /* RFC 6263 4.: a binding of a NAT lives 30 s at least */
#define ALIVE_PT 20        /* never negotiated: the other side drops it (RFC 6263 4.6) */
#define BEHIND_PCT 95      /* the thread cannot keep up: late audio is no longer passed on, that later audio be in time */
#define BEHIND_LATE_MS 200
#define BEHIND_READS 16

static _Thread_local uint8_t room[PACKET_ROOM + PACKET_MAX + PACKET_ROOM]; /* the one packet in hand */

/* ---- events ---- */

static void event_base(struct med_event *ev, const struct mleg *l, enum med_event_type type)
{
	*ev = (struct med_event){.type = type, .leg = l->handle, .cookie = l->cookie};
}

void mleg_event(struct mleg *l, enum med_event_type type)
{
	struct med_event ev;

	event_base(&ev, l, type);
	med_post(l->t->m, &ev);
}

void mleg_digit(struct mleg *l, char digit, int duration_ms)
{
	struct med_event ev;

	event_base(&ev, l, MED_EV_DIGIT);
	ev.digit = digit;
	ev.duration_ms = duration_ms;
	med_post(l->t->m, &ev);
}

static void event_digit(struct mleg *l)
{
	if (l->dtmf_rx.told)
		return;
	l->dtmf_rx.told = true;
	mleg_ticking(l, TICK_DTMF, false);
	if (l->dtmf_rx.event > 15) /* flash and other signals */
		return;
	mleg_digit(l, "0123456789*#ABCD"[l->dtmf_rx.event], l->dtmf_rx.duration / l->rem.dtmf_khz);
}

static void fill_stats(const struct mleg *l, struct med_stats *s)
{
	uint32_t expected = mrtp_rx_expected(&l->rx), lost = mrtp_rx_lost(&l->rx);

	s->rx_packets = mrtp_rx_got(&l->rx);
	s->tx_packets = l->tx_packets;
	s->rx_lost = lost;
	s->rx_dropped = l->dropped;
	s->rx_jitter_ms = l->rx.jitter / (float)(l->rx.khz ? l->rx.khz : 8);
	s->rtt_ms = l->rtt_ms;
	s->tx_loss_pct = l->tx_loss_pct;
	s->codec = l->rem.tx < CODEC_N ? codec_info[l->rem.tx].name : "";
	s->encrypted = l->sec ? "dtls" : l->crypt ? "sdes" : "";
	s->source = l->sec && msecure_target(l) ? maddr_class(msecure_target(l)) : l->lock != SRC_OPEN ? maddr_class(&l->src) : "";
	s->trouble = l->watch.told;
	if (s->rx_packets)
		s->mos = med_mos_codec(l->heard_codec, 100.0f * (float)lost / (float)expected, l->rtt_ms > 0 ? l->rtt_ms / 2 : 0,
				       s->rx_jitter_ms);
}

void mleg_ticking(struct mleg *l, unsigned flag, bool on)
{
	unsigned before = l->tick_flags;

	l->tick_flags = on ? before | flag : before & ~flag;
	if (!before && l->tick_flags)
		ilist_push_back(&l->t->ticking, &l->ticking);
	else if (before && !l->tick_flags)
		ilink_unlink(&l->ticking);
}

/* ---- sending ---- */

bool mleg_raw_send(struct mleg *l, const void *p, size_t n, const maddr *to)
{
	struct maddr_native na;
	ssize_t r;

	if (l->connected) {
		r = send(l->fd, p, n, MSG_DONTWAIT);
	} else {
		maddr_to(&na, to, l->family);
		r = sendto(l->fd, p, n, MSG_DONTWAIT, &na.sa, na.len);
	}
	l->unreachable += r < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH);
	return r == (ssize_t)n;
}

static const maddr *target(const struct mleg *l)
{
	if (l->sec)
		return msecure_target(l);
	if (l->lock >= SRC_TENTATIVE)
		return &l->src;
	return l->rem.rtp.sin6_port ? &l->rem.rtp : NULL;
}

/* Whether audio can go out at all; before that, prompts wait. */
bool mleg_sendable(const struct mleg *l)
{
	return l->sec ? msecure_ready(l) : l->connected || target(l);
}

/*
 * A description may name anybody's address: where nothing comes from and the signalling is not, only a little is sent, so that
 * one INVITE is no way to flood a third party. One a second goes on, since two such sides would wait for each other forever.
 */
static bool blind_ok(struct mleg *l)
{
	if (l->sec || l->lock >= SRC_TENTATIVE || l->rem.peer.sin6_family == 0 || maddr_same_host(&l->rem.peer, &l->rem.rtp))
		return true;
	l->blind++;
	return l->blind <= BLIND_MAX || l->blind % 50 == 0;
}

/* @payload has RTP_HDR bytes before it and PACKET_ROOM after it. */
static void send_rtp(struct mleg *l, uint8_t *payload, size_t len, uint8_t pt, bool marker, uint16_t seq, uint32_t ts,
		     int64_t now_ms)
{
	uint8_t *h = payload - RTP_HDR;
	size_t n = len + RTP_HDR;

	mrtp_header(h, pt, marker, seq, ts, l->ssrc);
	if (!blind_ok(l))
		return;
	if (l->crypt || l->sec) {
		n = mcrypt_protect(l, h, n, false);
		if (!n)
			return;
	}
	if (!mleg_raw_send(l, h, n, target(l)))
		return;
	l->tx_packets++;
	l->tx_octets += (uint32_t)len;
	l->tx_ms = now_ms;
}

/* The next timestamp after whatever went before: real time goes on while nothing is sent. */
uint32_t mleg_next_ts(const struct mleg *l, int64_t now_ms)
{
	int64_t gap = l->tx_packets ? (now_ms - l->tx_ms) : 0;

	return l->ts + (uint32_t)(gap > TICK_MS ? gap : TICK_MS) * l->rem.tx_khz;
}

/* ---- relay ---- */

enum order { ORDER_NEXT, ORDER_LATE, ORDER_ANCHOR, ORDER_DROP };

/*
 * A far side sees one stream with its own numbers, whoever speaks. Gaps of the source stay gaps, so that loss is
 * seen; a late packet goes out late, but never across a wrap: that would cost SRTP's rollover counter for good.
 */
static enum order tx_order(const struct mleg *to, const void *who, const struct rtp_pkt *p)
{
	int16_t d = (int16_t)(p->seq - to->tx.last);
	int32_t dts = (int32_t)(p->ts + to->tx.ts_off - to->ts);

	if (to->tx.who != who || to->tx.ssrc != p->ssrc || d > JUMP_MAX || d < -JUMP_MAX)
		return ORDER_ANCHOR;
	if (d > 0)
		return dts < -1000 * to->rem.tx_khz || dts > 120000 * to->rem.tx_khz ? ORDER_ANCHOR : ORDER_NEXT;
	if (!d || d < -LATE_MAX || (uint16_t)(p->seq + to->tx.seq_off) > to->seq)
		return ORDER_DROP;
	return ORDER_LATE;
}

static void tx_anchor(struct mleg *to, const void *who, const struct rtp_pkt *p, int64_t now_ms)
{
	to->tx = (struct tx_stream){
		.who = who,
		.ssrc = p->ssrc,
		.seq_off = (uint16_t)(to->seq + 1 - p->seq),
		.ts_off = mleg_next_ts(to, now_ms) - p->ts,
	};
}

/* Whether a packet may go to @to now. */
bool mleg_takes(const struct mleg *to)
{
	return to->rem.may_send && !(to->tick_flags & (TICK_PLAY | TICK_DIGITS)) && mleg_sendable(to);
}

bool mleg_transcodes(const struct mleg *to, unsigned codec)
{
	return !mleg_same_codec(to, codec) && mleg_takes(to);
}

/* A digit's duration counts in its stream's clock. */
static void digit_clock(struct rtp_pkt *p, unsigned from_khz, unsigned to_khz)
{
	unsigned d = (unsigned)(p->payload[2] << 8 | p->payload[3]) * to_khz / from_khz;

	if (d > 0xffff)
		d = 0xffff;
	p->payload[2] = (uint8_t)(d >> 8);
	p->payload[3] = (uint8_t)d;
}

static void relay(struct mleg *from, struct mleg *to, struct rtp_pkt *p, unsigned codec, int64_t now_ms)
{
	uint8_t pt = codec == RX_DTMF ? to->rem.tx_dtmf : to->rem.tx_pt;
	enum order o;

	if (pt == NO_PT || !mleg_takes(to))
		return;
	o = tx_order(to, from, p);
	if (o == ORDER_DROP) {
		from->dropped++;
		return;
	}
	if (o == ORDER_ANCHOR)
		tx_anchor(to, from, p, now_ms);
	if (o != ORDER_LATE) {
		to->tx.last = p->seq;
		to->seq = (uint16_t)(p->seq + to->tx.seq_off);
		to->ts = p->ts + to->tx.ts_off;
	}
	if (codec_is_law(codec))
		g711_convert(p->payload, p->len, law_of(codec), law_of(to->rem.tx));
	send_rtp(to, p->payload, p->len, pt, p->marker || o == ORDER_ANCHOR, (uint16_t)(p->seq + to->tx.seq_off),
		 p->ts + to->tx.ts_off, now_ms);
}

/* A digit between streams of different clocks or numbers: its packets are ours, its timestamp stays one. */
void mleg_relay_digit(struct mleg *from, struct mleg *to, struct rtp_pkt *p, int64_t now_ms)
{
	bool first = to->dtmf_relay.who != from || to->dtmf_relay.from_ts != p->ts;

	if (to->rem.tx_dtmf == NO_PT || p->len < 4 || !mleg_takes(to))
		return;
	if (first) {
		to->dtmf_relay.who = from;
		to->dtmf_relay.from_ts = p->ts;
		to->dtmf_relay.ts = mleg_next_ts(to, now_ms);
	}
	digit_clock(p, from->rem.dtmf_khz, to->rem.dtmf_khz);
	mleg_send_own(to, p->payload, p->len, to->rem.tx_dtmf, first, to->dtmf_relay.ts, now_ms);
}

/* ---- receiving ---- */

/* Somebody with a better claim speaks: what the one before him said has no say in which packets are late or repeated. */
static void forget_speaker(struct mleg *l, const maddr *from)
{
	if (l->lock != SRC_OPEN && !maddr_same(from, &l->src) && l->peer && l->peer->tx.who == l)
		l->peer->tx.who = NULL;
}

/* From now on the kernel drops what comes from elsewhere, and sending needs no route look-up. */
static void lock_source(struct mleg *l, const maddr *from)
{
	struct maddr_native na;

	forget_speaker(l, from);
	l->src = *from;
	l->lock = SRC_LOCKED;
	maddr_to(&na, from, l->family);
	l->connected = !connect(l->fd, &na.sa, na.len);
}

static void unlock_source(struct mleg *l)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (l->connected)
		(void)connect(l->fd, &none, sizeof(none));
	l->connected = false;
	l->lock = SRC_OPEN;
}

/* Behind NAT a phone describes an address that it is not seen under; the one of its signalling vouches for it. */
static bool vouched(const struct mleg *l, const maddr *from)
{
	return l->crypt || !l->rem.peer.sin6_family || maddr_same_host(from, &l->rem.peer) || maddr_same_host(from, &l->rem.rtp);
}

/*
 * The described address is believed at once. Another port, or the signalling's address (NAT), is taken if it comes first, and
 * given up if the described one speaks within NAT_SETTLE_MS; then it is locked too. An address that nothing speaks for is
 * heard, since some gateways send from elsewhere, but never sent to, or whoever sprays packets over our ports would get the
 * audio of others' calls; and whoever has a better claim takes its place at any time.
 */
static bool source_ok(struct mleg *l, const maddr *from, int64_t now_ms)
{
	if (l->lock == SRC_LOCKED)
		return maddr_same(from, &l->src);
	if (!l->rem.rtp.sin6_port) /* no description yet: nobody may speak */
		return false;
	if (maddr_same(from, &l->rem.rtp)) {
		lock_source(l, from);
		return true;
	}
	if (l->lock < SRC_TENTATIVE && vouched(l, from)) {
		forget_speaker(l, from);
		l->lock = SRC_TENTATIVE;
		l->src = *from;
		l->tentative_ms = now_ms;
		return true;
	}
	if (l->lock == SRC_OPEN) {
		l->lock = SRC_FOREIGN;
		l->src = *from;
	}
	if (!maddr_same(from, &l->src))
		return false;
	if (l->lock == SRC_TENTATIVE && now_ms - l->tentative_ms > NAT_SETTLE_MS)
		lock_source(l, from);
	return true;
}

/* RFC 4733 2.5.1.2: an event is named by its timestamp and repeated; the end comes three times or not at all. */
static void dtmf_packet(struct mleg *l, const struct rtp_pkt *p, int64_t now_ms)
{
	bool end;

	if (p->len < 4)
		return;
	if (l->dtmf_rx.up && p->ts == l->dtmf_rx.ts && p->payload[0] == l->dtmf_rx.event) {
		if (l->dtmf_rx.told)
			return;
	} else {
		if (l->dtmf_rx.up && (int32_t)(p->ts - l->dtmf_rx.ts) < 0 && now_ms - l->dtmf_rx.ms < 1000)
			return; /* a late one of an event that is over */
		if (l->dtmf_rx.up)
			event_digit(l);
		l->dtmf_rx.up = true;
		l->dtmf_rx.told = false;
		l->dtmf_rx.ts = p->ts;
		l->dtmf_rx.event = p->payload[0];
		l->dtmf_rx.duration = 0;
		mleg_ticking(l, TICK_DTMF, true);
	}
	end = p->payload[1] & 0x80;
	l->dtmf_rx.ms = now_ms;
	l->dtmf_rx.duration = (uint16_t)(p->payload[2] << 8 | p->payload[3]);
	if (end)
		event_digit(l);
}

static void note_arrival(struct mleg *l, int64_t now_ms)
{
	l->rx_ms = now_ms;
	if (!l->heard) {
		l->heard = true;
		mleg_event(l, MED_EV_FIRST_RTP);
	}
	if (l->silent) {
		l->silent = false;
		mleg_event(l, MED_EV_AUDIO_BACK);
	}
}

static bool behind(const struct mthread *t)
{
	return atomic_load_explicit(&t->load_pct, memory_order_relaxed) >= BEHIND_PCT;
}

static void sound_packet(struct mleg *l, struct rtp_pkt *p, unsigned codec, int64_t now_us)
{
	bool same = !l->peer || mleg_same_codec(l->peer, codec);

	l->heard_codec = (uint8_t)codec;
	if (l->watch.look)
		mwatch_look(l, p, codec);
	if (!same || l->rem.inband || l->listen || l->room || (l->taps[0].rec && !codec_is_law(codec)))
		mhear_packet(l, p, codec, now_us);
	if (l->mute)
		return;
	if (codec_is_law(codec))
		mtap_rx(l, p, law_of(codec), now_us);
	if (l->rx.late > BEHIND_LATE_MS * (int32_t)l->rx.khz && behind(l->t))
		l->dropped++;
	else if (l->peer && same && !l->peer->play.active)
		relay(l, l->peer, p, codec, now_us / 1000);
}

static void digit_packet_in(struct mleg *l, struct rtp_pkt *p, int64_t now_us)
{
	dtmf_packet(l, p, now_us / 1000);
	mhear_skip(l, p, now_us);
	if (l->room && !l->mute)
		mroom_digit(l, p, now_us / 1000);
	if (!l->peer || l->mute)
		return;
	/* Where the sound keeps its numbers, so does the digit. */
	if (l->heard_codec < CODEC_N && mleg_same_codec(l->peer, l->heard_codec) && l->rem.dtmf_khz == l->peer->rem.dtmf_khz)
		relay(l, l->peer, p, RX_DTMF, now_us / 1000);
	else
		mleg_relay_digit(l, l->peer, p, now_us / 1000);
}

static void media_packet(struct mleg *l, struct rtp_pkt *p, unsigned codec, int64_t now_us)
{
	if (codec < CODEC_N)
		l->rx.khz = codec_info[codec].khz;
	mrtp_rx(&l->rx, p, now_us, codec < CODEC_N);
	note_arrival(l, now_us / 1000);
	if (codec == RX_DTMF)
		digit_packet_in(l, p, now_us);
	else if (codec < CODEC_N)
		sound_packet(l, p, codec, now_us);
}

static void rtp_packet(struct mleg *l, uint8_t *buf, size_t n, const maddr *from)
{
	int64_t now_us = clock_mono_us();
	struct rtp_pkt p;
	unsigned codec;

	/* Whoever is not the one we hear costs no deciphering. */
	if (l->sec ? !msecure_source(l, from) : l->lock == SRC_LOCKED && !maddr_same(from, &l->src)) {
		l->strange++;
		goto drop;
	}
	if ((l->crypt || l->sec) && !(n = mcrypt_unprotect(l, buf, n, false)))
		goto drop;
	if (!mrtp_parse(&p, buf, n) || !p.len)
		goto drop;
	codec = l->rem.rx[p.pt];
	if (codec == RX_NONE) {
		l->odd_pt++;
		goto drop;
	}
	if (!l->sec && !source_ok(l, from, now_us / 1000)) {
		l->strange++;
		goto drop;
	}
	media_packet(l, &p, codec, now_us);
	return;
drop:
	l->dropped++;
}

void mleg_rtcp(struct mleg *l, uint8_t *buf, size_t n)
{
	int64_t now_us = clock_mono_us();
	struct rtcp_in in;
	uint32_t mid = (uint32_t)(mrtcp_ntp(now_us) >> 16);

	if (!mrtcp_parse(&in, buf, n, l->ssrc)) {
		l->dropped++;
		return;
	}
	if (in.sr) {
		l->lsr = in.sr_ntp_mid;
		l->lsr_us = now_us;
	}
	if (!in.block)
		return;
	if (in.lsr && (int32_t)(mid - in.lsr - in.dlsr) >= 0)
		l->rtt_ms = (float)(mid - in.lsr - in.dlsr) / 65.536f;
	if (l->tx_packets)
		l->tx_loss_pct = in.lost >= l->tx_packets ? 100 : 100.0f * (float)in.lost / (float)l->tx_packets;
	l->watch.far_loss = in.fraction;
	msay_loss(l, in.fraction * 100 / 256);
}

void mleg_packet(struct mleg *l, uint8_t *buf, size_t n, const maddr *from)
{
	if (l->sec && msecure_packet(l, buf, n, from))
		return;
	if (!mrtp_is_rtcp(buf, n)) {
		rtp_packet(l, buf, n, from);
		return;
	}
	if ((l->sec ? !msecure_source(l, from) : l->lock == SRC_OPEN || !maddr_same(from, &l->src)) ||
	    ((l->crypt || l->sec) && !(n = mcrypt_unprotect(l, buf, n, true)))) {
		l->dropped++;
		return;
	}
	mleg_rtcp(l, buf, n);
}

/* What ICMP says of our packets. It must be read, or the socket stays readable. */
static unsigned read_errors(int fd)
{
	unsigned n = 0;

	char control[512];

	for (int i = 0; i < 8; i++) {
		struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		n++;
	}
	return n;
}

static bool read_one(struct mleg *l)
{
	struct maddr_native na = {.len = sizeof(na.in6)};
	maddr from;
	ssize_t n;

	n = recvfrom(l->fd, room + PACKET_ROOM, PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC, &na.sa, &na.len);
	if (n < 0)
		return false;
	maddr_from(&from, &na.sa);
	if (n > PACKET_MAX)
		l->dropped++;
	else
		mleg_packet(l, room + PACKET_ROOM, (size_t)n, &from);
	return true;
}

/* One packet per call: more leave the socket readable, and under load the poll brings many legs at once. Who is behind reads
   what has piled up. */
static void rtp_readable(void *arg)
{
	struct mleg *l = arg;
	unsigned n = behind(l->t) ? BEHIND_READS : 1;

	if (!read_one(l))
		l->unreachable += read_errors(l->fd); /* readable, yet no packet */
	while (--n && read_one(l))
		;
}

static void rtcp_readable(void *arg)
{
	struct mleg *l = arg;
	struct maddr_native na = {.len = sizeof(na.in6)};
	uint8_t *buf = room + PACKET_ROOM;
	ssize_t n = recvfrom(l->rtcp_fd, buf, PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC, &na.sa, &na.len);
	size_t len;
	maddr from;

	if (n < 0)
		(void)read_errors(l->rtcp_fd); /* nobody has RTCP there: that says nothing of the sound */
	if (n <= 0)
		return;
	maddr_from(&from, &na.sa);
	if (l->sec || n > PACKET_MAX || l->lock == SRC_OPEN || !maddr_same_host(&from, &l->src) || !mrtp_is_rtcp(buf, (size_t)n) ||
	    !(len = l->crypt ? mcrypt_unprotect(l, buf, (size_t)n, true) : (size_t)n)) {
		l->dropped++;
		return;
	}
	mleg_rtcp(l, buf, len);
}

/* ---- playing ---- */

static _Thread_local uint8_t frame_room[PACKET_ROOM + FRAME + PACKET_ROOM];

/* The next 20 ms of A-law; true when the list has ended with them. */
static bool play_frame(struct play *p, uint8_t *dst)
{
	size_t have = 0;

	while (have < FRAME) {
		const struct sound *s;
		size_t n;

		if (p->i == p->list.n) {
			if (!p->list.loop) {
				memset(dst + have, ALAW_SILENCE, FRAME - have);
				return true;
			}
			p->i = 0;
		}
		s = p->list.sounds[p->i];
		n = s->n - p->off < FRAME - have ? s->n - p->off : FRAME - have;
		memcpy(dst + have, s->alaw + p->off, n);
		have += n;
		p->off += n;
		if (p->off == s->n) {
			p->off = 0;
			p->i++;
		}
	}
	return p->i == p->list.n && !p->list.loop;
}

static void play_end(struct mleg *l, bool tell)
{
	bool was = l->play.active;

	l->play.active = false;
	if (l->tx.who == &l->play)
		l->tx.who = NULL;
	mleg_ticking(l, TICK_PLAY, false);
	if (was && tell && l->play.list.tell)
		mleg_event(l, MED_EV_PLAYED);
}

void mleg_send_own(struct mleg *l, uint8_t *payload, size_t len, uint8_t pt, bool marker, uint32_t ts, int64_t now_ms)
{
	l->tx.who = NULL; /* whoever is relayed next starts anew */
	l->seq++;
	l->ts = ts;
	send_rtp(l, payload, len, pt, marker, l->seq, ts, now_ms);
}

/* A frame of A-law that we made, in whatever codec this leg speaks. */
static void say_alaw(struct mleg *l, const void *who, uint8_t *frame, int64_t now_ms)
{
	bool first = l->tx.who != who;
	int16_t pcm[FRAME];

	if (!codec_is_law(l->rem.tx)) {
		for (unsigned i = 0; i < FRAME; i++)
			pcm[i] = alaw_to_pcm(frame[i]);
		l->own_pos += FRAME;
		msay(l, who, l->own_pos, pcm, FRAME, 8, now_ms);
		return;
	}
	/* The tick keeps time: 20 ms a frame, whatever its own lateness. */
	g711_convert(frame, FRAME, LAW_ALAW, law_of(l->rem.tx));
	mleg_send_own(l, frame, FRAME, l->rem.tx_pt, first, first ? mleg_next_ts(l, now_ms) : l->ts + FRAME, now_ms);
	l->tx.who = who;
}

void mleg_play_end(struct mleg *l)
{
	play_end(l, false);
}

void mleg_say_pcm(struct mleg *l, const void *who, const int16_t pcm[FRAME], int64_t now_ms)
{
	uint8_t *frame = frame_room + PACKET_ROOM;

	if (!codec_is_law(l->rem.tx)) {
		l->own_pos += FRAME;
		msay(l, who, l->own_pos, pcm, FRAME, 8, now_ms);
		return;
	}
	for (unsigned i = 0; i < FRAME; i++)
		frame[i] = alaw_of(pcm[i]);
	say_alaw(l, who, frame, now_ms);
}

static void tick_play(struct mleg *l, int64_t now_us)
{
	uint8_t *frame = frame_room + PACKET_ROOM;
	bool last;

	if (!mleg_sendable(l))
		return;
	last = play_frame(&l->play, frame);
	if (l->played)
		mtap_played(l, frame, now_us);
	if (l->rem.may_send)
		say_alaw(l, &l->play, frame, now_us / 1000);
	if (last)
		play_end(l, true);
}

/* RFC 4733: seven updates of 20 ms, three times the end, 60 ms of pause. */
enum { DIGIT_UPDATES = 7, DIGIT_ENDS = 3, DIGIT_PAUSE = 3, DIGIT_TONE = 5 };

static void digit_packet(struct mleg *l, unsigned step, int64_t now_ms)
{
	uint8_t *p = frame_room + PACKET_ROOM;
	const char *all = "0123456789*#ABCD";
	bool end = step >= DIGIT_UPDATES;
	unsigned duration = TICK_MS * l->rem.dtmf_khz * (end ? DIGIT_UPDATES + 1 : step + 1);

	if (!step)
		l->dtmf_tx.ts = mleg_next_ts(l, now_ms);
	p[0] = (uint8_t)(strchr(all, l->dtmf_tx.digits[l->dtmf_tx.i]) - all);
	p[1] = (uint8_t)((end ? 0x80 : 0) | 10);
	p[2] = (uint8_t)(duration >> 8);
	p[3] = (uint8_t)duration;
	mleg_send_own(l, p, 4, l->rem.tx_dtmf, !step, l->dtmf_tx.ts, now_ms);
}

/* The other side has no RFC 4733: 100 ms of the two tones, then silence. */
static void digit_sound(struct mleg *l, unsigned step, int64_t now_ms)
{
	uint8_t *frame = frame_room + PACKET_ROOM;
	int16_t pcm[FRAME] = {0};

	if (step < DIGIT_TONE)
		mdtmf_tone(l->dtmf_tx.digits[l->dtmf_tx.i], step * FRAME, pcm, FRAME);
	for (unsigned i = 0; i < FRAME; i++)
		frame[i] = alaw_of(pcm[i]);
	say_alaw(l, &l->dtmf_tx, frame, now_ms);
}

static void tick_digits(struct mleg *l, int64_t now_ms)
{
	unsigned step = l->dtmf_tx.step++;

	if (!mleg_sendable(l) && !step) {
		l->dtmf_tx.step = 0;
		return;
	}
	if (l->rem.tx_dtmf == NO_PT)
		digit_sound(l, step, now_ms);
	else if (step < DIGIT_UPDATES + DIGIT_ENDS)
		digit_packet(l, step, now_ms);
	if (step < DIGIT_UPDATES + DIGIT_ENDS + DIGIT_PAUSE)
		return;
	l->dtmf_tx.step = 0;
	if (!l->dtmf_tx.digits[++l->dtmf_tx.i])
		mleg_ticking(l, TICK_DIGITS, false);
}

#define DTMF_LOST_END_MS 100

static void tick_leg(struct mleg *l, int64_t now_us)
{
	if (l->tick_flags & TICK_DTMF && now_us / 1000 - l->dtmf_rx.ms > DTMF_LOST_END_MS)
		event_digit(l);
	if (l->tick_flags & TICK_SECURE)
		msecure_tick(l);
	if (l->tick_flags & TICK_DIGITS)
		tick_digits(l, now_us / 1000);
	else if (l->tick_flags & TICK_PLAY)
		tick_play(l, now_us);
}

/* ---- every five seconds ---- */

static void send_rtcp(struct mleg *l, int64_t now_us)
{
	uint8_t *buf = room + PACKET_ROOM;
	struct maddr_native na;
	maddr to;
	struct rtcp_out o = {
		.ssrc = l->ssrc,
		.sender = l->tx_packets != l->report_packets,
		.ntp = mrtcp_ntp(now_us),
		.ts = l->ts + (uint32_t)((now_us / 1000 - l->tx_ms) * l->rem.tx_khz),
		.packets = l->tx_packets,
		.octets = l->tx_octets,
		.lsr = l->lsr,
		.dlsr = l->lsr ? (uint32_t)((now_us - l->lsr_us) * 65536 / 1000000) : 0,
	};
	size_t n;

	if (!mleg_sendable(l) || (!l->heard && !l->tx_packets))
		return;
	l->report_packets = l->tx_packets;
	n = mrtcp_write(buf, &o, &l->rx);
	if (l->sec || l->crypt)
		n = mcrypt_protect(l, buf, n, true);
	if (!n)
		return;
	if (l->sec || l->rem.rtcp_mux) {
		(void)mleg_raw_send(l, buf, n, target(l));
		return;
	}
	to = l->rem.rtcp;
	if (l->lock >= SRC_TENTATIVE) /* NAT: where the audio comes from */
		to.sin6_addr = l->src.sin6_addr;
	if (!to.sin6_port)
		return;
	maddr_to(&na, &to, l->family);
	(void)sendto(l->rtcp_fd, buf, n, MSG_DONTWAIT, &na.sa, na.len);
}

/* A leg that hears nothing from us for long, held or muted: the NAT before it must not forget it. RTCP does it where it shares the port. */
static void keep_alive(struct mleg *l, int64_t now_ms)
{
	uint8_t *p = frame_room + PACKET_ROOM;

	if (l->sec || l->rem.rtcp_mux || !l->rem.rtp.sin6_port || !target(l))
		return;
	if (now_ms - l->tx_ms < ALIVE_MS || now_ms - l->alive_ms < ALIVE_MS)
		return;
	l->alive_ms = now_ms;
	mleg_send_own(l, p, 0, ALIVE_PT, false, mleg_next_ts(l, now_ms), now_ms);
}

static void check_silence(struct mleg *l, int64_t now_ms)
{
	int limit = l->t->m->conf.silence_ms;

	if (!l->rem.expect || !l->rx_ms || now_ms - l->rx_ms < limit)
		return;
	if (!l->sec && l->lock != SRC_OPEN)
		unlock_source(l); /* it may come back from another address */
	if (l->silent)
		return;
	l->silent = true;
	mleg_event(l, MED_EV_SILENT);
}

static void wheel_turn(struct ilink *bucket, int64_t now_us)
{
	ilist_each_entry(bucket, l, struct mleg, wheel) {
		send_rtcp(l, now_us);
		keep_alive(l, now_us / 1000);
		mwatch_window(l);
	}
}

/* Silence must be seen sooner than every five seconds: each bucket is passed 5 times a turn. */
static void wheel_check(struct mthread *t, int64_t now_ms)
{
	for (unsigned b = t->ticks % (RTCP_TICKS / 5); b < RTCP_TICKS; b += RTCP_TICKS / 5)
		ilist_each_entry(&t->wheel[b], l, struct mleg, wheel) {
			check_silence(l, now_ms);
			if (l->watch.up_ms)
				mwatch_check(l, now_ms);
		}
}

unsigned mload_look(struct mload *l, const char *stat, int64_t now_us)
{
	long long run, ready;
	int64_t busy, pct = 0;

	if (sscanf(stat, "%lld %lld", &run, &ready) != 2)
		return 0;
	busy = run - l->run_ns;
	if (l->late_ms > MLOAD_LATE_MS * MLOAD_TICKS)
		busy += ready - l->ready_ns;
	if (l->at_us && now_us > l->at_us)
		pct = busy / 10 / (now_us - l->at_us);
	*l = (struct mload){.fd = l->fd, .run_ns = run, .ready_ns = ready, .at_us = now_us};
	return pct < 0 ? 0 : pct > 100 ? 100 : (unsigned)pct;
}

static void look_at_load(struct mthread *t, int64_t now_us)
{
	char stat[128];
	ssize_t n = t->load.fd < 0 ? -1 : pread(t->load.fd, stat, sizeof(stat) - 1, 0);

	if (n <= 0)
		return;
	stat[n] = '\0';
	atomic_store_explicit(&t->load_pct, mload_look(&t->load, stat, now_us), memory_order_relaxed);
}

void mleg_tick(void *arg)
{
	struct mthread *t = arg;
	int64_t now_us = clock_mono_us(), now_ms = now_us / 1000;

	ilist_each_entry(&t->ticking, l, struct mleg, ticking)
		tick_leg(l, now_us);
	mroom_tick(t, now_us);
	mtap_tick(t, now_us);
	mrec_submit(t->m->recorder, &t->batch);
	wheel_turn(&t->wheel[t->ticks % RTCP_TICKS], now_us);
	wheel_check(t, now_ms);
	t->load.late_ms += now_ms > t->next_tick_ms ? now_ms - t->next_tick_ms : 0;
	t->ticks++;
	if (t->ticks % MLOAD_TICKS == 0)
		look_at_load(t, now_us);
	t->next_tick_ms += TICK_MS;
	if (t->next_tick_ms < now_ms - 1000) /* the machine slept: no storm of ticks */
		t->next_tick_ms = now_ms;
	ltimer_set(&t->timer, t->next_tick_ms - clock_mono_ms(), mleg_tick, t);
}

/* ---- commands ---- */

static void leg_up(struct mthread *t, struct mleg *l)
{
	l->t = t;
	l->rtt_ms = l->tx_loss_pct = -1;
	ilist_push_back(&t->wheel[t->next_bucket++ % RTCP_TICKS], &l->wheel);
	if (loop_listen(l->fd, rtp_readable, l) || loop_listen(l->rtcp_fd, rtcp_readable, l))
		log_error("cannot listen on a media socket leg=%llx", (unsigned long long)l->handle);
}

void mleg_unbridge(struct mleg *l)
{
	if (!l->peer)
		return;
	l->peer->peer = NULL;
	l->peer = NULL;
}

static void set_remote(struct mleg *l, const struct leg_remote *r)
{
	bool moved = !maddr_same(&l->rem.rtp, &r->rtp);

	l->rem = *r;
	l->rem.secure = NULL;
	l->rem.sdes = NULL;
	if (moved)
		l->blind = 0;
	if (r->sdes) {
		if (!mcrypt_set(&l->crypt, r->sdes))
			log_error("cannot set a leg's keys leg=%llx", (unsigned long long)l->handle);
		OPENSSL_cleanse(r->sdes, sizeof(*r->sdes));
		free(r->sdes);
	} else if (!r->secure && !l->sec) {
		l->crypt = mcrypt_free(l->crypt);
	}
	if (r->secure) {
		unlock_source(l);
		msecure_set(l, l->t->m->secure, r->secure);
	}
	if (moved && !l->sec)
		unlock_source(l);
	if (!l->rx_ms || r->expect)
		l->rx_ms = clock_mono_ms();
	if (!l->alive_ms)
		l->alive_ms = clock_mono_ms();
}

static void play_start(struct mleg *l, const struct cmd_play *list)
{
	play_end(l, false);
	l->play = (struct play){.list = *list, .active = true};
	mleg_ticking(l, TICK_PLAY, true);
}

static void digits_add(struct mleg *l, const char *digits)
{
	size_t left, n = strlen(digits);

	if (!(l->tick_flags & TICK_DIGITS)) {
		l->dtmf_tx.i = l->dtmf_tx.step = 0;
		l->dtmf_tx.digits[0] = '\0';
	}
	left = strlen(l->dtmf_tx.digits + l->dtmf_tx.i);
	memmove(l->dtmf_tx.digits, l->dtmf_tx.digits + l->dtmf_tx.i, left + 1);
	l->dtmf_tx.i = 0;
	if (n > DIGITS_MAX - left)
		n = DIGITS_MAX - left;
	memcpy(l->dtmf_tx.digits + left, digits, n);
	l->dtmf_tx.digits[left + n] = '\0';
	mleg_ticking(l, TICK_DIGITS, true);
}

static void bridge(struct mleg *a, struct mleg *b)
{
	mleg_unbridge(a);
	mleg_unbridge(b);
	mroom_leave(a);
	mroom_leave(b);
	play_end(a, false);
	play_end(b, false);
	a->peer = b;
	b->peer = a;
}

static void leg_free(struct mleg *l)
{
	mleg_unbridge(l);
	mroom_leave(l);
	mtap_leg_gone(l->t, l);
	mleg_ticking(l, ~0u, false);
	ilink_unlink(&l->wheel);
	loop_unlisten(l->fd);
	loop_unlisten(l->rtcp_fd);
	(void)close(l->fd);
	(void)close(l->rtcp_fd);
	msecure_free(l->sec);
	(void)mcrypt_free(l->crypt);
	mhear_free(l);
	mlisten_free(l->listen);
	free(l);
}

static void leg_close(struct mleg *l)
{
	struct listen *listen = l->listen;
	struct media *m = l->t->m;
	struct med_event ev;

	event_base(&ev, l, MED_EV_STATS);
	fill_stats(l, &ev.stats);
	l->listen = NULL;
	leg_free(l);
	/* After the sockets are closed: their port may be used again. */
	if (listen)
		mlisten_end(listen, false, &ev);
	else
		med_post(m, &ev);
}

static void record_stop(struct mthread *t, int64_t id)
{
	struct rec *r = hmap_get(&t->rec_by_id, (uint64_t)id);

	if (r)
		mtap_stop(t, r);
}

void mleg_halt(struct mthread *t)
{
	for (unsigned b = 0; b < RTCP_TICKS; b++)
		ilist_each_entry(&t->wheel[b], l, struct mleg, wheel)
			leg_free(l);
	mroom_halt(t);
	mrec_submit(t->m->recorder, &t->batch);
	ltimer_cancel(&t->timer);
	loop_stop();
}

void mleg_command(int type, void *data, size_t len, void *arg)
{
	struct mthread *t = arg;
	struct cmd *c = data;

	switch ((enum cmd_type)type) {
	case CMD_OPEN:
		leg_up(t, c->leg);
		break;
	case CMD_REMOTE:
		set_remote(c->leg, &c->remote);
		break;
	case CMD_SECURE:
		msecure_set(c->leg, t->m->secure, c->secure);
		break;
	case CMD_BRIDGE:
		bridge(c->leg, c->other);
		break;
	case CMD_UNBRIDGE:
		mleg_unbridge(c->leg);
		mroom_leave(c->leg);
		break;
	case CMD_MUTE:
		c->leg->mute = c->flag;
		break;
	case CMD_PLAY:
		play_start(c->leg, &c->play);
		break;
	case CMD_STOP:
		play_end(c->leg, false);
		break;
	case CMD_DIGITS:
		digits_add(c->leg, c->digits);
		break;
	case CMD_RECORD:
		mtap_start(t, c->file, c->rec_id, c->leg, c->other);
		break;
	case CMD_RECORD_STOP:
		record_stop(t, c->rec_id);
		break;
	case CMD_HEAR:
		mlisten_begin(c->leg, c->listen);
		break;
	case CMD_HEAR_END:
		mlisten_stop(c->leg, c->flag);
		break;
	case CMD_UP:
		mwatch_up(c->leg);
		break;
	case CMD_ROOM_OPEN:
		mroom_open(t, c->room);
		break;
	case CMD_ROOM_SET:
		mroom_set(c->room, c->set);
		break;
	case CMD_ROOM_CLOSE:
		mroom_close(c->room);
		break;
	case CMD_CLOSE:
		leg_close(c->leg);
		break;
	case CMD_HALT:
		mleg_halt(t);
		break;
	}
}
