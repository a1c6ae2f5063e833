/*
 * Start, pause, stop. A committed change of the row is all there is to it: it makes a new configuration of the switch.
 *
 *   draft --start--> running <--start/pause--> paused;  running, paused, draft --stop--> ended, for good
 */
#include "campaign/campaign.h"

#include <jansson.h>
#include <string.h>

#include "campaign/guard.h"
#include "db/db.h"
#include "people/declared.h"

static int refuse(struct res_ctx *c, int status, const char *code)
{
	res_fail(c, status, code, NULL, NULL);
	return 1;
}

static void lacks(struct res_ctx *c, const char *field)
{
	res_fail(c, 422, "invalid", field, "required");
}

/* What a start needs: a lawful basis with its evidence, somebody to call, and somebody who calls. */
static int check_ready(struct res_ctx *c, int64_t id, const json_t *row)
{
	int64_t people = 0, leads = 0, files = 0;
	int r = db_get_i64(&people, c->db, "SELECT COUNT(*) FROM campaign_people p JOIN users u ON u.id = p.user_id WHERE p.campaign_id = $1 AND u.active = 1", "i", id);

	if (!r)
		r = db_get_i64(&leads, c->db, "SELECT COUNT(*) FROM campaign_leads WHERE campaign_id = $1", "i", id);
	if (!r)
		r = db_get_i64(&files, c->db, "SELECT COUNT(*) FROM attachments WHERE resource = 'campaigns' AND row_id = $1", "i", id);
	if (r)
		return r;
	if (!strcmp(row_text(row, "basis"), "none"))
		lacks(c, "basis");
	else if (!*row_text(row, "basis_text") && !files)
		lacks(c, "basis_text");
	if (!people)
		lacks(c, "agents");
	if (!leads)
		lacks(c, "leads");
	return c->error->code ? 1 : 0;
}

/* As the program, in the name of who pressed it. */
static int change(json_t **ret, struct res_ctx *c, int64_t id, json_t *set)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *body = json_object();
	int r;

	who.system = true;
	own.who = &who;
	own.once = own.undo = NULL;
	own.want_undo = false;
	own.prepared = json_pack("{s:o}", "set", set);
	r = res_update(ret, &own, &campaign_campaigns, id, body, RES_REV_ANY);
	res_ctx_done(&own);
	json_decref(body);
	return r;
}

int campaign_state(json_t **ret, bool *changed, struct res_ctx *c, int64_t id, const char *action)
{
	bool start = !strcmp(action, "start"), stop = !strcmp(action, "stop");
	const char *to = start ? "running" : stop ? "ended" : "paused", *from;
	json_t *row = NULL, *set;
	int r;

	*changed = false;
	if (!people_may(c->who, RIGHT_CAMPAIGNS))
		return refuse(c, 403, "forbidden");
	r = res_may_row(c, &campaign_campaigns, id, RES_WRITE);
	if (!r)
		r = res_get(&row, c, &campaign_campaigns, id);
	if (r)
		return r;
	from = row_text(row, "state");
	if (!strcmp(from, to)) { /* somebody was faster: it is as both wanted it */
		*ret = row;
		return 0;
	}
	if (!strcmp(from, "ended") || (!strcmp(from, "draft") && !start && !stop))
		r = refuse(c, 409, "wrong_state");
	else if (start)
		r = check_ready(c, id, row);
	if (!r) {
		set = json_pack("{s:s}", "state", to);
		if (start && json_is_null(json_object_get(row, "started_ms")))
			row_set(set, "started_ms", json_integer(c->now_ms));
		if (stop)
			row_set(set, "ended_ms", json_integer(c->now_ms));
		r = change(ret, c, id, set);
		*changed = !r;
	}
	json_decref(row);
	return r;
}

int campaign_part(bool *changed, struct res_ctx *c, int64_t campaign_id, int64_t user_id, bool part)
{
	int64_t n = 0;
	int r = db_get_i64(&n, c->db,
			   "SELECT COUNT(*) FROM campaign_people p JOIN campaigns k ON k.id = p.campaign_id WHERE p.campaign_id = $1 AND p.user_id = $2 AND k.centre_id = $3"
			   " AND k.state IN ('running', 'paused')", "iii", campaign_id, user_id, c->who->centre_id);

	*changed = false;
	if (!r && !n)
		return refuse(c, 404, "not_found");
	if (!r)
		r = part ? db_run(c->db, "DELETE FROM campaign_away WHERE campaign_id = $1 AND user_id = $2", "ii", campaign_id, user_id)
			 : db_run(c->db, "INSERT INTO campaign_away (campaign_id, user_id, at_ms) VALUES ($1, $2, $3) ON CONFLICT (campaign_id, user_id) DO NOTHING", "iii",
				  campaign_id, user_id, c->now_ms);
	*changed = !r && db_changes(c->db) > 0;
	return *changed ? res_conf_version_raise(c->db, c->who->centre_id) : r;
}

int64_t campaign_day_of(const char *text)
{
	return day_of_text(text);
}

int64_t campaign_day_number(int64_t yyyymmdd)
{
	return day_number(yyyymmdd);
}
