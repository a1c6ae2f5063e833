/* The try-it box and test calls of a trunk, and the presets to start from. */
#include "api/api_int.h"

#include "number/region.h"
#include "number/table.h"
#include "people/prefix.h"


/* ---- presets ---- */

void numbers_presets(struct ask *k)
{
	bool zh = strcmp(k->lang, "en") != 0;
	json_t *items = json_array();

	for (size_t i = 0; i < num_preset_n; i++) {
		const struct num_preset *p = &num_presets[i];

		(void)json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "code", p->code, "name", zh ? p->zh : p->en,
							    "help", zh ? p->help_zh : p->help_en, "called", num_form_name(p->called), "shown",
							    num_form_name(p->shown), "from_user", p->from_account ? "account" : "number", "pai",
							    p->pai, "ppi", p->ppi, "rpid", p->rpid));
	}
	api_ok(k, 200, json_pack("{s:o}", "items", items));
}

/* ---- the try-it box: the switch answers ---- */

/* NULL and @answer (NULL: no such trunk), or a code. */
static const char *try_number(struct api *a, const struct sw_trial *t, json_t **answer)
{
	struct api_wait *w;

	*answer = NULL;
	if (!a->sw)
		return "stopping";
	w = api_wait_new();
	return api_wait_for(w, sw_try_number(a->sw, t, api_wait_json, w), NULL, answer);
}

static const char *form_text(const json_t *form, const char *name)
{
	const char *s = json_string_value(json_object_get(form, name));

	return s ? s : "";
}

static bool plain_text(const char *s, const char *chars, size_t max)
{
	return strlen(s) <= max && !s[strspn(s, chars)];
}

/* The form as it stands in the page, before it is saved. False: a field of it is bad. */
static bool take_form(struct sw_trial *t, const json_t *form, const char **bad)
{
	struct num_table *f = &t->form;

	t->has_form = true;
	*bad = NULL;
	if (!num_form_parse(&f->called, form_text(form, "called")))
		*bad = "called";
	else if (!num_form_parse(&f->shown, form_text(form, "shown")))
		*bad = "shown";
	else if (!num_area(f->area, form_text(form, "area")))
		*bad = "area";
	else if (!plain_text(form_text(form, "domain"), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", sizeof(t->domain) - 1))
		*bad = "domain";
	else if (!plain_text(form_text(form, "numbers"), "0123456789+ ", sizeof(t->numbers) - 1))
		*bad = "numbers";
	if (*bad)
		return false;
	(void)str_copy(t->domain, sizeof(t->domain), form_text(form, "domain"));
	(void)str_copy(t->numbers, sizeof(t->numbers), form_text(form, "numbers"));
	f->from_account = !strcmp(form_text(form, "from_user"), "account");
	f->pai = json_is_true(json_object_get(form, "pai"));
	f->ppi = json_is_true(json_object_get(form, "ppi"));
	f->rpid = json_is_true(json_object_get(form, "rpid"));
	f->hide = json_is_true(json_object_get(form, "hide"));
	return true;
}

static bool take_trial(struct ask *k, struct sw_trial *t, json_t **bad)
{
	const char *dir = api_text(k, "dir", 3, true, bad), *number = api_text(k, "number", NUM_TEXT_MAX - 1, true, bad);
	const char *which = api_text(k, "which", 7, false, bad), *user = api_text(k, "user_id", 20, false, bad), *wrong = NULL;
	const json_t *form = json_object_get(k->body, "form");
	char clean[NUM_MAX];

	if (*bad)
		return false;
	t->in = !strcmp(dir, "in");
	t->calling = which && !strcmp(which, "calling");
	if (!t->in && strcmp(dir, "out") != 0)
		*bad = json_pack("{s:s}", "dir", "enum");
	else if (user && *user && !str_to_i64(&t->user_id, user, 1, INT64_MAX))
		*bad = json_pack("{s:s}", "user_id", "format");
	else if (json_is_object(form) && !take_form(t, form, &wrong))
		*bad = json_pack("{s:s}", wrong, "format");
	(void)str_copy(t->number, sizeof(t->number), number);
	if (!t->in && num_clean(clean, number))
		(void)str_copy(t->number, sizeof(t->number), clean); /* as the dial field does */
	return !*bad;
}

static void add_region(struct ask *k, json_t *answer)
{
	char region[128];
	struct num n;

	(void)num_read(&n, form_text(answer, "canonical"), "");
	(void)json_object_set_new(answer, "region", num_region(region, sizeof(region), &n, k->lang) ? json_string(region) : json_null());
	if (*form_text(answer, "refusal"))
		(void)json_object_set_new(answer, "sentence", json_string(api_sentence(form_text(answer, "refusal"), k->lang)));
	else
		(void)json_object_set_new(answer, "sentence", json_null());
}

void numbers_try(struct ask *k)
{
	struct sw_trial t = {0};
	json_t *bad = NULL, *answer;
	const char *code;

	if (!api_path_id(k, &t.trunk_id))
		return;
	if (!take_trial(k, &t, &bad)) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	code = try_number(k->api, &t, &answer);
	if (code || !answer) {
		api_refuse(k, code ? code : "not_found", NULL, NULL);
		return;
	}
	add_region(k, answer);
	api_ok(k, 200, answer);
}

/* ---- where numbers are at home ---- */

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *time_or_null(int64_t ms)
{
	return ms ? json_integer(ms) : json_null();
}

static json_t *region_json(struct ask *k, const char *text)
{
	char shown[NUM_MAX + 8] = "";
	struct num_region r;
	struct num n;

	(void)num_read(&n, text, http_query(k->rq, "area"));
	if (n.kind)
		num_show(shown, sizeof(shown), &n);
	(void)num_region_of(&r, &n, k->lang);
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:o}", "number", n.text, "shown", text_or_null(shown), "kind", num_kind_name(n.kind), "region",
			 text_or_null(r.text), "why", num_region_why_name(r.why), "prefix", text_or_null(r.prefix), "carrier",
			 text_or_null(num_carrier_name(r.place.carrier, k->lang)));
}

/* The table's size and age, and what it says about a number. */
void numbers_region(struct ask *k)
{
	const char *number = http_query(k->rq, "number"), *area = http_query(k->rq, "area");
	struct people_prefixes_info info;
	char code[5];
	int r;

	if ((number && strlen(number) > NUM_TEXT_MAX) || (area && !num_area(code, area))) {
		api_refuse(k, "bad_query", json_pack("{s:s}", number && strlen(number) > NUM_TEXT_MAX ? "number" : "area", "format"), NULL);
		return;
	}
	(void)people_prefixes_refresh(k->db, k->who.centre_id, 0);
	r = people_prefixes_info(&info, k->db, k->who.centre_id);
	if (r) {
		api_failed(k, "number regions", r);
		return;
	}
	api_ok(k, 200, json_pack("{s:{s:I, s:I, s:I, s:o, s:o, s:o}, s:o}", "table", "rows", (json_int_t)info.rows, "bytes", (json_int_t)info.bytes, "load_ms",
				 (json_int_t)info.load_ms, "changed_ms", time_or_null(info.changed_ms), "imported_ms", time_or_null(info.imported_ms), "file",
				 text_or_null(info.file), "answer", number && *number ? region_json(k, number) : json_null()));
}

/* ---- test calls ---- */

void numbers_test(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_TEST_CALL, .user_id = k->who.user_id};
	json_t *bad = NULL;
	const char *number = api_text(k, "number", NUM_TEXT_MAX - 1, true, &bad), *code;
	char clean[NUM_MAX];
	int64_t call_id = 0;

	if (!api_path_id(k, &cmd.trunk_id)) {
		json_decref(bad);
		return;
	}
	cmd.ms = (int32_t)(api_int(k, "seconds", 5, 120, &bad) * 1000);
	if (!bad && !num_clean(clean, number))
		bad = json_pack("{s:s}", "number", "format");
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	(void)str_copy(cmd.number, sizeof(cmd.number), clean);
	code = desk_command(k->api, &cmd, &call_id);
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_ok(k, 200, json_pack("{s:s}", "call_id", arena_printf(k->arena, "%lld", (long long)call_id)));
}

void numbers_test_end(struct ask *k)
{
	struct sw_cmd cmd = {.kind = SW_TEST_END};
	const char *code;

	if (!api_path_id(k, &cmd.call_id))
		return;
	code = desk_command(k->api, &cmd, NULL);
	if (code)
		api_refuse(k, code, NULL, NULL);
	else
		api_none(k);
}

static json_t *step_of(struct db_stmt *st)
{
	json_t *step = json_loads(db_text(st, 0), 0, NULL);
	json_t *sent = db_is_null(st, 1) ? NULL : json_loads(db_text(st, 1), 0, NULL);

	if (step)
		(void)json_object_set_new(step, "sent", sent ? sent : json_null());
	else
		json_decref(sent);
	return step;
}

/* The page asks again and again while the call runs: the records are a tenth of a second behind. */
void numbers_test_get(struct ask *k)
{
	json_t *steps = json_array();
	struct db_stmt *st;
	bool over = false, found;
	int64_t id;
	int r;

	if (!api_path_id(k, &id)) {
		json_decref(steps);
		return;
	}
	r = db_prepare(&st, k->db, "SELECT body, sent FROM test_step WHERE call_id = $1 AND centre_id = $2 ORDER BY n"); /* the primary key */
	if (r) {
		json_decref(steps);
		api_failed(k, "test call", r);
		return;
	}
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	while ((r = db_step(st)) == DB_ROW) {
		json_t *step = step_of(st);

		over |= json_object_get(step, "by") != NULL;
		(void)json_array_append_new(steps, step ? step : json_object());
	}
	db_done(st);
	found = json_array_size(steps) > 0;
	if (r)
		api_failed(k, "test call", r);
	else
		api_ok(k, 200, json_pack("{s:O, s:b, s:b}", "steps", steps, "over", over, "known", found));
	json_decref(steps);
}
