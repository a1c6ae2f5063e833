/* Notices (通报) as one sees them: those that concern him, that he has read one, and who has. Publishing is the resource's (people/notice_resource.c). */
#include "api/api_int.h"

#include "people/notice.h"

#define MINE_MAX 100

static const char *col(struct db_stmt *st, int i)
{
	return db_is_null(st, i) ? NULL : db_text(st, i);
}

static void put_time(struct jw *w, const char *key, struct db_stmt *st, int i)
{
	if (db_is_null(st, i))
		jw_null(w, key);
	else
		jw_int(w, key, db_i64(st, i));
}

static int put_mine(struct jw *w, int64_t *unread, struct ask *k)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db,
			   arena_printf(k->arena,
					"SELECT n.id, n.title, n.text, n.urgent, n.reach, u.name, n.created_ms, n.until_ms, CASE WHEN n.user_id = $1 THEN n.created_ms ELSE r.read_ms END,"
					" n.updated_ms FROM notices n LEFT JOIN users u ON u.id = n.user_id LEFT JOIN notice_reads r ON r.notice_id = n.id AND r.user_id = $1"
					" WHERE n.centre_id = $2 AND (n.until_ms IS NULL OR n.until_ms > $3) AND %s ORDER BY n.created_ms DESC, n.id DESC LIMIT $4",
					notice_concerns_sql));

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.user_id);
	db_bind_i64(st, 2, k->who.centre_id);
	db_bind_i64(st, 3, k->now_ms);
	db_bind_i64(st, 4, MINE_MAX);
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		jw_id(w, "id", db_i64(st, 0));
		jw_str(w, "title", db_text(st, 1));
		jw_str(w, "text", col(st, 2));
		jw_bool(w, "urgent", db_i64(st, 3) != 0);
		jw_str(w, "reach", db_text(st, 4));
		jw_str(w, "from", col(st, 5));
		jw_int(w, "at_ms", db_i64(st, 6));
		put_time(w, "until_ms", st, 7);
		put_time(w, "read_ms", st, 8);
		jw_end_obj(w);
		*unread += db_is_null(st, 8);
	}
	db_done(st);
	return r;
}

void notices_mine(struct ask *k)
{
	int64_t unread = 0;
	struct strb b;
	struct jw w;
	int r;

	strb_init(&b, 4 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	r = put_mine(&w, &unread, k);
	jw_end_arr(&w);
	jw_int(&w, "unread", unread);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "notices", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

static void tell(struct ask *k, uint64_t rights, int64_t user_id, int64_t id, const char *what)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "{\"id\":\"%lld\",\"what\":\"%s\"}", (long long)id, what);

	live_notice(k->api->live, rights, user_id, "notice", text, (size_t)n);
}

/* Everybody asks anew for what concerns him: who is concerned no more has to hear of it, too. */
void notices_changed(struct ask *k, int64_t id, bool gone)
{
	tell(k, ~0ull, 0, id, gone ? "gone" : "changed");
}

struct read_job {
	struct ask *k;
	int64_t id;
};

static int read_job(struct db *db, void *arg)
{
	const struct read_job *j = arg;

	return notice_read(db, j->k->who.centre_id, j->id, j->k->who.user_id, j->k->now_ms);
}

void notices_read(struct ask *k)
{
	struct read_job j = {.k = k};
	int64_t by;
	int r;

	if (!api_path_id(k, &j.id))
		return;
	r = db_get_i64(&by, k->db, arena_printf(k->arena, "SELECT COALESCE(n.user_id, 0) FROM notices n WHERE n.id = $2 AND n.centre_id = $3 AND %s", notice_concerns_sql),
		       "iii", k->who.user_id, j.id, k->who.centre_id);
	if (r == -ENOENT) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, read_job, &j);
	if (r) {
		api_failed(k, "notice read", r);
		return;
	}
	if (by)
		tell(k, 0, by, j.id, "read");
	api_none(k);
}

static int put_people(struct jw *w, int64_t *read, struct ask *k, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, notice_people_sql);

	if (r)
		return r;
	db_bind_i64(st, 1, id);
	while ((r = db_step(st)) == DB_ROW) {
		jw_obj(w, NULL);
		jw_id(w, "id", db_i64(st, 0));
		jw_str(w, "name", db_text(st, 1));
		jw_str(w, "team", col(st, 2));
		put_time(w, "read_ms", st, 3);
		jw_end_obj(w);
		*read += !db_is_null(st, 3);
	}
	db_done(st);
	return r;
}

/* Whom it concerns stands with it: who may read the row is shown them all. */
void notices_reads(struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t id, read = 0;
	struct strb b;
	struct jw w;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = res_may_row(&c, res_find("notices"), id, RES_READ);
	if (r) {
		api_refuse_res(k, r, "notices", &e);
		return;
	}
	strb_init(&b, 4 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "people");
	r = put_people(&w, &read, k, id);
	jw_end_arr(&w);
	jw_int(&w, "read", read);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "notice reads", r ? r : -EOVERFLOW);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}
