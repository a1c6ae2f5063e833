/* One change of many rows: what is confirmed, what is refused, undo, delete. */
#include "api/fixture.h"

#include <unistd.h>

#include "api/bulk_int.h"

static char at[64]; /* "/bulk/{id}" */

static const json_t *settled(struct client *c)
{
	for (int i = 0; i < 1000; i++) {
		const json_t *j = ask_for(c, "GET", at, NULL, "200");
		const char *state = json_string_value(json_object_get(j, "state"));

		if (strcmp(state, "running") != 0 && strcmp(state, "undoing") != 0)
			return j;
		(void)usleep(5000);
	}
	fail_msg("it does not end");
	return NULL;
}

static const json_t *bulk(struct client *c, const char *path, const char *body)
{
	(void)snprintf(at, sizeof(at), "/bulk/%s", json_string_value(json_object_get(ask_for(c, "POST", path, body, "202"), "id")));
	return settled(c);
}

static int64_t count(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static void people(struct client *c, int n)
{
	for (int i = 0; i < n; i++) {
		char *body = xasprintf("{\"code\":\"bulk_%d\",\"zh\":\"理由%d\",\"en\":\"Reason %d\",\"sort\":%d}", i, i, i, 500 + i);

		(void)ask_for(c, "POST", "/breaks", body, "201");
		free(body);
	}
}

TEST(many_rows_are_changed_and_put_back)
{
	struct fix f;
	struct client c, other;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	people(&c, 30);
	j = bulk(&c, "/breaks/bulk", "{\"filters\":{\"code.starts\":\"bulk\"},\"count\":30,\"patch\":{\"active\":false,\"sort\":510}}");
	assert_string_equal(json_string_value(json_object_get(j, "state")), "done");
	assert_int_equal(count(j, "changed"), 30);
	assert_int_equal(count(j, "bad"), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM breaks WHERE active = 0 AND sort = 510"), 30);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'breaks' AND action = 'update'"), 30);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'breaks' AND action = 'bulk'"), 1);
	/* Another person's change is not undone. */
	other = fix_login(&f, "root", "correct horse 7");
	{
		const json_t *row = json_array_get(json_object_get(ask_for(&other, "GET", "/breaks?code=bulk_7", NULL, "200"), "items"), 0);
		char *path = xasprintf("/breaks/%s", json_string_value(json_object_get(row, "id"))), rev[64];

		(void)snprintf(rev, sizeof(rev), "If-Match: %lld\r\n", (long long)count(row, "rev"));
		(void)ask(&other, "PATCH", path, rev, "{\"zh\":\"别的\"}");
		free(path);
	}
	{
		char *path = xasprintf("%s/undo", at);

		(void)ask_for(&c, "POST", path, "{}", "202");
		j = settled(&c);
		assert_string_equal(json_string_value(json_object_get(j, "state")), "undone");
		assert_int_equal(count(j, "undone"), 29);
		assert_int_equal(count(j, "undo_bad"), 1);
		(void)ask_for(&c, "POST", path, "{}", "409");
		free(path);
	}
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM breaks WHERE code LIKE 'bulk%' AND active = 1 AND sort <> 510"), 28); /* bulk_10 had 510 */
	fix_stop(&f);
}

TEST(a_bulk_change_is_refused_before_it_begins)
{
	static const struct {
		const char *body, *status;
	} cases[] = {
		{"{\"filters\":{\"code.starts\":\"bulk\"},\"count\":4,\"patch\":{\"sort\":1}}", "409"}, /* five fit */
		{"{\"filters\":{\"code\":\"nobody\"},\"count\":0,\"patch\":{\"sort\":1}}", "409"},
		{"{\"filters\":{\"code.starts\":\"bulk\"},\"patch\":{\"sort\":1}}", "422"},
		{"{\"count\":5,\"patch\":{\"sort\":1}}", "422"},
		{"{\"filters\":{\"what\":\"1\"},\"count\":5,\"patch\":{\"sort\":1}}", "400"},
		{"{\"filters\":{},\"count\":5,\"patch\":{}}", "422"},
		{"{\"filters\":{},\"count\":5,\"patch\":{\"code\":\"x\"}}", "422"}, /* unique, and for ever */
		{"{\"filters\":{},\"count\":5,\"patch\":{\"sort\":\"x\"}}", "422"},
		{"{\"filters\":{},\"count\":5,\"patch\":{\"sort\":100000}}", "422"},
		{"{\"filters\":{},\"count\":5,\"patch\":{\"what\":1}}", "422"},
		{"{\"filters\":{},\"count\":5,\"patch\":{\"sort\":1},\"delete\":true}", "422"},
		{"{\"ids\":[1],\"count\":1,\"patch\":{\"sort\":1}}", "422"},
		{"{\"ids\":[\"x\"],\"count\":1,\"patch\":{\"sort\":1}}", "422"},
	};
	struct fix f;
	struct client c, agent;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	people(&c, 5);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		(void)ask_for(&c, "POST", "/breaks/bulk", cases[i].body, cases[i].status);
	(void)ask_for(&c, "POST", "/nothing/bulk", cases[0].body, "404");
	assert_int_equal(count(json_object_get(json_object_get(ask_for(&c, "POST", "/breaks/bulk", cases[0].body, "409"), "error"), "current"), "count"), 5);
	agent = fix_login(&f, "agent", NULL);
	(void)ask_for(&agent, "POST", "/breaks/bulk", cases[0].body, "403");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE resource = 'breaks' AND action = 'update'"), 0);
	fix_stop(&f);
}

TEST(many_are_deleted_and_what_is_refused_says_why)
{
	struct fix f;
	struct client c, agent;
	const json_t *j;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	people(&c, 3);
	j = bulk(&c, "/breaks/bulk", "{\"filters\":{\"code.starts\":\"bulk\"},\"count\":3,\"delete\":true}");
	assert_int_equal(count(j, "changed"), 3);
	assert_false(json_is_true(json_object_get(j, "can_undo")));
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM breaks WHERE code LIKE 'bulk%'"), 0);
	j = bulk(&c, "/breaks/bulk", "{\"ids\":[\"1\",\"2\",\"2\"],\"count\":2,\"delete\":true}");
	assert_int_equal(count(j, "bad"), 2);
	assert_int_equal(json_array_size(json_object_get(j, "refused")), 2);
	agent = fix_login(&f, "agent", NULL);
	(void)ask_for(&agent, "GET", at, NULL, "404"); /* another's */
	fix_stop(&f);
}

/* ---- the process ends in the middle ---- */

static int new_job(struct db *db, void *arg)
{
	return bulk_keep_new(db, arg, clock_utc_ms());
}

/* As another process finds it. */
static void next_start(struct fix *f)
{
	struct bulks *bs = f->api->bulks;
	struct db *db = api_db(f->api);

	while (!ilist_empty(&bs->jobs))
		bulk_free(bs, container_of(bs->jobs.next, struct bulk, link));
	bs->loaded = false;
	bulks_tick(f->api, db);
}

static const json_t *first_of(struct client *c)
{
	(void)snprintf(at, sizeof(at), "/bulk/%s", json_string_value(json_object_get(json_array_get(json_object_get(ask_for(c, "GET", "/bulk", NULL, "200"), "items"), 0), "id")));
	return settled(c);
}

TEST(what_a_crash_interrupted_goes_on_at_the_next_start)
{
	int64_t ids[30];
	struct bulk j = {.id = res_next_id(), .d = res_find("breaks"), .lang = "zh", .ids = ids, .n = 30};
	const json_t *told;
	struct client c;
	struct fix f;
	char *path;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	people(&c, 30);
	for (int i = 0; i < 30; i++) {
		char sql[80];

		(void)snprintf(sql, sizeof(sql), "SELECT id FROM breaks WHERE code = 'bulk_%d'", i);
		ids[i] = fix_get(&f, sql);
	}
	j.who = (struct res_who){.centre_id = f.centre_id, .user_id = fix_get(&f, "SELECT id FROM users WHERE login = 'root'")};
	j.patch = json_pack("{s:i}", "sort", 510);
	j.asked = json_object();
	assert_int_equal(db_writer_call(f.writer, DB_BUSINESS, new_job, &j), 0);
	next_start(&f);
	told = first_of(&c);
	assert_text(told, "state", "done");
	assert_true(json_is_true(json_object_get(told, "continued")));
	assert_int_equal(count(told, "changed") + count(told, "unchanged"), 30); /* bulk_10 had 510 */
	assert_int_equal(count(told, "changed"), 29);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM breaks WHERE code LIKE 'bulk%' AND sort = 510"), 30);

	/* Its undo, after ten rows: the last ones were put back. */
	path = xasprintf("%s/undo", at);
	(void)ask_for(&c, "POST", path, "{}", "202");
	free(path);
	(void)settled(&c);
	fix_run(&f, "UPDATE breaks SET sort = 510, rev = rev + 1 WHERE code LIKE 'bulk%' AND code IN ('bulk_0', 'bulk_1')");
	fix_run(&f, "UPDATE bulk_rows SET rev_after = (SELECT rev FROM breaks WHERE id = row_id) WHERE row_id IN (SELECT id FROM breaks WHERE code IN ('bulk_0', 'bulk_1'))");
	fix_run(&f, "UPDATE bulks SET state = 'undoing', ended_ms = NULL, undone = 27");
	next_start(&f);
	told = first_of(&c);
	assert_text(told, "state", "undone");
	assert_int_equal(count(told, "undone"), 29);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM breaks WHERE code IN ('bulk_0', 'bulk_1') AND sort IN (500, 501)"), 2);

	/* Over for an hour: forgotten. */
	fix_run(&f, "UPDATE bulks SET ended_ms = 1");
	next_start(&f);
	assert_int_equal(json_array_size(json_object_get(ask_for(&c, "GET", "/bulk", NULL, "200"), "items")), 0);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM bulks") + fix_get(&f, "SELECT COUNT(*) FROM bulk_rows"), 0);
	json_decref(j.patch);
	json_decref(j.asked);
	fix_stop(&f);
}

TEST(who_was_switched_off_changes_nothing_at_the_next_start)
{
	int64_t ids[3] = {1, 2, 3};
	struct bulk j = {.id = res_next_id(), .d = res_find("breaks"), .lang = "en", .ids = ids, .n = 3};
	struct client c;
	struct fix f;

	fix_start(&f, true);
	c = fix_login(&f, "root", "correct horse 7");
	j.who = (struct res_who){.centre_id = f.centre_id, .user_id = 4711};
	j.asked = json_object();
	assert_int_equal(db_writer_call(f.writer, DB_BUSINESS, new_job, &j), 0);
	next_start(&f);
	for (int i = 0; i < 6000 && fix_get(&f, "SELECT COUNT(*) FROM bulks WHERE state = 'interrupted'") == 0; i++)
		(void)usleep(5000);
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM bulks WHERE state = 'interrupted' AND done = 0"), 1);
	assert_int_equal(json_array_size(json_object_get(ask_for(&c, "GET", "/bulk", NULL, "200"), "items")), 0); /* another's */
	json_decref(j.asked);
	fix_stop(&f);
}
