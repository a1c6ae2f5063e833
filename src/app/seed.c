/*
 * huawu seed: databases for tests and the benchmark, made by the same declarations as everything else. Not in the list of commands.
 *   bench  what bench/README.md describes
 *   rows   from standard input, a JSON array of {"resource":"queues","as":"q1","body":{...}}; "$q1" in a later body is that row's id
 */
#include "app/seed.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "people/people.h"
#include "resource/resource.h"

#define AGENTS_MAX 100000

/* Puts the ids of earlier rows in the place of their names. */
static void resolve(json_t *body, const json_t *ids)
{
	const char *key, *text;
	json_t *value;

	json_object_foreach(body, key, value) {
		text = json_string_value(value);
		if (text && text[0] == '$' && json_object_get(ids, text + 1))
			(void)json_object_set(body, key, json_object_get(ids, text + 1));
	}
}

static int create(struct db *db, int64_t centre_id, const json_t *item, json_t *ids)
{
	const char *name = json_string_value(json_object_get(item, "resource")), *as = json_string_value(json_object_get(item, "as"));
	const struct res_def *d = name ? res_find(name) : NULL;
	struct res_who who = {.centre_id = centre_id, .system = true, .lang = "en"};
	struct res_error error = {0};
	struct res_ctx c = {.db = db, .who = &who, .error = &error, .now_ms = clock_utc_ms()};
	json_t *body = json_object_get(item, "body"), *row = NULL;
	int r = -EINVAL;

	if (d && body) {
		resolve(body, ids);
		r = res_create(&row, &c, d, body);
	}
	if (r) {
		char *fields = error.fields ? json_dumps(error.fields, JSON_COMPACT) : NULL;

		fprintf(stderr, "huawu seed: %s refused: %s %s\n", name ? name : "?", error.code ? error.code : "no such resource",
			fields ? fields : "");
		free(fields);
	} else {
		if (as)
			(void)json_object_set(ids, as, json_object_get(row, "id"));
		(void)json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(row);
	res_ctx_done(&c);
	res_error_done(&error);
	return r ? -EINVAL : 0;
}

static int rows(struct db *db, int64_t centre_id)
{
	json_error_t at;
	json_t *all = json_loadf(stdin, JSON_REJECT_DUPLICATES, &at), *ids = json_object(), *item;
	size_t i;
	int r = 0;

	if (!json_is_array(all)) {
		fprintf(stderr, "huawu seed: standard input is no JSON array: %s\n", at.text);
		r = -EINVAL;
	}
	json_array_foreach(all, i, item) {
		r = create(db, centre_id, item, ids);
		if (r)
			break;
	}
	json_decref(ids);
	json_decref(all);
	return r;
}

/* Where it is told to be, else beside the database file, as a server with that data folder would have it. */
static int open_key(const char *db, const char *key)
{
	const char *slash = strrchr(db, '/');
	char *path = key ? xstrdup(key) : xasprintf("%.*ssecrets.key", slash ? (int)(slash + 1 - db) : 0, db);
	int r = !key && strstr(db, "://") ? 0 : people_secrets_open(path);

	if (r)
		fprintf(stderr, "huawu seed: %s: %s\n", path, strerror(-r));
	free(path);
	return r;
}

/* @agents: for the benchmark; negative: rows from standard input. */
static int seed(const char *path, int64_t agents)
{
	struct db *db = NULL;
	int64_t centre_id;
	int r = db_open(&db, path, DB_RW);

	r = r ? r : db_migrate(db);
	r = r ? r : db_begin(db);
	if (!r) {
		r = people_centre(&centre_id, db, "Bench", "Asia/Shanghai");
		if (!r)
			r = agents < 0 ? rows(db, centre_id) : people_bench_seed(db, centre_id, (unsigned)agents);
		if (r)
			db_rollback(db);
		else
			r = db_commit(db);
	}
	if (r)
		fprintf(stderr, "huawu seed: %s: %s\n", db_url_shown((char[200]){0}, 200, path), r < 0 ? strerror(-r) : "refused");
	db_close(db);
	return r ? 1 : 0;
}

int seed_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *path = NULL, *key = NULL;
	bool bench = !strcmp(what, "bench"), bad = !bench && strcmp(what, "rows") != 0;
	int64_t agents = bench ? 50 : -1;

	for (int i = 2; i < argc && !bad; i += 2) {
		if (i + 1 == argc)
			bad = true;
		else if (bench && !strcmp(argv[i], "--agents"))
			bad = !str_to_i64(&agents, argv[i + 1], 0, AGENTS_MAX);
		else if (!strcmp(argv[i], "--db"))
			path = argv[i + 1];
		else if (!strcmp(argv[i], "--key"))
			key = argv[i + 1];
		else
			bad = true;
	}
	if (bad || !path) {
		fprintf(stderr, "usage: huawu seed bench [--agents N] --db PATH\n       huawu seed rows --db PATH [--key FILE] <rows.json\n");
		return 2;
	}
	if (people_init(NULL) || open_key(path, key))
		return 1;
	return seed(path, agents);
}
