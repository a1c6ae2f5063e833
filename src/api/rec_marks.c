/*
 * What people say of recordings: tags, excellent, legal hold (one row a call), and remarks at a moment, which may be sent to the agent, who
 * sees them on his desk and says that he has read them. And the waveform's peaks, kept beside the file.
 *
 * To say something takes the grant to write recordings, within its reach; the hold takes the right to read the audit besides.
 */
#include "api/api_int.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/live.h"
#include "people/rights.h"

#define TAGS_MAX 12
#define TAG_MAX 20 /* characters */
#define REMARKS_MAX 200 /* of a call */
#define TEXT_MAX 1000   /* bytes */
#define POS_MAX (24 * 3600000LL)

static enum res_scope write_scope(const struct res_who *who)
{
	return who->system ? SCOPE_CENTRE : who->rights ? people_rights_of(who)->recordings.write : SCOPE_NONE;
}

/* ---- marks ---- */

struct mark {
	struct ask *k;
	int64_t call_id;
	char tags[TAGS_MAX * (4 * TAG_MAX + 1) + 2];
	bool has_tags, excellent, held;
	const char *why, *held_why;
	bool refused; /* who may not hold wanted to */
};

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool take_tags(struct mark *m, const json_t *list)
{
	struct strb b;
	const json_t *v;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > TAGS_MAX)
		return false;
	strb_init_fixed(&b, m->tags, sizeof(m->tags));
	strb_puts(&b, "");
	json_array_foreach(list, i, v) {
		const char *t = json_string_value(v);

		if (!t || !*t || strpbrk(t, ",%\\\"\n") || characters(t) > TAG_MAX)
			return false;
		strb_printf(&b, "%s%s,", i ? "" : ",", t);
	}
	m->has_tags = json_array_size(list) > 0;
	return !b.overflow;
}

static int mark_job(struct db *db, void *arg)
{
	struct mark *m = arg;
	struct ask *k = m->k;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t held = 0;
	json_t *after;
	int r = db_get_i64(&held, db, "SELECT held FROM call_mark WHERE call_id = $1", "i", m->call_id);

	if (r && r != -ENOENT)
		return r;
	if ((held != 0) != m->held && !people_may(&k->who, RIGHT_AUDIT)) {
		m->refused = true;
		return 0;
	}
	r = db_run(db,
		   "INSERT INTO call_mark (call_id, centre_id, user_id, at_ms, tags, excellent, why, held, held_why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		   " ON CONFLICT (call_id) DO UPDATE SET user_id = excluded.user_id, at_ms = excluded.at_ms, tags = excluded.tags,"
		   " excellent = excluded.excellent, why = excluded.why, held = excluded.held, held_why = excluded.held_why",
		   "iiiititit", m->call_id, k->who.centre_id, k->who.user_id, k->now_ms, m->has_tags ? m->tags : NULL, (int64_t)m->excellent, m->why,
		   (int64_t)m->held, m->held_why);
	if (r)
		return r;
	after = json_pack("{s:s, s:b, s:b}", "tags", m->has_tags ? m->tags : "", "excellent", m->excellent, "held", m->held);
	r = res_audit(&c, "calls", m->call_id, "mark", NULL, after);
	json_decref(after);
	res_ctx_done(&c);
	res_error_done(&e);
	return r;
}

static const char *optional(struct ask *k, const char *name, json_t **bad)
{
	const char *v = json_is_null(json_object_get(k->body, name)) ? NULL : api_text(k, name, 400, false, bad);

	return v && *v ? v : NULL;
}

void recordings_mark(struct ask *k)
{
	struct mark m = {.k = k};
	json_t *bad = NULL;
	int r;

	if (!api_path_id(k, &m.call_id) || !calls_within(k, m.call_id, write_scope(&k->who)))
		return;
	m.excellent = api_flag(k, "excellent", &bad);
	m.held = api_flag(k, "held", &bad);
	m.why = optional(k, "why", &bad);
	m.held_why = optional(k, "held_why", &bad);
	if (!bad && !take_tags(&m, json_object_get(k->body, "tags")))
		bad = json_pack("{s:s}", "tags", "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, mark_job, &m);
	if (r)
		api_failed(k, "mark", r);
	else if (m.refused)
		api_refuse(k, "forbidden", NULL, NULL);
	else
		api_none(k);
}

/* ---- remarks ---- */

static void put_remark(struct jw *w, struct db_stmt *st)
{
	jw_obj(w, NULL);
	jw_id(w, "id", db_i64(st, 0));
	jw_id(w, "call_id", db_i64(st, 1));
	jw_id(w, "user_id", db_i64(st, 2));
	jw_str(w, "user", db_is_null(st, 3) ? NULL : db_text(st, 3));
	jw_int(w, "at_ms", db_i64(st, 4));
	jw_int(w, "pos_ms", db_i64(st, 5));
	jw_str(w, "text", db_text(st, 6));
	if (db_is_null(st, 7))
		jw_null(w, "to_id");
	else
		jw_id(w, "to_id", db_i64(st, 7));
	jw_str(w, "to", db_is_null(st, 8) ? NULL : db_text(st, 8));
	if (db_is_null(st, 9))
		jw_null(w, "seen_ms");
	else
		jw_int(w, "seen_ms", db_i64(st, 9));
	jw_end_obj(w);
}

#define REMARKS                                                                                                    \
	"SELECT x.id, x.call_id, x.user_id, u.name, x.at_ms, x.pos_ms, x.text, x.to_id, t.name, x.seen_ms FROM call_remark x"            \
	" LEFT JOIN users u ON u.id = x.user_id LEFT JOIN users t ON t.id = x.to_id"

static void answer_remarks(struct ask *k, const char *sql, int64_t id)
{
	struct db_stmt *st;
	struct strb b;
	struct jw w;
	int r = db_prepare(&st, k->db, sql);

	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	if (!r) {
		db_bind_i64(st, 1, id);
		db_bind_i64(st, 2, k->who.user_id);
		while ((r = db_step(st)) == DB_ROW)
			put_remark(&w, st);
		db_done(st);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "remarks", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

/* Who may write them reads all of a call; others those they wrote or were sent. */
void recordings_remarks(struct ask *k)
{
	int64_t id;

	if (!api_path_id(k, &id) || !calls_within(k, id, people_recordings_scope(&k->who)))
		return;
	answer_remarks(k, write_scope(&k->who) != SCOPE_NONE ? REMARKS " WHERE x.call_id = $1 AND ($2 = $2) ORDER BY x.pos_ms, x.id"
							     : REMARKS " WHERE x.call_id = $1 AND (x.user_id = $2 OR x.to_id = $2) ORDER BY x.pos_ms, x.id",
		       id);
}

/* What he was sent and has not acknowledged; call_remark_open serves it. */
void recordings_remarks_mine(struct ask *k)
{
	answer_remarks(k, REMARKS " WHERE x.to_id = $2 AND x.seen_ms IS NULL AND x.id > $1 ORDER BY x.at_ms, x.id LIMIT 100", 0);
}

struct remark {
	struct ask *k;
	int64_t id, call_id, pos_ms, to_id;
	const char *text;
	const char *code; /* why not */
};

static int remark_audit(struct db *db, struct remark *x, const char *action)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &x->k->who, .error = &e, .now_ms = x->k->now_ms};
	json_t *after = json_pack("{s:I, s:b}", "pos_ms", (json_int_t)x->pos_ms, "sent", x->to_id != 0);
	int r = res_audit(&c, "calls", x->call_id, action, NULL, after);

	json_decref(after);
	res_ctx_done(&c);
	res_error_done(&e);
	return r;
}

/* It goes to somebody who spoke in that call, and to nobody else. */
static int remark_job(struct db *db, void *arg)
{
	struct remark *x = arg;
	int64_t n = 0;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM call_remark WHERE call_id = $1", "i", x->call_id);

	if (!r && n >= REMARKS_MAX) {
		x->code = "too_large";
		return 0;
	}
	if (!r && x->to_id) {
		r = db_get_i64(&n, db, "SELECT COUNT(*) FROM segment WHERE call_id = $1 AND agent_id = $2 AND type = 'talk'", "ii", x->call_id, x->to_id);
		if (!r && !n) {
			x->code = "invalid";
			return 0;
		}
	}
	if (!r)
		r = db_run(db, "INSERT INTO call_remark (id, centre_id, call_id, user_id, at_ms, pos_ms, text, to_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			   "iiiiiitr", x->id, x->k->who.centre_id, x->call_id, x->k->who.user_id, x->k->now_ms, x->pos_ms, x->text, x->to_id);
	return r ? r : remark_audit(db, x, "remark");
}

void recordings_remark(struct ask *k)
{
	struct remark x = {.k = k, .id = res_next_id()};
	json_t *bad = NULL, *to = json_object_get(k->body, "to_id");
	char id[24];
	int r;

	if (!api_path_id(k, &x.call_id) || !calls_within(k, x.call_id, write_scope(&k->who)))
		return;
	x.text = api_text(k, "text", TEXT_MAX, true, &bad);
	x.pos_ms = api_int(k, "pos_ms", 0, POS_MAX, &bad);
	if (!bad && to && !json_is_null(to) && (!json_is_string(to) || !str_to_i64(&x.to_id, json_string_value(to), 1, INT64_MAX)))
		bad = json_pack("{s:s}", "to_id", "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!k->who.user_id) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, remark_job, &x);
	if (r) {
		api_failed(k, "remark", r);
		return;
	}
	if (x.code) {
		api_refuse(k, x.code, !strcmp(x.code, "invalid") ? json_pack("{s:s}", "to_id", "ref") : NULL, NULL);
		return;
	}
	if (x.to_id)
		live_notice(k->api->live, 0, x.to_id, "todo", "{}", 2);
	(void)snprintf(id, sizeof(id), "%lld", (long long)x.id);
	api_ok(k, 201, json_pack("{s:s}", "id", id));
}

/* @x->code stays NULL when there was such a row. */
static int seen_job(struct db *db, void *arg)
{
	struct remark *x = arg;
	int64_t n = 0;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM call_remark WHERE id = $1 AND to_id = $2", "ii", x->id, x->k->who.user_id);

	if (!r && !n)
		x->code = "not_found";
	if (!r && n)
		r = db_run(db, "UPDATE call_remark SET seen_ms = $2 WHERE id = $1 AND seen_ms IS NULL", "ii", x->id, x->k->now_ms);
	return r;
}

/* Who wrote it takes it back. */
static int away_job(struct db *db, void *arg)
{
	struct remark *x = arg;
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT call_id, pos_ms, COALESCE(to_id, 0) FROM call_remark WHERE id = $1 AND user_id = $2");

	if (r)
		return r;
	db_bind_i64(st, 1, x->id);
	db_bind_i64(st, 2, x->k->who.user_id);
	r = db_step(st);
	if (r == DB_ROW) {
		x->call_id = db_i64(st, 0);
		x->pos_ms = db_i64(st, 1);
		x->to_id = db_i64(st, 2);
	}
	db_done(st);
	if (r != DB_ROW) {
		x->code = "not_found";
		return r;
	}
	r = db_run(db, "DELETE FROM call_remark WHERE id = $1", "i", x->id);
	return r ? r : remark_audit(db, x, "remark_away");
}

static void change_remark(struct ask *k, int (*job)(struct db *db, void *arg))
{
	struct remark x = {.k = k};
	int r;

	if (!api_path_id(k, &x.id))
		return;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, job, &x);
	if (r)
		api_failed(k, "remark", r);
	else if (x.code)
		api_refuse(k, x.code, NULL, NULL);
	else
		api_none(k);
}

void recordings_remark_seen(struct ask *k)
{
	change_remark(k, seen_job);
}

void recordings_remark_away(struct ask *k)
{
	change_remark(k, away_job);
}

/* ---- peaks ---- */

#define HEADER 58      /* the recorder's WAV: A-law, two channels */
#define A_SECOND 16000 /* bytes of sound */
#define STEP_MS 50     /* a peak, at least */
#define PEAKS_MAX 4000 /* a side; longer files have longer steps */

/* ITU-T G.711, A-law: the amount, 0..255. */
static unsigned amount(uint8_t code)
{
	unsigned c = code ^ 0x55u, e = c >> 4 & 7, m = (c & 15) << 4;

	m = e ? (m + 0x108) << (e - 1) : m + 8;
	return m >> 7 > 255 ? 255 : m >> 7;
}

static void put_side(struct jw *w, const char *key, const uint8_t *peak, size_t n)
{
	jw_arr(w, key);
	for (size_t i = 0; i < n; i++)
		jw_int(w, NULL, peak[i]);
	jw_end_arr(w);
}

static int peaks_of(struct strb *b, int fd)
{
	uint8_t side[2][PEAKS_MAX] = {0}, table[256], buf[65536];
	int64_t frames, step, at = 0;
	struct stat st;
	struct jw w;
	ssize_t n;

	if (fstat(fd, &st) || st.st_size < HEADER)
		return -EINVAL;
	for (int i = 0; i < 256; i++)
		table[i] = (uint8_t)amount((uint8_t)i);
	frames = (st.st_size - HEADER) / 2;
	step = STEP_MS * 8;
	while ((frames + step - 1) / step > PEAKS_MAX)
		step *= 2;
	while ((n = pread(fd, buf, sizeof(buf), HEADER + 2 * at)) > 1)
		for (ssize_t i = 0; i + 1 < n; i += 2, at++)
			for (unsigned s = 0; s < 2 && at < frames; s++)
				if (table[buf[i + s]] > side[s][at / step])
					side[s][at / step] = table[buf[i + s]];
	if (n < 0)
		return -errno;
	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_int(&w, "step_ms", step / 8);
	jw_int(&w, "dur_ms", frames / 8);
	put_side(&w, "left", side[0], (size_t)((frames + step - 1) / step));
	put_side(&w, "right", side[1], (size_t)((frames + step - 1) / step));
	jw_end_obj(&w);
	return b->overflow ? -E2BIG : 0;
}

/* Beside the file, for the next one who looks; nothing depends on it. */
static void keep_peaks(struct ask *k, const char *path, const struct strb *b)
{
	char *tmp = arena_printf(k->arena, "%s.%lld", path, (long long)res_next_id());
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0)
		return;
	if (write(fd, b->buf, b->len) != (ssize_t)b->len || rename(tmp, path))
		(void)unlink(tmp);
	(void)close(fd);
}

void recordings_peaks(struct ask *k)
{
	const char *path = calls_recording_path(k), *kept;
	struct strb b;
	int fd, r;

	if (!path)
		return;
	kept = arena_printf(k->arena, "%s.peaks", path);
	http_set_header(k->rq, "Cache-Control", "private, max-age=600");
	if (!access(kept, R_OK)) {
		http_reply_file(k->rq, kept, "application/json", NULL);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	strb_init(&b, 1 << 18);
	r = peaks_of(&b, fd);
	(void)close(fd);
	if (r) {
		api_refuse(k, "not_found", NULL, NULL);
	} else {
		keep_peaks(k, kept, &b);
		api_ok_text(k, &b);
	}
	strb_done(&b);
}
