/* The fold: events and configuration into live state. See live.h for the threads. */
#include "api/live.h"

#include <sys/resource.h>
#include <time.h>
#include "number/region.h"

#define FLUSH_MS 40
#define IN_MAX (32u << 20)

struct record {
	uint32_t size, body_len;
	enum ev_kind kind;
	int64_t epoch, n, at_ms, call_id, agent_id, queue_id, campaign_id;
	uint16_t from_len, to_len, name_len; /* behind the body, each with its NUL */
	char body[];
};

/* ---- the tap: switch thread ---- */

static bool wanted(const struct ev *e)
{
	switch (e->kind) {
	case EV_LEG_NEW:
	case EV_LEG_END: /* the trunks' calls are counted */
		return e->body && memmem(e->body, e->body_len, "\"trunk\"", 7);
	case EV_ACD_CONF:
	case EV_ACD_SNAP:
	case EV_LEG_RING:
	case EV_LEG_ANSWER:
	case EV_QUEUE_ANNOUNCE:
		return false;
	default:
		return true;
	}
}

static const char *pii(const struct ev *e, const char *key)
{
	for (unsigned i = 0; i < e->pii_n; i++)
		if (!strcmp(e->pii[i].key, key))
			return e->pii[i].text ? e->pii[i].text : "";
	return "";
}

static size_t short_len(const char *s)
{
	return strnlen(s, SW_MOVE_WHY_MAX);
}

static bool room(struct live *l, size_t size)
{
	size_t cap = l->in_cap ? l->in_cap : 1 << 16;

	if (l->in_len + size > IN_MAX)
		return false;
	while (cap < l->in_len + size)
		cap *= 2;
	if (cap > l->in_cap) {
		l->in = xrealloc(l->in, cap);
		l->in_cap = cap;
	}
	return true;
}

static void on_event(const struct ev *e, void *arg)
{
	struct live *l = arg;
	const char *texts[3] = {pii(e, "from"), pii(e, "to"), pii(e, e->kind == EV_CALL_MOVE ? "why" : "name")};
	size_t lens[3] = {short_len(texts[0]), short_len(texts[1]), short_len(texts[2])};
	size_t body_len = e->body ? e->body_len : 0;
	size_t size = sizeof(struct record) + body_len + lens[0] + lens[1] + lens[2] + 3;
	struct record *r;
	bool first;

	if (!wanted(e))
		return;
	size = (size + 15) & ~(size_t)15;
	(void)pthread_mutex_lock(&l->in_lock);
	first = !l->in_len;
	if (!room(l, size)) {
		l->in_lost = true;
	} else {
		char *p;

		r = (struct record *)(void *)(l->in + l->in_len);
		*r = (struct record){(uint32_t)size, (uint32_t)body_len, e->kind, e->epoch, e->n, e->at_ms, e->call_id, e->agent_id,
				     e->queue_id, e->campaign_id, (uint16_t)lens[0], (uint16_t)lens[1], (uint16_t)lens[2]};
		if (body_len)
			memcpy(r->body, e->body, body_len);
		p = r->body + body_len;
		for (int i = 0; i < 3; i++) {
			memcpy(p, texts[i], lens[i]);
			p[lens[i]] = '\0';
			p += lens[i] + 1;
		}
		l->in_len += size;
	}
	if (first)
		(void)pthread_cond_signal(&l->in_more);
	(void)pthread_mutex_unlock(&l->in_lock);
}

/* ---- finding and making ---- */

struct live_agent *live_agent_find(struct live *l, int64_t id)
{
	return hmap_get(&l->agents_by_id, (uint64_t)id);
}

static struct live_agent *agent_get(struct live *l, int64_t id)
{
	struct live_agent *a = live_agent_find(l, id);

	if (a || !id)
		return a;
	a = xcalloc(1, sizeof(*a));
	a->id = id;
	ilist_push_back(&l->agents, &a->link);
	(void)hmap_set(&l->agents_by_id, (uint64_t)id, a);
	return a;
}

static struct live_queue *queue_get(struct live *l, int64_t id)
{
	struct live_queue *q = hmap_get(&l->queues_by_id, (uint64_t)id);

	if (q || !id)
		return q;
	q = xcalloc(1, sizeof(*q));
	q->id = id;
	ilist_push_back(&l->queues, &q->link);
	(void)hmap_set(&l->queues_by_id, (uint64_t)id, q);
	return q;
}

static struct live_call *call_find(struct live *l, int64_t id)
{
	return hmap_get(&l->calls_by_id, (uint64_t)id);
}

static void call_touched(struct live *l, int64_t id)
{
	struct live_call *c = id ? call_find(l, id) : NULL;

	if (c)
		c->dirty = true;
}

/* ---- the fold ---- */

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_string(v))
		return strtoll(json_string_value(v), NULL, 10);
	return json_integer_value(v);
}

/* What his team sees of each other: places in the line, free slots. */
static void team_dirty(struct live *l, const struct live_agent *of)
{
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		a->dirty |= of->team_id && a->team_id == of->team_id && (a->break_max || a->rest_asked_ms);
}

static void rest_over(struct live *l, struct live_agent *a)
{
	a->rest_asked_ms = a->rest_until_ms = 0;
	a->dirty = true;
	team_dirty(l, a);
}

static void fold_rest(struct live *l, const struct record *r, const json_t *b)
{
	struct live_agent *a = live_agent_find(l, r->agent_id);
	const char *what = text(b, "what");

	if (!a)
		return;
	if (!strcmp(what, "waits")) {
		a->rest_asked_ms = r->at_ms;
		a->rest_until_ms = 0;
		(void)str_copy(a->rest_reason, sizeof(a->rest_reason), text(b, "reason"));
		(void)str_copy(a->rest_why, sizeof(a->rest_why), text(b, "why"));
		a->dirty = true;
	} else if (!strcmp(what, "turn")) {
		a->rest_until_ms = number(b, "until");
		a->dirty = true;
		team_dirty(l, a);
	} else {
		rest_over(l, a);
	}
}

static void fold_state(struct live *l, const struct record *r, const json_t *b)
{
	struct live_agent *a = agent_get(l, r->agent_id);
	const char *name = text(b, "state");
	enum acd_state was;

	if (!a)
		return;
	was = a->state;
	for (int s = 0; s < ACD_STATE_COUNT; s++)
		if (!strcmp(acd_state_name((enum acd_state)s), name))
			a->state = (enum acd_state)s;
	if (a->state == ACD_OFFLINE)
		a->device[0] = '\0';
	if (a->state == ACD_OFFLINE || a->state == ACD_BREAK || a->state == ACD_READY)
		a->pending = NULL;
	(void)str_copy(a->reason, sizeof(a->reason), text(b, "reason"));
	a->since_ms = number(b, "t") ? number(b, "t") : r->at_ms;
	a->until_ms = number(b, "until");
	call_touched(l, a->call_id); /* it may be his no more, or now */
	a->call_id = number(b, "call");
	call_touched(l, a->call_id);
	a->queue_id = a->call_id ? r->queue_id : 0;
	dialling_agent_moved(a);
	a->dirty = true;
	if (a->state != was && (a->state == ACD_BREAK || was == ACD_BREAK))
		team_dirty(l, a);
}

/* What was asked and takes effect later is seen only in the input. */
static void fold_input(struct live *l, const struct record *r)
{
	struct acd_in in;
	struct live_agent *a;
	bool busy;

	if (acd_in_decode(&in, r->at_ms, r->body, r->body_len))
		return;
	a = live_agent_find(l, in.agent_id);
	if (!a)
		return;
	busy = a->state == ACD_RINGING || a->state == ACD_TALKING || a->state == ACD_WRAPUP;
	switch (in.kind) {
	case ACD_IN_LOGIN:
	case ACD_IN_DEVICE:
		a->device_up = in.device_up;
		break;
	case ACD_IN_BREAK:
		if (busy)
			a->pending = "break";
		break;
	case ACD_IN_LOGOUT:
		if (busy && !in.force)
			a->pending = "offline";
		break;
	case ACD_IN_READY:
		a->pending = NULL;
		break;
	default:
		return;
	}
	a->dirty = true;
}

static void device_seen(struct live *l, const char *name, bool up)
{
	char *had = hmap_get_str(&l->devices_up, name);

	if (up && !had) {
		had = xstrdup(name);
		(void)hmap_set_str(&l->devices_up, had, had);
	} else if (!up && had) {
		(void)hmap_del_str(&l->devices_up, name);
		free(had);
	}
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		for (unsigned i = 0; i < a->device_n; i++)
			if (!strcmp(a->devices[i].name, name) && !a->devices[i].fixed) {
				a->dirty |= a->devices[i].up != up;
				a->devices[i].up = up;
			}
}

static void forget_devices(struct live *l)
{
	size_t pos = 0;

	for (char *name; (name = hmap_next(&l->devices_up, &pos));) {
		(void)hmap_del_str(&l->devices_up, name);
		free(name);
	}
	ilist_each_entry(&l->agents, a, struct live_agent, link)
		for (unsigned i = 0; i < a->device_n; i++)
			a->devices[i].up = a->devices[i].fixed;
}

static void fold_device(struct live *l, const struct record *r, const json_t *b)
{
	struct live_agent *a = live_agent_find(l, r->agent_id);

	if (r->kind == EV_DEVICE_STATE) {
		device_seen(l, text(b, "device"), json_is_true(json_object_get(b, "up")));
	} else if (a) {
		(void)str_copy(a->device, sizeof(a->device), text(b, "device"));
		a->dirty = true;
	}
}

static void fold_call_new(struct live *l, const struct record *r, const json_t *b)
{
	struct live_call *c = call_find(l, r->call_id);
	const char *p = r->body + r->body_len;

	if (c || !r->call_id)
		return;
	c = xcalloc(1, sizeof(*c));
	c->id = r->call_id;
	c->number_id = number(b, "number");
	c->campaign_id = r->campaign_id;
	c->start_ms = c->since_ms = r->at_ms;
	(void)str_copy(c->dir, sizeof(c->dir), text(b, "dir"));
	(void)str_copy(c->from, sizeof(c->from), p);
	(void)str_copy(c->to, sizeof(c->to), p + r->from_len + 1);
	(void)str_copy(c->name, sizeof(c->name), p + r->from_len + 1 + r->to_len + 1);
	p = !strcmp(c->dir, "out") ? c->to : c->from;
	(void)num_region_text(c->region_zh, sizeof(c->region_zh), p, "", "zh");
	(void)num_region_text(c->region_en, sizeof(c->region_en), p, "", "en");
	for (unsigned i = 0; i < LIVE_CARDS_MAX; i++)
		if (l->cards[i].call_id == c->id)
			c->customer = l->cards[i];
	if (!strcmp(c->dir, "in")) {
		recents_add(l->recents, c->id, c->from, r->at_ms);
		c->repeat = recents_count(l->recents, c->from, c->customer.id, r->at_ms);
	}
	c->dirty = true;
	ilist_push_back(&l->calls, &c->link);
	(void)hmap_set(&l->calls_by_id, (uint64_t)c->id, c);
}

static void talk_ended(struct live *l, struct live_call *c, int64_t at_ms)
{
	struct live_agent *a = live_agent_find(l, c->agent_id);

	if (c->state != LC_TALKING || !a)
		return;
	a->today.talk_ms += at_ms - c->since_ms;
	a->dirty = true;
}

static void visit(struct live *l, struct live_call *c, int64_t queue_id, int64_t at_ms)
{
	struct live_queue *q = queue_get(l, queue_id);

	if (!q || c->visit_queue == queue_id)
		return;
	c->visit_queue = queue_id;
	c->visit_ms = at_ms;
	q->today.offered++;
	q->dirty = true;
}

static void visit_answered(struct live *l, struct live_call *c, int64_t at_ms)
{
	struct live_queue *q = c->visit_queue ? queue_get(l, c->visit_queue) : NULL;

	if (!q)
		return;
	q->today.answered++;
	q->today.in_target += at_ms - c->visit_ms <= q->target_ms;
	q->dirty = true;
	c->visit_queue = 0;
}

static void fold_segment(struct live *l, struct live_call *c, const struct record *r, const json_t *b)
{
	const char *type = text(b, "type");

	talk_ended(l, c, r->at_ms);
	if (!strcmp(type, "talk") || !strcmp(type, "conference")) {
		c->state = LC_TALKING;
		if (!strcmp(type, "talk") && !strcmp(c->move.state, "joined"))
			(void)str_copy(c->move.state, sizeof(c->move.state), "left"); /* the conference is two again */
		visit_answered(l, c, r->at_ms);
	} else if (!strcmp(type, "hold")) {
		c->state = LC_HELD;
	} else if (!strcmp(type, "ring")) {
		c->state = LC_RINGING;
	} else {
		c->state = strcmp(type, "queue") ? LC_IVR : LC_QUEUE;
	}
	if (!r->campaign_id && (c->state == LC_QUEUE || (c->state == LC_RINGING && r->queue_id)))
		visit(l, c, r->queue_id, r->at_ms);
	c->queue_id = r->queue_id;
	c->agent_id = r->agent_id;
	c->since_ms = r->at_ms;
}

static void fold_offer(struct live *l, struct live_call *c, const struct record *r, const json_t *b)
{
	struct live_queue *q = hmap_get(&l->queues_by_id, (uint64_t)r->queue_id);

	c->offer.id = number(b, "offer");
	c->offer.agent_id = r->agent_id;
	c->offer.until_ms = (number(b, "t") ? number(b, "t") : r->at_ms) + number(b, "ring_ms");
	if (q)
		q->dirty = true;
}

static void fold_offer_end(struct live *l, struct live_call *c, const struct record *r, const json_t *b)
{
	struct live_agent *a = live_agent_find(l, r->agent_id);
	const char *outcome = text(b, "outcome");

	if (a) {
		a->today.answered += !strcmp(outcome, "answered");
		a->today.missed += !strcmp(outcome, "timeout") || !strcmp(outcome, "refused");
		a->dirty = true;
	}
	if (c)
		memset(&c->offer, 0, sizeof(c->offer));
}

static void fold_call_end(struct live *l, struct live_call *c, const struct record *r)
{
	struct live_queue *q = c->visit_queue ? queue_get(l, c->visit_queue) : NULL;

	talk_ended(l, c, r->at_ms);
	if (q) {
		q->today.abandoned++;
		q->dirty = true;
	}
	c->state = LC_ENDED;
	c->since_ms = r->at_ms;
	memset(&c->offer, 0, sizeof(c->offer));
	(void)hmap_del(&l->calls_by_id, (uint64_t)c->id);
	ilink_unlink(&c->link);
	ilist_push_back(&l->ended, &c->link);
}

/* The side that is not heard, and why; each side's end of it clears only its own. */
static void fold_audio(struct live_call *c, const json_t *b)
{
	const char *trouble = text(b, "trouble"), *role = text(b, "role");

	if (strcmp(trouble, "none") != 0) {
		(void)str_copy(c->trouble, sizeof(c->trouble), trouble);
		(void)str_copy(c->deaf_side, sizeof(c->deaf_side), role);
	} else if (!strcmp(c->deaf_side, role)) {
		c->trouble[0] = '\0';
	}
}

/* The name comes by live_customer, since the log holds none. */
static void fold_customer(struct live *l, struct live_call *c, const struct record *r, const json_t *b)
{
	int64_t id = number(b, "customer");

	recents_customer(l->recents, r->call_id, id);
	if (!c)
		return;
	if (c->customer.id != id)
		c->customer = (struct live_card){.call_id = c->id, .id = id};
	if (c->repeat)
		c->repeat = recents_count(l->recents, c->from, id, c->start_ms);
	c->dirty = true;
}

void live_customer(struct live *l, int64_t call_id, const struct people_customer *p)
{
	struct live_card card = {.call_id = call_id, .id = p->id, .owner_id = p->owner_id, .team_id = p->team_id};
	struct live_call *c;

	(void)str_copy(card.name, sizeof(card.name), p->name);
	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	if (c) {
		c->customer = card;
		c->dirty = true;
		live_flush(l);
	} else {
		l->cards[l->card_next++ % LIVE_CARDS_MAX] = card;
	}
	(void)pthread_mutex_unlock(&l->lock);
}

int64_t live_customer_of(struct live *l, int64_t call_id)
{
	const struct live_call *c;
	int64_t id;

	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	id = c ? c->customer.id : 0;
	(void)pthread_mutex_unlock(&l->lock);
	return id;
}

unsigned live_recent(struct live *l, const char *number, int64_t customer_id)
{
	unsigned n;

	(void)pthread_mutex_lock(&l->lock);
	n = recents_count(l->recents, number, customer_id, clock_utc_ms());
	(void)pthread_mutex_unlock(&l->lock);
	return n;
}

static void fold_party_new(struct live_call *c, const struct record *r, const json_t *b)
{
	struct live_party *p;

	if (c->party_n == LIVE_PARTIES_MAX)
		return;
	p = &c->parties[c->party_n++];
	*p = (struct live_party){.id = number(b, "party"), .user_id = r->agent_id, .since_ms = r->at_ms,
				 .told = json_is_true(json_object_get(b, "told"))};
	(void)str_copy(p->how, sizeof(p->how), text(b, "how"));
}

static void fold_party_end(struct live_call *c, const json_t *b)
{
	int64_t id = number(b, "party");
	unsigned n = 0;

	for (unsigned i = 0; i < c->party_n; i++)
		if (c->parties[i].id != id)
			c->parties[n++] = c->parties[i];
	c->party_n = n;
}

static bool talks(const struct live_call *c)
{
	return c && (c->state == LC_TALKING || c->state == LC_HELD);
}

int64_t live_talker(struct live *l, int64_t call_id)
{
	const struct live_call *c;
	int64_t id;

	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	id = talks(c) ? c->agent_id : 0;
	(void)pthread_mutex_unlock(&l->lock);
	return id;
}

int64_t live_talk_of(struct live *l, int64_t user_id)
{
	int64_t id = 0;

	(void)pthread_mutex_lock(&l->lock);
	ilist_each_entry(&l->calls, c, const struct live_call, link)
		if (talks(c) && c->agent_id == user_id)
			id = c->id;
	(void)pthread_mutex_unlock(&l->lock);
	return id;
}

void live_hand(struct live *l, int64_t call_id, int64_t help_id, const char *question)
{
	struct live_call *c;

	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	if (c) {
		c->hand.id = help_id;
		c->hand.at_ms = clock_utc_ms();
		(void)str_copy(c->hand.question, sizeof(c->hand.question), question);
		c->dirty = true;
		live_flush(l);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

int64_t live_hand_of(struct live *l, int64_t call_id)
{
	const struct live_call *c;
	int64_t id;

	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	id = c ? c->hand.id : 0;
	(void)pthread_mutex_unlock(&l->lock);
	return id;
}

void live_text(struct live *l, int64_t call_id, const char *by, const char *words)
{
	struct live_call *c;
	struct live_text *t;

	(void)pthread_mutex_lock(&l->lock);
	c = call_find(l, call_id);
	if (c) {
		if (c->text_n == LIVE_TEXTS_MAX)
			memmove(&c->texts[0], &c->texts[1], sizeof(c->texts[0]) * --c->text_n);
		t = &c->texts[c->text_n++];
		t->at_ms = clock_utc_ms();
		(void)str_copy(t->by, sizeof(t->by), by);
		(void)str_copy(t->text, sizeof(t->text), words);
		c->dirty = true;
		live_flush(l);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

static void fold_call(struct live *l, struct live_call *c, const struct record *r, const json_t *b)
{
	switch (r->kind) {
	case EV_SEG_OPEN:
		fold_segment(l, c, r, b);
		break;
	case EV_OFFER_NEW:
		fold_offer(l, c, r, b);
		break;
	case EV_QUEUE_OVERFLOW:
		c->visit_queue = 0;
		break;
	case EV_REC_OPEN:
		c->recordings++;
		break;
	case EV_REC_CLOSE:
	case EV_REC_FAIL:
		c->recordings -= c->recordings > 0;
		break;
	case EV_LEG_AUDIO:
		fold_audio(c, b);
		break;
	case EV_CALL_MOVE:
		moves_fold(c, b, r->body + r->body_len + r->from_len + 1, r->body + r->body_len + r->from_len + 1 + r->to_len + 1);
		break;
	case EV_PARTY_NEW:
		fold_party_new(c, r, b);
		break;
	case EV_PARTY_END:
		fold_party_end(c, b);
		break;
	case EV_CALL_END:
		fold_call_end(l, c, r);
		break;
	default:
		return;
	}
	c->dirty = true;
}

/* A new run of the switch starts from nothing; the end of the last one's calls is the recovery's business. */
static void fold_start(struct live *l)
{
	while (!ilist_empty(&l->calls)) {
		struct live_call *c = container_of(l->calls.next, struct live_call, link);

		(void)hmap_del(&l->calls_by_id, (uint64_t)c->id);
		ilink_unlink(&c->link);
		ilist_push_back(&l->ended, &c->link);
	}
	forget_devices(l);
	ilist_each_entry(&l->agents, a, struct live_agent, link) {
		a->device[0] = '\0';
		a->state = ACD_OFFLINE;
		a->call_id = a->queue_id = a->until_ms = 0;
		a->pending = NULL;
		a->rest_asked_ms = a->rest_until_ms = 0;
		a->dirty = true;
	}
}

static void fold(struct live *l, const struct record *r)
{
	json_t *b = r->kind == EV_ACD_IN || !r->body_len ? NULL : json_loadb(r->body, r->body_len, 0, NULL);
	struct live_call *c;

	l->epoch = r->epoch;
	l->n = r->n;
	if (r->kind == EV_CALL_NEW)
		fold_call_new(l, r, b);
	c = call_find(l, r->call_id);
	switch (r->kind) {
	case EV_SYS_START:
		fold_start(l);
		lines_start(l, r->at_ms);
		dialling_start(l);
		break;
	case EV_CAMPAIGN_STATE:
		dialling_fold_state(l, r->campaign_id, b);
		break;
	case EV_PREVIEW_NEW:
		dialling_fold_preview(l, live_agent_find(l, r->agent_id), r->campaign_id, r->call_id, r->body + r->body_len + r->from_len + 1, b);
		break;
	case EV_ATTEMPT_NEW:
	case EV_ATTEMPT_END:
		dialling_fold_attempt(l, live_agent_find(l, r->agent_id), r->campaign_id, r->kind == EV_ATTEMPT_NEW, b);
		break;
	case EV_SYS_ALARM:
		lines_fold_alarm(l, r->at_ms, b);
		break;
	case EV_TRUNK_STATE:
		lines_fold_state(l, r->at_ms, b);
		break;
	case EV_LEG_NEW:
	case EV_LEG_END:
		lines_fold_leg(l, b, r->kind == EV_LEG_NEW);
		break;
	case EV_CALL_CUSTOMER:
		fold_customer(l, c, r, b);
		break;
	case EV_REST:
		fold_rest(l, r, b);
		break;
	case EV_AGENT_STATE:
		fold_state(l, r, b);
		break;
	case EV_ACD_IN:
		fold_input(l, r);
		break;
	case EV_AGENT_DEVICE:
	case EV_DEVICE_STATE:
		fold_device(l, r, b);
		break;
	case EV_OFFER_END:
		fold_offer_end(l, c, r, b);
		if (c)
			c->dirty = true;
		break;
	default:
		if (c)
			fold_call(l, c, r, b);
	}
	json_decref(b);
}

/* ---- configuration and today's figures, from the database ---- */

static int64_t local_day(int64_t utc_ms, int64_t *midnight_ms)
{
	time_t t = utc_ms / 1000;
	struct tm tm;

	(void)localtime_r(&t, &tm);
	if (midnight_ms) {
		struct tm m = tm;

		m.tm_hour = m.tm_min = m.tm_sec = 0;
		m.tm_isdst = -1;
		*midnight_ms = (int64_t)mktime(&m) * 1000;
	}
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

static const char *col(struct db_stmt *st, int i)
{
	return db_is_null(st, i) ? "" : db_text(st, i);
}

static bool is_at_desk(struct db_stmt *st, const char *role)
{
	const struct people_rights *p;

	if (db_is_null(st, 7))
		return false;
	p = people_rights_known(db_i64(st, 7), db_i64(st, 8), role, db_is_null(st, 9) ? NULL : db_text(st, 9), db_is_null(st, 10) ? NULL : db_text(st, 10));
	return (p->res.bits & RIGHT_DESK) && !(p->res.bits & RIGHT_FLOOR);
}

/* "2026-11-22" as a number; 0: none. */
static int64_t day_of(const char *s)
{
	int y, m, d;

	return sscanf(s, "%4d-%2d-%2d", &y, &m, &d) == 3 ? (int64_t)y * 10000 + m * 100 + d : 0;
}

static void load_agent(struct live *l, struct db_stmt *st)
{
	struct live_agent *a = agent_get(l, db_i64(st, 0));

	(void)str_copy(a->name, sizeof(a->name), col(st, 1));
	(void)str_copy(a->extension, sizeof(a->extension), col(st, 2));
	a->team_id = db_i64(st, 3);
	(void)str_copy(a->team, sizeof(a->team), col(st, 4));
	(void)str_copy(a->role, sizeof(a->role), col(st, 5));
	a->at_desk = is_at_desk(st, a->role);
	a->auto_answer = db_i64(st, 6) != 0;
	(void)str_copy(a->staff_no, sizeof(a->staff_no), col(st, 11));
	(void)str_copy(a->seat, sizeof(a->seat), col(st, 12));
	a->newcomer_day = day_of(col(st, 13));
	a->break_max = db_i64(st, 14);
	a->configured = a->dirty = true;
}

static void load_queue(struct live *l, struct db_stmt *st)
{
	struct live_queue *q = queue_get(l, db_i64(st, 0));

	(void)str_copy(q->name, sizeof(q->name), col(st, 1));
	q->target_ms = db_i64(st, 2) * 1000;
	q->auto_answer = db_i64(st, 3) != 0;
	q->configured = q->dirty = true;
}

static void load_member(struct live *l, struct db_stmt *st)
{
	struct live_agent *a = live_agent_find(l, db_i64(st, 0));

	if (!a || !a->configured || a->queue_n == LIVE_QUEUES_MAX)
		return;
	a->queues[a->queue_n++] = db_i64(st, 1);
	a->member = true;
}

static void load_trunk(struct live *l, struct db_stmt *st)
{
	struct live_trunk *t = lines_trunk(l, db_i64(st, 0));

	(void)str_copy(t->name, sizeof(t->name), col(st, 1));
	t->calls_max = db_i64(st, 2);
	t->configured = t->dirty = true;
}

static void load_device(struct live *l, struct db_stmt *st)
{
	struct live_agent *a = live_agent_find(l, db_i64(st, 0));
	struct live_device *d;

	if (!a || !a->configured || a->device_n == LIVE_DEVICES_MAX)
		return;
	d = &a->devices[a->device_n++];
	(void)str_copy(d->name, sizeof(d->name), col(st, 1));
	d->fixed = !strcmp(col(st, 2), "static");
	d->up = d->fixed || hmap_get_str(&l->devices_up, d->name);
}

static void load_agent_today(struct live *l, struct db_stmt *st)
{
	struct live_agent *a = live_agent_find(l, db_i64(st, 0));

	if (a)
		a->today = (struct live_today_agent){db_i64(st, 1), db_i64(st, 2), db_i64(st, 3)};
}

/* The roll-up knows fixed thresholds; the largest that is not above the target is taken. */
static void load_queue_today(struct live *l, struct db_stmt *st)
{
	static const int thresholds_s[] = {5, 10, 20, 30, 60, 120};
	struct live_queue *q = hmap_get(&l->queues_by_id, (uint64_t)db_i64(st, 0));

	if (!q)
		return;
	q->today = (struct live_today_queue){db_i64(st, 1), db_i64(st, 2), db_i64(st, 3), 0};
	for (int i = 0; i < 6; i++)
		if (thresholds_s[i] * 1000 <= q->target_ms)
			q->today.in_target = db_i64(st, 4 + i);
}

int live_each(struct live *l, struct db *db, const char *sql, int64_t a, int64_t b, void (*fn)(struct live *l, struct db_stmt *st))
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, a);
	if (b >= 0)
		db_bind_i64(st, 2, b);
	while ((r = db_step(st)) == DB_ROW)
		fn(l, st);
	db_done(st);
	return r;
}

static int load_names(struct live *l, struct db *db)
{
	int64_t centre = l->conf->centre_id;
	int r;

	ilist_each_entry(&l->agents, a, struct live_agent, link) {
		a->configured = a->member = false;
		a->queue_n = a->device_n = 0;
	}
	ilist_each_entry(&l->queues, q, struct live_queue, link)
		q->configured = false;
	ilist_each_entry(&l->trunks, t, struct live_trunk, link)
		t->configured = false;
	r = live_each(l, db,
		 "SELECT u.id, u.name, u.extension, u.team_id, t.name, u.role, u.auto_answer, r.id, r.rev, r.rights, r.grants,"
		 " u.staff_no, u.seat, u.newcomer_until, COALESCE(t.break_max, 0) FROM users u"
		 " LEFT JOIN teams t ON t.id = u.team_id LEFT JOIN roles r ON r.centre_id = u.centre_id AND r.key = u.role WHERE u.centre_id = $1 AND u.active = 1 ORDER BY u.name, u.id",
		 centre, -1, load_agent);
	if (!r)
		r = live_each(l, db, "SELECT id, name, target_s, auto_answer FROM queues WHERE centre_id = $1 ORDER BY name, id", centre, -1,
			 load_queue);
	if (!r)
		r = live_each(l, db, "SELECT user_id, queue_id FROM members WHERE centre_id = $1 ORDER BY queue_id", centre, -1, load_member);
	if (!r)
		r = live_each(l, db, "SELECT id, name, calls_max FROM trunks WHERE centre_id = $1 AND active = 1 ORDER BY turn, name", centre, -1, load_trunk);
	if (!r)
		r = live_each(l, db, "SELECT user_id, name, kind FROM devices WHERE centre_id = $1 AND user_id IS NOT NULL ORDER BY name", centre, -1,
			 load_device);
	if (!r)
		r = dialling_load_names(l, db);
	l->floor_n = l->n + 1;
	return r;
}

static int load_today(struct live *l, struct db *db)
{
	int64_t midnight_ms;
	int r;

	l->day = local_day(clock_utc_ms(), &midnight_ms);
	r = live_each(l, db,
		 "SELECT agent_id, SUM(answered), SUM(talk_ms), SUM(missed) FROM rollup_agent_day WHERE centre_id = $1 AND day = $2"
		 " GROUP BY agent_id",
		 l->conf->centre_id, l->day, load_agent_today);
	if (!r)
		r = live_each(l, db,
			 "SELECT queue_id, SUM(offered), SUM(answered), SUM(abandoned), SUM(answered_5), SUM(answered_10), SUM(answered_20),"
			 " SUM(answered_30), SUM(answered_60), SUM(answered_120) FROM rollup_queue_slot"
			 " WHERE centre_id = $1 AND slot_ms >= $2 GROUP BY queue_id",
			 l->conf->centre_id, midnight_ms, load_queue_today);
	if (!r)
		r = dialling_load_today(l, db, midnight_ms);
	return r;
}

int live_reload(struct live *l, struct db *db)
{
	int r;

	(void)pthread_mutex_lock(&l->lock);
	r = load_names(l, db);
	if (!r) {
		live_flush(l);
		live_sight_again(l, db);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return r;
}

/* l->lock held. */
static void new_day(struct live *l)
{
	int64_t day = local_day(clock_utc_ms(), NULL);

	if (day == l->day)
		return;
	l->day = day;
	l->floor_n = l->n + 1;
	ilist_each_entry(&l->agents, a, struct live_agent, link) {
		memset(&a->today, 0, sizeof(a->today));
		a->dirty = true;
	}
	ilist_each_entry(&l->queues, q, struct live_queue, link) {
		memset(&q->today, 0, sizeof(q->today));
		q->dirty = true;
	}
	dialling_new_day(l);
}

/* ---- the thread ---- */

static void wait_ms(struct live *l, int64_t ms, bool for_events)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	while (!l->stopping && !(for_events && l->in_len))
		if (pthread_cond_timedwait(&l->in_more, &l->in_lock, &at) == ETIMEDOUT)
			return;
}

/* True when agents are still owed something, in a second. */
static bool fold_all(struct live *l, const char *in, size_t len, bool lost)
{
	bool owing;

	(void)pthread_mutex_lock(&l->lock);
	if (lost)
		log_error("live view lost events, it is wrong until the next start");
	for (size_t at = 0; at < len;) {
		const struct record *r = (const struct record *)(const void *)(in + at);

		fold(l, r);
		at += r->size;
	}
	new_day(l);
	live_flush(l);
	owing = l->owing;
	(void)pthread_mutex_unlock(&l->lock);
	return owing;
}

static void *run(void *arg)
{
	struct live *l = arg;
	char *spare = NULL;
	size_t spare_cap = 0;
	bool owing = false;

	(void)pthread_setname_np(pthread_self(), "live");
	(void)setpriority(PRIO_PROCESS, 0, 5); /* this thread's alone: calls go first */
	(void)pthread_mutex_lock(&l->in_lock);
	while (!l->stopping) {
		char *in;
		size_t len, cap;
		bool lost;

		wait_ms(l, owing ? 1000 : 5000, true);
		in = l->in;
		len = l->in_len;
		cap = l->in_cap;
		lost = l->in_lost;
		l->in = spare;
		l->in_cap = spare_cap;
		l->in_len = 0;
		l->in_lost = false;
		(void)pthread_mutex_unlock(&l->in_lock);
		owing = fold_all(l, in, len, lost);
		spare = in;
		spare_cap = cap;
		(void)pthread_mutex_lock(&l->in_lock);
		wait_ms(l, FLUSH_MS, false);
	}
	(void)pthread_mutex_unlock(&l->in_lock);
	free(spare);
	return NULL;
}

int live_new(struct live **ret, const struct api_conf *conf)
{
	struct live *l = xcalloc(1, sizeof(*l));
	struct db *db = NULL;
	int r;

	l->conf = conf;
	(void)pthread_mutex_init(&l->in_lock, NULL);
	(void)pthread_cond_init(&l->in_more, NULL);
	(void)pthread_mutex_init(&l->lock, NULL);
	hmap_init(&l->devices_up, true);
	hmap_init(&l->agents_by_id, false);
	hmap_init(&l->queues_by_id, false);
	hmap_init(&l->calls_by_id, false);
	ilist_init(&l->agents);
	ilist_init(&l->queues);
	ilist_init(&l->calls);
	ilist_init(&l->ended);
	ilist_init(&l->watchers);
	l->recents = recents_new();
	hmap_init(&l->trunks_by_id, false);
	ilist_init(&l->trunks);
	ilist_init(&l->alarms);
	hmap_init(&l->campaigns_by_id, false);
	ilist_init(&l->campaigns);
	l->epoch = conf->journal ? journal_epoch(conf->journal) : 0;
	r = db_open(&db, conf->db_url, DB_RO);
	if (!r)
		r = load_names(l, db);
	if (!r)
		r = load_today(l, db);
	if (!r)
		r = recents_load(l->recents, db, conf->centre_id, clock_utc_ms());
	db_close(db);
	if (!r)
		r = -pthread_create(&l->thread, NULL, run, l);
	if (r) {
		live_free(l);
		return r;
	}
	l->running = true;
	if (conf->journal)
		journal_tap(conf->journal, on_event, l);
	*ret = l;
	return 0;
}

void live_free(struct live *l)
{
	size_t pos = 0;

	if (!l)
		return;
	if (l->running) {
		(void)pthread_mutex_lock(&l->in_lock);
		l->stopping = true;
		(void)pthread_cond_signal(&l->in_more);
		(void)pthread_mutex_unlock(&l->in_lock);
		(void)pthread_join(l->thread, NULL);
	}
	forget_devices(l);
	for (void *v; (v = hmap_next(&l->agents_by_id, &pos));)
		free(v);
	pos = 0;
	for (void *v; (v = hmap_next(&l->queues_by_id, &pos));)
		free(v);
	pos = 0;
	for (void *v; (v = hmap_next(&l->calls_by_id, &pos));)
		free(v);
	for (struct ilink *k; (k = ilist_pop_front(&l->ended));)
		free(container_of(k, struct live_call, link));
	hmap_done(&l->devices_up);
	hmap_done(&l->agents_by_id);
	hmap_done(&l->queues_by_id);
	hmap_done(&l->calls_by_id);
	lines_free(l);
	dialling_free(l);
	recents_free(l->recents);
	free(l->in);
	(void)pthread_mutex_destroy(&l->in_lock);
	(void)pthread_cond_destroy(&l->in_more);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}
