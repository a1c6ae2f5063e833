/*
 * Around notes: drafts, so that nothing typed is lost; talks that have no note yet; and telling open pages of a new one. The notes themselves
 * are a resource (people/note_resource.c).
 */
#include "api/api_int.h"

#include "people/note.h"

#define DRAFTS_MAX 50         /* of a person; the oldest go */
#define DRAFT_MAX (32 * 1024) /* bytes */
#define MISSING_MAX 200       /* rows at once; the total is told */
#define MISSING_MS (92 * 86400000LL)
#define BLOCK_MS 86400000LL
#define TEAM_DAYS_MAX 31

/* ---- drafts ---- */

struct draft {
	int64_t user_id, centre_id, now_ms;
	const char *subject, *body; /* body NULL: away with it */
};

static int draft_job(struct db *db, void *arg)
{
	const struct draft *d = arg;
	int r;

	if (!d->body)
		return db_run(db, "DELETE FROM note_drafts WHERE user_id = $1 AND subject = $2", "it", d->user_id, d->subject);
	r = db_run(db,
		   "INSERT INTO note_drafts (user_id, subject, centre_id, at_ms, body) VALUES ($1, $2, $3, $4, $5)"
		   " ON CONFLICT (user_id, subject) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
		   "itiit", d->user_id, d->subject, d->centre_id, d->now_ms, d->body);
	if (!r)
		r = db_run(db,
			   "DELETE FROM note_drafts WHERE user_id = $1 AND subject NOT IN"
			   " (SELECT subject FROM (SELECT subject FROM note_drafts WHERE user_id = $1 ORDER BY at_ms DESC, subject LIMIT $2) AS kept)",
			   "ii", d->user_id, (int64_t)DRAFTS_MAX);
	return r;
}

/* "call:123", "customer:123" */
static bool is_subject(const char *s)
{
	int64_t id;
	const char *digits = !strncmp(s, "call:", 5) ? s + 5 : !strncmp(s, "customer:", 9) ? s + 9 : NULL;

	return digits && str_to_i64(&id, digits, 1, INT64_MAX);
}

static bool has_desk(struct ask *k)
{
	if (k->who.user_id)
		return true;
	api_refuse(k, "forbidden", NULL, NULL);
	return false;
}

void notes_draft_put(struct ask *k)
{
	struct draft d = {k->who.user_id, k->who.centre_id, k->now_ms, NULL, NULL};
	json_t *bad = NULL, *body = json_object_get(k->body, "body");
	char *text = NULL;
	int r;

	d.subject = api_text(k, "subject", 40, true, &bad);
	if (d.subject && !is_subject(d.subject))
		bad = json_pack("{s:s}", "subject", "format");
	if (!bad && !json_is_object(body) && !json_is_null(body))
		bad = json_pack("{s:s}", "body", body ? "type" : "required");
	if (!bad && json_is_object(body)) {
		d.body = text = json_dumps(body, JSON_COMPACT);
		if (!text || strlen(text) > DRAFT_MAX)
			bad = json_pack("{s:s}", "body", "range");
	}
	if (bad) {
		free(text);
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!has_desk(k)) {
		free(text);
		return;
	}
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, draft_job, &d);
	free(text);
	if (r)
		api_failed(k, "draft", r);
	else
		api_none(k);
}

void notes_drafts(struct ask *k)
{
	json_t *items = json_array();
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT subject, at_ms, body FROM note_drafts WHERE user_id = $1 ORDER BY at_ms DESC, subject");

	if (!r) {
		db_bind_i64(st, 1, k->who.user_id);
		while ((r = db_step(st)) == DB_ROW) {
			json_t *body = json_loads(db_text(st, 2), 0, NULL);

			(void)json_array_append_new(items, json_pack("{s:s, s:I, s:o}", "subject", db_text(st, 0), "at_ms",
								     (json_int_t)db_i64(st, 1), "body", body ? body : json_object()));
		}
		db_done(st);
	}
	if (r) {
		json_decref(items);
		api_failed(k, "drafts", r);
		return;
	}
	api_ok(k, 200, json_pack("{s:o}", "items", items));
}

/* ---- talks without a note ---- */

/*
 * Since notes exist in these data, at most three months back; not of queues that want none. $1 centre, $2 since. activity_talk serves it
 * for the agents that the caller names, notes_call the rest.
 */
#define MISSING                                                                                                   \
	" FROM activity a JOIN call m ON m.id = a.call_id LEFT JOIN queues k ON k.id = m.queue_id"                 \
	" WHERE m.centre_id = $1 AND a.start_ms >= $2 AND a.state = 'talking'"                                     \
	" AND a.start_ms >= (SELECT applied_ms FROM schema_migration WHERE version = 108)"                         \
	" AND m.end_ms IS NOT NULL AND m.talk_ms > 0 AND m.dir IN ('in', 'out') AND COALESCE(k.note_rule, 'hint') <> 'off'" \
	" AND NOT EXISTS (SELECT 1 FROM notes n WHERE n.call_id = a.call_id AND n.user_id = a.agent_id)"

bool notes_block(struct ask *k)
{
	int64_t n = 0;
	int r = db_get_i64(&n, k->db, "SELECT COUNT(*)" MISSING " AND k.note_rule = 'block' AND a.agent_id = $3", "iii", k->who.centre_id,
			   k->now_ms - BLOCK_MS, k->who.user_id);

	return !r && n > 0; /* a database that is away keeps nobody from his work */
}

static int missing_rows(struct ask *k, struct jw *w, int64_t user_id)
{
	const char *sql = arena_printf(k->arena, "%s WHERE c.id IN (SELECT a.call_id" MISSING " AND a.agent_id = $3) ORDER BY c.id DESC LIMIT $4",
				       calls_row_cols);
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, sql);

	if (r)
		return r;
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, k->now_ms - MISSING_MS);
	db_bind_i64(st, 3, user_id);
	db_bind_i64(st, 4, MISSING_MAX);
	while ((r = db_step(st)) == DB_ROW)
		calls_put_row(k, w, st);
	db_done(st);
	return r;
}

void notes_missing(struct ask *k)
{
	int64_t user_id, total = 0;
	struct strb b;
	struct jw w;
	int r;

	if (!api_query_int(k, "agent_id", &user_id, 1, INT64_MAX, k->who.user_id))
		return;
	if (user_id != k->who.user_id && !may(k, RIGHT_FLOOR)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	r = db_get_i64(&total, k->db, "SELECT COUNT(DISTINCT a.call_id)" MISSING " AND a.agent_id = $3", "iii", k->who.centre_id,
		       k->now_ms - MISSING_MS, user_id);
	jw_int(&w, "total", total);
	jw_arr(&w, "items");
	if (!r)
		r = missing_rows(k, &w, user_id);
	jw_end_arr(&w);
	jw_end_obj(&w);
	if (r || b.overflow)
		api_failed(k, "missing notes", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

/* For supervisors: how many talks of each agent have none. */
void notes_missing_agents(struct ask *k)
{
	json_t *items = json_array();
	struct db_stmt *st;
	char id[24];
	int64_t days;
	int r;

	if (!api_query_int(k, "days", &days, 1, TEAM_DAYS_MAX, 7)) {
		json_decref(items);
		return;
	}
	r = db_prepare(&st, k->db,
		       "SELECT f.agent_id, u.name, f.n, f.oldest FROM (SELECT a.agent_id, COUNT(DISTINCT a.call_id) AS n, MIN(a.start_ms) AS oldest" MISSING
		       " AND a.agent_id IN (SELECT id FROM users WHERE centre_id = $1) GROUP BY a.agent_id) AS f JOIN users u ON u.id = f.agent_id ORDER BY f.n DESC, u.name");
	if (!r) {
		db_bind_i64(st, 1, k->who.centre_id);
		db_bind_i64(st, 2, k->now_ms - days * 86400000);
		while ((r = db_step(st)) == DB_ROW) {
			(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 0));
			(void)json_array_append_new(items, json_pack("{s:s, s:s, s:I, s:I}", "agent_id", id, "agent", db_text(st, 1), "n",
								     (json_int_t)db_i64(st, 2), "oldest_ms", (json_int_t)db_i64(st, 3)));
		}
		db_done(st);
	}
	if (r) {
		json_decref(items);
		api_failed(k, "missing notes", r);
		return;
	}
	api_ok(k, 200, json_pack("{s:o}", "items", items));
}

/* ---- telling ---- */

static int64_t id_of(const json_t *row, const char *name)
{
	const char *s = json_string_value(json_object_get(row, name));

	return s ? strtoll(s, NULL, 10) : 0;
}

void notes_changed(struct ask *k, const json_t *row)
{
	int64_t user_id = id_of(row, "user_id"), call_id = id_of(row, "call_id");
	json_t *told = json_pack("{s:O, s:O, s:O, s:O}", "id", json_object_get(row, "id"), "call_id", json_object_get(row, "call_id"), "customer_id",
				 json_object_get(row, "customer_id"), "user_id", json_object_get(row, "user_id"));
	char *text = told ? json_dumps(told, JSON_COMPACT) : NULL;

	if (text) {
		live_noted(k->api->live, user_id, call_id);
		live_notice(k->api->live, RIGHT_FLOOR, user_id, "note", text, strlen(text));
	}
	free(text);
	json_decref(told);
}
