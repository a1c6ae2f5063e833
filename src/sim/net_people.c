/* What the simulated people do: callers, those whom the centre dials, and colleagues at their telephones. */
#include "sim/net_priv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000.0
#define TALK_MAX_FACTOR 4     /* nobody talks longer than so many times the mean */
#define PHONE_TALK_MAX_S 1800 /* a colleague hangs up a call that nobody else ends */
#define POLL_MS 500           /* how often a waiting caller listens whether somebody has come */

static double talk_ms(struct net *n)
{
	double mean = n->conf.talk_s;

	return fmin(0.25 * mean + net_exp(n, 0.75 * mean), TALK_MAX_FACTOR * mean) * SECOND;
}

/* ---- callers ---- */

static void caller_done(void *arg)
{
	party_hang_up(arg, "said all");
}

static void caller_patience(void *arg)
{
	struct party *p = arg;

	p->net->f.gave_up++;
	party_hang_up(p, "patience");
}

/* Waiting in a queue after its 200: has a person come? Only one's own ears tell, unless it is a colleague of ours. */
static void caller_listens(void *arg)
{
	struct party *p = arg;

	if (p->audio.pauses_heard)
		party_talks(p);
	else
		ltimer_set(&p->keys, POLL_MS, caller_listens, p);
}

static void caller_presses(void *arg)
{
	struct party *p = arg;

	audio_press(&p->audio, p->net->conf.keys);
	if (!p->talking)
		ltimer_set(&p->keys, POLL_MS, caller_listens, p);
}

/* A number of 1380013xxxx, the range that stands for examples; whom the demo's history knows calls again. */
static void caller_number(struct net *n, char *buf, size_t size)
{
	(void)snprintf(buf, size, "138%08llu", 130000ULL + (unsigned long long)rng_below(&n->rng, (uint64_t)n->conf.callers));
}

static void caller_dials(struct net *n)
{
	const char *to = n->conf.numbers[rng_below(&n->rng, n->conf.number_n)];
	char from[24];
	struct party *p;

	caller_number(n, from, sizeof(from));
	if (party_find(n, PARTY_CALLER, from))
		return; /* he is on the line already */
	n->f.placed++;
	p = party_dial(n, &n->carrier, PARTY_CALLER, from, to, NULL);
	if (!p)
		n->f.failed++;
	else
		ltimer_set(&p->timer, (int64_t)(net_exp(n, n->conf.patience_s) * SECOND + 3000), caller_patience, p);
}

static void next_arrival(struct net *n);

static void arrival(void *arg)
{
	struct net *n = arg;

	if (n->conf.calls && n->f.placed >= (uint64_t)n->conf.calls) {
		if (ilist_empty(&n->parties))
			net_stop(n);
		else
			ltimer_set(&n->arrival, 200, arrival, n);
		return;
	}
	if (n->f.now < n->conf.at_once)
		caller_dials(n);
	next_arrival(n);
}

static void next_arrival(struct net *n)
{
	ltimer_set(&n->arrival, (int64_t)(net_exp(n, 3600 / n->conf.per_hour) * SECOND), arrival, n);
}

/* ---- the carrier: whom the centre dials ---- */

enum carrier_does carrier_behaviour(const char *number)
{
	static const struct {
		char end[3];
		enum carrier_does does;
	} rows[] = {{"00", CARRIER_BUSY},    {"01", CARRIER_NO_ANSWER},	     {"02", CARRIER_EARLY_MEDIA},
		    {"03", CARRIER_UNKNOWN}, {"04", CARRIER_ANSWERS_AT_ONCE}, {"05", CARRIER_CONGESTED}};
	size_t len = strlen(number);

	for (size_t i = 0; len >= 2 && i < ARRAY_LEN(rows); i++)
		if (!strcmp(number + len - 2, rows[i].end))
			return rows[i].does;
	return CARRIER_ANSWERS;
}

static void answers_now(void *arg)
{
	party_answer(arg);
}

/* ---- the city behind the carrier ---- */

static const char *announcement_of(enum city_does d)
{
	static const char *const names[CITY_DOES_COUNT] = {
		[CITY_ASSISTANT] = "zh/line-assistant", [CITY_NO_ANSWER] = "zh/line-noanswer", [CITY_BUSY] = "zh/line-busy", [CITY_OFF] = "zh/line-off",
		[CITY_UNREACHABLE] = "zh/line-unreachable", [CITY_SUSPENDED] = "zh/line-suspended", [CITY_EMPTY] = "zh/line-empty",
	};

	return names[d];
}

static void city_plays(struct party *p, const char *name)
{
	const struct sound *s;

	p->audio.plays = name && !mprompt_get(&s, p->net->prompts, name) ? s : NULL;
	p->audio.play_at = 0;
}

static int64_t city_ms(const struct net *n, int32_t ms)
{
	return (int64_t)(ms / n->conf.faster);
}

static void city_refuses(void *arg)
{
	struct party *p = arg;

	p->net->f.carrier_busy++;
	party_reject(p, p->city.code, p->city.code == 404 ? "Not Found" : p->city.code == 486 ? "Busy Here" : p->city.code == 603 ? "Decline"
															    : "Temporarily Unavailable");
}

/* It has rung long enough: nobody takes it, and the carrier says so, twice, before it ends. */
static void city_says(void *arg)
{
	struct party *p = arg;

	city_plays(p, announcement_of(p->city.does));
	if (!p->audio.plays)
		return city_refuses(p);
	p->audio.mute = false;
	ltimer_set(&p->timer, city_ms(p->net, (int32_t)(2 * p->audio.plays->n / 8) + 2000), city_refuses, p);
}

static void city_answers(void *arg)
{
	struct party *p = arg;

	city_plays(p, p->city.does == CITY_ASSISTANT ? announcement_of(CITY_ASSISTANT) : NULL);
	party_answer(p);
}

/* A tune of his own is early media from the beginning; so is what the carrier says, which may come after ringing. */
static void city_rings(struct net *n, struct ua *ua, const struct sip_msg *msg, const struct city_call *c)
{
	struct party *p = party_take(n, ua, PARTY_CALLEE, msg, c->tune || c->announced, NULL);

	if (!p)
		return;
	p->of_city = true;
	p->city = *c;
	p->audio.mute = true;
	if (c->tune)
		city_plays(p, "music/1");
	else if (c->announced)
		p->audio.plays = mprompt_tone(n->prompts, MED_TONE_RINGBACK);
	if (c->does == CITY_NO_ANSWER)
		n->f.carrier_unanswered++;
	ltimer_set(&p->timer, city_ms(n, c->ring_ms), !c->code ? city_answers : c->announced ? city_says : city_refuses, p);
}

static int city_hour_now(const struct net *n)
{
	time_t now = time(NULL);
	struct tm tm;

	return n->conf.hour >= 0 ? (int)n->conf.hour : localtime_r(&now, &tm)->tm_hour;
}

static void city_invite(struct net *n, struct ua *ua, const struct sip_msg *msg, const char *number)
{
	struct city_conf conf = {.seed = (uint64_t)n->conf.seed, .answer = n->conf.city, .talk_s = n->conf.talk_s};
	struct city_call c;

	city_call(&c, &conf, number, city_hour_now(n), &n->rng);
	if (c.does != CITY_CONGESTED)
		return city_rings(n, ua, msg, &c);
	n->f.carrier_busy++;
	(void)sip_treplyf(NULL, NULL, ua->sip, msg, false, 503, "Service Unavailable", "Retry-After: 3\r\nContent-Length: 0\r\n\r\n");
}

/* ---- the carrier's door ---- */

/* However the trunk writes it: as dialled here, or from the country on. */
static bool ends_with(const struct pl *user, const char *number)
{
	size_t len = strlen(number += *number == '0');

	return user->l >= len && !memcmp(user->p + user->l - len, number, len);
}

static bool calls_the_city(const struct net *n, const struct sip_msg *msg)
{
	for (unsigned i = 0; i < n->conf.shown_n; i++)
		if (ends_with(&msg->from.uri.user, n->conf.shown[i]))
			return n->conf.city > 0;
	return n->conf.city > 0 && !n->conf.shown_n;
}

static void carrier_refuses(struct net *n, struct ua *ua, const struct sip_msg *msg, int code, const char *reason)
{
	n->f.carrier_busy++;
	(void)sip_treply(NULL, ua->sip, msg, (uint16_t)code, reason);
}

/* Whatever becomes of it: also what is refused at once. */
static void note_dialled(struct net *n, const char *number)
{
	char line[256];
	struct strb b;
	struct jw w;

	if (!n->dialled)
		return;
	strb_init_fixed(&b, line, sizeof(line));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_int(&w, "at_ms", clock_utc_ms());
	jw_str(&w, "number", number);
	jw_end_obj(&w);
	fprintf(n->dialled, "%s\n", line);
	fflush(n->dialled);
}

static void carrier_invite(struct ua *ua, const struct sip_msg *msg)
{
	struct net *n = ua->net;
	enum carrier_does does;
	struct party *p;
	char number[40];

	if (pl_strcpy(&msg->uri.user, number, sizeof(number)))
		number[0] = '\0';
	n->f.carrier_in++;
	note_dialled(n, number);
	if (calls_the_city(n, msg))
		return city_invite(n, ua, msg, number);
	does = carrier_behaviour(number);
	if (does == CARRIER_BUSY)
		return carrier_refuses(n, ua, msg, 486, "Busy Here");
	if (does == CARRIER_UNKNOWN)
		return carrier_refuses(n, ua, msg, 404, "Not Found");
	if (does == CARRIER_CONGESTED)
		return carrier_refuses(n, ua, msg, 503, "Service Unavailable");
	p = party_take(n, ua, PARTY_CALLEE, msg, does == CARRIER_EARLY_MEDIA, NULL);
	if (!p)
		return;
	if (does == CARRIER_NO_ANSWER)
		n->f.carrier_unanswered++;
	else
		ltimer_set(&p->timer, does == CARRIER_ANSWERS_AT_ONCE ? 0 : (int64_t)(net_between(n, 2, 8) * SECOND), answers_now, p);
}

/* ---- colleagues ---- */

static struct phone *phone_named(struct net *n, const struct pl *name)
{
	struct phone *ph;

	for (unsigned i = 0; i < n->phone_n; i++)
		if (!pl_strcmp(name, n->phones[i].name))
			return &n->phones[i];
	if (!n->conf.any_phone || n->phone_n == NET_PHONES_MAX)
		return NULL;
	ph = &n->phones[n->phone_n];
	if (!pl_isset(name) || pl_strcpy(name, ph->name, sizeof(ph->name)))
		return NULL;
	ph->net = n;
	n->phone_n++;
	return ph;
}

static void phone_invite(struct ua *ua, const struct sip_msg *msg)
{
	struct net *n = ua->net;
	struct phone *ph = phone_named(n, &msg->uri.user);
	struct party *p;

	if (!ph || ph->party) {
		(void)sip_treply(NULL, ua->sip, msg, ph ? 486 : 404, ph ? "Busy Here" : "Not Found");
		return;
	}
	n->f.offered++;
	p = party_take(n, ua, PARTY_PHONE, msg, false, ph);
	if (!p)
		return;
	p->kept = sip_msg_xhdr_has_value(msg, "X-Huawu-Kept", "1");
	if (p->kept || sip_msg_xhdr_has_value(msg, "X-Huawu-Auto-Answer", "1"))
		ltimer_set(&p->timer, 200, answers_now, p);
	else if (net_chance(n, n->conf.refuse)) {
		n->f.phone_refused++;
		party_reject(p, 486, "Busy Here");
	} else if (!net_chance(n, n->conf.ring_out))
		ltimer_set(&p->timer, (int64_t)(net_between(n, n->conf.answer_min_s, n->conf.answer_max_s) * SECOND), answers_now, p);
}

static void phone_done(void *arg)
{
	struct party *p = arg;

	p->net->f.phone_hung_up++;
	party_hang_up(p, "colleague said all");
}

static void registered(int err, const struct sip_msg *msg, void *arg)
{
	struct phone *ph = arg;
	struct net_figures *f = &ph->net->f;
	bool up = !err && msg && msg->scode < 300;

	if (!up && msg && msg->scode < 200)
		return;
	if (up != ph->up)
		f->registered += up ? 1 : -1U;
	if (!up) {
		f->register_failed++;
		log_warn("phone not registered device=%s code=%d err=%d", ph->name, msg ? msg->scode : 0, err);
	}
	ph->up = up;
}

static int phone_auth(char **user, char **password, const char *realm, void *arg)
{
	struct phone *ph = arg;
	int err = str_dup(user, ph->name);

	return err ? err : str_dup(password, ph->secret);
}

static int phone_register(struct net *n, struct phone *ph)
{
	char uri[128], reg[80];

	(void)snprintf(reg, sizeof(reg), "sip:%s", n->conf.server);
	(void)snprintf(uri, sizeof(uri), "sip:%s@%s", ph->name, n->conf.server);
	return -sipreg_register(&ph->reg, n->phones_ua.sip, reg, uri, NULL, uri, (uint32_t)n->conf.expires_s, ph->name, NULL, 0, 0,
				phone_auth, ph, false, registered, ph, NULL, NULL);
}

/* Lines of NAME SECRET; '#' begins a comment. */
static int phones_load(struct net *n)
{
	FILE *f = fopen(n->conf.device_file, "re");
	char line[256];

	if (!f)
		return -errno;
	while (n->phone_n < NET_PHONES_MAX && fgets(line, sizeof(line), f)) {
		struct phone *ph = &n->phones[n->phone_n];

		if (line[0] == '#' || sscanf(line, "%63s %71s", ph->name, ph->secret) != 2)
			continue;
		ph->net = n;
		n->phone_n++;
	}
	fclose(f);
	return 0;
}

static void next_dial_out(struct net *n);

static void dial_out(void *arg)
{
	struct net *n = arg;
	struct phone *ph = &n->phones[rng_below(&n->rng, n->phone_n)];
	char to[24];
	struct party *p;

	next_dial_out(n);
	if (!ph->up || ph->party)
		return;
	caller_number(n, to, sizeof(to));
	p = party_dial(n, &n->phones_ua, PARTY_PHONE_OUT, ph->name, to, ph);
	if (!p)
		return;
	n->f.phone_dialled++;
	ltimer_set(&p->timer, 45000, caller_done, p);
}

static void next_dial_out(struct net *n)
{
	ltimer_set(&n->out_arrival, (int64_t)(net_exp(n, 3600 / n->conf.out_per_hour) * SECOND), dial_out, n);
}

/* ---- what happens to all of them ---- */

void people_answered(struct party *p)
{
	struct net *n = p->net;

	switch (p->kind) {
	case PARTY_CALLER:
		n->f.answered++;
		n->f.setup_ms[n->f.setup_n++ % ARRAY_LEN(n->f.setup_ms)] = (double)(p->answer_ms - p->start_ms);
		if (n->conf.talks_at_answer)
			party_talks(p);
		if (n->conf.keys)
			ltimer_set(&p->keys, (int64_t)(n->conf.key_after_s * SECOND), caller_presses, p);
		else if (!p->talking)
			ltimer_set(&p->keys, POLL_MS, caller_listens, p);
		break;
	case PARTY_PHONE: {
		struct party *caller = party_find(n, PARTY_CALLER, p->peer);

		n->f.phone_answered++;
		if (caller && caller->answer_ms)
			party_talks(caller);
		party_talks(p);
		break;
	}
	case PARTY_CALLEE:
		n->f.carrier_answered++;
		party_talks(p);
		break;
	case PARTY_PHONE_OUT:
		party_talks(p);
		break;
	}
}

void people_talking(struct party *p)
{
	struct net *n = p->net;
	bool first = p->kind != PARTY_PHONE || net_chance(n, n->conf.phone_hangs_up);

	if (p->kept)
		return; /* connected for as long as he dials */
	if (p->of_city)
		return ltimer_set(&p->timer, city_ms(n, p->city.talk_ms), caller_done, p);
	if (p->kind == PARTY_CALLER)
		n->f.talked++;
	if (p->kind == PARTY_PHONE)
		ltimer_set(&p->timer, first ? (int64_t)talk_ms(n) : PHONE_TALK_MAX_S * 1000, phone_done, p);
	else
		ltimer_set(&p->timer, (int64_t)talk_ms(n), caller_done, p);
}

void people_ended(struct party *p)
{
	if (p->kind == PARTY_PHONE && !p->answer_ms && !p->refused)
		p->net->f.rang_out++;
}

static int phones_start(struct net *n)
{
	int r;

	n->phones = xcalloc(NET_PHONES_MAX, sizeof(*n->phones));
	r = n->conf.device_file ? phones_load(n) : 0;
	if (r) {
		log_error("cannot read the devices file=%s err=%d", n->conf.device_file, r);
		return r;
	}
	r = ua_open(&n->phones_ua, n, n->conf.phones_at, phone_invite);
	if (r)
		log_error("cannot open the telephones' address addr=%s err=%d", n->conf.phones_at, r);
	for (unsigned i = 0; i < n->phone_n && !r; i++)
		r = phone_register(n, &n->phones[i]);
	return r;
}

int people_start(struct net *n)
{
	int r = n->conf.city > 0 ? mprompt_new(&n->prompts) : 0;

	r = r ? r : ua_open(&n->carrier, n, n->conf.carrier, carrier_invite);

	if (r) {
		log_error("cannot open the carrier's address addr=%s err=%d", n->conf.carrier, r);
		return r;
	}
	if (n->conf.device_file || n->conf.any_phone)
		r = phones_start(n);
	if (r)
		return r;
	if (n->conf.number_n && n->conf.per_hour > 0)
		next_arrival(n);
	if (n->phone_n && n->conf.out_per_hour > 0)
		next_dial_out(n);
	return 0;
}

void people_stop(struct net *n)
{
	ltimer_cancel(&n->arrival);
	ltimer_cancel(&n->out_arrival);
	for (unsigned i = 0; i < n->phone_n; i++)
		n->phones[i].reg = mem_deref(n->phones[i].reg);
	ilist_each_entry(&n->parties, p, struct party, link)
		party_hang_up(p, "stopping");
}
