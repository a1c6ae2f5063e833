#include "journal/ledger.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"

#define HASH LEDGER_HASH
#define PII_COLUMN_MAX (EV_PII_MAX * (32 + 1 + 2 * HASH + 1) + 1)

void ledger_init(struct ledger *l, struct zone *zone)
{
	int r = sodium_init();

	assert(r >= 0);
	*l = (struct ledger){.fold = {.zone = zone}};
}

void ledger_forget(struct ledger *l)
{
	l->loaded = false;
}

bool ledger_disk_fails(int r)
{
	return r < 0 && r != -EINVAL && r != -E2BIG;
}

/* ---- hashes ---- */

/* An event's columns as they are hashed; the two names and texts follow, each with a NUL. */
struct columns {
	int64_t ints[10];
	const char *class, *kind, *body, *pii;
	size_t body_len;
};

static void chain(uint8_t out[HASH], const uint8_t before[HASH], const struct columns *c)
{
	crypto_generichash_state st;
	uint64_t ints[11];

	for (size_t i = 0; i < 10; i++)
		ints[i] = htole64((uint64_t)c->ints[i]);
	ints[10] = htole64(c->body_len);
	(void)crypto_generichash_init(&st, NULL, 0, HASH);
	(void)crypto_generichash_update(&st, before, HASH);
	(void)crypto_generichash_update(&st, (const uint8_t *)ints, sizeof(ints));
	(void)crypto_generichash_update(&st, (const uint8_t *)c->class, strlen(c->class) + 1);
	(void)crypto_generichash_update(&st, (const uint8_t *)c->kind, strlen(c->kind) + 1);
	(void)crypto_generichash_update(&st, (const uint8_t *)c->body, c->body_len);
	(void)crypto_generichash_update(&st, (const uint8_t *)c->pii, strlen(c->pii) + 1);
	(void)crypto_generichash_final(&st, out, HASH);
}

static void salted(char hex[2 * HASH + 1], const uint8_t *salt, size_t salt_n, const char *key, const char *text)
{
	crypto_generichash_state st;
	uint8_t h[HASH];

	(void)crypto_generichash_init(&st, salt_n ? salt : NULL, salt_n, HASH);
	(void)crypto_generichash_update(&st, (const uint8_t *)key, strlen(key) + 1);
	(void)crypto_generichash_update(&st, (const uint8_t *)text, strlen(text));
	(void)crypto_generichash_final(&st, h, HASH);
	str_hex_of(hex, h, HASH);
}

/* One system call gives many salts. */
static const uint8_t *next_salt(struct ledger *l)
{
	if (!l->salts_left) {
		randombytes_buf(l->salts, sizeof(l->salts));
		l->salts_left = ARRAY_LEN(l->salts);
	}
	return l->salts[--l->salts_left];
}

/* ---- inserting ---- */

static int load(struct ledger *l, struct db *db)
{
	struct db_stmt *st;
	const void *hash;
	size_t n;
	int r;

	if (l->loaded)
		return 0;
	r = db_prepare(&st, db, "SELECT epoch, n, hash FROM event ORDER BY epoch DESC, n DESC LIMIT 1");
	if (r)
		return r;
	l->epoch = l->n = 0;
	memset(l->hash, 0, HASH);
	r = db_step(st);
	if (r == DB_ROW) {
		l->epoch = db_i64(st, 0);
		l->n = db_i64(st, 1);
		hash = db_blob(st, 2, &n);
		if (n == HASH)
			memcpy(l->hash, hash, HASH);
		r = 0;
	}
	db_done(st);
	l->loaded = !r;
	return r;
}

static int insert_pii(struct ledger *l, struct db *db, const struct ev *e, const struct ev_pii *p, struct strb *column)
{
	const uint8_t *salt = next_salt(l);
	char hex[2 * HASH + 1];

	salted(hex, salt, LEDGER_SALT, p->key, p->text);
	if (column->len)
		strb_putc(column, ' ');
	strb_puts(column, p->key);
	strb_putc(column, ':');
	strb_puts(column, hex);
	/* A dialog is working state, not history: the fold keeps it while the leg lives. */
	if (!strcmp(p->key, "dialog"))
		return 0;
	return db_run(db,
		      "INSERT INTO event_pii (epoch, n, key, centre_id, salt, text) VALUES ($1, $2, $3, $4, $5, $6)"
		      " ON CONFLICT DO NOTHING",
		      "iitibt", e->epoch, e->n, p->key, e->centre_id, salt, (size_t)LEDGER_SALT, p->text);
}

static void bind_ref(struct db_stmt *st, int i, int64_t id)
{
	if (id)
		db_bind_i64(st, i, id);
}

/* @hash: its place in the chain. That it is not there yet is known: it is behind the last one. */
static int insert_event(struct db *db, const struct columns *c, const uint8_t hash[HASH])
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db,
		       "INSERT INTO event (epoch, n, centre_id, at_ms, v, call_id, leg_id, agent_id, queue_id, campaign_id,"
		       " class, kind, body, pii, hash)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
	if (r)
		return r;
	for (int i = 0; i < 5; i++)
		db_bind_i64(st, i + 1, c->ints[i]);
	for (int i = 5; i < 10; i++)
		bind_ref(st, i + 1, c->ints[i]);
	db_bind_text(st, 11, c->class);
	db_bind_text(st, 12, c->kind);
	db_bind_textn(st, 13, c->body, c->body_len);
	db_bind_text(st, 14, c->pii);
	db_bind_blob(st, 15, hash, HASH);
	r = db_step(st);
	db_done(st);
	return r > 0 ? -EINVAL : r;
}

/* Ring, spill and database hand over without gaps; anything else is told, kept, and found by journal_verify. */
static void check_order(const struct ledger *l, const struct ev *e)
{
	if (e->epoch == l->epoch ? e->n != l->n + 1 : e->epoch < l->epoch || e->n != 1)
		log_error("event log has a gap after=%lld.%lld next=%lld.%lld", (long long)l->epoch, (long long)l->n,
			  (long long)e->epoch, (long long)e->n);
}

static int known_already(struct db *db, const struct ev *e)
{
	int64_t one;
	int r = db_get_i64(&one, db, "SELECT 1 FROM event WHERE epoch = $1 AND n = $2", "ii", e->epoch, e->n);

	return r == -ENOENT ? 0 : r ? r : 1;
}

static bool is_text(const char *s, size_t n)
{
	return !memchr(s, 0, n) && str_is_utf8(s, n);
}

static char *mended(const char *s, size_t n)
{
	char *own = xstrndup("", 0);

	own = xrealloc(own, n + 1);
	memcpy(own, s, n);
	own[n] = '\0';
	str_mend_utf8(own, n);
	return own;
}

/*
 * Strangers send names that are no UTF-8, and no database keeps those as text: the bytes in question become question marks, for log and
 * records alike. Answers how many texts are ours now, in @own.
 */
static unsigned mend(struct ev *e, char *own[1 + EV_PII_MAX])
{
	unsigned n = 0;

	if (e->body && !is_text(e->body, e->body_len))
		e->body = own[n++] = mended(e->body, e->body_len);
	for (unsigned i = 0; i < e->pii_n; i++)
		if (!str_is_utf8(e->pii[i].text, strlen(e->pii[i].text)))
			e->pii[i].text = own[n++] = mended(e->pii[i].text, strlen(e->pii[i].text));
	return n;
}

static int insert_whole(struct ledger *l, struct db *db, const struct ev *e, int v)
{
	char pii[PII_COLUMN_MAX];
	struct strb column;
	struct columns c;
	uint8_t hash[HASH];
	int r;

	assert(e->kind < EV_KIND_COUNT);
	r = load(l, db);
	if (!r && (e->epoch < l->epoch || (e->epoch == l->epoch && e->n <= l->n)))
		r = known_already(db, e);
	if (r)
		return r;
	check_order(l, e);

	strb_init_fixed(&column, pii, sizeof(pii));
	for (unsigned i = 0; i < e->pii_n && !r; i++)
		r = insert_pii(l, db, e, &e->pii[i], &column);
	if (ledger_disk_fails(r))
		return r;
	assert(!column.overflow);
	c = (struct columns){
		.ints = {e->epoch, e->n, e->centre_id, e->at_ms, v, e->call_id, e->leg_id, e->agent_id, e->queue_id,
			 e->campaign_id},
		.class = ev_class_name(ev_kind_class(e->kind)),
		.kind = ev_kind_name(e->kind),
		.body = e->body ? e->body : "{}",
		.body_len = e->body ? e->body_len : 2,
		.pii = pii,
	};
	chain(hash, l->hash, &c);
	r = insert_event(db, &c, hash);
	if (r)
		return r;
	l->epoch = e->epoch;
	l->n = e->n;
	memcpy(l->hash, hash, HASH);
	return fold_event(&l->fold, db, e);
}

int ledger_insert(struct ledger *l, struct db *db, const struct rec *rec)
{
	struct ev e = rec->ev;
	char *own[1 + EV_PII_MAX];
	unsigned n = mend(&e, own);
	int r = insert_whole(l, db, &e, rec->v);

	while (n)
		free(own[--n]);
	return r;
}

int ledger_take_epoch(int64_t *ret, struct db *db, int64_t centre_id, const char *kind, int64_t at_least)
{
	int64_t epoch;
	int r;

	r = db_get_i64(&epoch, db,
		       "SELECT coalesce(max(e), 0) + 1 FROM"
		       " (SELECT max(epoch) AS e FROM epoch UNION ALL SELECT max(epoch) AS e FROM event) AS taken",
		       NULL);
	if (r)
		return r;
	if (epoch < at_least)
		epoch = at_least;
	r = db_run(db, "INSERT INTO epoch (epoch, centre_id, kind, taken_ms) VALUES ($1, $2, $3, $4)", "iiti", epoch, centre_id,
		   kind, clock_utc_ms());
	if (!r)
		*ret = epoch;
	return r;
}

/* ---- reading ---- */

/* A page at a time, since PostgreSQL hands a result over whole. */
#define PAGE 2000
#define PAGE_TEXT "2000"

static const char read_sql[] =
	"SELECT epoch, n, centre_id, at_ms, v, coalesce(call_id, 0), coalesce(leg_id, 0), coalesce(agent_id, 0),"
	" coalesce(queue_id, 0), coalesce(campaign_id, 0), class, kind, body, pii, hash"
	" FROM event WHERE (epoch, n) >= ($1, $2) ORDER BY epoch, n LIMIT " PAGE_TEXT; /* the primary key serves it */

/* Steps through the rows from (@epoch, @n) on; stops when @fn answers non-zero, and returns that. */
static int walk(struct db *db, int64_t epoch, int64_t n, int (*fn)(struct db *db, struct db_stmt *st, void *arg), void *arg)
{
	struct db_stmt *st;
	int rows, r;

	do {
		rows = 0;
		r = db_prepare(&st, db, read_sql);
		if (r)
			return r;
		db_bind_i64(st, 1, epoch);
		db_bind_i64(st, 2, n);
		while ((r = db_step(st)) == DB_ROW) {
			rows++;
			epoch = db_i64(st, 0);
			n = db_i64(st, 1) + 1;
			r = fn(db, st, arg);
			if (r)
				break;
		}
		db_done(st);
	} while (!r && rows == PAGE);
	return r;
}

static int ev_of_row(struct ev *e, const struct db_stmt *st)
{
	*e = (struct ev){
		.epoch = db_i64(st, 0), .n = db_i64(st, 1), .centre_id = db_i64(st, 2), .at_ms = db_i64(st, 3),
		.call_id = db_i64(st, 5), .leg_id = db_i64(st, 6), .agent_id = db_i64(st, 7), .queue_id = db_i64(st, 8),
		.campaign_id = db_i64(st, 9),
	};
	e->body = db_blob(st, 12, &e->body_len);
	return ev_kind_parse(&e->kind, db_text(st, 11)) ? -EPROTO : 0;
}

/* Steps @pii through the texts of @e; they stay valid until it is done. */
static int add_pii(struct ev *e, struct arena *a, struct db *db)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT key, text FROM event_pii WHERE epoch = $1 AND n = $2 ORDER BY key");
	if (r)
		return r;
	db_bind_i64(st, 1, e->epoch);
	db_bind_i64(st, 2, e->n);
	while ((r = db_step(st)) == DB_ROW && e->pii_n < EV_PII_MAX)
		e->pii[e->pii_n++] = (struct ev_pii){arena_strdup(a, db_text(st, 0)), arena_strdup(a, db_text(st, 1))};
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

struct reader {
	struct arena *arena;
	int (*fn)(const struct ev *e, void *arg);
	void *arg;
};

static int read_row(struct db *db, struct db_stmt *st, void *arg)
{
	struct reader *rd = arg;
	struct ev e;
	int r = ev_of_row(&e, st);

	if (!r && *db_text(st, 13))
		r = add_pii(&e, rd->arena, db);
	if (!r)
		r = rd->fn(&e, rd->arg);
	arena_reset(rd->arena);
	return r;
}

int journal_read(struct db *db, int64_t epoch, int64_t n, int (*fn)(const struct ev *e, void *arg), void *arg)
{
	struct reader rd = {arena_new(4096), fn, arg};
	int r = walk(db, epoch, n, read_row, &rd);

	arena_free(rd.arena);
	return r;
}

/* ---- verifying ---- */

/* Is each text that is still there the one whose hash is in @column ("key:hex key:hex")? 0, 1 or negative. */
static int verify_pii(struct db *db, int64_t epoch, int64_t n, const char *column)
{
	struct db_stmt *st;
	int r;

	r = db_prepare(&st, db, "SELECT key, salt, text FROM event_pii WHERE epoch = $1 AND n = $2");
	if (r)
		return r;
	db_bind_i64(st, 1, epoch);
	db_bind_i64(st, 2, n);
	while ((r = db_step(st)) == DB_ROW) {
		const char *key = db_text(st, 0), *text = db_text(st, 2);
		char hex[2 * HASH + 1], want[256];
		size_t salt_n;
		const void *salt = db_blob(st, 1, &salt_n);

		if (!key || !text || salt_n != LEDGER_SALT)
			break;
		salted(hex, salt, salt_n, key, text);
		if (snprintf(want, sizeof(want), "%s:%s", key, hex) >= (int)sizeof(want) || !strstr(column, want))
			break;
	}
	db_done(st);
	return r == DB_ROW ? 1 : r;
}

struct verifier {
	uint8_t before[HASH]; /* the hash of the event before */
	int64_t epoch, n;     /* its place; then what is wrong */
};

/* 0: the row fits behind the one before; 1: it does not. */
static int verify_row(struct db *db, struct db_stmt *st, void *arg)
{
	struct verifier *v = arg;
	int64_t e = db_i64(st, 0), k = db_i64(st, 1), want = e == v->epoch ? v->n + 1 : 1;
	struct columns c;
	const void *hash;
	uint8_t h[HASH];
	size_t len;

	v->epoch = e;
	v->n = want; /* a gap: the first that is missing */
	if (k != want)
		return 1;
	for (int i = 0; i < 10; i++)
		c.ints[i] = db_i64(st, i);
	c.class = db_text(st, 10);
	c.kind = db_text(st, 11);
	c.body = db_blob(st, 12, &c.body_len);
	c.pii = db_text(st, 13);
	hash = db_blob(st, 14, &len);
	if (!c.class || !c.kind || !c.pii || len != HASH)
		return 1;
	chain(h, v->before, &c);
	if (memcmp(h, hash, HASH))
		return 1;
	memcpy(v->before, h, HASH);
	return *c.pii ? verify_pii(db, e, k, c.pii) : 0;
}

/* Behind @v. 1: @v says what is wrong, and so do @epoch and @n. */
static int verify_from(struct db *db, struct verifier *v, int64_t *epoch, int64_t *n)
{
	int r = walk(db, v->epoch, v->n + 1, verify_row, v);

	if (r == 1) {
		*epoch = v->epoch;
		*n = v->n;
	}
	return r;
}

int journal_verify(struct db *db, int64_t *epoch, int64_t *n)
{
	struct verifier v = {0};

	return sodium_init() < 0 ? -EIO : verify_from(db, &v, epoch, n);
}

int journal_verify_last(struct db *db, int64_t rows, int64_t *epoch, int64_t *n)
{
	struct verifier v = {0};
	struct db_stmt *st;
	const void *hash;
	size_t len;
	int r;

	if (sodium_init() < 0)
		return -EIO;
	r = db_prepare(&st, db, "SELECT epoch, n, hash FROM event ORDER BY epoch DESC, n DESC LIMIT 1 OFFSET $1"); /* its primary key */
	if (r)
		return r;
	db_bind_i64(st, 1, rows);
	r = db_step(st);
	if (r == DB_ROW) {
		v.epoch = db_i64(st, 0);
		v.n = db_i64(st, 1);
		hash = db_blob(st, 2, &len);
		if (len == HASH)
			memcpy(v.before, hash, HASH);
	}
	db_done(st);
	return r < 0 ? r : verify_from(db, &v, epoch, n);
}

/* ---- importing ---- */

struct journal_import {
	struct db *db;
	struct ledger ledger;
	struct zone *zone;
	int64_t centre_id, epoch, n, at_ms;
};

int journal_import_new(struct journal_import **ret, struct db *db, int64_t centre_id)
{
	struct journal_import *im = xcalloc(1, sizeof(*im));
	int r;

	im->db = db;
	im->centre_id = centre_id;
	r = zone_open(&im->zone, JOURNAL_ZONE);
	if (!r)
		r = ledger_take_epoch(&im->epoch, db, centre_id, "import", 1);
	if (r) {
		journal_import_free(im);
		return r;
	}
	ledger_init(&im->ledger, im->zone);
	*ret = im;
	return 0;
}

int journal_import_zone(struct journal_import *im, const char *zone)
{
	struct zone *z;
	int r = zone_open(&z, zone);

	if (r)
		return r;
	zone_free(im->zone);
	im->zone = z;
	im->ledger.fold.zone = z;
	return 0;
}

int journal_import_event(struct journal_import *im, struct ev *e)
{
	struct rec rec;
	int r;

	if (!rec_size(e))
		return -EMSGSIZE;
	e->epoch = im->epoch;
	e->n = im->n + 1;
	if (!e->centre_id)
		e->centre_id = im->centre_id;
	if (e->at_ms < im->at_ms)
		e->at_ms = im->at_ms;
	im->at_ms = e->at_ms;
	rec = (struct rec){.ev = *e, .v = ev_kind_version(e->kind)};
	r = ledger_insert(&im->ledger, im->db, &rec);
	if (r < 0)
		ledger_forget(&im->ledger);
	else
		im->n++;
	return r > 0 ? -EEXIST : r;
}

void journal_import_free(struct journal_import *im)
{
	if (!im)
		return;
	zone_free(im->zone);
	free(im);
}
