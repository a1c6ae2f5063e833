#include "campaign/recycle.h"

#include <jansson.h>
#include <string.h>

#include "base/base.h"
#include "campaign/campaign.h"
#include "campaign/retry.h"
#include "db/db.h"

static void wrong(json_t **bad, const char *field, const char *what)
{
	if (!*bad)
		*bad = json_object();
	(void)json_object_set_new(*bad, field, json_string(what));
}

static void read_last(struct recycle_ask *ret, const json_t *list, json_t **bad)
{
	size_t i;
	json_t *v;

	if (list && (!json_is_array(list) || json_array_size(list) > RECYCLE_MAX)) {
		wrong(bad, "last", "type");
		return;
	}
	json_array_foreach(list, i, v) {
		const char *code = json_string_value(v) ? json_string_value(v) : "";

		if (strcmp(dial_result_name(dial_result_of(code)), code) != 0)
			wrong(bad, "last", "enum");
		else
			(void)str_copy(ret->last[ret->last_n++], sizeof(ret->last[0]), code);
	}
}

static void read_results(struct recycle_ask *ret, const json_t *list, json_t **bad)
{
	size_t i;
	json_t *v;

	if (list && (!json_is_array(list) || json_array_size(list) > RECYCLE_MAX)) {
		wrong(bad, "results", "type");
		return;
	}
	json_array_foreach(list, i, v) {
		const char *id = json_string_value(v) ? json_string_value(v) : "";

		if (str_to_i64(&ret->results[ret->result_n], id, 1, INT64_MAX))
			ret->result_n++;
		else
			wrong(bad, "results", "ref");
	}
}

void recycle_ask_read(struct recycle_ask *ret, const json_t *body, json_t **bad)
{
	const json_t *before = json_object_get(body, "before_ms"), *fresh = json_object_get(body, "fresh"), *priority = json_object_get(body, "priority");

	*ret = (struct recycle_ask){.fresh = true, .priority = 5};
	read_last(ret, json_object_get(body, "last"), bad);
	read_results(ret, json_object_get(body, "results"), bad);
	if (!*bad && !ret->last_n && !ret->result_n)
		wrong(bad, "last", "required");
	if (before && !json_is_null(before) && !json_is_integer(before))
		wrong(bad, "before_ms", "type");
	ret->before_ms = json_integer_value(before);
	if (fresh && !json_is_boolean(fresh))
		wrong(bad, "fresh", "type");
	if (fresh)
		ret->fresh = json_is_true(fresh);
	if (priority && (!json_is_integer(priority) || json_integer_value(priority) < 0 || json_integer_value(priority) > 10))
		wrong(bad, "priority", "range");
	if (priority)
		ret->priority = json_integer_value(priority);
}

/* Codes and ids only, checked above: nothing that a person wrote stands in the text. $1 is the campaign. */
static void put_where(struct strb *b, const struct recycle_ask *ask)
{
	strb_puts(b, "l.campaign_id = $1 AND l.state IN ('done', 'closed') AND COALESCE(l.why, '') NOT IN ('dnc', 'gone', 'removed') AND (1 = 0");
	for (size_t i = 0; i < ask->last_n; i++)
		strb_printf(b, " OR (l.last_result = '%s' AND l.result_id IS NULL)", ask->last[i]);
	for (size_t i = 0; i < ask->result_n; i++)
		strb_printf(b, " OR l.result_id = %lld", (long long)ask->results[i]);
	strb_puts(b, ")");
	if (ask->before_ms)
		strb_printf(b, " AND l.last_ms < %lld", (long long)ask->before_ms);
}

int campaign_recycle_preview(json_t **ret, struct db *db, int64_t campaign_id, const struct recycle_ask *ask)
{
	json_t *by = json_array();
	int64_t n = 0, spent = 0;
	struct db_stmt *st;
	struct strb b;
	char id[24];
	int r;

	strb_init(&b, 16384);
	strb_puts(&b, "SELECT COALESCE(l.last_result, ''), COALESCE(l.result_id, 0), COALESCE(x.zh, ''), COUNT(*), SUM(CASE WHEN l.attempts >= c.attempts_max THEN 1 ELSE 0 END)"
		      " FROM campaign_leads l JOIN campaigns c ON c.id = l.campaign_id LEFT JOIN contact_results x ON x.id = l.result_id WHERE ");
	put_where(&b, ask);
	strb_puts(&b, " GROUP BY l.last_result, l.result_id, x.zh ORDER BY COUNT(*) DESC");
	r = db_prepare(&st, db, b.buf);
	if (!r) {
		db_bind_i64(st, 1, campaign_id);
		while ((r = db_step(st)) == DB_ROW) {
			(void)snprintf(id, sizeof(id), "%lld", (long long)db_i64(st, 1));
			(void)json_array_append_new(by, json_pack("{s:s, s:s?, s:s, s:I}", "last", db_text(st, 0), "result_id", db_i64(st, 1) ? id : NULL, "result", db_text(st, 2), "n",
								   (json_int_t)db_i64(st, 3)));
			n += db_i64(st, 3);
			spent += db_i64(st, 4);
		}
		db_done(st);
	}
	strb_done(&b);
	if (r)
		json_decref(by);
	else
		*ret = json_pack("{s:I, s:I, s:o}", "n", (json_int_t)n, "spent", (json_int_t)spent, "by", by);
	return r;
}

int campaign_recycle_step(int64_t *n, struct db *db, int64_t campaign_id, const struct recycle_ask *ask, int64_t max, int64_t now_ms)
{
	struct db_stmt *st;
	struct strb b;
	int r;

	*n = 0;
	strb_init(&b, 16384);
	strb_printf(&b, "UPDATE campaign_leads SET state = 'open', priority = %lld, rank = %lld, next_ms = 0, phone_at = 0, agent_id = NULL, result_id = NULL, why = NULL,"
			" why_ms = NULL, claim_id = NULL, updated_ms = %lld, rev = rev + 1%s WHERE id IN (SELECT l.id FROM campaign_leads l WHERE ",
		    (long long)ask->priority, (long long)(LEAD_NEW + 10 - ask->priority), (long long)now_ms, ask->fresh ? ", attempts = 0" : "");
	put_where(&b, ask);
	strb_printf(&b, " ORDER BY l.id LIMIT %lld)", (long long)max);
	r = db_prepare(&st, db, b.buf);
	if (!r) {
		db_bind_i64(st, 1, campaign_id);
		r = db_step(st);
		db_done(st);
		*n = r ? 0 : db_changes(db);
	}
	strb_done(&b);
	return r;
}
