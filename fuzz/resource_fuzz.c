/*
 * Bodies, patches and list parameters of strangers, as the API passes them to the engine: every answer is a success or a
 * refusal with a code, never a failure of the engine, and the row that comes out passes as a patch of itself.
 *
 * Input: first byte the resource, second what is done; then JSON.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "people/declared.h"

static struct db *db;
static int64_t centre, first[9]; /* a row of each resource; 0: there is none */

static void setup(void)
{
	const struct people_demo demo = {"127.0.0.3", 5090, "127.0.0.4", 5092};
	char sql[64];

	log_set_level(LOG_L_ERROR);
	assert(!people_init("huawu"));
	assert(!db_open(&db, ":memory:", DB_RW));
	assert(!db_migrate(db));
	assert(!people_centre(&centre, db, "Fuzz", "UTC"));
	assert(!people_demo_seed(db, centre, &demo));
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT COALESCE(MIN(id), 0) FROM %s", res_all[i]->table);
		assert(!db_get_i64(&first[i], db, sql, ""));
	}
}

static void judge(const struct res_ctx *c, int r, const json_t *row)
{
	assert(r >= 0);
	assert(!r == !c->error->code);
	assert(!r || (c->error->status >= 400 && c->error->status < 500 && !row));
}

/* A row as it was read, without what only we give, is a patch that changes nothing. */
static void again(struct res_ctx *c, const struct res_def *d, json_t *row)
{
	int64_t id = row_id(row, "id"), rev = json_integer_value(json_object_get(row, "rev"));
	json_t *same = NULL;

	(void)json_object_del(row, "once");
	assert(!res_update(&same, c, d, id, row, rev));
	assert(json_equal(row, same));
	json_decref(same);
}

static void list(struct res_ctx *c, const struct res_def *d, json_t *v)
{
	json_t *ret = NULL;
	int r;

	r = res_list(&ret, c, d, json_string_value(json_object_get(v, "q")), json_string_value(json_object_get(v, "sort")),
		     json_integer_value(json_object_get(v, "limit")), json_integer_value(json_object_get(v, "offset")),
		     json_object_get(v, "f"));
	judge(c, r, ret);
	json_decref(ret);
}

/* Hashing is slow and not what is tried here. */
static void spare_the_hash(struct res_ctx *c, const json_t *v)
{
	c->prepared = json_object();
	if (json_string_length(json_object_get(v, "password")))
		row_set(c->prepared, "password", json_string("hash"));
}

static void act(struct res_ctx *c, const struct res_def *d, int64_t id, unsigned what, json_t *v)
{
	json_t *row = NULL;
	int r;

	if (what % 4 == 3 && json_is_object(v)) {
		list(c, d, v);
		return;
	}
	spare_the_hash(c, v);
	if (what % 4 == 2)
		r = res_update(&row, c, d, id, v, RES_REV_ANY);
	else
		r = res_create(&row, c, d, v);
	judge(c, r, row);
	if (row && what % 4 < 3)
		again(c, d, row);
	json_decref(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct res_who who = {.user_id = 1, .rights = &people_rights_shipped("admin")->res, .lang = "zh"};
	struct res_error error = {0};
	struct res_ctx c = {.who = &who, .error = &error, .now_ms = 1};
	json_t *v;

	if (!db)
		setup();
	if (size < 3)
		return 0;
	v = json_loadb((const char *)data + 2, size - 2, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!v)
		return 0;
	who.centre_id = centre;
	c.db = db;
	assert(!db_begin(db));
	act(&c, res_all[data[0] % 9], first[data[0] % 9], data[1], v);
	db_rollback(db);
	res_error_done(&error);
	res_ctx_done(&c);
	json_decref(v);
	return 0;
}
