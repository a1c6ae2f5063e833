/*
 * Custom fields. A row of custom_fields gives a spare column of a table a name, a label and a type; constant declaration and these rows
 * together are an effective declaration, immutable, made anew when a change of custom_fields is committed and at start. Everybody asks
 * for the present one (res_now) and may go on with the one he has: what was replaced is freed a day later, when nothing that used it
 * can still run, and no more than VERSIONS_MAX are held until then.
 */
#include "resource/engine.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VERSIONS_MAX 1000 /* some 40 kB each */
#define KEEP_MS (24 * 3600 * 1000LL)

static const struct kind {
	const char *name;
	enum res_type type;
	char slot;
	unsigned flags;
	int64_t max;
} kinds[] = {
	{"text", RES_TEXT, 'x', 0, 200},
	{"long_text", RES_TEXT, 'x', RES_MULTILINE | RES_HIDE_LIST, 4000},
	{"number", RES_INT, 'n', 0, 0},
	{"money", RES_INT, 'n', 0, 0},
	{"date", RES_TEXT, 'x', RES_DAY, 10},
	{"time", RES_TIME, 'n', 0, 0},
	{"yes_no", RES_BOOL, 'n', 0, 0},
	{"choice", RES_ENUM, 'x', 0, 0},
	{"choices", RES_SET, 'x', 0, 0},
	{"phone", RES_TEXT, 'x', RES_NUMBER | RES_MASKED, 20},
};

struct version {
	struct res_def def;
	struct res_sql sql;
	struct arena *arena;   /* fields, their texts, the options */
	int64_t centre_id;
	int64_t replaced_ms;   /* mono; 0: the present one */
	char *made_from;       /* its rows as text: the same rows make no new version */
	struct version *next;
};

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER; /* reading and publishing are one, so that the newest wins */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct version *versions; /* newest first */
static unsigned version_n;

const struct res_def *res_now(const struct res_def *d, int64_t centre_id)
{
	const struct res_def *found = d = d->base ? d->base : d;

	if (!d->custom)
		return d;
	pthread_mutex_lock(&lock);
	for (struct version *v = versions; v; v = v->next)
		if (v->def.base == d && v->centre_id == centre_id && !v->replaced_ms) {
			found = &v->def;
			break;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

const struct res_def *res_named(const char *name, int64_t centre_id)
{
	const struct res_def *d = name ? res_find(name) : NULL;

	return d ? res_now(d, centre_id) : NULL;
}

const struct res_sql *res_custom_sql(const struct res_def *d)
{
	assert(d->base);
	return &((const struct version *)((const char *)d - offsetof(struct version, def)))->sql;
}

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

char res_custom_slot(const char *type)
{
	const struct kind *k = kind_of(type);

	return k ? k->slot : 0;
}

/* ---- making one ---- */

static void version_free(struct version *v)
{
	res_sql_done(&v->sql);
	arena_free(v->arena);
	free(v->made_from);
	free(v);
}

static const char *text_of(struct version *v, const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return arena_strdup(v->arena, s && *s ? s : otherwise);
}

static const struct res_option *make_options(struct version *v, const char *json)
{
	json_t *list = json ? json_loads(json, 0, NULL) : NULL, *o;
	struct res_option *ret = arena_alloc(v->arena, (json_array_size(list) + 1) * sizeof(*ret));
	size_t i;

	json_array_foreach(list, i, o) {
		ret[i].value = text_of(v, o, "value", "");
		ret[i].zh = text_of(v, o, "zh", ret[i].value);
		ret[i].en = text_of(v, o, "en", ret[i].zh);
		ret[i].old = json_is_true(json_object_get(o, "old"));
	}
	json_decref(list);
	return ret;
}

enum { C_SLOT, C_KEY, C_ZH, C_EN, C_TYPE, C_OPTIONS, C_DECIMALS, C_HELP, C_REQUIRED, C_SEARCH, C_LIST, COLS };
#define ROWS_SQL \
	"SELECT slot, key, zh, en, type, options, decimals, help, required, search, in_list FROM custom_fields" \
	" WHERE centre_id = $1 AND resource = $2 AND active = 1 ORDER BY sort, id"

static void make_field(struct version *v, struct res_field *f, struct db_stmt *st)
{
	const struct kind *k = kind_of(db_text(st, C_TYPE));
	const char *en = db_text(st, C_EN), *help = db_text(st, C_HELP);

	*f = (struct res_field){
		.name = arena_printf(v->arena, "x_%s", db_text(st, C_KEY)),
		.column = arena_strdup(v->arena, db_text(st, C_SLOT)),
		.type = k->type,
		.zh = arena_strdup(v->arena, db_text(st, C_ZH)),
		.max = k->max,
		.flags = k->flags | RES_CUSTOM | (db_i64(st, C_REQUIRED) ? RES_REQUIRED : 0) | (db_i64(st, C_SEARCH) ? RES_SEARCH : 0) |
			 (db_i64(st, C_LIST) ? 0 : RES_HIDE_LIST),
		.decimals = (unsigned char)db_i64(st, C_DECIMALS),
	};
	f->en = en && *en ? arena_strdup(v->arena, en) : f->zh;
	if (help && *help)
		f->help_zh = f->help_en = arena_strdup(v->arena, help);
	if (k->type == RES_ENUM || k->type == RES_SET)
		f->options = make_options(v, db_text(st, C_OPTIONS));
}

/* A column's name comes from the table into SQL, so it must be one of the spare ones. */
static bool row_usable(struct db_stmt *st)
{
	const struct kind *k = kind_of(db_text(st, C_TYPE));
	const char *slot = db_text(st, C_SLOT);
	int64_t n;

	return k && slot[0] == k->slot && str_to_i64(&n, slot + 1, 1, k->slot == 'x' ? RES_SLOTS_TEXT : RES_SLOTS_NUMBER);
}

static void add_source(struct strb *b, struct db_stmt *st)
{
	for (int i = 0; i < COLS; i++) {
		const char *s = db_text(st, i);

		strb_printf(b, "%zu:%s,", s ? strlen(s) : 0, s ? s : "");
	}
}

static int version_make(struct version **ret, struct db *db, const struct res_def *d, int64_t centre_id)
{
	struct version *v = xcalloc(1, sizeof(*v));
	struct res_field *fields;
	struct db_stmt *st;
	struct strb source;
	int r = db_prepare(&st, db, ROWS_SQL);

	strb_init(&source, 1 << 22);
	v->arena = arena_new(8192);
	v->centre_id = centre_id;
	v->def = *d;
	v->def.base = d;
	fields = arena_alloc(v->arena, RES_FIELDS_MAX * sizeof(*fields));
	memcpy(fields, d->fields, d->field_n * sizeof(*fields));
	v->def.fields = fields;
	if (!r) {
		db_bind_i64(st, 1, centre_id);
		db_bind_text(st, 2, d->name);
		while ((r = db_step(st)) == DB_ROW) {
			if (!row_usable(st) || v->def.field_n == RES_FIELDS_MAX) {
				log_error("custom field left out resource=%s slot=%s", d->name, db_text(st, C_SLOT));
				continue;
			}
			make_field(v, &fields[v->def.field_n++], st);
			add_source(&source, st);
		}
		db_done(st);
	}
	v->made_from = strb_take(&source);
	if (r) {
		version_free(v);
		return r;
	}
	*ret = v;
	return 0;
}

/* ---- publishing ---- */

static void publish(struct version *v, int64_t now_ms)
{
	struct version **p, *old = NULL;

	pthread_mutex_lock(&lock);
	for (struct version *o = versions; o; o = o->next)
		if (o->def.base == v->def.base && o->centre_id == v->centre_id && !o->replaced_ms)
			o->replaced_ms = now_ms;
	for (p = &versions; *p;) {
		struct version *o = *p;

		if (!o->replaced_ms || now_ms - o->replaced_ms < KEEP_MS) {
			p = &o->next;
			continue;
		}
		*p = o->next;
		o->next = old;
		old = o;
		version_n--;
	}
	v->next = versions;
	versions = v;
	version_n++;
	pthread_mutex_unlock(&lock);
	while (old) {
		struct version *next = old->next;

		version_free(old);
		old = next;
	}
}

static int load_one(struct db *db, const struct res_def *d, int64_t centre_id, int64_t now_ms)
{
	const struct res_def *now = res_now(d, centre_id);
	struct version *v;
	int r = version_make(&v, db, d, centre_id);

	if (r)
		return r;
	if (now->base ? !strcmp(((const struct version *)((const char *)now - offsetof(struct version, def)))->made_from, v->made_from) : !v->made_from[0]) {
		version_free(v);
		return 0;
	}
	res_sql_make(&v->sql, &v->def);
	publish(v, now_ms ? now_ms : 1);
	log_info("fields declared resource=%s custom=%zu", d->name, v->def.field_n - d->field_n);
	return 0;
}

int res_custom_load(struct db *db, int64_t centre_id)
{
	int64_t now_ms = clock_mono_ms();
	int r = 0;

	pthread_mutex_lock(&load_lock);
	for (size_t i = 0; !r && res_all[i]; i++)
		if (res_all[i]->custom)
			r = load_one(db, res_all[i], centre_id, now_ms);
	pthread_mutex_unlock(&load_lock);
	return r;
}

bool res_custom_full(void)
{
	bool full;

	pthread_mutex_lock(&lock);
	full = version_n >= VERSIONS_MAX;
	pthread_mutex_unlock(&lock);
	return full;
}

/* ---- emptying a column ---- */

#define WIPE_PIECE 500

static int wipe_next(char *table, size_t table_size, char *resource, size_t resource_size, char *slot, size_t slot_size, struct db *db, int64_t centre_id)
{
	const struct res_def *d;
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT resource, slot FROM custom_wipes WHERE centre_id = $1 ORDER BY started_ms, slot LIMIT 1");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		(void)str_copy(resource, resource_size, db_text(st, 0));
		(void)str_copy(slot, slot_size, db_text(st, 1));
		d = res_find(resource);
		(void)str_copy(table, table_size, d && d->custom ? d->table : "");
	}
	db_done(st);
	return r;
}

int res_custom_wipe(bool *more, struct db *db, int64_t centre_id)
{
	char table[64], resource[64], slot[8], *sql;
	int64_t n = 0;
	int r = wipe_next(table, sizeof(table), resource, sizeof(resource), slot, sizeof(slot), db, centre_id);

	*more = r == DB_ROW;
	if (r != DB_ROW)
		return r;
	r = 0;
	if (table[0] && (slot[0] == 'x' || slot[0] == 'n') && str_to_i64(&n, slot + 1, 1, RES_SLOTS_TEXT)) {
		sql = xasprintf("UPDATE %s SET %s = NULL WHERE id IN (SELECT id FROM %s WHERE centre_id = $1 AND %s IS NOT NULL LIMIT %d)", table,
				slot, table, slot, WIPE_PIECE);
		r = db_run(db, sql, "i", centre_id);
		n = db_changes(db);
		free(sql);
	} else {
		n = 0;
	}
	if (!r && n < WIPE_PIECE)
		r = db_run(db, "DELETE FROM custom_wipes WHERE centre_id = $1 AND resource = $2 AND slot = $3", "itt", centre_id, resource, slot);
	return r;
}
