/*
 * Media: RTP in and out, relay, prompts, recording. The switch thread gives commands; the media threads own sockets and
 * sessions; nothing is allocated or locked per packet. One leg is pinned to one media thread, and the two legs of a
 * bridge to the same one.
 *
 * A leg has a control half (ports, SDP state: the switch thread's) and a media half (the media thread's); they talk by mailbox.
 * Handles name legs across threads: a late message finds "gone".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hear/hear.h"

struct media;
struct snap;
typedef uint64_t med_leg; /* index + generation; 0: none */

struct media_conf {
	const char *bind;       /* "0.0.0.0"; "::": both families; NULL: both where the machine has both */
	const char *external;   /* addresses in SDP and ICE candidates, by base/netmap.h; NULL: found by the route to the other side */
	uint16_t port_min, port_max; /* RTP, even ports; 20000-29999 by default (0, 0) */
	unsigned threads;       /* 0: 1; for now one serves, however many are asked for */
	unsigned legs_max;      /* 0: 20000 */
	int due_ms;             /* MED_EV_TROUBLE when nothing has come so long after the answer; 0: 5000 */
	int silence_ms;         /* MED_EV_SILENT after so long without a packet; 0: 20000 */
};

enum med_event_type {
	MED_EV_FIRST_RTP,  /* first valid packet: audio flows towards us */
	MED_EV_SECURE,     /* DTLS done and fingerprint right */
	MED_EV_SECURE_FAILED,
	MED_EV_DIGIT,      /* digit, duration_ms: RFC 4733 */
	MED_EV_PLAYED,     /* what med_play gave has ended (not after med_stop or a new med_play) */
	MED_EV_SILENT,     /* no packet for silence_ms */
	MED_EV_AUDIO_BACK, /* packets again after MED_EV_SILENT */
	MED_EV_TROUBLE,    /* trouble: something is wrong with what we hear, told once a call and leg; MED_T_NONE: it is over */
	MED_EV_POOR,       /* a browser's line was bad for ten seconds (mwatch.c); told once */
	MED_EV_HEARD,      /* heard: what med_leg_hear has found out */
	MED_EV_STATS,      /* answer to med_leg_close: the leg's final figures */
	MED_EV_REC_CLOSED, /* rec_id, rec */
	MED_EV_REC_FAILED, /* rec_id, error: the disk refused; the call goes on */
};

/* Why one side is not heard: the likeliest cause, by what was seen. Names in records by med_trouble_name. */
enum med_trouble {
	MED_T_NONE,
	MED_T_NOTHING,     /* no packet since the answer */
	MED_T_UNREACHABLE, /* no packet, and ICMP says that ours do not arrive */
	MED_T_SOURCE,      /* packets, but from an address that nothing speaks for */
	MED_T_SRTP,        /* packets that do not decipher: wrong keys */
	MED_T_CODEC,       /* packets of a kind that was not agreed */
	MED_T_SILENCE,     /* packets, but only digital silence or comfort noise */
};
const char *med_trouble_name(enum med_trouble t); /* none no_packets unreachable wrong_source bad_keys wrong_codec only_silence */

struct med_stats {
	/* dropped: wrong source (until it is locked: then the kernel drops them uncounted), bad SRTP, too late */
	uint32_t rx_packets, tx_packets, rx_lost, rx_dropped;
	float rx_jitter_ms, rtt_ms;  /* RFC 3550 6.4.1, A.8; rtt -1: unknown */
	float tx_loss_pct;           /* as the far side reports; -1: unknown */
	float mos;                   /* ITU-T G.107 estimate of what we receive; 0: no packets */
	const char *codec;           /* what we sent last, "PCMA"; constant strings, "" or NULL: unknown */
	const char *encrypted;       /* "", "dtls", "sdes" */
	const char *source;          /* where it came from: "loopback", "private", "public" */
	enum med_trouble trouble;    /* the last one told */
};

/* How the two sides of a recording share it (mfacts.h says what speaking is). */
struct med_rec_facts {
	int64_t left_ms, right_ms, over_ms;     /* each side speaks, both do at once */
	int64_t silence_ms, silence_at_ms;      /* the longest time that neither does, and where it begins */
};

struct med_rec_result {
	int64_t bytes, dur_ms, missing_ms;
	char hash[65]; /* BLAKE2b-256 of the file, hex */
	struct med_rec_facts facts;
};

/* Told when what is known changes, and once more when listening ends: last, with what became of the file. */
struct med_heard {
	struct hear_verdict verdict;
	bool last;
	bool machine, dropped; /* as it was asked for; last: as it was ended */
	int32_t kept_ms;  /* last: what lies in the file; 0: there is none, since hardly anything was heard or the disk refused */
	int32_t bytes;
};

struct med_event {
	enum med_event_type type;
	med_leg leg;
	int64_t cookie;   /* the leg's */
	int64_t rec_id;
	int error;
	char digit;
	int duration_ms;
	enum med_trouble trouble;
	struct med_stats stats;
	struct med_rec_result rec;
	struct med_heard heard;
};

/** @event is called on the thread that calls media_start (the switch's, a loop thread). */
int media_start(struct media **ret, const struct media_conf *conf, void (*event)(const struct med_event *ev, void *arg), void *arg);
/** Closes recordings properly and gives their events; legs still open give none. */
void media_stop(struct media *m);

/* ---- legs ---- */

enum med_codec { MED_PCMA, MED_PCMU, MED_G722, MED_OPUS, MED_G729, MED_CODECS };

/* RFC 4568: keys in the description. Offered optionally they stand with RTP/AVP, as telephones understand it. */
enum med_sdes { MED_SDES_OFF, MED_SDES_OPTIONAL, MED_SDES_REQUIRED };

enum med_profile {
	MED_PLAIN,  /* RTP/AVP, symmetric, source locked */
	MED_WEBRTC, /* ICE-lite, DTLS-SRTP, rtcp-mux: UDP/TLS/RTP/SAVPF */
};
#define MED_SDP_MAX 4096

/* Positive answers of the SDP functions. */
enum { MED_E_SDP = 1 /* malformed: 400 */, MED_E_CODEC = 2 /* nothing in common: 488 */, MED_E_PROFILE = 3 /* 488 */ };

/** -ENFILE: legs_max reached; -EADDRINUSE: no port free. */
int med_leg_open(struct media *m, med_leg *ret, enum med_profile profile, int64_t cookie);
/** Our offer: PCMA, PCMU, telephone-event. Also for re-INVITE. */
int med_leg_offer(struct media *m, med_leg leg, char *sdp, size_t size);
/** Their answer to our offer. */
int med_leg_answered(struct media *m, med_leg leg, const char *sdp, size_t len);
/** Their offer; our answer. The profile of a fresh leg follows the offer. */
int med_leg_answer(struct media *m, med_leg leg, const char *offer, size_t len, char *sdp, size_t size);
/** The address our offer goes to, when it is known before: decides which of our addresses the offer names. Optional. */
int med_leg_towards(struct media *m, med_leg leg, const char *address);
/** The address their signalling comes from; give it before their description. A phone behind NAT sends audio from there, whatever it
    describes. Audio from any third address is heard until a better one speaks, but nothing is sent there. Unknown: any is as good. */
int med_leg_peer(struct media *m, med_leg leg, const char *address);
/** Whether the other side has us on hold (sendonly or inactive in its last description). */
bool med_leg_held_by_remote(struct media *m, med_leg leg);
/** The direction of our next offer: true gives sendonly (we hold them; music can be heard), false sendrecv. */
void med_leg_set_hold(struct media *m, med_leg leg, bool hold);
/** What the leg may speak and how: before its first description; also for the next offer. Strings of codecs: "pcma,pcmu,g722". */
struct med_leg_conf {
	uint8_t codec[MED_CODECS]; /* best first; enum med_codec */
	unsigned codecs;           /* 0: PCMA, PCMU */
	enum med_sdes sdes;
};
void med_leg_configure(struct media *m, med_leg leg, const struct med_leg_conf *conf);
/** Reads a list of names; unknown ones, and such that this build has not, are passed over. False: nothing is left. */
bool med_codecs_parse(struct med_leg_conf *conf, const char *list);
/** The next offer begins with what @other speaks, if @leg may speak it: so that nothing need be transcoded. */
void med_leg_like(struct media *m, med_leg leg, med_leg other);
/** The next offer begins with @codec, and has it even if it was not agreed before: a browser moves to Opus and back by re-INVITE. */
void med_leg_prefer(struct media *m, med_leg leg, enum med_codec codec);
/** The call is answered: from now on audio is due from the other side, and MED_EV_TROUBLE tells when there is none. */
void med_leg_up(struct media *m, med_leg leg);
/** Closes; MED_EV_STATS follows. The handle is gone at once. */
void med_leg_close(struct media *m, med_leg leg);

/* ---- what is heard ---- */

/** Relays audio between two legs, both ways; ends what they were playing. A leg has one bridge at most; a new one replaces the old. With
    itself: an echo. */
int med_bridge(struct media *m, med_leg a, med_leg b);
void med_unbridge(struct media *m, med_leg leg);

/*
 * A room: more than two legs, each hears those that its mask names (a hearing matrix), mixed at 8 kHz on the media thread. Prompts and tones
 * into a leg go before it, as before a bridge. While a recording's left leg is in a room, its right channel is what that leg hears: what is
 * whispered to somebody else is in no recording. Two legs and nobody else are cheaper on a bridge.
 */
#define MED_ROOM_MAX 32
struct mroom;
struct med_room_member {
	med_leg leg;
	uint32_t hears; /* bit i: member i. One's own bit means nothing: nobody hears himself */
};
struct mroom *med_room_open(struct media *m);
/**
 * From now on exactly these are in it; who was and is not named is in no room and hears nobody. Who comes leaves his bridge or room, and who
 * begins to hear somebody no longer hears what was played to him. A leg is named once. -ENOENT: a leg is gone; -EINVAL: too many. Nothing has changed then.
 */
int med_room_set(struct media *m, struct mroom *r, const struct med_room_member *members, unsigned n);
/** Ends it; its members hear nobody. Not after media_stop. NULL is fine. */
void med_room_close(struct media *m, struct mroom *r);

/** Nothing of what @leg says goes to its bridge or room while true (recordings of @leg's side fall silent too). */
void med_mute(struct media *m, med_leg leg, bool mute);
/** Plays prompts one after the other to @leg; replaces what was playing. @names: embedded prompts ("zh/greeting", "music/1") or
    absolute paths of WAV files (8 kHz mono, PCM16 or A-law). @loop: for ever (no MED_EV_PLAYED). -ENOENT names an unknown one. */
int med_play(struct media *m, med_leg leg, const char *const *names, size_t n, bool loop);
enum med_tone { MED_TONE_RINGBACK, MED_TONE_BUSY, MED_TONE_CONGESTION, MED_TONE_BEEP, MED_TONE_SILENCE, MED_TONES };
/** China, GB/T: 450 Hz; ring-back 1 s on 4 s off, busy 0.35/0.35, congestion 0.7/0.7; the beep is one of 80 ms, 1000 Hz. A tone, as every
    prompt, goes before what a bridge brings: played after med_bridge, it takes the place of that much of the other side's sound. */
int med_tone(struct media *m, med_leg leg, enum med_tone tone);
void med_stop(struct media *m, med_leg leg);
/** RFC 4733 events to @leg. */
int med_send_digits(struct media *m, med_leg leg, const char *digits);

/* ---- what a carrier says ---- */

#define MED_HEAR_KEEP_S 12 /* of sound in a kept file: 96 kB */

/** What legs know announcements by from now on: a struct hear_book; taken over. NULL: nothing is taught, tones are known all the same. */
void med_hear_book(struct media *m, struct snap *book);
struct med_hear_ask {
	/* The path of a WAV file (A-law, 8 kHz, mono; directories are made, nothing is written over) for the last MED_HEAR_KEEP_S seconds, where a voice
	   was heard that nobody taught; NULL: none. */
	const char *keep;
	bool known_too; /* the file also for what is known, up to the end of the announcement */
	bool machine;   /* after the answer: is it a machine? See hear_hurry */
};
/**
 * Listens to what comes from @leg: its early media, or the first seconds after the answer. MED_EV_HEARD tells what it is, as often as that
 * changes. Listening ends with med_leg_hear_end or the leg; then comes a last MED_EV_HEARD (a leg's before its MED_EV_STATS). Asked again it
 * begins anew. Costs 0.6 ms CPU a second of sound, and 20 kB, 115 with a file.
 */
int med_leg_hear(struct media *m, med_leg leg, const struct med_hear_ask *ask);
/** @drop: what was heard does not matter any more, no file. */
void med_leg_hear_end(struct media *m, med_leg leg, bool drop);

/* ---- recording ---- */

/**
 * Records stereo WAV A-law into @path (directories are made): left what is received from @left (the customer), right what is received from
 * @right (0: what is played to @left goes right, for greeting and waiting). Half-second buffers to the recorder thread, one
 * syncfs a second. Header counts are repaired by med_rec_repair after a crash.
 */
int med_record(struct media *m, int64_t rec_id, med_leg left, med_leg right, const char *path);
/** MED_EV_REC_CLOSED follows. Closing a leg ends its recordings too. */
void med_record_stop(struct media *m, int64_t rec_id);
/** Repairs a header left open by a crash; duration in ms or negative. Any thread, no media needed. */
int64_t med_rec_repair(const char *path, int64_t *bytes, char hash_hex[65]);
/** BLAKE2b-256 of a file as it is, as MED_EV_REC_CLOSED has it. 0 or negative. Any thread. */
int med_rec_hash(const char *path, char hash_hex[65]);

/**
 * How busy the media thread was in the last half second, per cent: running, or, when that makes audio late, ready to run. Near 100 packets begin
 * to wait. 0 where the kernel does not tell (schedstat). Any thread.
 */
unsigned media_load_pct(const struct media *m);

/* ---- for tools and tests ---- */
/** ITU-T G.107 estimate for G.711, and for an enum med_codec: @loss_pct 0-100, @delay_ms one-way. */
float med_mos(float loss_pct, float delay_ms, float jitter_ms);
float med_mos_codec(unsigned codec, float loss_pct, float delay_ms, float jitter_ms);
/** Names of the embedded prompts, sorted: the page's choices. Any thread; constant for the process. */
size_t med_prompt_names(const char *const **ret);
/** SHA-256 fingerprint of the DTLS certificate, "AA:BB:..."; made at start, P-256. */
const char *media_fingerprint(const struct media *m);
