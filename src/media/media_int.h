/*
 * What the files of media/ share.
 *
 *   switch thread           media thread                        recorder thread
 *   media.c: control half   mleg.c: media half, one tick        record.c: files
 *   sdp.c prompt.c          rtp.c, msecure.c (ICE, DTLS)
 *        ---- mbox: struct cmd ---->      ---- queue: jobs ---->
 *        <-------------- event queue: struct med_event --------
 *
 * The control half opens the sockets (an offer needs the port) and gives them with the media half to the media
 * thread, which owns and closes both. Pointers in commands are valid: CLOSE is the last command about a leg.
 */
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"
#include "loop/loop.h"
#include "media/addr.h"
#include "media/codec.h"
#include "media/g711.h"
#include "media/media.h"
#include "media/prompt.h"
#include "media/rtp.h"
#include "media/sdes.h"

#define TICK_MS 20
#define FRAME 160          /* octets and samples of 20 ms */
#define RTCP_TICKS 250     /* a report every 5 s; also the wheel for checks */
#define PLAY_MAX 32        /* prompts of one med_play */
#define DIGITS_MAX 32
#define PACKET_MAX 1600    /* longer ones are dropped */
#define PACKET_ROOM 64     /* what SRTP adds, and before it a header */

/* ---- between control and media ---- */

#define NO_PT 255

/* What a payload type that comes in means, beside the codecs. */
enum { RX_NONE = 255, RX_DTMF = 254, RX_CN = 253 };

struct leg_remote { /* what the descriptions agreed; fixed for the media half until the next one */
	maddr rtp, rtcp;      /* port 0: not known yet */
	maddr peer;           /* where their signalling comes from; family 0: unknown */
	uint8_t tx;           /* the codec we send; CODEC_N: none */
	uint8_t tx_pt, tx_dtmf, rx_dtmf; /* NO_PT: none */
	uint8_t tx_khz, dtmf_khz;        /* RTP clocks of what we send and of digits */
	uint8_t rx[128];      /* payload type -> codec, or RX_... */
	bool rtcp_mux, may_send, expect; /* expect: they ought to be sending */
	bool inband;          /* digits can only come as tones */
	struct secure_conf *secure; /* browsers only; owned by the message, then by the leg */
	struct sdes_conf *sdes;     /* RFC 4568; likewise */
};

struct sdes_conf {
	struct sdp_crypto tx, rx;
};

struct secure_conf {
	char ufrag[16], pwd[32];     /* ours */
	char their_ufrag[260];
	uint8_t fp[32];
	bool has_fp, client;         /* client: they answered setup:passive */
};

enum cmd_type { CMD_OPEN, CMD_REMOTE, CMD_SECURE, CMD_BRIDGE, CMD_UNBRIDGE, CMD_MUTE, CMD_PLAY, CMD_STOP, CMD_DIGITS,
		CMD_RECORD, CMD_RECORD_STOP, CMD_HEAR, CMD_HEAR_END, CMD_UP, CMD_ROOM_OPEN, CMD_ROOM_SET,
		CMD_ROOM_CLOSE, CMD_CLOSE, CMD_HALT };

struct cmd_play {
	bool loop, tell; /* tell: MED_EV_PLAYED at the end */
	unsigned n;
	const struct sound *sounds[PLAY_MAX];
};

struct mleg;
struct rfile;

struct cmd {
	struct mleg *leg, *other;
	union {
		struct leg_remote remote;
		struct cmd_play play;
		char digits[DIGITS_MAX + 1];
		bool flag;
		int64_t rec_id;
	};
	struct rfile *file; /* CMD_RECORD */
	struct mroom *room;
	struct mroom_set *set; /* CMD_ROOM_SET; owned by the message */
	struct listen *listen; /* CMD_HEAR; owned by the message, then by the leg */
	struct secure_conf *secure; /* CMD_SECURE: our side of ICE, before their description */
};

struct mroom_set {
	unsigned n;
	struct mleg *legs[MED_ROOM_MAX];
	uint32_t hears[MED_ROOM_MAX];
};

/* ---- events ---- */

void med_post(struct media *m, const struct med_event *ev); /* any thread */

/* ---- recorder ---- */

#define REC_HALF 4000             /* samples of half a second */
#define REC_BLOCK (REC_HALF * 2)  /* bytes of it: two channels */

struct recorder;
struct rec_batch { /* jobs gathered in one tick */
	struct ilink jobs;
	unsigned n;
};

int mrec_new(struct recorder **ret, struct media *m);
void mrec_free(struct recorder *r); /* finishes what is queued */

/* Switch thread: makes the file's object; path is copied. */
struct rfile *mrec_file_new(struct media *m, int64_t rec_id, med_leg leg, int64_t cookie, const char *path);
void mrec_file_free(struct rfile *f); /* one that never reached the recorder */

/* Media thread. A block is REC_BLOCK bytes of silence, or NULL when too many wait for the disk. */
uint8_t *mrec_block(struct recorder *r);
void mrec_block_drop(struct recorder *r, uint8_t *block);
void mrec_open(struct rec_batch *b, struct rfile *f);
/** @missing samples a channel are to be made up as silence before this block; @samples of the block are written. */
void mrec_write(struct rec_batch *b, struct rfile *f, uint8_t *block, unsigned samples, int64_t missing);
void mrec_close(struct rec_batch *b, struct rfile *f, int64_t missing);
/* A short sound that becomes a file of its own: made on the switch thread, given to the recorder by the media thread. */
struct mkeep;
struct mkeep *mkeep_new(struct media *m, const char *path);
void mkeep_sound(struct mkeep *k, uint8_t *alaw, size_t n); /* takes @alaw; 0 samples: no file */
/** Takes @k. @ev is told when the file is there, with heard.kept_ms and heard.bytes, or when it is not; @after (may be NULL) behind it. */
void mkeep_submit(struct rec_batch *b, struct mkeep *k, const struct med_event *ev, const struct med_event *after);
void mkeep_free(struct mkeep *k); /* one that never reached the recorder; NULL is fine */

void mrec_submit(struct recorder *r, struct rec_batch *b);
void mrec_failed(struct rfile *f, int error); /* any thread; tells once */

/* ---- media half ---- */

struct tx_stream { /* who feeds a leg's sending side, and how its numbers become ours */
	const void *who;
	uint32_t ssrc;
	uint16_t last, seq_off;
	uint32_t ts_off;
};

struct play {
	struct cmd_play list;
	unsigned i;
	size_t off;
	bool active;
};

enum source_lock { SRC_OPEN, SRC_FOREIGN, SRC_TENTATIVE, SRC_LOCKED };
enum { TICK_PLAY = 1, TICK_DIGITS = 2, TICK_DTMF = 4, TICK_SECURE = 8 };

struct rec;
struct tap {
	struct rec *rec;
	unsigned channel;
	bool up;
	uint32_t ssrc, ts0;
	int64_t pos0; /* sample of the recording where ts0 lies */
};
#define TAPS_MAX 4

struct secure;
struct mcrypt;
struct hear;
struct say;

struct mleg {
	struct ilink wheel, ticking;
	struct mthread *t;
	med_leg handle;
	int64_t cookie;
	int fd, rtcp_fd, family;
	struct leg_remote rem;

	/* receiving */
	enum source_lock lock;
	bool connected;         /* the kernel drops other sources */
	bool silent, heard;     /* MED_EV_SILENT given; MED_EV_FIRST_RTP given */
	maddr src;              /* locked, or tentatively so */
	int64_t tentative_ms, rx_ms; /* last packet; the description's time before the first */
	struct rtp_rx rx;
	uint32_t dropped, bad_srtp, strange, odd_pt, unreachable; /* of dropped: SRTP; from elsewhere; no codec of ours. unreachable: ICMP's word */
	uint32_t blind;         /* packets sent to where nothing came from yet */
	struct watch {          /* is there audio at all: mwatch.c */
		int64_t up_ms;
		uint8_t silent;         /* looks that saw only silence */
		uint8_t told, now;      /* enum med_trouble: the last one, and whether it lasts */
		bool look, loud, poor;
		uint8_t bad_windows;    /* in a row */
		uint8_t far_loss;       /* of the last report of theirs, 1/256 */
		uint32_t expected, got; /* at the last window */
	} watch;

	/* sending */
	uint32_t ssrc, ts, tx_packets, tx_octets, report_packets;
	uint16_t seq;
	int64_t tx_ms;
	struct tx_stream tx;

	/* what is heard: by a peer, or by others in a room; never both */
	struct mleg *peer;
	struct mroom *room;
	bool mute;
	unsigned tick_flags;
	struct play play;
	struct rec *played; /* records what we play: its right channel */
	struct tap taps[TAPS_MAX];

	/* RFC 4733 */
	struct {
		bool up, told;
		uint32_t ts;
		uint16_t duration;
		uint8_t event;
		int64_t ms;
	} dtmf_rx;
	struct {
		char digits[DIGITS_MAX + 1];
		unsigned i, step;
		uint32_t ts;
	} dtmf_tx;
	struct {
		const void *who;
		uint32_t from_ts, ts;
	} dtmf_relay;
	uint32_t own_pos;    /* of what we play, 1/8000 s, through a coder */
	uint8_t heard_codec; /* of the last sound */

	/* RTCP */
	uint32_t lsr;
	int64_t lsr_us;
	float rtt_ms, tx_loss_pct;
	int64_t alive_ms;   /* the last keep-alive */

	struct secure *sec; /* browsers only */
	struct mcrypt *crypt; /* SRTP's keys; a browser's belong to @sec. NULL: plain */
	struct hear *hear;  /* decoder of what comes; NULL until something must be decoded */
	struct say *say;    /* coder of what goes out; likewise */
	struct listen *listen; /* what comes is listened to; NULL: it is not */
};

struct mthread {
	struct media *m;
	pthread_t thread;
	struct mbox *box;
	struct ilink wheel[RTCP_TICKS], ticking, rooms;
	struct ilink recs[REC_HALF / FRAME]; /* by the tick at which their half seconds are due */
	struct hmap rec_by_id;
	struct rec_batch batch;
	struct ltimer timer;
	unsigned ticks, next_bucket;
	int64_t next_tick_ms;
	struct mload {
		int fd; /* the thread's own schedstat; -1: none */
		int64_t run_ns, ready_ns, at_us; /* at the last look */
		int64_t late_ms; /* of the ticks since then, all together */
	} load;
	atomic_uint load_pct;
	bool running;
};

/**
 * @stat  what /proc/.../schedstat says: "ns_on_cpu ns_ready times". Per cent of the time since the last look, at most 100. Time waiting
 * for a core counts only when it hurts: when ticks come MLOAD_LATE_MS late on the average. Who shares the machine with a compiler
 * waits often and shortly.
 */
#define MLOAD_LATE_MS 10
#define MLOAD_TICKS 25
unsigned mload_look(struct mload *l, const char *stat, int64_t now_us);

void mleg_command(int type, void *data, size_t len, void *arg); /* mbox handler; arg: mthread */
void mleg_tick(void *arg);
void mleg_halt(struct mthread *t);
void mleg_packet(struct mleg *l, uint8_t *buf, size_t n, const maddr *from); /* fuzzed too */
void mleg_rtcp(struct mleg *l, uint8_t *buf, size_t n);
void mleg_event(struct mleg *l, enum med_event_type type);
void mleg_ticking(struct mleg *l, unsigned flag, bool on);
bool mleg_raw_send(struct mleg *l, const void *p, size_t n, const maddr *to);
/** A packet of our own making (not relayed): @payload has RTP_HDR bytes before it and PACKET_ROOM after it. */
void mleg_send_own(struct mleg *l, uint8_t *payload, size_t len, uint8_t pt, bool marker, uint32_t ts, int64_t now_ms);
uint32_t mleg_next_ts(const struct mleg *l, int64_t now_ms);
bool mleg_sendable(const struct mleg *l);
void mleg_digit(struct mleg *l, char digit, int duration_ms);
bool mleg_takes(const struct mleg *to); /* whether sound of others may go to it now */
/** 20 ms of our own making, in whatever codec the leg speaks; @who: whose stream it is. */
void mleg_say_pcm(struct mleg *l, const void *who, const int16_t pcm[FRAME], int64_t now_ms);
/** A digit's packet of @from, as ours. Changes the payload. */
void mleg_relay_digit(struct mleg *from, struct mleg *to, struct rtp_pkt *p, int64_t now_ms);
void mleg_play_end(struct mleg *l); /* what it plays, untold */
void mleg_unbridge(struct mleg *l);

/* ---- taps (mrec.c) ---- */

void mtap_start(struct mthread *t, struct rfile *f, int64_t id, struct mleg *left, struct mleg *right);
void mtap_stop(struct mthread *t, struct rec *r);
void mtap_leg_gone(struct mthread *t, struct mleg *l);
void mtap_rx(struct mleg *l, const struct rtp_pkt *p, enum law law, int64_t now_us);
/** Decoded sound: @n samples of A-law at @pos (1/8000 s) of the stream @ssrc. */
void mtap_alaw(struct mleg *l, uint32_t ssrc, uint32_t pos, const uint8_t *alaw, size_t n, int64_t now_us);
void mtap_played(struct mleg *l, const uint8_t *alaw, int64_t now_us);
void mtap_tick(struct mthread *t, int64_t now_us);
/** What the customer @l hears in his room, right in his recordings, instead of what came from the leg there; until mtap_unmixed. */
void mtap_mixed(struct mleg *l, const int16_t pcm[FRAME], int64_t now_us);
void mtap_unmixed(struct mleg *l);

/* ---- rooms (mroom.c) ---- */

struct mroom *mroom_new(void); /* switch thread */
void mroom_open(struct mthread *t, struct mroom *r);
void mroom_set(struct mroom *r, struct mroom_set *set); /* takes @set */
void mroom_close(struct mroom *r);
void mroom_halt(struct mthread *t);
void mroom_tick(struct mthread *t, int64_t now_us);
void mroom_leave(struct mleg *l); /* in none: nothing happens */
/** Decoded sound of a member: @n samples of 8 kHz at @pos of the stream @ssrc. */
void mroom_sound(struct mleg *l, uint32_t ssrc, uint32_t pos, const int16_t *pcm, unsigned n);
void mroom_digit(struct mleg *l, struct rtp_pkt *p, int64_t now_ms);

/* ---- browsers (msecure.c) ---- */

struct secure_shared;
int msecure_shared_new(struct secure_shared **ret);
void msecure_shared_free(struct secure_shared *s);
const char *msecure_fingerprint(const struct secure_shared *s);

void msecure_set(struct mleg *l, struct secure_shared *s, struct secure_conf *conf); /* takes @conf */
void msecure_free(struct secure *s);
bool msecure_ready(const struct mleg *l);
/** STUN and DTLS; true when the packet was one of these. */
bool msecure_packet(struct mleg *l, uint8_t *buf, size_t n, const maddr *from);
/** Whether media may come from there: an address that passed ICE's checks. */
bool msecure_source(const struct mleg *l, const maddr *from);
const maddr *msecure_target(const struct mleg *l);
void msecure_tick(struct mleg *l);

/* ---- SRTP (mcrypt.c) ---- */

/** Keys by @c (copied); the same keys again change nothing, so that a re-INVITE loses no counters. */
bool mcrypt_set(struct mcrypt **m, const struct sdes_conf *c);
struct mcrypt *mcrypt_free(struct mcrypt *m); /* NULL */
enum sdp_suite mcrypt_suite(const struct mcrypt *m);
/* In place; buffers have PACKET_ROOM after the packet. Answer the new length, 0: refused. */
size_t mcrypt_protect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp);
size_t mcrypt_unprotect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp);

/* ---- is there audio (mwatch.c) ---- */

void mwatch_up(struct mleg *l);                       /* the call is answered: audio is due */
void mwatch_check(struct mleg *l, int64_t now_ms);    /* every second */
void mwatch_window(struct mleg *l);                   /* every five */
void mwatch_look(struct mleg *l, const struct rtp_pkt *p, unsigned codec); /* one packet a second */

/* ---- decoding and coding (mhear.c) ---- */

/** Takes a packet of @codec in its order, decodes it and gives the sound to whoever needs it: recordings, the peer, digits. */
void mhear_packet(struct mleg *l, const struct rtp_pkt *p, unsigned codec, int64_t now_us);
/** A packet of another kind (a digit): its number is not missing. */
void mhear_skip(struct mleg *l, const struct rtp_pkt *p, int64_t now_us);
void mhear_free(struct mleg *l);
/**
 * Codes @n samples of @khz for @l and sends them, 20 ms a packet. @pos: where they lie in their stream, 1/8000 s; a gap there is
 * one in the timestamps. @who feeds; another one begins anew.
 */
void msay(struct mleg *l, const void *who, uint32_t pos, const int16_t *pcm, unsigned n, unsigned khz, int64_t now_ms);
void msay_loss(struct mleg *l, int pct);

/** Whether @to needs what comes as @codec in another one. The laws are not another: they are converted in place. */
static inline enum law law_of(unsigned codec)
{
	return codec == MED_PCMU ? LAW_ULAW : LAW_ALAW;
}

static inline bool mleg_same_codec(const struct mleg *to, unsigned codec)
{
	return codec == to->rem.tx || (codec_is_law(codec) && codec_is_law(to->rem.tx));
}
/** And whether it may be sent now. */
bool mleg_transcodes(const struct mleg *to, unsigned codec);

/* ---- what a carrier says (mlisten.c) ---- */

/** Switch thread; takes @keep, and a reference of @book. */
struct listen *mlisten_new(struct snap *book, const struct med_hear_ask *ask, struct mkeep *keep);
void mlisten_begin(struct mleg *l, struct listen *n);
void mlisten_sound(struct mleg *l, uint32_t ssrc, uint32_t pos, const int16_t *pcm, unsigned samples);
void mlisten_stop(struct mleg *l, bool drop); /* tells the last verdict; nothing when nobody listens */
/** Takes @n. The last verdict is told, and then @after, if there is one. */
void mlisten_end(struct listen *n, bool drop, const struct med_event *after);
void mlisten_free(struct listen *n);

/* ---- the whole ---- */

struct ctl;

struct media {
	struct media_conf conf;
	maddr bind;
	struct netmap *netmap; /* conf.external */
	int family; /* of the sockets: AF_INET6 serves both */
	void (*event)(const struct med_event *ev, void *arg);
	void *arg;
	struct mthread thread;
	struct recorder *recorder;
	struct prompts *prompts;
	struct secure_shared *secure;

	/* events towards the switch thread: a queue of our own, so that media_stop can deliver the last ones; the
	   mailbox only wakes */
	pthread_mutex_t ev_lock;
	struct ilink events;
	struct mbox *ev_box;

	/* switch thread */
	struct ctl **ctl;
	unsigned ctl_n, ctl_cap, ctl_live;
	uint32_t *free_idx; /* stack */
	unsigned free_n;
	uint8_t *port_used; /* bit per even port */
	unsigned ports, port_next;
	struct hmap recs; /* rec_id -> (void *)1 */
	struct snap *book; /* of struct hear_book */
};
