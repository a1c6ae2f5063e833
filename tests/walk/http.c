/*
 * Nothing of another centre over HTTP: an administrator of one centre asks every endpoint with the ids of another's rows, in the path, in the
 * question, in the body and in sheets. No answer holds a word or an id of the other centre, no row of the other changes, and no row of one's own
 * refers to the other. What is asked is derived from the endpoints' table, the document and the declarations.
 */
#include "walk.h"

#include <unistd.h>

#include "api/fixture.h"
#include "db/db_fixture.h"

#define MARK "zqforeign" /* in what names each row of the other centre */

static struct two {
	struct fix f;
	struct client admin;
	int64_t other, id[SEEDS_MAX], foreign[SEEDS_MAX];
	int64_t call, recording, attachment, merge; /* the other's, of what is no resource */
} t;

/* ---- two centres ---- */

static void sql(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void sql(struct db *db, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&text, fmt, ap) > 0);
	va_end(ap);
	if (db_run(db, text, ""))
		fail_msg("%s: %s", text, db_error(db));
	free(text);
}

/* Words that are nowhere else, and telephones that are nobody's here. */
static void mark(struct db *db)
{
	for (size_t i = 0; res_all[i]; i++) {
		const struct res_def *d = res_all[i];
		int k = d->label ? res_field_find(d, d->label) : -1;

		if (k >= 0 && d->fields[k].type == RES_TEXT)
			sql(db, "UPDATE %s SET %s = '" MARK "' || id WHERE centre_id = %lld", d->table, res_column(&d->fields[k]), (long long)t.other);
	}
	sql(db, "UPDATE customer_phones SET number = '+86139' || (id %% 100000000) WHERE centre_id = %lld", (long long)t.other);
}

static void fill_records(struct db *db)
{
	long long customer = row_named(t.foreign, "c_far"), user = row_named(t.foreign, "far"), centre = t.other;

	t.call = res_next_id();
	t.recording = res_next_id();
	t.attachment = res_next_id();
	t.merge = res_next_id();
	sql(db, "INSERT INTO call (id, centre_id, dir, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms, customer_id)"
		" VALUES (%lld, %lld, 'in', %lld, %lld, 1700000000000, 1700000001000, 1700000005000, 4000, %lld)", (long long)t.call, centre, user, user, customer);
	sql(db, "INSERT INTO call_pii (call_id, centre_id, from_number, to_number, name) VALUES (%lld, %lld, '+8613977700001', '4001', '" MARK "')",
	    (long long)t.call, centre);
	sql(db, "INSERT INTO recording_part (id, centre_id, call_id, path, start_ms, end_ms, state) VALUES (%lld, %lld, %lld, 'none/such.wav', 1, 2, 'done')",
	    (long long)t.recording, centre, (long long)t.call);
	sql(db, "INSERT INTO attachments (id, centre_id, rev, created_ms, updated_ms, resource, row_id, name, mime, size, sha256, user_id)"
		" VALUES (%lld, %lld, 1, 1, 1, 'customers', %lld, '" MARK ".png', 'image/png', 8, 'ab', %lld)", (long long)t.attachment, centre, customer, user);
	sql(db, "INSERT INTO customer_merges (id, centre_id, customer_id, other_id, user_id, at_ms, moved) VALUES (%lld, %lld, %lld, %lld, %lld, %lld, '{}')",
	    (long long)t.merge, centre, customer, (long long)row_named(t.foreign, "c_open"), user, (long long)clock_utc_ms());
}

static int fill_both(struct db *db, void *arg)
{
	walk_tables(db);
	t.other = walk_other(db);
	walk_fill(db, t.f.centre_id, t.id);
	walk_fill(db, t.other, t.foreign);
	fill_records(db);
	mark(db);
	return 0;
}

static void begin(void)
{
	log_set_level(LOG_L_ERROR);
	walk_seeds();
	fix_start(&t.f, true);
	assert_int_equal(db_writer_call(t.f.writer, DB_BUSINESS, fill_both, NULL), 0);
	t.admin = fix_login(&t.f, "root", "correct horse 7");
}

/* ---- what must not be ---- */

static bool is_foreign_in(const char *text, int64_t id)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)id);
	return id && strstr(text, digits);
}

static bool tells(const char *text)
{
	bool found = strstr(text, MARK) || is_foreign_in(text, t.call) || is_foreign_in(text, t.recording) || is_foreign_in(text, t.attachment) ||
		     is_foreign_in(text, t.merge) || is_foreign_in(text, t.other);

	for (size_t i = 0; i < seed_n && !found; i++)
		found = is_foreign_in(text, t.foreign[i]);
	return found;
}

static const struct answer *asks(const char *method, const char *path, const char *headers, const char *body)
{
	const struct answer *a = ask(&t.admin, method, path, headers, body);

	if (tells(a->body))
		wrong("%s %s %.200s tells of another centre: %d %.300s", method, path, body ? body : "", a->status, a->body);
	if (a->status >= 500)
		wrong("%s %s %.200s: %d %.300s", method, path, body ? body : "", a->status, a->body);
	return a;
}

static void refuses(const char *method, const char *path, const char *headers, const char *body)
{
	const struct answer *a = asks(method, path, headers, body);

	if (a->status < 400)
		wrong("%s %s %.200s: %d %.200s", method, path, body ? body : "", a->status, a->body);
}

/* Tables with a centre's rows, and what stands in them. */
struct table {
	char name[64], columns[4000]; /* as one text */
	char numbers[60][64];         /* columns that may hold an id */
	size_t number_n;
	int64_t rows;
	uint64_t sum;
};
static struct table tables[200];
static size_t table_n;

static void columns_of(struct table *tab, struct db *db)
{
	struct db_stmt *st;
	size_t n = 0;

	assert_int_equal(db_prepare(&st, db, db_columns_sql(db)), 0);
	db_bind_text(st, 1, tab->name);
	while (db_step(st) == DB_ROW) {
		const char *name = db_text(st, 0), *type = db_text(st, 1);

		if (strcmp(type, "TEXT") && strcmp(type, "BIGINT"))
			continue;
		n += (size_t)snprintf(tab->columns + n, sizeof(tab->columns) - n, "%sCOALESCE(CAST(\"%s\" AS TEXT), '-')", n ? " || '|' || " : "", name);
		if (!strcmp(type, "BIGINT"))
			(void)str_copy(tab->numbers[tab->number_n++], 64, name);
	}
	db_done(st);
	assert_true(n < sizeof(tab->columns));
}

static bool has_centre(const struct table *tab)
{
	for (size_t i = 0; i < tab->number_n; i++)
		if (!strcmp(tab->numbers[i], "centre_id"))
			return true;
	return false;
}

static void find_tables(struct db *db)
{
	struct db_stmt *st;

	table_n = 0;
	assert_int_equal(db_prepare(&st, db, test_db_is_postgres() ? "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
								   : "SELECT name FROM sqlite_master WHERE type = 'table'"), 0);
	while (db_step(st) == DB_ROW) {
		struct table *tab = &tables[table_n];

		assert_true(table_n < ARRAY_LEN(tables) - 1);
		*tab = (struct table){0};
		(void)str_copy(tab->name, sizeof(tab->name), db_text(st, 0));
		columns_of(tab, db);
		table_n += has_centre(tab);
	}
	db_done(st);
}

static void sum_up(struct table *tab, struct db *db)
{
	char *text = xasprintf("SELECT %s FROM %s WHERE centre_id = %lld", tab->columns, tab->name, (long long)t.other);
	struct db_stmt *st;

	tab->rows = 0;
	tab->sum = 0;
	assert_int_equal(db_prepare(&st, db, text), 0);
	while (db_step(st) == DB_ROW) {
		uint64_t h = 14695981039346656037u; /* FNV-1a */

		for (const char *p = db_text(st, 0); *p; p++)
			h = (h ^ (unsigned char)*p) * 1099511628211u;
		tab->sum += h;
		tab->rows++;
	}
	db_done(st);
	free(text);
}

static void remember(void)
{
	struct db *db;

	assert_int_equal(db_open(&db, t.f.url, DB_RO), 0);
	find_tables(db);
	for (size_t i = 0; i < table_n; i++)
		sum_up(&tables[i], db);
	db_close(db);
	assert_true(table_n > 60);
}

/* Ids as a list for IN. */
static char *foreign_ids(void)
{
	struct strb b;

	strb_init(&b, 65536);
	strb_printf(&b, "%lld, %lld, %lld, %lld, %lld", (long long)t.other, (long long)t.call, (long long)t.recording, (long long)t.attachment,
		    (long long)t.merge);
	for (size_t i = 0; i < seed_n; i++)
		strb_printf(&b, ", %lld", (long long)t.foreign[i]);
	return strb_take(&b);
}

static void nothing_has_changed(void)
{
	char *ids = foreign_ids(), *text;
	struct db *db;
	int64_t n;

	assert_int_equal(db_open(&db, t.f.url, DB_RO), 0);
	for (size_t i = 0; i < table_n; i++) {
		struct table now = tables[i];

		sum_up(&now, db);
		if (now.rows != tables[i].rows || now.sum != tables[i].sum)
			wrong("%s of another centre has changed: %lld rows, then %lld", now.name, (long long)tables[i].rows, (long long)now.rows);
		for (size_t k = 0; k < now.number_n; k++) {
			text = xasprintf("SELECT COUNT(*) FROM %s WHERE centre_id = %lld AND \"%s\" IN (%s)", now.name, (long long)t.f.centre_id, now.numbers[k], ids);
			assert_int_equal(db_get_i64(&n, db, text, ""), 0);
			if (n)
				wrong("%s.%s refers to another centre", now.name, now.numbers[k]);
			free(text);
		}
	}
	db_close(db);
	free(ids);
}

static void end(void)
{
	nothing_has_changed();
	fix_stop(&t.f);
	assert_int_equal(wrong_n, 0);
}

/* ---- every resource ---- */

static const char *path_to(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *path_to(const char *fmt, ...)
{
	static char path[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return path;
}

static void rows_are_not_there(size_t i)
{
	const char *d = seeds[i].d, *patch = patch_of(i);
	long long id = t.foreign[i];
	json_t *body = body_of(t.foreign, patch);
	char *text = json_dumps(body, 0);

	refuses("GET", path_to("/%s/%lld", d, id), NULL, NULL);
	refuses("PATCH", path_to("/%s/%lld", d, id), "If-Match: 1\r\n", text);
	refuses("DELETE", path_to("/%s/%lld", d, id), "If-Match: 1\r\n", NULL);
	if (res_find(d)->attachments) {
		refuses("GET", path_to("/%s/%lld/attachments", d, id), NULL, NULL);
		refuses("POST", path_to("/%s/%lld/attachments?name=a.png", d, id), NULL, "\x89PNG\r\n\x1a\n");
	}
	free(text);
	json_decref(body);
}

/* Lists, by id and by what a row refers to, and as a file. */
static void lists_do_not_tell(const struct res_def *d)
{
	const json_t *items;

	(void)asks("GET", path_to("/%s?limit=1000", d->name), NULL, NULL);
	(void)asks("GET", path_to("/%s?q=" MARK, d->name), NULL, NULL);
	(void)asks("GET", path_to("/%s/export.csv", d->name), NULL, NULL);
	items = json_object_get(asks("GET", path_to("/%s?id=%lld", d->name, (long long)t.foreign[first_seed(d->name)]), NULL, NULL)->json, "items");
	if (!items || json_array_size(items))
		wrong("%s is found by another centre's id", d->name);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (f->type != RES_REF)
			continue;
		items = json_object_get(asks("GET", path_to("/%s?%s=%lld", d->name, f->name, (long long)t.foreign[first_seed(f->ref)]), NULL, NULL)->json, "items");
		if (!items || json_array_size(items))
			wrong("%s is found by another centre's %s", d->name, f->name);
	}
}

static bool bad_of(const struct answer *a, const char *field)
{
	return a->status == 422 && json_object_get(json_object_get(json_object_get(a->json, "error"), "fields"), field);
}

/* What is wrong besides is named, too. */
static void names_it(const struct answer *a, const char *method, const struct res_def *d, const char *field)
{
	if (a->status < 400 || (a->status == 422 && !bad_of(a, field)))
		wrong("%s /%s takes another centre's %s: %d %.200s", method, d->name, field, a->status, a->body);
}

static void references_are_refused(const struct res_def *d)
{
	long long id = t.id[first_seed(d->name)];
	char rev[64], *text;

	for (size_t i = 0; !d->closed && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *body;

		if (f->type != RES_REF)
			continue;
		body = pack1(f->name, idj(t.foreign[first_seed(f->ref)]));
		show(f, body);
		text = json_dumps(body, 0);
		(void)snprintf(rev, sizeof(rev), "If-Match: %lld\r\n",
			       (long long)json_integer_value(json_object_get(ask(&t.admin, "GET", path_to("/%s/%lld", d->name, id), NULL, NULL)->json, "rev")));
		if (!d->personal) /* that row is another person's */
			names_it(asks("PATCH", path_to("/%s/%lld", d->name, id), rev, text), "PATCH", d, f->name);
		names_it(asks("POST", path_to("/%s", d->name), NULL, text), "POST", d, f->name);
		free(text);
		json_decref(body);
	}
}

/* A change of many rows goes by ids or by conditions. */
static void settle(const char *at)
{
	for (int i = 0; i < 6000; i++) {
		const char *state = json_string_value(json_object_get(ask(&t.admin, "GET", at, NULL, NULL)->json, "state"));

		if (state && strcmp(state, "running") && strcmp(state, "checking"))
			return;
		(void)usleep(5000);
	}
	fail_msg("%s does not end", at);
}

static void many_rows_are_not_changed(const struct res_def *d)
{
	size_t seed = first_seed(d->name);
	long long id = t.foreign[seed];
	json_t *patch = body_of(t.id, patch_of(seed));
	char *text = json_dumps(patch, 0);
	char *bodies[] = {
		xasprintf("{\"ids\":[\"%lld\"],\"count\":1,\"patch\":%s}", id, text),
		xasprintf("{\"ids\":[\"%lld\"],\"count\":1,\"delete\":true}", id),
		xasprintf("{\"filters\":{\"id\":\"%lld\"},\"count\":1,\"patch\":%s}", id, text),
		xasprintf("{\"filters\":{\"id\":\"%lld\"},\"count\":1,\"delete\":true}", id),
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		const struct answer *a = asks("POST", path_to("/%s/bulk", d->name), NULL, bodies[i]);
		char at[64];

		if (a->status < 300) {
			(void)snprintf(at, sizeof(at), "/bulk/%s", json_string_value(json_object_get(a->json, "id")));
			settle(at);
			a = ask(&t.admin, "GET", at, NULL, NULL);
			if (json_integer_value(json_object_get(a->json, "changed")) || json_integer_value(json_object_get(a->json, "bad")) != 1 || strstr(a->body, MARK))
				wrong("%s: %.300s", bodies[i], a->body);
		}
		free(bodies[i]);
	}
	free(text);
	json_decref(patch);
}

/* ---- sheets ---- */

static const char *cell(char *ret, size_t size, const json_t *v)
{
	if (json_is_string(v))
		(void)snprintf(ret, size, "\"%s\"", json_string_value(v));
	else if (json_is_integer(v))
		(void)snprintf(ret, size, "%lld", (long long)json_integer_value(v));
	else
		(void)str_copy(ret, size, json_is_true(v) ? "是" : "");
	return ret;
}

/* A line of what must be there, right but for @wrong, which names the other centre's row by its id or by its label. */
static void put_line(struct strb *b, const struct walk *w, const struct res_def *d, const struct res_field *wrong, bool by_label)
{
	char text[1200];

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *list, *v = NULL;

		if (!res_field_importable(f))
			continue;
		list = taken(w, d, f);
		if (f == wrong)
			v = by_label ? json_sprintf(MARK "%lld", (long long)t.foreign[first_seed(f->ref)]) : idj(t.foreign[first_seed(f->ref)]);
		else if ((f->flags & RES_REQUIRED) && !f->fallback && !f->show_if)
			v = json_incref(json_array_get(list, 0));
		strb_printf(b, "%s,", cell(text, sizeof(text), v));
		json_decref(list);
		json_decref(v);
	}
	strb_puts(b, "\r\n");
}

static void sheets_do_not_refer(const struct res_def *d)
{
	struct walk w = {.centre = t.f.centre_id};
	unsigned lines = 0;
	char at[64], path[96];
	const json_t *a;
	json_t *line;
	struct strb b;
	size_t i;

	if (d->no_import || d->closed)
		return;
	memcpy(w.id, t.id, sizeof(w.id));
	strb_init(&b, 1 << 20);
	for (i = 0; i < d->field_n; i++)
		if (res_field_importable(&d->fields[i]))
			strb_printf(&b, "%s,", d->fields[i].zh);
	strb_puts(&b, "\r\n");
	for (i = 0; i < d->field_n; i++)
		for (int by_label = 0; d->fields[i].type == RES_REF && res_field_importable(&d->fields[i]) && by_label < 2; by_label++, lines++)
			put_line(&b, &w, d, &d->fields[i], by_label);
	if (lines) {
		char *body = xasprintf("{\"resource\":\"%s\",\"name\":\"a.csv\"}", d->name);

		a = ask_for(&t.admin, "POST", "/sheets", body, "201");
		(void)snprintf(at, sizeof(at), "/sheets/%s", json_string_value(json_object_get(a, "id")));
		(void)snprintf(path, sizeof(path), "%s/data", at);
		(void)ask_for(&t.admin, "POST", path, b.buf, "200");
		(void)snprintf(path, sizeof(path), "%s/check", at);
		(void)ask_for(&t.admin, "POST", path, "{}", "202");
		settle(at);
		a = ask_for(&t.admin, "GET", at, NULL, "200");
		if (json_integer_value(json_object_get(a, "bad")) != lines)
			wrong("a sheet of %s takes another centre's rows: %s %s", d->name, b.buf, shown(a));
		json_array_foreach(json_object_get(a, "refused"), i, line)
			if (!tells(json_string_value(json_object_get(line, "why")))) /* it repeats what was written */
				wrong("a line of %s is not refused for another centre's row: %s", d->name, shown(line));
		(void)snprintf(path, sizeof(path), "%s/commit", at);
		(void)ask(&t.admin, "POST", path, NULL, "{}");
		settle(at);
		free(body);
	}
	strb_done(&b);
}

TEST(over_http_no_resource_reaches_another_centre)
{
	wrong_n = 0;
	begin();
	remember();
	for (size_t i = 0; i < seed_n; i++)
		rows_are_not_there(i);
	for (size_t i = 0; res_all[i]; i++) {
		lists_do_not_tell(res_all[i]);
		references_are_refused(res_all[i]);
		many_rows_are_not_changed(res_all[i]);
		sheets_do_not_refer(res_all[i]);
	}
	end();
}

/* ---- every endpoint ---- */

static int64_t foreign_row(const char *resource)
{
	return t.foreign[first_seed(resource)];
}

/* The other centre's row that a word means, as it stands in a path or as a field's name. */
static int64_t foreign_of(const char *word)
{
	static const struct {
		const char *word, *resource;
	} words[] = {{"customer", "customers"}, {"phone", "customer_phones"}, {"user", "users"}, {"agent", "users"}, {"team", "teams"},
		     {"queue", "queues"}, {"trunk", "trunks"}, {"campaign", "campaigns"}, {"template", "note_templates"}, {"reason", "contact_reasons"}};

	if (!strcmp(word, "other"))
		return row_named(t.foreign, "c_open");
	if (!strncmp(word, "call_", 5) || !strcmp(word, "calls"))
		return t.call;
	if (!strcmp(word, "recordings"))
		return t.recording;
	if (!strcmp(word, "attachments"))
		return t.attachment;
	if (!strcmp(word, "merges"))
		return t.merge;
	if (has_seed(word))
		return foreign_row(word);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strncmp(word, words[i].word, strlen(words[i].word)))
			return foreign_row(words[i].resource);
	return foreign_row("customers");
}

static const json_t *resolved(const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	return ref ? json_object_get(json_object_get(json_object_get(the_document(), "components"), "schemas"), strrchr(ref, '/') + 1) : schema;
}

static bool is_id(const char *name)
{
	size_t n = strlen(name);

	return (n > 3 && !strcmp(name + n - 3, "_id")) || !strcmp(name, "ids") || !strcmp(name, "other") || !strcmp(name, "people") || !strcmp(name, "keep") ||
	       !strcmp(name, "users") || !strcmp(name, "teams") || !strcmp(name, "id") || !strcmp(name, "user") || !strcmp(name, "team");
}

/* A body as the document describes it, with ids of the other centre wherever ids go; @ids counts them. */
static json_t *filled(const json_t *schema, const char *name, const char *about, int depth, unsigned *ids)
{
	const json_t *type, *any, *values, *least;
	const char *kind, *key;
	json_t *v, *part;

	schema = resolved(schema);
	type = json_object_get(schema, "type");
	any = json_object_get(schema, "anyOf");
	values = json_object_get(schema, "enum");
	least = json_object_get(schema, "minimum");
	if (json_is_array(values)) {
		for (size_t i = 0; i < json_array_size(values); i++)
			if (json_is_string(json_array_get(values, i)) && !strcmp(json_string_value(json_array_get(values, i)), "people"))
				return json_string("people"); /* rather than nobody */
		return json_incref(json_array_get(values, 0));
	}
	if (any)
		return filled(json_array_get(any, 0), name, about, depth, ids);
	kind = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);
	if (!kind || depth > 6)
		return json_object();
	if (!strcmp(kind, "integer") || !strcmp(kind, "number"))
		return strstr(name, "_ms") ? json_integer(clock_utc_ms() + 3600000) : json_integer(json_is_integer(least) ? json_integer_value(least) : 1);
	if (!strcmp(kind, "boolean"))
		return json_true();
	if (!strcmp(kind, "string")) {
		*ids += is_id(name);
		return is_id(name) ? idj(foreign_of(!strcmp(name, "ids") || !strcmp(name, "id") ? about : name))
		       : json_string(strstr(name, "number") ? "13900139555" : strstr(name, "dir") ? "out" : "x");
	}
	if (!strcmp(kind, "array"))
		return json_pack("[o]", filled(json_object_get(schema, "items"), name, about, depth + 1, ids));
	v = json_object();
	json_object_foreach(json_object_get(schema, "properties"), key, part)
		(void)json_object_set_new(v, key, filled(part, key, about, depth + 1, ids));
	return v;
}

static const json_t *operation(const char *path, const char *method)
{
	char verb[8];

	for (size_t i = 0; i <= strlen(method); i++)
		verb[i] = (char)(method[i] >= 'A' && method[i] <= 'Z' ? method[i] + 32 : method[i]);
	return json_object_get(json_object_get(json_object_get(the_document(), "paths"), path), verb);
}

static const json_t *body_schema(const json_t *op)
{
	return json_object_get(json_object_get(json_object_get(json_object_get(op, "requestBody"), "content"), "application/json"), "schema");
}

static const char *method_of(const struct endpoint *e)
{
	return e->methods & HTTP_GET ? "GET" : e->methods & HTTP_POST ? "POST" : e->methods & HTTP_PUT ? "PUT" : e->methods & HTTP_PATCH ? "PATCH" : "DELETE";
}

/* The word before {id}, or the first. */
static char *about_of(const char *path)
{
	return xstrndup(path + 1, strcspn(path + 1, "/"));
}

static char *with_id(const char *path, int64_t id)
{
	const char *at = strstr(path, "{id}");

	return xasprintf("%.*s%lld%s", (int)(at - path), path, (long long)id, at + 4);
}

/* Where another id than one's own is no refusal, and why not. */
static const struct {
	const char *method, *path, *why;
} harmless[] = {
	{"GET", "/test_calls/{id}", "a page asks before the records have it; nothing is known of it"},
	{"POST", "/test_calls/{id}/end", "the switch ends test calls of its own"},
	{"POST", "/desk/faults", "a call that is not his own is left out"},
	{"POST", "/trunks/{id}/try", "the switch knows the trunks of its own configuration"},
	{"POST", "/trunks/{id}/test", "the same"},
	{"POST", "/desk/preview/dial", "the switch does it for the agent who is shown that call, and for nobody else"},
	{"POST", "/desk/preview/skip", "the same"},
	{"POST", "/customers/check-number", "the customer is only left out of what is looked at"},
};

static bool is_harmless(const struct endpoint *e, const char *method)
{
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (!strcmp(harmless[i].method, method) && !strcmp(harmless[i].path, e->path))
			return true;
	return false;
}

/* What is asked besides is right as far as the document says, so it is the id that is refused. */
static void not_there(const struct endpoint *e, const char *path, const char *headers, const char *body)
{
	const char *method = method_of(e);
	const struct answer *a = asks(method, path, headers, body);

	if (a->status != 404 && a->status != 403 && !is_harmless(e, method))
		wrong("%s %s %.200s: %d %.200s", method, path, body ? body : "", a->status, a->body);
}

/* /customers/{id}/merge and the like, with the other's id. */
static void path_is_refused(const struct endpoint *e)
{
	char *about = about_of(e->path), *path = with_id(e->path, foreign_of(about)), *text = NULL;
	const json_t *schema = body_schema(operation(e->path, method_of(e)));
	unsigned ids = 0;
	json_t *body = schema ? filled(schema, "", about, 0, &ids) : NULL;

	text = body ? json_dumps(body, 0) : NULL;
	not_there(e, path, e->raw ? "Content-Type: text/csv\r\nX-Name: a.csv\r\n" : NULL, e->methods & HTTP_GET ? NULL : e->raw ? "a,b" : text ? text : "{}");
	json_decref(body);
	free(text);
	free(path);
	free(about);
}

/* The same, and endpoints without an id in the path, with the other's ids in the body. */
static void body_is_refused(const struct endpoint *e)
{
	char *about = about_of(e->path), *path, *text;
	const json_t *schema = body_schema(operation(e->path, method_of(e)));
	unsigned ids = 0;
	json_t *body = schema ? filled(schema, "", about, 0, &ids) : NULL;

	if (!ids) {
		json_decref(body);
		free(about);
		return;
	}
	path = strstr(e->path, "{id}") ? with_id(e->path, has_seed(about) ? t.id[first_seed(about)] : 1) : xstrdup(e->path);
	text = json_dumps(body, 0);
	if (is_harmless(e, method_of(e)))
		(void)asks(method_of(e), path, NULL, text);
	else
		refuses(method_of(e), path, NULL, text);
	json_decref(body);
	free(text);
	free(path);
	free(about);
}

/* Lists, and what may be asked about: no id of the other gets an answer. */
static void question_is_not_answered(const struct endpoint *e)
{
	const json_t *op = operation(e->path, "GET");
	json_t *p;
	size_t i;

	if (!strcmp(e->path, "/events")) /* it does not end */
		return;
	(void)asks("GET", e->path, NULL, NULL);
	json_array_foreach(json_object_get(op, "parameters"), i, p) {
		const char *name = json_string_value(json_object_get(p, "name"));

		if (name && is_id(name))
			(void)asks("GET", path_to("%s?%s=%lld", e->path, name, (long long)foreign_of(name)), NULL, NULL);
	}
}

TEST(over_http_no_endpoint_reaches_another_centre)
{
	wrong_n = 0;
	begin();
	remember();
	for (size_t i = 0; i < api_endpoint_n; i++) {
		const struct endpoint *e = &api_endpoints[i];

		if (e->page || strstr(e->path, "{resource}"))
			continue;
		if (strstr(e->path, "{id}"))
			path_is_refused(e);
		else if (e->methods & HTTP_GET)
			question_is_not_answered(e);
		if (!(e->methods & HTTP_GET))
			body_is_refused(e);
	}
	end();
}
