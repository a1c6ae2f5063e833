/*
 * What is live now, folded from the journal's events: agents, queues, calls, and today's figures.
 *
 *   switch thread: tap copies the event into a buffer (a short lock)
 *   live thread:   folds what has come, marks what changed, sends it to the event streams; then rests FLUSH_MS, so that
 *                  a burst becomes one update
 *   workers:       snapshots, configuration
 */
#pragma once

#include "api/api_int.h"
#include "journal/journal.h"

#define LIVE_QUEUES_MAX ACD_QUEUES_MAX /* of one agent */

struct live_today_agent {
	int64_t answered, talk_ms, missed;
};

#define LIVE_DEVICES_MAX 8 /* of one agent; the page offers no more */
struct live_device {
	char name[64];
	bool fixed, up; /* fixed: it never registers and counts as there */
};

struct live_agent {
	struct ilink link;
	int64_t id, team_id;
	char name[128], extension[24], team[128], role[32], staff_no[40], seat[40];
	int64_t newcomer_day; /* yyyymmdd: he counts as new up to then; 0: he does not */
	bool at_desk; /* his role takes calls and does not watch the floor */
	bool auto_answer, configured, member;
	int64_t queues[LIVE_QUEUES_MAX];
	unsigned queue_n;

	enum acd_state state;
	const char *pending; /* "break", "offline" or NULL */
	char reason[ACD_REASON_MAX];
	int64_t since_ms, until_ms, call_id, queue_id;
	int64_t noted_call_id; /* the last call that he wrote a note about */
	int64_t rest_asked_ms, rest_until_ms; /* waits for a slot since; has it until. 0: not */
	char rest_reason[ACD_REASON_MAX];
	char rest_why[8];   /* team queue: what he waits for */
	int64_t break_max;  /* of his team at once; 0: no limit */
	bool device_up;
	char device[64];    /* which one rings; "": not logged in */
	struct live_device devices[LIVE_DEVICES_MAX];
	unsigned device_n;
	struct live_today_agent today;
	int64_t campaigns[LIVE_QUEUES_MAX]; /* that run or rest, and he dials for */
	unsigned campaign_n;
	struct {
		int64_t call_id, campaign_id, customer_id, nth, until_ms; /* call_id 0: none */
		char number[40];
	} preview; /* whom he is shown before he is dialled */

	bool dirty;
	int64_t changed_n;
};

struct live_today_queue {
	int64_t offered, answered, abandoned, in_target;
};

struct live_queue {
	struct ilink link;
	int64_t id, target_ms;
	char name[128];
	bool auto_answer, configured;
	struct live_today_queue today;
	struct {
		int64_t waiting, oldest_ms, ready, talking, logged_in;
	} now, then; /* recounted at each flush; as sent last */
	bool dirty;
	bool owed; /* changed since its agents were told; they are told once a second */
	int64_t changed_n;
};

enum live_call_state { LC_IVR, LC_QUEUE, LC_RINGING, LC_TALKING, LC_HELD, LC_ENDED };

/* Whose call it is. */
struct live_card {
	int64_t call_id, id, owner_id, team_id; /* id 0: nobody's */
	char name[128];
};
#define LIVE_CARDS_MAX 64 /* told before the call itself was folded */

#define LIVE_PARTIES_MAX 32
#define LIVE_TEXTS_MAX 3

struct live_call {
	struct live_party {
		int64_t id, user_id, since_ms;
		char how[12];
		bool told;
	} parties[LIVE_PARTIES_MAX]; /* who hears it beside customer and agent */
	unsigned party_n;
	struct {
		int64_t id, at_ms; /* id 0: it is down */
		char question[320];
	} hand;
	struct live_text {
		int64_t at_ms;
		char by[64], text[320];
	} texts[LIVE_TEXTS_MAX]; /* whispered in writing, the newest last */
	unsigned text_n;
	struct ilink link, changed; /* changed: during a flush */
	struct live_card customer;
	unsigned repeat;    /* which call of the number or customer in half an hour it is; 0: it is not one in */
	int64_t id, number_id, queue_id, campaign_id, agent_id, start_ms, since_ms;
	char dir[12], from[40], to[40], name[128];
	char region_zh[64], region_en[64]; /* of the other side; "" */
	enum live_call_state state;
	unsigned recordings;
	bool noted;         /* there is a note about it */
	char trouble[16], deaf_side[12]; /* one-way audio: why, and who is not heard; "" */
	int64_t visit_queue, visit_ms; /* its stay in a queue: where and since when; 0: none */
	struct {
		int64_t id, until_ms, agent_id; /* id 0: none */
	} offer;
	struct {
		char how[12], state[12]; /* how "": it never went from one to another */
		int64_t by_id, user_id, queue_id, code;
		char number[40], why[SW_MOVE_WHY_MAX];
	} move;
	bool dirty;
	int64_t changed_n;
	int64_t told_agent, told_queue; /* as of the last flush: who saw it then */
};

struct live_today_campaign {
	int64_t dialled, answered, abandoned;
};

struct live_campaign {
	struct ilink link;
	int64_t id;
	char name[128];
	json_t *state; /* the last campaign.state of this run; NULL: none */
	struct live_today_campaign today;
	bool configured, dirty;
	int64_t changed_n;
};

struct live_trunk {
	struct ilink link;
	int64_t id, calls_max, code, rtt_ms, calls, since_ms;
	char name[128], state[12], why[24], reason[96], registration[16], addresses[16][96];
	size_t address_n;
	bool configured, dirty;
	int64_t changed_n;
};

struct live_alarm {
	struct ilink link;
	int64_t object, since_ms, cleared_ms;
	char what[32], name[128], detail[256];
	bool over, dirty;
	int64_t changed_n;
};

struct live_gone {
	int64_t n, id, agent_id;
};
#define LIVE_GONE_MAX 4096

struct live {
	const struct api_conf *conf;

	/* filled by the tap */
	pthread_mutex_t in_lock;
	pthread_cond_t in_more;
	char *in;
	size_t in_len, in_cap;
	bool in_lost, stopping;

	pthread_t thread;
	bool running;

	/* everything below */
	pthread_mutex_t lock;
	struct hmap devices_up; /* names of telephones that are registered: their own values */
	struct hmap agents_by_id, queues_by_id, calls_by_id;
	struct ilink agents, queues, calls;
	int64_t epoch, n;
	int64_t floor_n;    /* who saw less than this gets a snapshot */
	struct live_gone gone[LIVE_GONE_MAX];
	unsigned gone_next, gone_n;
	int64_t day;        /* yyyymmdd, local, of today's figures */
	struct hmap trunks_by_id;
	struct ilink trunks, alarms; /* alarms: oldest first */
	struct hmap campaigns_by_id;
	struct ilink campaigns;
	struct ilink ended; /* calls that ended since the last flush */
	bool owing;         /* some queue is owed to its agents */
	int64_t told_mono_ms; /* when agents were told of their queues last */
	struct ilink watchers;
	unsigned watcher_n;
	struct recents *recents;
	struct live_card cards[LIVE_CARDS_MAX];
	unsigned card_next;
};

/* recent.c, l->lock held */
struct recents *recents_new(void);
void recents_free(struct recents *r);
int recents_load(struct recents *r, struct db *db, int64_t centre_id, int64_t now_ms);
void recents_add(struct recents *r, int64_t call_id, const char *number, int64_t at_ms);
void recents_customer(struct recents *r, int64_t call_id, int64_t customer_id);
unsigned recents_count(struct recents *r, const char *number, int64_t customer_id, int64_t now_ms); /* in half an hour, 99 at most */

/* moves.c, l->lock held */
void moves_fold(struct live_call *c, const json_t *b, const char *number, const char *why);
void moves_put(struct jw *w, struct live *l, const struct live_call *c, bool plain); /* "move" of a call */
/** He has the call, is offered it, or is in it: as who called a colleague, as whom its agent asks, as who it is to go to. */
bool live_is_his(struct live *l, const struct live_call *c, int64_t user_id);

/* live.c */
struct live_agent *live_agent_find(struct live *l, int64_t id);
int live_each(struct live *l, struct db *db, const char *sql, int64_t a, int64_t b, void (*fn)(struct live *l, struct db_stmt *st)); /* b < 0: not bound */
/* feed.c, l->lock held */
void live_flush(struct live *l);
void live_sight_again(struct live *l, struct db *db); /* teams or departments may have changed: who watches a part of the floor gets it anew */
/* lines.c, l->lock held */
struct live_trunk *lines_trunk(struct live *l, int64_t id); /* made on demand */
void lines_start(struct live *l, int64_t at_ms);
void lines_fold_state(struct live *l, int64_t at_ms, const json_t *b);
void lines_fold_leg(struct live *l, const json_t *b, bool begins);
void lines_fold_alarm(struct live *l, int64_t at_ms, const json_t *b);
void lines_put(struct jw *w, struct live *l); /* "trunks", "alarms" into a snapshot */
/** Frames of what changed after event @since_n, or, negative, since the last flush. @last: where the last one begins. */
void lines_frames(struct live *l, int64_t since_n, struct strb *out, size_t *last);
void lines_clean(struct live *l);
void lines_free(struct live *l);
/* dialling.c, l->lock held */
struct live_campaign *dialling_campaign(struct live *l, int64_t id); /* made on demand */
void dialling_start(struct live *l);
void dialling_new_day(struct live *l);
void dialling_fold_state(struct live *l, int64_t campaign_id, json_t *b);
void dialling_fold_preview(struct live *l, struct live_agent *a, int64_t campaign_id, int64_t call_id, const char *to, const json_t *b);
void dialling_fold_attempt(struct live *l, struct live_agent *a, int64_t campaign_id, bool begins, const json_t *b);
void dialling_agent_moved(struct live_agent *a);
int dialling_load_names(struct live *l, struct db *db);
int dialling_load_today(struct live *l, struct db *db, int64_t midnight_ms);
void dialling_put(struct jw *w, struct live *l, const struct live_agent *me, bool all); /* "campaigns": all, or @me's */
void dialling_put_preview(struct jw *w, const struct live *l, const struct live_agent *a);
void dialling_frames(struct live *l, const struct live_agent *me, bool all, int64_t since_n, struct strb *out, size_t *last); /* as lines_frames */
bool dialling_changed(const struct live *l);
void dialling_clean(struct live *l);
void dialling_free(struct live *l);
