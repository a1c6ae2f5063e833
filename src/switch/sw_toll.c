/*
 * The toll guard's counting half: minutes of the day by person and trunk, calls that come thick, calls at odd hours. Everything is in
 * memory and bounded by what is configured; the day's minutes come back from the records after a restart (sw_start.used).
 *
 * A meter holds one person's, trunk's or device's sums. Bursts are counted in ten buckets of a minute.
 */
#include "switch/sw_line.h"
#include "switch/sw_number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MINUTE_MS 60000
#define BUCKETS 10          /* minutes that a burst is looked for in */
#define SHORT_MS 6000
#define ODD_MS (10 * MINUTE_MS)
#define TRUNK_SHORTS 5      /* a trunk carries many people's calls */

enum meter_kind { METER_USER, METER_TRUNK, METER_DEVICE };

struct sw_meter {
	enum meter_kind kind;
	int64_t id;
	int64_t ms, costly_ms;   /* today */
	int64_t minute;          /* of the newest bucket */
	uint16_t costly[BUCKETS], shorts[BUCKETS];
	int64_t odd_until_ms;    /* a call at odd hours: the alarm stands so long */
	bool alarmed;
};

static const struct sw_toll_conf toll_default = {22, 7, 5, 20};

static const struct sw_toll_conf *conf_of(const struct sw *sw)
{
	return sw->conf->toll ? sw->conf->toll : &toll_default;
}

static struct sw_meter *meter(struct sw *sw, enum meter_kind kind, int64_t id)
{
	struct sw_meter *m;

	if (!id)
		return NULL;
	m = hmap_get(&sw->meters[kind], (uint64_t)id);
	if (m)
		return m;
	m = xcalloc(1, sizeof(*m));
	m->kind = kind;
	m->id = id;
	(void)hmap_set(&sw->meters[kind], (uint64_t)id, m);
	return m;
}

static void shift(struct sw_meter *m, int64_t now_ms)
{
	int64_t minute = now_ms / MINUTE_MS;

	for (int64_t i = m->minute + 1; i <= minute && i <= m->minute + BUCKETS; i++)
		m->costly[i % BUCKETS] = m->shorts[i % BUCKETS] = 0;
	if (minute > m->minute)
		m->minute = minute;
}

static int sum(const uint16_t *buckets)
{
	int n = 0;

	for (int i = 0; i < BUCKETS; i++)
		n += buckets[i];
	return n;
}

void sw_toll_init(struct sw *sw, const struct sw_used *used, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(sw->meters); i++)
		hmap_init(&sw->meters[i], false);
	ilist_init(&sw->out_legs);
	for (size_t i = 0; i < n; i++) {
		struct sw_meter *m = meter(sw, used[i].trunk_id ? METER_TRUNK : METER_USER, used[i].trunk_id ? used[i].trunk_id : used[i].user_id);

		if (!m)
			continue;
		m->ms = used[i].ms;
		m->costly_ms = used[i].costly_ms;
	}
}

void sw_toll_done(struct sw *sw)
{
	for (size_t i = 0; i < ARRAY_LEN(sw->meters); i++) {
		struct sw_meter *m;
		size_t pos = 0;

		while ((m = hmap_next(&sw->meters[i], &pos)))
			free(m);
		hmap_done(&sw->meters[i]);
	}
}

static struct sw_used used_of(struct sw *sw, enum meter_kind kind, int64_t id)
{
	const struct sw_meter *m = id ? hmap_get(&sw->meters[kind], (uint64_t)id) : NULL;

	return m ? (struct sw_used){.ms = m->ms, .costly_ms = m->costly_ms} : (struct sw_used){0};
}

/* ---- the gate ---- */

static void log_refused(struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled, const char *via, const struct sw_verdict *o)
{
	struct ev e = {.kind = EV_DIAL_REFUSED, .agent_id = u ? u->id : 0};
	char buf[300];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "why", sw_gate_name(o->gate));
	jw_str(&w, "class", num_class_name(o->class));
	jw_str(&w, "by", o->by_trunk ? "trunk" : "person");
	jw_id(&w, "trunk", t->id);
	if (o->rights_id)
		jw_id(&w, "rights", o->rights_id);
	jw_str(&w, "via", via);
	jw_end_obj(&w);
	e.pii[e.pii_n++] = (struct ev_pii){"to", dialled};
	sw_emit(sw, &e, &b);
	log_warn("call out refused why=%s class=%s by=%s trunk=%lld user=%lld via=%s to=%s", sw_gate_name(o->gate), num_class_name(o->class),
		 o->by_trunk ? "trunk" : "person", (long long)t->id, (long long)(u ? u->id : 0), via, log_num(dialled));
}

struct sw_plan_ask sw_plan_ask(struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled)
{
	return (struct sw_plan_ask){
		.trunk = t, .user = u, .nobody = sw->conf->rights, .dialled = dialled, .caller_id = u ? u->extension : NULL,
		.trunk_used = used_of(sw, METER_TRUNK, t->id), .user_used = used_of(sw, METER_USER, u ? u->id : 0),
	};
}

enum sw_gate sw_gate(struct sw_verdict *ret, struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled, const char *via,
		     bool note)
{
	return sw_gate_as(ret, sw, t, u, dialled, NULL, via, note);
}

enum sw_gate sw_gate_as(struct sw_verdict *ret, struct sw *sw, const struct sw_trunk *t, const struct sw_user *u, const char *dialled,
			const char *shown, const char *via, bool note)
{
	struct sw_plan_ask ask = sw_plan_ask(sw, t, u, dialled);

	ask.shown = shown;
	sw_plan(ret, &ask, NULL);
	if (ret->gate && note)
		log_refused(sw, t, u, dialled, via, ret);
	return ret->gate;
}

/* The trunk that a host is of, by its name or by an address of it. */
static const struct sw_trunk *trunk_at(struct sw *sw, const char *host)
{
	struct sip_addr a = {0};
	bool by_token;

	for (size_t i = 0; i < sw->conf->trunk_n; i++)
		if (!strcasecmp(sw->conf->trunks[i].host, host))
			return &sw->conf->trunks[i];
	(void)str_copy(a.host, sizeof(a.host), host);
	return sw_trunk_of(sw, sw_line_of_source(sw, &a, "", &by_token));
}

bool sw_forward_ok(struct sw *sw, const char *uri)
{
	const char *user = !strncasecmp(uri, "sip:", 4) ? uri + 4 : !strncasecmp(uri, "sips:", 5) ? uri + 5 : uri, *at = strchr(user, '@');
	char number[NUM_TEXT_MAX], digits[NUM_MAX], host[256];
	const struct sw_trunk *t;
	struct sw_verdict v;

	if (!at)
		return true;
	at++;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(*at == '[' ? strcspn(at + 1, "]") : strcspn(at, ":;>")), *at == '[' ? at + 1 : at);
	t = trunk_at(sw, host);
	(void)snprintf(number, sizeof(number), "%.*s", (int)strcspn(user, ";:@"), user);
	/* A name at a trunk's host is no number; one that somebody would read as a number is. */
	return !t || !num_clean(digits, number) || !sw_gate(&v, sw, t, NULL, digits, "forward", true);
}

/* ---- alarms ---- */

static void raise(struct sw *sw, struct sw_meter *m, const char *what, int n)
{
	static const char *const kinds[] = {"人员 person", "线路 trunk", "话机 device"};
	const struct sw_user *u = m->kind == METER_USER ? sw_user_of(sw, m->id) : NULL;
	const struct sw_trunk *t = m->kind == METER_TRUNK ? sw_trunk_of(sw, m->id) : NULL;
	const char *name = u ? u->name : t ? t->name : "";
	char text[256];

	if (m->alarmed)
		return;
	for (size_t i = 0; m->kind == METER_DEVICE && i < sw->conf->device_n; i++)
		if (sw->conf->devices[i].id == m->id)
			name = sw->conf->devices[i].name;
	(void)snprintf(text, sizeof(text), "%s: %d (%s %s)", what, n, kinds[m->kind], name);
	m->alarmed = true;
	sw->toll_alarms++;
	sw_alarm_about(sw, "toll", m->id, name, text, true);
}

static void over(struct sw *sw, struct sw_meter *m)
{
	m->alarmed = false;
	sw->toll_alarms--;
	sw_alarm_about(sw, "toll", m->id, "", "", false);
}

static bool is_odd(const struct sw_toll_conf *c, int64_t now_ms)
{
	int hour = (int)((now_ms / 3600000 + 8) % 24); /* China has one zone */

	if (c->odd_from == c->odd_to)
		return false;
	return c->odd_from < c->odd_to ? hour >= c->odd_from && hour < c->odd_to : hour >= c->odd_from || hour < c->odd_to;
}

static void note_costly(struct sw *sw, struct sw_meter *m, int64_t now_ms)
{
	const struct sw_toll_conf *c = conf_of(sw);

	if (!m)
		return;
	shift(m, now_ms);
	m->costly[m->minute % BUCKETS]++;
	if (is_odd(c, now_ms)) {
		m->odd_until_ms = now_ms + ODD_MS;
		raise(sw, m, "夜间拨打国际或声讯号码 / costly calls at odd hours", 1);
	}
	if (c->abroad_burst && sum(m->costly) >= c->abroad_burst)
		raise(sw, m, "十分钟内国际或声讯呼叫 / costly calls in ten minutes", sum(m->costly));
}

static void note_short(struct sw *sw, struct sw_meter *m, int64_t now_ms)
{
	int limit = conf_of(sw)->short_burst;

	if (!m)
		return;
	shift(m, now_ms);
	m->shorts[m->minute % BUCKETS]++;
	if (m->kind == METER_TRUNK)
		limit *= TRUNK_SHORTS;
	if (limit && sum(m->shorts) >= limit)
		raise(sw, m, "十分钟内极短的呼出 / very short calls out in ten minutes", sum(m->shorts));
}

/* ---- a leg to a trunk ---- */

void sw_toll_begun(struct sw_leg *l, const struct sw_user *u, int64_t device_id, const struct sw_verdict *o)
{
	int64_t now = clock_utc_ms();

	l->toll = (struct sw_toll){
		.user_id = u ? u->id : 0, .device_id = device_id, .max_min = o->call_max_min, .listed = l->call && l->call->campaign_id,
		.costly = o->class == NUM_C_ABROAD || o->class == NUM_C_PREMIUM || o->class == NUM_C_OTHER,
	};
	ilist_push_back(&l->sw->out_legs, &l->out_link);
	if (!l->toll.costly)
		return;
	note_costly(l->sw, meter(l->sw, METER_USER, l->toll.user_id), now);
	note_costly(l->sw, meter(l->sw, METER_DEVICE, device_id), now);
	note_costly(l->sw, meter(l->sw, METER_TRUNK, l->trunk_id), now);
}

void sw_toll_answered(struct sw_leg *l)
{
	if (ilink_linked(&l->out_link) && !l->toll.up_ms)
		l->toll.up_ms = l->toll.counted_ms = clock_utc_ms();
}

static void add(struct sw_meter *m, int64_t ms, bool costly)
{
	if (!m)
		return;
	m->ms += ms;
	m->costly_ms += costly ? ms : 0;
}

static void count(struct sw_leg *l, int64_t now)
{
	int64_t ms = now - l->toll.counted_ms;

	if (!l->toll.up_ms || ms <= 0)
		return;
	l->toll.counted_ms = now;
	add(meter(l->sw, METER_USER, l->toll.user_id), ms, l->toll.costly);
	add(meter(l->sw, METER_TRUNK, l->trunk_id), ms, l->toll.costly);
}

void sw_toll_ended(struct sw_leg *l)
{
	int64_t now = clock_utc_ms();

	if (!ilink_linked(&l->out_link))
		return;
	ilink_unlink(&l->out_link);
	count(l, now);
	if (!l->toll.up_ms || now - l->toll.up_ms >= SHORT_MS || l->toll.listed)
		return;
	note_short(l->sw, meter(l->sw, METER_USER, l->toll.user_id), now);
	note_short(l->sw, meter(l->sw, METER_DEVICE, l->toll.device_id), now);
	note_short(l->sw, meter(l->sw, METER_TRUNK, l->trunk_id), now);
}

/* ---- once a second ---- */

static void watch_meters(struct sw *sw, bool new_day, int64_t now)
{
	const struct sw_toll_conf *c = conf_of(sw);

	for (size_t k = 0; k < ARRAY_LEN(sw->meters); k++) {
		struct sw_meter *m;
		size_t pos = 0;

		while ((m = hmap_next(&sw->meters[k], &pos))) {
			if (new_day)
				m->ms = m->costly_ms = 0;
			if (!m->alarmed)
				continue;
			shift(m, now);
			if (now >= m->odd_until_ms && (!c->abroad_burst || sum(m->costly) < c->abroad_burst) &&
			    (!c->short_burst || sum(m->shorts) < c->short_burst))
				over(sw, m);
		}
	}
}

/* One a second is enough: ending a call changes the list under the walk. */
static void cut_one(struct sw *sw, int64_t now)
{
	ilist_each_entry(&sw->out_legs, l, struct sw_leg, out_link)
		if (l->toll.up_ms && l->toll.max_min && now - l->toll.up_ms >= l->toll.max_min * (int64_t)MINUTE_MS && !l->dropped) {
			log_warn("call is cut at its longest call=%lld minutes=%d", (long long)l->call->id, l->toll.max_min);
			sw_call_end(l->call, "system", 0, 31, "longest call reached");
			return;
		}
}

void sw_toll_tick(struct sw *sw, bool new_day)
{
	int64_t now = clock_utc_ms();

	ilist_each_entry(&sw->out_legs, l, struct sw_leg, out_link)
		count(l, now);
	if (new_day || sw->toll_alarms)
		watch_meters(sw, new_day, now);
	cut_one(sw, now);
}
