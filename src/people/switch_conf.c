/*
 * From tables to the switch's configuration. Each list is read by one query in a fixed order, so that equal tables give
 * equal configurations. Only what can be used gets in: the switch need not doubt it.
 */
#include "people/switch_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "people/declared.h"
#include "switch/switch.h"

#define TRIES 5
#define ROWS_MAX 100000            /* of any list */
#define NOANSWER_DESKLESS_MS 10000 /* nobody is there to press Ready again */
#define DEVICE_GRACE_MS 30000      /* a laptop changes its network, a page is loaded again */
#define CAMPAIGN_RING_MS 15000     /* an agent of a campaign is asked so long */
#define WRAPUP_MAX_MS 180000

struct form;
struct rule;
struct right;

struct load {
	struct db *db;
	int64_t centre_id;
	struct sw_conf *conf;
	struct arena *arena;
	struct form *forms; size_t form_n;
	struct rule *rules; size_t rule_n;
	struct num_rule *all_rules;
	struct right *rights; size_t right_n;
	struct hmap users, queues, trunks; /* id -> itself: what references may name */
};

static void skip(const char *what, int64_t id, const char *why)
{
	log_warn("left out of the switch's configuration %s=%lld, %s", what, (long long)id, why);
}

/* NULL for NULL and for "". */
static const char *text(struct load *l, struct db_stmt *st, int col)
{
	const char *s = db_is_null(st, col) ? NULL : db_text(st, col);

	return s && *s ? arena_strdup(l->arena, s) : NULL;
}

static const char *text_or_empty(struct load *l, struct db_stmt *st, int col)
{
	const char *s = text(l, st, col);

	return s ? s : "";
}

static void know(struct hmap *m, int64_t id)
{
	(void)hmap_set(m, (uint64_t)id, m);
}

static bool known(const struct hmap *m, int64_t id)
{
	return hmap_get(m, (uint64_t)id) != NULL;
}

/*
 * Reads rows into an array of @size each. @take fills one entry, which is zeroed, and answers whether it may stay.
 * @sql: $1 is the centre.
 */
static int read_rows(struct load *l, const char *table, const char *sql, size_t size,
		     bool (*take)(struct load *, void *, struct db_stmt *), void *ret, size_t *ret_n)
{
	char *at = NULL;
	struct db_stmt *st;
	size_t n = 0, cap = 0;
	int r;

	r = db_prepare(&st, l->db, sql);
	if (r)
		return r;
	db_bind_i64(st, 1, l->centre_id);
	while ((r = db_step(st)) == DB_ROW && n < ROWS_MAX) {
		if (n == cap)
			at = xrealloc(at, (cap = cap ? 2 * cap : 64) * size);
		memset(at + n * size, 0, size);
		n += take(l, at + n * size, st);
	}
	db_done(st);
	if (r == DB_ROW) {
		log_error("table=%s has more than %d rows, the switch is not configured", table, ROWS_MAX);
		r = -E2BIG;
	}
	if (!r && n) {
		*(void **)ret = memcpy(arena_alloc(l->arena, n * size), at, n * size);
		*ret_n = n;
	}
	free(at);
	return r;
}

/* ---- numbers and rights: small lists, read before what refers to them ---- */

struct right {
	struct num_rights r;
	struct sw_toll_conf toll;
	const char *scope, *role;
	int64_t user_id, trunk_id;
};

struct form {
	struct num_table t;
	int64_t trunk_id;
};

struct rule {
	struct num_rule r;
	int64_t trunk_id;
};

static bool take_right(struct load *l, void *entry, struct db_stmt *st)
{
	static const enum num_class classes[] = {NUM_C_LOCAL, NUM_C_DOMESTIC, NUM_C_MOBILE,  NUM_C_SHARED, NUM_C_FREE,
						 NUM_C_SERVICE, NUM_C_SHORT, NUM_C_PREMIUM, NUM_C_OTHER}; /* as the columns stand */
	struct right *x = entry;
	const char *abroad = db_text(st, 14);

	x->r.id = db_i64(st, 0);
	x->scope = text_or_empty(l, st, 1);
	x->role = text_or_empty(l, st, 2);
	x->user_id = db_i64(st, 3);
	x->trunk_id = db_i64(st, 4);
	x->r.classes = 1u << NUM_C_EMERGENCY;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (db_i64(st, 5 + (int)i))
			x->r.classes |= 1u << classes[i];
	x->r.countries = !strcmp(abroad, "all") ? "*" : !strcmp(abroad, "some") ? text(l, st, 15) : NULL;
	x->r.barred = text(l, st, 16);
	x->r.minutes_day = (int32_t)db_i64(st, 17);
	x->r.abroad_minutes_day = (int32_t)db_i64(st, 18);
	x->r.call_max_min = (int32_t)db_i64(st, 19);
	x->toll = (struct sw_toll_conf){(int32_t)db_i64(st, 20), (int32_t)db_i64(st, 21), (int32_t)db_i64(st, 22), (int32_t)db_i64(st, 23)};
	return true;
}

static bool take_rule(struct load *l, void *entry, struct db_stmt *st)
{
	struct rule *x = entry;

	x->trunk_id = db_i64(st, 1);
	x->r = (struct num_rule){
		.id = db_i64(st, 0),
		.in = !strcmp(db_text(st, 2), "in"),
		.calling = !strcmp(db_text(st, 3), "calling"),
		.begins = text(l, st, 4),
		.len = (int32_t)db_i64(st, 5),
		.strip = (int32_t)db_i64(st, 6),
		.put = text(l, st, 7),
	};
	return true;
}

static bool take_form(struct load *l, void *entry, struct db_stmt *st)
{
	struct form *x = entry;

	x->trunk_id = db_i64(st, 1);
	x->t.id = db_i64(st, 0);
	if (!num_form_parse(&x->t.called, db_text(st, 3)) || !num_form_parse(&x->t.shown, db_text(st, 4))) {
		skip("number form", x->t.id, "its form is not known here");
		return false;
	}
	(void)num_area(x->t.area, db_is_null(st, 2) ? "" : db_text(st, 2));
	x->t.from_account = !strcmp(db_text(st, 5), "account");
	x->t.domain = text(l, st, 6);
	x->t.pai = db_i64(st, 7);
	x->t.ppi = db_i64(st, 8);
	x->t.rpid = db_i64(st, 9);
	x->t.hide = db_i64(st, 10);
	x->t.numbers = text(l, st, 11);
	return true;
}

/* They come ordered by trunk and sort, so that those of one trunk stand together. */
static void line_up_rules(struct load *l)
{
	l->all_rules = arena_alloc(l->arena, (l->rule_n + 1) * sizeof(*l->all_rules));
	for (size_t i = 0; i < l->rule_n; i++)
		l->all_rules[i] = l->rules[i].r;
}

/* A trunk may have rules without a form: they work on what is dialled and delivered. */
static const struct num_table *table_of(struct load *l, int64_t trunk_id)
{
	struct num_table *t = NULL;

	for (size_t i = 0; i < l->form_n; i++)
		if (l->forms[i].trunk_id == trunk_id)
			t = &l->forms[i].t;
	for (size_t i = 0; i < l->rule_n; i++) {
		if (l->rules[i].trunk_id != trunk_id)
			continue;
		if (!t)
			t = arena_alloc(l->arena, sizeof(*t));
		if (!t->rule_n++)
			t->rules = &l->all_rules[i];
		if (!t->id)
			t->id = trunk_id;
	}
	return t;
}

static const struct right *right_of(const struct load *l, const char *scope, const char *role, int64_t user_id, int64_t trunk_id)
{
	for (size_t i = 0; i < l->right_n; i++) {
		const struct right *x = &l->rights[i];

		if (!strcmp(x->scope, scope) && (!role || !strcmp(x->role, role)) && x->user_id == user_id && x->trunk_id == trunk_id)
			return x;
	}
	return NULL;
}

static const struct num_rights *rights_of_user(const struct load *l, int64_t user_id, const char *role)
{
	const struct right *x = right_of(l, "user", NULL, user_id, 0);

	if (!x)
		x = right_of(l, "role", role, 0, 0);
	if (!x)
		x = right_of(l, "everyone", NULL, 0, 0);
	return x ? &x->r : NULL;
}

static enum sw_browser_codec browser_codec_of(const char *name)
{
	return !strcmp(name, "opus") ? SW_BROWSER_OPUS : !strcmp(name, "g711") ? SW_BROWSER_G711 : SW_BROWSER_AUTO;
}

/* A role that is gone allows nothing. */
static void take_role(struct load *l, struct sw_user *u, const char *role)
{
	const struct people_rights *p = NULL;

	(void)people_rights_find(&p, l->db, l->centre_id, role ? role : "");
	u->masked = !p || !(p->res.bits & RIGHT_NUMBERS);
	u->no_dial = !p || !(p->res.bits & RIGHT_DIAL);
}

static bool take_user(struct load *l, void *entry, struct db_stmt *st)
{
	struct sw_user *u = entry;

	*u = (struct sw_user){
		.id = db_i64(st, 0),
		.team_id = db_i64(st, 1),
		.name = text_or_empty(l, st, 2),
		.login = text_or_empty(l, st, 3),
		.extension = text_or_empty(l, st, 4),
		.auto_answer = db_i64(st, 5),
		.static_agent = db_i64(st, 6),
		.browser_codec = browser_codec_of(db_text(st, 8)),
		.staff_no = text_or_empty(l, st, 9),
		.rest_max = (int32_t)db_i64(st, 10),
	};
	u->rights = rights_of_user(l, u->id, db_text(st, 7));
	take_role(l, u, db_text(st, 7));
	know(&l->users, u->id);
	return true;
}

static int32_t ms(struct db_stmt *st, int col)
{
	return (int32_t)(db_i64(st, col) * 1000);
}

static enum sw_transport transport_of(const char *name)
{
	return !strcmp(name, "tls") ? SW_TLS : !strcmp(name, "tcp") ? SW_TCP : SW_UDP;
}

static void take_trunk_secret(struct load *l, struct sw_trunk *t, const char *sealed)
{
	char *plain = people_unseal(sealed), md5[33], sha256[65];

	if (!plain) {
		log_warn("trunk=%lld its password cannot be read with the key beside the data: enter it again", (long long)t->id);
		return;
	}
	t->secret = arena_strdup(l->arena, plain);
	if (t->auth_in && t->username) {
		people_ha1(md5, sha256, t->username, people_realm(), plain);
		t->ha1_md5 = arena_strdup(l->arena, md5);
		t->ha1_sha256 = arena_strdup(l->arena, sha256);
	}
	explicit_bzero(plain, strlen(plain));
	free(plain);
}

/* Three columns from @col: codecs, srtp, srtp_any. */
static struct sw_audio audio_of(struct load *l, struct db_stmt *st, int col)
{
	const char *srtp = db_text(st, col + 1);

	return (struct sw_audio){
		.codecs = text(l, st, col),
		.srtp = !strcmp(srtp, "required") ? SW_SRTP_REQUIRED : !strcmp(srtp, "optional") ? SW_SRTP_OPTIONAL : SW_SRTP_OFF,
		.srtp_any = db_i64(st, col + 2),
	};
}

static bool take_trunk(struct load *l, void *entry, struct db_stmt *st)
{
	const struct right *right;
	struct sw_trunk *t = entry;

	*t = (struct sw_trunk){
		.id = db_i64(st, 0),
		.name = text_or_empty(l, st, 1),
		.host = text_or_empty(l, st, 2),
		.port = (uint16_t)db_i64(st, 3),
		.calls_max = (int32_t)db_i64(st, 4),
		.caller_id = text(l, st, 5),
		.outbound = db_i64(st, 6),
		.registers = !strcmp(db_text(st, 8), "register"),
		.transport = transport_of(db_text(st, 9)),
		.sources = text(l, st, 10),
		.username = text(l, st, 11),
		.auth_user = text(l, st, 12),
		.proxy = text(l, st, 14),
		.expires_s = (int32_t)db_i64(st, 15),
		.auth_in = db_i64(st, 16),
		.turn = (int32_t)db_i64(st, 17),
		.weight = (int32_t)db_i64(st, 18),
		.calls_per_s = (int32_t)db_i64(st, 19),
		.options_s = (int32_t)db_i64(st, 20),
		.options_fails = (int32_t)db_i64(st, 21),
		.answer_ms = ms(st, 22),
		.tls_pin = text(l, st, 23),
		.audio = audio_of(l, st, 24),
	};
	if (!db_is_null(st, 13))
		take_trunk_secret(l, t, db_text(st, 13));
	right = right_of(l, "trunk", NULL, 0, t->id);
	t->rights = right ? &right->r : NULL;
	t->numbers = table_of(l, t->id);
	know(&l->trunks, t->id);
	return true;
}

static bool take_queue(struct load *l, void *entry, struct db_stmt *st)
{
	struct sw_queue *q = entry;

	*q = (struct sw_queue){
		.id = db_i64(st, 0),
		.name = text_or_empty(l, st, 1),
		.answer_first = db_i64(st, 2),
		.record = db_i64(st, 3),
		.record_waiting = db_i64(st, 4),
		.auto_answer = db_i64(st, 5),
		.greeting = text(l, st, 6),
		.music = text(l, st, 7),
		.announce_position = db_i64(st, 8),
		.overflow_number = text(l, st, 9),
		.owner_first = db_i64(st, 10) > 0,
		.keep_ready = (int32_t)db_i64(st, 11),
	};
	know(&l->queues, q->id);
	return true;
}

static enum acd_overflow overflow_of(const char *name)
{
	static const char *const names[] = {
		[ACD_OVERFLOW_NONE] = "none", [ACD_OVERFLOW_QUEUE] = "queue", [ACD_OVERFLOW_NUMBER] = "number",
		[ACD_OVERFLOW_GOODBYE] = "goodbye",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return (enum acd_overflow)i;
	return ACD_OVERFLOW_NONE;
}

static bool take_acd_queue(struct load *l, void *entry, struct db_stmt *st)
{
	struct acd_queue_conf *q = entry;

	*q = (struct acd_queue_conf){
		.id = db_i64(st, 0),
		.priority = (int32_t)db_i64(st, 1),
		.ring_ms = ms(st, 2),
		.wrapup_ms = ms(st, 3),
		.wrapup_max_ms = ms(st, 4),
		.len_max = (int32_t)db_i64(st, 5),
		.wait_max_ms = ms(st, 6),
		.announce_ms = ms(st, 7),
		.target_ms = ms(st, 8),
		.empty_overflow = db_i64(st, 9),
		.overflow = overflow_of(db_text(st, 10)),
		.overflow_queue = db_i64(st, 11),
		.owner_ms = ms(st, 12),
		.owner_busy_ms = ms(st, 13),
		.owner_member = db_i64(st, 14),
	};
	if (q->overflow == ACD_OVERFLOW_QUEUE && !known(&l->queues, q->overflow_queue)) {
		log_warn("queue=%lld overflows to a queue that is not there, its callers keep waiting", (long long)q->id);
		q->overflow = ACD_OVERFLOW_NONE;
		q->overflow_queue = 0;
	}
	return true;
}

static bool take_acd_agent(struct load *l, void *entry, struct db_stmt *st)
{
	struct acd_agent_conf *a = entry;
	bool deskless = db_i64(st, 2);

	*a = (struct acd_agent_conf){
		.id = db_i64(st, 0),
		.team_id = db_i64(st, 1),
		.noanswer_ms = deskless ? NOANSWER_DESKLESS_MS : 0,
		.device_grace_ms = DEVICE_GRACE_MS,
	};
	return true;
}

static bool take_member(struct load *l, void *entry, struct db_stmt *st)
{
	struct acd_member *m = entry;

	*m = (struct acd_member){.queue_id = db_i64(st, 1), .agent_id = db_i64(st, 2), .level = (int32_t)db_i64(st, 3)};
	if (!known(&l->users, m->agent_id))
		return false; /* switched off, which is ordinary */
	if (!known(&l->queues, m->queue_id)) {
		skip("member", db_i64(st, 0), "its queue is not there");
		return false;
	}
	return true;
}

/* "md5:sha256:realm". A secret of another realm can never be right. */
static bool take_secret(struct load *l, struct sw_device *d, const char *secret)
{
	if (!secret || strlen(secret) < 98 || secret[32] != ':' || secret[97] != ':') {
		skip("device", d->id, "it has no secret: generate one");
		return false;
	}
	if (strcmp(secret + 98, people_realm()) != 0) {
		skip("device", d->id, "its secret is of another realm: generate a new one");
		return false;
	}
	d->ha1_md5 = arena_strndup(l->arena, secret, 32);
	d->ha1_sha256 = arena_strndup(l->arena, secret + 33, 64);
	return true;
}

static bool take_device(struct load *l, void *entry, struct db_stmt *st)
{
	struct sw_device *d = entry;

	*d = (struct sw_device){
		.id = db_i64(st, 0),
		.user_id = db_i64(st, 1),
		.name = text_or_empty(l, st, 2),
		.static_uri = text(l, st, 4),
		.auto_answer = db_i64(st, 5),
		.audio = audio_of(l, st, 6),
	};
	if (d->user_id && !known(&l->users, d->user_id))
		return false; /* a leaver's telephone */
	return d->static_uri || take_secret(l, d, db_text(st, 3));
}

static bool take_dest(struct load *l, struct sw_number *n, struct db_stmt *st)
{
	const char *dest = db_text(st, 3);

	if (!strcmp(dest, "uri")) {
		n->dest = SW_DEST_URI;
		n->uri = text(l, st, 6);
		return n->uri;
	}
	if (!strcmp(dest, "user")) {
		n->dest = SW_DEST_USER;
		n->target_id = db_i64(st, 5);
		return known(&l->users, n->target_id);
	}
	n->dest = SW_DEST_QUEUE;
	n->target_id = db_i64(st, 4);
	return known(&l->queues, n->target_id);
}

static bool take_number(struct load *l, void *entry, struct db_stmt *st)
{
	struct sw_number *n = entry;

	n->id = db_i64(st, 0);
	n->number = text_or_empty(l, st, 1);
	n->trunk_id = db_i64(st, 2);
	n->record = db_i64(st, 7);
	if (n->trunk_id && !known(&l->trunks, n->trunk_id)) {
		skip("number", n->id, "its trunk is switched off or not there");
		return false;
	}
	if (!take_dest(l, n, st)) {
		skip("number", n->id, "where it goes is switched off or not there");
		return false;
	}
	return true;
}

#define READ(table, sql, take, list)                                                                           \
	read_rows(l, table, sql, sizeof(*c->list##s), take, &c->list##s, &c->list##_n)

static int read_numbers(struct load *l)
{
	const struct right *everyone;
	int r;

	r = read_rows(l, "dial_rights", "SELECT id, scope, role, user_id, trunk_id, local, domestic, mobile, shared, free, service, short, premium,"
		      " other, abroad, countries, barred, minutes_day, abroad_minutes_day, call_max_min, odd_from, odd_to, abroad_burst,"
		      " short_burst FROM dial_rights WHERE centre_id = $1 ORDER BY id", sizeof(*l->rights), take_right, &l->rights, &l->right_n);
	if (!r)
		r = read_rows(l, "number_rules", "SELECT id, trunk_id, dir, which, begins, len, strip, put FROM number_rules WHERE centre_id = $1"
			      " AND active = 1 ORDER BY trunk_id, sort, id", sizeof(*l->rules), take_rule, &l->rules, &l->rule_n);
	if (!r)
		r = read_rows(l, "number_forms", "SELECT id, trunk_id, area, called, shown, from_user, domain, pai, ppi, rpid, hide, numbers"
			      " FROM number_forms WHERE centre_id = $1 ORDER BY id", sizeof(*l->forms), take_form, &l->forms, &l->form_n);
	if (r)
		return r;
	line_up_rules(l);
	everyone = right_of(l, "everyone", NULL, 0, 0);
	l->conf->rights = everyone ? &everyone->r : NULL;
	l->conf->toll = everyone ? &everyone->toll : NULL;
	return 0;
}

struct allowed {
	const char *network;
};

static bool take_allowed(struct load *l, void *entry, struct db_stmt *st)
{
	struct allowed *a = entry;

	a->network = text_or_empty(l, st, 1);
	return true;
}

static int read_allowed(struct load *l)
{
	struct allowed *list = NULL;
	struct strb b;
	size_t n = 0;
	int r = read_rows(l, "allowed_networks", "SELECT id, network FROM allowed_networks WHERE centre_id = $1 ORDER BY id", sizeof(*list),
			  take_allowed, &list, &n);

	if (r)
		return r;
	strb_init(&b, 65536);
	for (size_t i = 0; i < n; i++)
		strb_printf(&b, "%s ", list[i].network);
	l->conf->allowed = n ? arena_strdup(l->arena, b.buf) : NULL;
	strb_done(&b);
	return 0;
}

/* ---- campaigns: each is a queue of the core besides, after all that take calls in ---- */

#define BELOW_QUEUES 1000

static enum sw_mode mode_of(const char *name)
{
	return !strcmp(name, "predictive") ? SW_PREDICTIVE : !strcmp(name, "preview") ? SW_PREVIEW : SW_PROGRESSIVE;
}

static bool take_campaign(struct load *l, void *entry, struct db_stmt *st)
{
	struct sw_campaign *c = entry;

	*c = (struct sw_campaign){
		.id = db_i64(st, 0),
		.name = text_or_empty(l, st, 1),
		.mode = mode_of(db_text(st, 2)),
		.running = !strcmp(db_text(st, 3), "running"),
		.preview_s = (int32_t)db_i64(st, 4),
		.ring_s = (int32_t)db_i64(st, 5),
		.wait_max_ms = (int32_t)db_i64(st, 6),
		.limit_permille = (int32_t)db_i64(st, 7),
		.lines_max = (int32_t)db_i64(st, 8),
		.wrapup_ms = ms(st, 9),
		.trunk_id = db_i64(st, 10),
		.record = db_i64(st, 11),
		.beep = db_i64(st, 12),
		.talk_max_ms = (int32_t)db_i64(st, 13) * 60000,
	};
	if (c->trunk_id && !known(&l->trunks, c->trunk_id)) {
		log_warn("campaign=%lld its trunk is switched off or not there: nothing is dialled", (long long)c->id);
		c->running = false;
	}
	know(&l->queues, c->id);
	return true;
}

static bool take_campaign_queue(struct load *l, void *entry, struct db_stmt *st)
{
	int32_t wrapup = ms(st, 2);

	*(struct acd_queue_conf *)entry = (struct acd_queue_conf){
		.id = db_i64(st, 0),
		.priority = (int32_t)db_i64(st, 1) - BELOW_QUEUES,
		.ring_ms = CAMPAIGN_RING_MS,
		.wrapup_ms = wrapup,
		.wrapup_max_ms = wrapup > WRAPUP_MAX_MS ? wrapup : WRAPUP_MAX_MS,
		.wait_max_ms = (int32_t)db_i64(st, 3),
		.target_ms = (int32_t)db_i64(st, 3),
	};
	return true;
}

/* @more, behind what is in @list already. */
static void append(struct load *l, void *list, size_t *n, const void *more, size_t more_n, size_t size)
{
	char *all;

	if (!more_n)
		return;
	all = arena_alloc(l->arena, (*n + more_n) * size);
	if (*n)
		memcpy(all, *(void **)list, *n * size);
	memcpy(all + *n * size, more, more_n * size);
	*(void **)list = all;
	*n += more_n;
}

/* Those that have ended stay while their last calls may be going on. */
#define CAMPAIGNS_LIVE " FROM campaigns c WHERE c.centre_id = $1 AND (c.state IN ('running', 'paused')" \
	" OR (c.state = 'ended' AND EXISTS (SELECT 1 FROM dial_claims d WHERE d.campaign_id = c.id AND d.state = 'open')))"

/* The core refuses a configuration in which somebody serves too many; the last of his campaigns do without him. Answers how many stay. */
static size_t within_limit(const struct load *l, struct acd_member *more, size_t n)
{
	struct hmap count;
	size_t stay = 0;

	hmap_init(&count, false);
	for (size_t i = 0; i < l->conf->acd.member_n + n; i++) {
		const struct acd_member *m = i < l->conf->acd.member_n ? &l->conf->acd.members[i] : &more[i - l->conf->acd.member_n];
		uintptr_t had = (uintptr_t)hmap_get(&count, (uint64_t)m->agent_id);

		(void)hmap_set(&count, (uint64_t)m->agent_id, (void *)(had + 1));
		if (i < l->conf->acd.member_n)
			continue;
		if (had < ACD_QUEUES_MAX)
			more[stay++] = *m;
		else
			log_warn("agent=%lld serves too many queues and campaigns, left out of campaign=%lld", (long long)m->agent_id, (long long)m->queue_id);
	}
	hmap_done(&count);
	return stay;
}

static int read_campaigns(struct load *l)
{
	struct sw_conf *c = l->conf;
	struct acd_queue_conf *queues = NULL;
	struct acd_member *members = NULL;
	size_t queue_n = 0, member_n = 0;
	int r;

	r = READ("campaigns", "SELECT c.id, c.name, c.mode, c.state, c.preview_s, c.ring_s, c.wait_ms, c.limit_permille, c.lines_max, c.wrapup_s, c.trunk_id,"
			      " c.record, c.beep, c.talk_max_min" CAMPAIGNS_LIVE " ORDER BY c.id", take_campaign, campaign);
	if (!r)
		r = read_rows(l, "campaigns", "SELECT c.id, c.priority, c.wrapup_s, c.wait_ms" CAMPAIGNS_LIVE " ORDER BY c.id", sizeof(*queues), take_campaign_queue, &queues,
			      &queue_n);
	if (!r)
		r = read_rows(l, "campaign_people", "SELECT 0, p.campaign_id, p.user_id, p.share FROM campaign_people p JOIN users u ON u.id = p.user_id"
			      " WHERE u.centre_id = $1 AND p.campaign_id IN (SELECT c.id" CAMPAIGNS_LIVE ") AND NOT EXISTS (SELECT 1 FROM campaign_away w"
			      " WHERE w.campaign_id = p.campaign_id AND w.user_id = p.user_id) ORDER BY p.campaign_id, p.share, p.user_id", sizeof(*members),
			      take_member, &members, &member_n);
	if (r)
		return r;
	append(l, &c->acd.queues, &c->acd.queue_n, queues, queue_n, sizeof(*queues));
	append(l, &c->acd.members, &c->acd.member_n, members, within_limit(l, members, member_n), sizeof(*members));
	return 0;
}

/* Behind a number that we show, who rings back is to reach who dialled him, whatever the queue says. */
#define OWNER_FIRST "CASE WHEN owner_first_s = 0 AND EXISTS (SELECT 1 FROM numbers n JOIN shown_numbers s ON s.centre_id = n.centre_id AND s.number = n.number" \
	" WHERE n.dest = 'queue' AND n.queue_id = queues.id) THEN 15 ELSE owner_first_s END"

/* What others refer to comes first. */
static int read_all(struct load *l)
{
	struct sw_conf *c = l->conf;
	int r;

	r = read_numbers(l);
	if (!r)
		r = read_allowed(l);
	if (!r)
		r = READ("users", "SELECT id, team_id, name, login, extension, auto_answer, deskless, role, browser_codec, staff_no,"
			  " COALESCE((SELECT t.break_max FROM teams t WHERE t.id = users.team_id), 0) FROM users"
			  " WHERE centre_id = $1 AND active = 1 ORDER BY id", take_user, user);
	if (!r)
		r = READ("trunks", "SELECT id, name, host, port, calls_max, caller_id, outbound, 0, kind, transport, sources,"
				   " username, auth_user, secret, proxy, expires_s, auth_in, turn, weight, calls_per_s, options_s,"
				   " options_fails, answer_s, tls_pin, codecs, srtp, srtp_any FROM trunks WHERE centre_id = $1 AND active = 1 ORDER BY turn, name", take_trunk, trunk);
	if (!r)
		r = READ("queues", "SELECT id, name, answer_first, record, record_waiting, auto_answer, greeting, music,"
				   " announce_position, overflow_number, " OWNER_FIRST ", keep_ready FROM queues WHERE centre_id = $1 ORDER BY id",
			 take_queue, queue);
	if (!r)
		r = READ("queues", "SELECT id, priority, ring_s, wrapup_s, wrapup_max_s, len_max, wait_max_s,"
				   " CASE WHEN answer_first = 1 AND announce_position = 1 THEN announce_s ELSE 0 END, target_s, empty_overflow,"
				   " overflow, overflow_queue_id, " OWNER_FIRST ", owner_busy_s, owner_member FROM queues WHERE centre_id = $1 ORDER BY id",
			 take_acd_queue, acd.queue);
	if (!r)
		r = READ("users", "SELECT id, team_id, deskless FROM users WHERE centre_id = $1 AND active = 1 ORDER BY id",
			 take_acd_agent, acd.agent);
	if (!r)
		r = READ("members", "SELECT id, queue_id, user_id, level FROM members WHERE centre_id = $1"
				    " ORDER BY queue_id, level, user_id", take_member, acd.member);
	if (!r)
		r = READ("devices", "SELECT id, user_id, name, secret, static_uri, auto_answer, codecs, srtp, srtp_any FROM devices"
				    " WHERE centre_id = $1 ORDER BY id", take_device, device);
	if (!r)
		r = read_campaigns(l);
	if (!r)
		r = READ("numbers", "SELECT id, number, trunk_id, dest, queue_id, user_id, uri, record FROM numbers"
				    " WHERE centre_id = $1 ORDER BY id", take_number, number);
	return r;
}

static void conf_free(void *data)
{
	arena_free(((struct sw_conf *)data)->arena);
}

static struct sw_conf *conf_new(int64_t version)
{
	struct arena *arena = arena_new(65536);
	struct sw_conf *c = arena_alloc(arena, sizeof(*c));

	c->arena = arena;
	c->version = c->acd.version = version;
	return c;
}

static int load_once(struct sw_conf **ret, struct db *db, int64_t centre_id)
{
	struct load l = {.db = db, .centre_id = centre_id};
	int64_t before = 0, after = 0;
	int r;

	r = res_conf_version(&before, db, centre_id);
	if (r)
		return r;
	hmap_init(&l.users, false);
	hmap_init(&l.queues, false);
	hmap_init(&l.trunks, false);
	l.conf = conf_new(before);
	l.arena = l.conf->arena;
	r = read_all(&l);
	if (!r)
		r = res_conf_version(&after, db, centre_id);
	hmap_done(&l.users);
	hmap_done(&l.queues);
	hmap_done(&l.trunks);
	if (!r && before != after)
		r = -EAGAIN;
	if (r)
		conf_free(l.conf);
	else
		*ret = l.conf;
	return r;
}

int switch_conf_load(struct snap **ret, struct db *db, int64_t centre_id)
{
	struct sw_conf *c = NULL;
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++)
		r = load_once(&c, db, centre_id);
	if (!r)
		*ret = snap_new(c, conf_free);
	return r;
}
