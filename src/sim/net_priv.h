/* Inside the simulated network. One thread; times are monotonic ms unless they say utc. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <re.h>

#include "base/base.h"
#include "loop/loop.h"
#include "media/prompt.h"
#include "sim/city.h"

#define NET_FRAME 160 /* samples of 20 ms at 8 kHz */

/* ---- net_voice.c: speech-like sound, made once at start ---- */

struct voices;
struct voices *voices_new(unsigned n, uint64_t seed);
void voices_free(struct voices *v);

/* One who talks in turns with whom he hears. */
struct speaker {
	const struct voices *voices;
	struct rng rng;
	unsigned voice, phrase;
	size_t at;          /* sample within the phrase */
	int pause;          /* frames of silence left before he speaks; negative: speaking */
	int patience;       /* frames he has waited for the other to be quiet */
	unsigned spoken, listened; /* frames */
};
void speaker_init(struct speaker *s, const struct voices *v, unsigned voice, uint64_t seed);
/** The next 20 ms as A-law; @other: the other side is heard speaking just now. */
void speaker_frame(struct speaker *s, bool other, uint8_t out[NET_FRAME]);

/* ---- net_audio.c: RTP of one call, driven by the tick ---- */

#define AUDIO_QUIET_FRAMES 150 /* 3 s: the window in which pauses tell talk from music */

struct audio {
	int fd;
	struct sockaddr_in to;
	bool open, sending;
	bool mute;                 /* sends silence: nobody is there to be talked to */
	const struct sound *plays; /* instead of his voice, again and again; NULL: nothing */
	size_t play_at;
	uint8_t pt, event_pt;      /* 8 PCMA or 0 PCMU; 0: no events */
	uint16_t seq, rx_seq;
	uint32_t ts, ssrc;
	char digits[32];           /* still to be pressed */
	int digit_frame;           /* of the digit pressed now */
	uint32_t digit_ts;
	uint32_t tx, rx, lost;
	bool other_speaks;
	int hang;                  /* frames until `other_speaks` falls back */
	unsigned window, quiet;    /* frames in this window, and how many of them were quiet */
	bool pauses_heard;         /* a whole window held pauses: people, not music */
	struct speaker speaker;
};
int audio_open(struct audio *a, const char *host);
void audio_close(struct audio *a);
uint16_t audio_port(const struct audio *a);
/** Takes what arrived since the last tick, then sends one packet. */
void audio_tick(struct audio *a);
void audio_press(struct audio *a, const char *digits);

/* ---- net.c: configuration and figures ---- */

#define NET_NUMBERS_MAX 16
#define NET_PHONES_MAX 1000

struct net_conf {
	const char *server, *carrier, *phones_at; /* ADDR:PORT */
	const char *device_file, *keys, *trace, *dialled;
	const char *numbers[NET_NUMBERS_MAX], *shown[NET_NUMBERS_MAX];
	unsigned number_n, shown_n;
	int64_t seed, seconds, calls, at_once, callers, expires_s;
	double per_hour, out_per_hour;
	double patience_s, talk_s, key_after_s;
	double answer_min_s, answer_max_s, ring_out, refuse, phone_hangs_up;
	double city, hour, faster;
	bool talks_at_answer, any_phone, with_parent, quiet;
};

struct net_figures {
	uint64_t placed, answered, talked, gave_up, refused, failed, ended_by_us, ended_by_them;
	unsigned now, most;
	uint64_t carrier_in, carrier_answered, carrier_busy, carrier_unanswered;
	uint64_t offered, phone_answered, rang_out, phone_refused, phone_hung_up, phone_dialled;
	unsigned registered, register_failed;
	uint64_t rtp_tx, rtp_rx, rtp_lost, silent; /* silent: answered, up for a second or more and nothing was heard */
	struct { int code; uint64_t n; } codes[24];
	double setup_ms[4096]; /* INVITE to 200 of the latest calls */
	uint64_t setup_n;
};

struct ua {
	struct net *net;
	struct sip *sip;
	struct sipsess_sock *sock;
	struct sip_lsnr *lsnr;
	char host[INET_ADDRSTRLEN];
	uint16_t port;
	void (*invite)(struct ua *ua, const struct sip_msg *msg);
};

struct net {
	struct net_conf conf;
	struct net_figures f;
	struct rng rng;
	struct voices *voices;
	struct prompts *prompts;
	struct ua carrier, phones_ua;
	struct phone *phones;
	unsigned phone_n;
	struct ilink parties;
	struct ltimer tick, arrival, out_arrival, end;
	int64_t next_tick_ms;
	FILE *trace, *dialled;
	bool stopping;
};

double net_exp(struct net *n, double mean);               /* exponential */
double net_between(struct net *n, double min, double max);
bool net_chance(struct net *n, double p);
void net_stop(struct net *n);

/* ---- net_party.c: one end of one call ---- */

enum party_kind { PARTY_CALLER, PARTY_CALLEE, PARTY_PHONE, PARTY_PHONE_OUT };

struct party {
	struct ilink link;
	struct net *net;
	struct ua *ua;
	enum party_kind kind;
	struct sipsess *sess;
	struct sdp_session *sdp;
	struct sdp_media *media;
	struct audio audio;
	struct phone *phone;
	struct ltimer timer, keys;
	char number[40], peer[40]; /* the simulated side's number, and whom it talks with */
	int64_t start_ms, ring_ms, answer_ms, talk_ms;
	int64_t start_utc_ms;
	bool talking, early, refused;
	bool of_city;              /* and this is what happens */
	bool kept;                 /* PHONE: stays up between calls */
	struct city_call city;
};

/** Opens a user agent at ADDR:PORT (port 0: any). */
int ua_open(struct ua *ua, struct net *n, const char *addr, void (*invite)(struct ua *ua, const struct sip_msg *msg));
void ua_close(struct ua *ua);

/** Dials @to from @ua as @from. NULL: it could not be sent. */
struct party *party_dial(struct net *n, struct ua *ua, enum party_kind kind, const char *from, const char *to, struct phone *phone);
/** Takes an INVITE with 180, or 183 with sound when @early. NULL: refused with 488 or 500. */
struct party *party_take(struct net *n, struct ua *ua, enum party_kind kind, const struct sip_msg *msg, bool early, struct phone *phone);
void party_answer(struct party *p);
void party_reject(struct party *p, int code, const char *reason); /* frees @p */
void party_hang_up(struct party *p, const char *why);             /* BYE or CANCEL; frees @p */
void party_talks(struct party *p);                                /* people hear each other now */
struct party *party_find(struct net *n, enum party_kind kind, const char *number);
void net_count_code(struct net *n, int code);

/* ---- net_people.c: what callers, carrier and phones do ---- */

enum carrier_does { CARRIER_ANSWERS, CARRIER_ANSWERS_AT_ONCE, CARRIER_EARLY_MEDIA, CARRIER_BUSY, CARRIER_NO_ANSWER, CARRIER_UNKNOWN,
		    CARRIER_CONGESTED };
enum carrier_does carrier_behaviour(const char *number);

int people_start(struct net *n);
void people_stop(struct net *n);
void people_answered(struct party *p); /* its call is up */
void people_talking(struct party *p);
void people_ended(struct party *p);

struct phone {
	struct net *net;
	char name[64], secret[72];
	struct sipreg *reg;
	bool up;
	struct party *party;
};
