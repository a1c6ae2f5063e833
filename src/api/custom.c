/* Custom fields: a committed change is published to everybody who asks what a resource is, and columns of deleted fields are emptied. */
#include "api/api_int.h"

static int load_job(struct db *db, void *arg)
{
	const struct api *a = arg;

	return res_custom_load(db, a->conf.centre_id);
}

struct wipe {
	const struct api *a;
	bool more;
};

static int wipe_job(struct db *db, void *arg)
{
	struct wipe *w = arg;

	return res_custom_wipe(&w->more, db, w->a->conf.centre_id);
}

/* On a thread of the log-in pool, which ends with the api; other writes go between the pieces. */
static void wipe_all(void *arg)
{
	struct api *a = arg;
	struct wipe w = {.a = a, .more = true};
	int r = 0;

	while (!r && w.more && !a->stopping)
		r = db_writer_call(a->conf.writer, DB_BUSINESS, wipe_job, &w);
	a->wiping = false;
	if (r)
		log_error("columns of deleted fields are not emptied error=%d, tried again at the next change or start", r);
}

static void wipe_start(struct api *a)
{
	bool no = false;

	if (atomic_compare_exchange_strong(&a->wiping, &no, true) && pool_submit(a->login_pool, POOL_LONG, wipe_all, a))
		a->wiping = false;
}

int custom_start(struct api *a)
{
	int r = db_writer_call(a->conf.writer, DB_BUSINESS, load_job, a);

	if (!r)
		wipe_start(a);
	return r;
}

void custom_publish(struct api *a, struct db *db)
{
	static const char nothing[] = "{}";
	int r = res_custom_load(db, a->conf.centre_id);

	if (r)
		log_error("changed custom fields are not published error=%d, the old ones stay", r);
	wipe_start(a);
	live_notice(a->live, ~0ull, 0, "meta.changed", nothing, sizeof(nothing) - 1);
}

void custom_used(struct ask *k)
{
	int64_t id, n;
	int r;

	if (!api_path_id(k, &id))
		return;
	r = people_custom_used(&n, k->db, k->who.centre_id, id);
	if (r == -ENOENT)
		api_refuse(k, "not_found", NULL, NULL);
	else if (r)
		api_failed(k, "custom field", r);
	else
		api_ok(k, 200, json_pack("{s:I}", "n", (json_int_t)n));
}
