/* What a centre begins with: limits, one calling window, rules for what follows an attempt. All of it may be changed. */
#include "campaign/campaign.h"

#include <jansson.h>

#include "base/base.h"
#include "campaign/retry.h"
#include "db/db.h"
#include "people/declared.h"

static int put(struct db *db, int64_t centre_id, const struct res_def *d, json_t *body)
{
	struct system_ctx s;
	int r;

	system_init(&s, db, centre_id);
	r = system_write(NULL, &s, d, 0, body);
	system_done(&s);
	return r;
}

static int seed_retries(struct db *db, int64_t centre_id)
{
	int r = 0;

	for (size_t i = 0; !r && i < retry_default_n; i++) {
		const struct retry_rule *x = &retry_defaults[i];

		r = put(db, centre_id, &campaign_retry_rules,
			json_pack("{s:s, s:i, s:s, s:i}", "result", dial_result_name(x->result), "nth", (int)x->nth, "action", retry_action_names[x->action],
				  "wait_min", x->wait_min ? (int)x->wait_min : 60));
	}
	return r;
}

/* The limits cannot be removed, so they say whether all this was there once. */
int campaign_seed(struct db *db, int64_t centre_id)
{
	int64_t n = 0;
	int r = db_get_i64(&n, db, "SELECT COUNT(*) FROM outbound_settings WHERE centre_id = $1", "i", centre_id);

	if (r || n)
		return r;
	r = put(db, centre_id, &campaign_settings, json_object());
	if (!r)
		r = put(db, centre_id, &campaign_windows,
			json_pack("{s:s, s:s, s:[s,s,s,s,s,s,s]}", "name", "全国", "hours", "09:00-12:00,13:30-20:00", "days", "mon", "tue", "wed", "thu", "fri", "sat", "sun"));
	return r ? r : seed_retries(db, centre_id);
}
