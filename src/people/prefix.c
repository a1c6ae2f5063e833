/* See prefix.h. Memory has a version; the database says which is newest, one point query. */
#include "people/prefix.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "number/number.h"
#include "number/prefix.h"
#include "people/declared.h"

#define PIECE 20000 /* rows a query: an engine may hold all rows of an answer at once */

/* One centre a process. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held while reading: others go on with the old table */
static int64_t held_version = -1, held_load_ms;
static _Atomic int64_t asked_ms; /* mono; 0: never */

/* ---- into memory ---- */

static int state_version(int64_t *ret, struct db *db, int64_t centre_id)
{
	int r = db_get_i64(ret, db, "SELECT version FROM number_prefix_state WHERE centre_id = $1", "i", centre_id);

	if (r == -ENOENT) {
		*ret = 0;
		r = 0;
	}
	return r;
}

static bool copy(char *ret, size_t size, const char *s)
{
	return str_copy(ret, size, s ? s : "");
}

static void add_row(struct num_prefixes *t, struct db_stmt *st)
{
	struct num_place p = {0};
	char area[5] = "";

	(void)num_area(area, db_text(st, 3) ? db_text(st, 3) : "");
	if (copy(p.province, sizeof(p.province), db_text(st, 1)) && copy(p.city, sizeof(p.city), db_text(st, 2)) &&
	    copy(p.area, sizeof(p.area), area) && copy(p.carrier, sizeof(p.carrier), db_text(st, 4)) && !num_prefixes_add(t, db_text(st, 0), &p))
		return;
	log_warn("left out of the number table prefix=%s", db_text(st, 0));
}

/* One piece behind @after. Answers how many rows it had, or negative. */
static int read_piece(struct num_prefixes *t, struct db *db, int64_t centre_id, char after[16])
{
	struct db_stmt *st;
	int n = 0, r;

	/* number_prefixes_prefix serves it */
	r = db_prepare(&st, db, "SELECT prefix, province, city, area, carrier FROM number_prefixes WHERE centre_id = $1 AND prefix > $2 ORDER BY prefix LIMIT $3");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_text(st, 2, after);
	db_bind_i64(st, 3, PIECE);
	while ((r = db_step(st)) == DB_ROW) {
		add_row(t, st);
		n++;
		if (n == PIECE)
			(void)str_copy(after, 16, db_text(st, 0));
	}
	db_done(st);
	return r ? r : n;
}

static int load(struct db *db, int64_t centre_id)
{
	struct num_prefixes *t = num_prefixes_new();
	int64_t began = clock_mono_ms();
	char after[16] = "";
	int n;

	do
		n = read_piece(t, db, centre_id, after);
	while (n == PIECE);
	if (n < 0) {
		num_prefixes_free(t);
		return n;
	}
	num_prefixes_publish(t);
	held_load_ms = clock_mono_ms() - began;
	log_info("number table rows=%zu bytes=%zu ms=%lld", num_prefixes_info().rows, num_prefixes_info().bytes, (long long)held_load_ms);
	return 0;
}

int people_prefixes_refresh(struct db *db, int64_t centre_id, int64_t every_ms)
{
	int64_t version, now = clock_mono_ms();
	int r;

	if (every_ms && asked_ms && now - asked_ms < every_ms)
		return 0;
	asked_ms = now;
	pthread_mutex_lock(&lock);
	r = state_version(&version, db, centre_id);
	if (!r && version != held_version) {
		r = load(db, centre_id);
		held_version = r ? held_version : version;
	}
	pthread_mutex_unlock(&lock);
	if (r)
		log_warn("number table not read error=%d, the old one stays", -r);
	return r;
}

int people_prefixes_info(struct people_prefixes_info *ret, struct db *db, int64_t centre_id)
{
	struct num_prefixes_info info = num_prefixes_info();
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT changed_ms, imported_ms, file FROM number_prefix_state WHERE centre_id = $1");

	if (r)
		return r;
	*ret = (struct people_prefixes_info){.rows = (int64_t)info.rows, .bytes = (int64_t)info.bytes};
	pthread_mutex_lock(&lock);
	ret->load_ms = held_load_ms;
	pthread_mutex_unlock(&lock);
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		ret->changed_ms = db_i64(st, 0);
		ret->imported_ms = db_is_null(st, 1) ? 0 : db_i64(st, 1);
		(void)copy(ret->file, sizeof(ret->file), db_text(st, 2));
		r = 0;
	}
	db_done(st);
	return r;
}

int people_area(char ret[5], struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT area FROM number_forms WHERE centre_id = $1 AND area <> '' GROUP BY area ORDER BY COUNT(*) DESC, area LIMIT 1");

	ret[0] = '\0';
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		r = 0;
		if (!num_area(ret, db_text(st, 0)))
			ret[0] = '\0';
	}
	db_done(st);
	return r;
}

/* ---- many rows ---- */

/* "移动", "中国移动", "CMCC", "mobile". */
static const char *carrier_of(const char *s)
{
	static const struct {
		const char *part, *code;
	} all[] = {
		{"移动", "mobile"}, {"mobile", "mobile"}, {"cmcc", "mobile"}, {"联通", "unicom"}, {"unicom", "unicom"}, {"cucc", "unicom"}, {"电信", "telecom"},
		{"telecom", "telecom"}, {"ctcc", "telecom"}, {"广电", "broadcast"}, {"broad", "broadcast"}, {"cbn", "broadcast"},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcasestr(s, all[i].part))
			return all[i].code;
	return *s ? "other" : "";
}

const char *people_prefix_read(struct people_prefix *ret, const char *prefix, const char *province, const char *city, const char *area,
			       const char *carrier)
{
	size_t n = strlen(prefix);
	char code[5];

	*ret = (struct people_prefix){0};
	if (n < NUM_PREFIX_MIN || n > NUM_PREFIX_MAX || prefix[strspn(prefix, "0123456789")])
		return "prefix";
	if (!num_area(code, area))
		return "area";
	if (!copy(ret->province, sizeof(ret->province), province))
		return "province";
	if (!copy(ret->city, sizeof(ret->city), city))
		return "city";
	(void)copy(ret->prefix, sizeof(ret->prefix), prefix);
	(void)copy(ret->carrier, sizeof(ret->carrier), carrier_of(carrier));
	if (*code)
		ret->area[0] = '0';
	(void)copy(ret->area + (*code != 0), sizeof(ret->area) - 1, code);
	return NULL;
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

struct piece {
	const struct people_prefix *rows;
	size_t n;
	int64_t centre_id, now_ms;
};

static int put_rows(struct db *db, void *arg)
{
	const struct piece *p = arg;
	int r = 0;

	for (size_t i = 0; i < p->n && !r; i++) {
		const struct people_prefix *x = &p->rows[i];

		r = db_run(db,
			   "INSERT INTO number_prefixes (id, centre_id, rev, created_ms, updated_ms, prefix, province, city, area, carrier)"
			   " VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8)"
			   " ON CONFLICT (centre_id, prefix) DO UPDATE SET rev = number_prefixes.rev + 1, updated_ms = excluded.updated_ms,"
			   " province = excluded.province, city = excluded.city, area = excluded.area, carrier = excluded.carrier",
			   "iiittttt", res_next_id(), p->centre_id, p->now_ms, x->prefix, or_null(x->province), or_null(x->city), or_null(x->area),
			   or_null(x->carrier));
	}
	return r;
}

int people_prefixes_put(struct db *db, int64_t centre_id, const struct people_prefix *rows, size_t n, int64_t now_ms)
{
	struct piece p = {.rows = rows, .n = n, .centre_id = centre_id, .now_ms = now_ms};

	return db_batch(db, put_rows, &p);
}

int people_prefixes_drop_older(struct db *db, int64_t centre_id, int64_t since_ms, int64_t *dropped)
{
	int r = db_run(db, "DELETE FROM number_prefixes WHERE centre_id = $1 AND updated_ms < $2", "ii", centre_id, since_ms);

	*dropped = r ? 0 : db_changes(db);
	return r;
}

int people_prefixes_imported(struct db *db, int64_t centre_id, const char *file, int64_t rows, int64_t now_ms)
{
	struct system_ctx s;
	json_t *after;
	int r = db_run(db,
		       "INSERT INTO number_prefix_state (centre_id, version, changed_ms, file, imported_ms) VALUES ($1, 1, $2, $3, $2)"
		       " ON CONFLICT (centre_id) DO UPDATE SET version = number_prefix_state.version + 1, changed_ms = excluded.changed_ms,"
		       " file = excluded.file, imported_ms = excluded.imported_ms",
		       "iit", centre_id, now_ms, file);

	if (r)
		return r;
	system_init(&s, db, centre_id);
	s.c.now_ms = now_ms;
	after = json_pack("{s:s, s:I}", "file", file, "rows", (json_int_t)rows);
	r = res_audit(&s.c, "number_prefixes", 0, "import", NULL, after);
	json_decref(after);
	system_done(&s);
	return r;
}
