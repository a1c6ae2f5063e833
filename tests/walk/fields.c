/* Every field takes what its declaration allows and refuses, by name, what it does not, as in a form. The values are those of values.c. */
#include "walk.h"

/* What else a new row's form holds, where a row of the walk is no form. */
static const struct {
	const char *resource, *body;
} forms[] = {
	{"notes", "{'customer_id':'$c_me','text':'n'}"},
	{"custom_fields", "{'zh':'another','key':'another'}"},
	{"views", "{'resource':'customers','name':'mine'}"},
	{"list_prefs", "{'resource':'queues'}"},
};

/* Others are there once in each centre, or come from desks; they are only changed. */
static bool made_here(const struct res_def *d)
{
	return !d->closed && seeds[first_seed(d->name)].body && strcmp(d->name, "faults") != 0 && strcmp(d->name, "call_sounds") != 0;
}

/* ---- forms ---- */

static json_t *fresh(const struct walk *w, const struct res_def *d, const struct res_field *f)
{
	json_t *list = taken(w, d, f), *v = json_incref(json_array_get(list, json_array_size(list) - 1));

	json_decref(list);
	return v;
}

/* Gives @names of a group another value than the row that is there has. */
static void make_unlike(json_t *body, const struct walk *w, const struct res_def *d, const char *names)
{
	while (*names) {
		size_t n = strcspn(names, ",");
		char *name = xstrndup(names, n);
		const struct res_field *f = &d->fields[res_field_find(d, name)];

		if ((f->type == RES_TEXT || f->type == RES_REF) && !f->fallback && (json_object_get(body, name) || !f->show_if))
			(void)json_object_set_new(body, name, fresh(w, d, f));
		free(name);
		names += n + (names[n] == ',');
	}
}

/* What a form would send for a new row that nothing is wrong with. */
static json_t *form_of(const struct walk *w, const struct res_def *d)
{
	const char *text = seeds[first_seed(d->name)].body;
	json_t *body;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (!strcmp(forms[i].resource, d->name))
			text = forms[i].body;
	body = body_of(w->id, text);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if ((f->flags & RES_UNIQUE) && !(f->flags & RES_READONLY) && json_object_get(body, f->name))
			(void)json_object_set_new(body, f->name, fresh(w, d, f));
		else if ((f->flags & RES_REQUIRED) && !f->fallback && !f->show_if && !json_object_get(body, f->name))
			(void)json_object_set_new(body, f->name, fresh(w, d, f));
	}
	for (size_t i = 0; d->unique && d->unique[i] && text == seeds[first_seed(d->name)].body; i++)
		make_unlike(body, w, d, d->unique[i]);
	return body;
}

/* The same for a row of the walk that is changed; what shows @f is set besides. */
static json_t *body_for(const struct walk *w, const struct res_def *d, const struct res_field *f, bool create)
{
	const struct sample *s = sample_of(d, f);
	json_t *body = create ? form_of(w, d) : json_object(), *with;

	show(f, body);
	if (s && s->with) {
		with = body_of(w->id, s->with);
		(void)json_object_update(body, with);
		json_decref(with);
	}
	return body;
}

static bool is_own_id(const struct walk *w, const struct res_def *d, const struct res_field *f, const json_t *v)
{
	return f->type == RES_REF && !strcmp(f->ref, d->name) && strtoll(json_string_value(v), NULL, 10) == w->id[first_seed(d->name)];
}

static void takes(struct walk *w, const struct res_def *d, const struct res_field *f, json_t *v, bool create)
{
	json_t *body, *row = NULL;

	if (!create && is_own_id(w, d, f, v))
		return; /* a circle */
	body = body_for(w, d, f, create);
	(void)json_object_set(body, f->name, v);
	if (tried(&row, w, d, create ? 0 : w->id[first_seed(d->name)], body, create ? CREATE : UPDATE))
		wrong("%s.%s does not take %s: %s", d->name, f->name, shown(v), why_not(w));
	else if (f->type == RES_SECRET ? json_object_get(row, f->name) != NULL : !json_equal(json_object_get(row, f->name), v))
		wrong("%s.%s was given %s and is %s", d->name, f->name, shown(v), shown(json_object_get(row, f->name)));
	json_decref(row);
}

/* What shows it can only be said of a new row. */
static bool shown_by_fixed(const struct res_def *d, const struct res_field *f)
{
	json_t *by = json_object();
	const char *name;
	json_t *v;
	bool fixed = false;

	show(f, by);
	json_object_foreach(by, name, v)
		fixed |= (d->fields[res_field_find(d, name)].flags & RES_CREATE_ONLY) != 0;
	json_decref(by);
	return fixed;
}

static void takes_what_is_right(struct walk *w, const struct res_def *d)
{
	bool create = made_here(d);
	json_t *list, *v;
	size_t k;

	for (size_t i = 0; !d->closed && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (f->flags & RES_READONLY)
			continue;
		list = taken(w, d, f);
		json_array_foreach(list, k, v)
			takes(w, d, f, v, create);
		if (create && !(f->flags & (RES_CREATE_ONLY | RES_UNIQUE)) && json_array_size(list) && !shown_by_fixed(d, f))
			takes(w, d, f, json_array_get(list, 0), false);
		json_decref(list);
	}
}

TEST(every_field_takes_what_its_declaration_allows)
{
	each_resource(takes_what_is_right);
}

/* ---- refusals ---- */

static void expect(struct walk *w, const struct res_def *d, const char *field, const json_t *v, const char *code)
{
	if (strcmp(said(w, field), code) != 0)
		wrong("%s.%s and %s: '%s', wanted '%s' (%s)", d->name, field, shown(v), said(w, field), code, why_not(w));
}

static bool internal(const struct res_field *f)
{
	return f->type == RES_SECRET && (f->flags & RES_READONLY);
}

/* The @k-th wrong value of every field in one form: everything is named at once. False: no field has so many. */
static bool refuses_together(struct walk *w, const struct res_def *d, size_t k, bool create)
{
	json_t *body = create ? form_of(w, d) : json_object(), *wanted = json_object(), *list, *one, *code;
	const char *name;
	bool any = false;

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		list = refused(w, d, f);
		one = json_array_get(list, k);
		any |= one != NULL;
		if (json_array_size(one) == 2) {
			(void)json_object_set(body, f->name, json_array_get(one, 0));
			(void)json_object_set_new(wanted, f->name, internal(f) ? json_string("unknown") : json_incref(json_array_get(one, 1)));
		}
		json_decref(list);
	}
	if (json_object_size(wanted) && !tried(NULL, w, d, create ? 0 : w->id[first_seed(d->name)], json_incref(body), create ? CREATE : UPDATE))
		wrong("%s takes %s", d->name, shown(body));
	json_object_foreach(wanted, name, code)
		expect(w, d, name, json_object_get(body, name), json_string_value(code));
	json_decref(wanted);
	json_decref(body);
	return any;
}

/* What only hooks and the database find wrong. */
static void refuses_later(struct walk *w, const struct res_def *d, const struct res_field *f, bool create)
{
	json_t *list = refused(w, d, f), *one, *body;
	size_t i;

	json_array_foreach(list, i, one) {
		bool fixed = !create && (f->flags & RES_CREATE_ONLY);

		if (json_array_size(one) == 2 || (!create && !fixed && shown_by_fixed(d, f)))
			continue;
		body = fixed ? json_object() : body_for(w, d, f, create);
		(void)json_object_set(body, f->name, json_array_get(one, 0));
		if (!tried(NULL, w, d, create ? 0 : w->id[first_seed(d->name)], body, create ? CREATE : UPDATE))
			wrong("%s.%s takes %s", d->name, f->name, shown(json_array_get(one, 0)));
		else
			expect(w, d, f->name, json_array_get(one, 0),
			       f->flags & RES_READONLY ? "readonly" : fixed ? "create_only" : json_string_value(json_array_get(one, 1)));
	}
	json_decref(list);
}

static void refuses_what_is_wrong(struct walk *w, const struct res_def *d)
{
	bool create = made_here(d);

	if (d->closed)
		return;
	for (size_t k = 0; create && refuses_together(w, d, k, true); k++)
		;
	for (size_t k = 0; refuses_together(w, d, k, false); k++)
		;
	for (size_t i = 0; i < d->field_n; i++) {
		if (create)
			refuses_later(w, d, &d->fields[i], true);
		refuses_later(w, d, &d->fields[i], false);
	}
}

TEST(every_field_refuses_what_it_does_not_allow_and_all_are_named)
{
	each_resource(refuses_what_is_wrong);
}

/* ---- what must be there, what may not be set, what is there already ---- */

static void need_it(struct walk *w, const struct res_def *d, const struct res_field *f)
{
	json_t *empty[] = {NULL, json_null(), f->type == RES_INT || f->type == RES_BOOL || f->type == RES_TIME || f->type == RES_JSON ? NULL : json_string(""),
			   f->type == RES_TEXT ? json_string("   ") : NULL};

	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		json_t *body;

		if (i && !empty[i])
			continue;
		body = body_for(w, d, f, true);
		(void)json_object_del(body, f->name);
		if (i)
			(void)json_object_set(body, f->name, empty[i]);
		if (!tried(NULL, w, d, 0, body, CREATE) || strcmp(said(w, f->name), "required") != 0)
			wrong("%s.%s is required, and %s is taken: %s", d->name, f->name, shown(empty[i]), why_not(w));
		json_decref(empty[i]);
	}
}

/* What the program sets, and what stays as it was made. */
static void keeps_it(struct walk *w, const struct res_def *d, const struct res_field *f)
{
	const char *code = f->flags & RES_READONLY ? internal(f) ? "unknown" : "readonly" : "create_only";
	json_t *list = taken(w, d, f), *row = NULL, *v;
	size_t i;

	assert_int_equal(tried(&row, w, d, w->id[first_seed(d->name)], NULL, READ), 0);
	json_array_foreach(list, i, v) {
		if (json_equal(v, json_object_get(row, f->name)))
			continue;
		if (!tried(NULL, w, d, w->id[first_seed(d->name)], pack1(f->name, json_incref(v)), UPDATE) || strcmp(said(w, f->name), code) != 0)
			wrong("%s.%s changes to %s: %s", d->name, f->name, shown(v), why_not(w));
		if ((f->flags & RES_READONLY) && made_here(d)) {
			json_t *body = form_of(w, d);

			(void)json_object_set(body, f->name, v);
			if (!tried(NULL, w, d, 0, body, CREATE) || strcmp(said(w, f->name), code) != 0)
				wrong("a new row's %s.%s is %s: %s", d->name, f->name, shown(v), why_not(w));
		}
	}
	json_decref(list);
	json_decref(row);
}

/* What the row of the walk has already. @names: "a,b". */
static void has_it_once(struct walk *w, const struct res_def *d, const char *names)
{
	char *first = xstrndup(names, strcspn(names, ","));
	json_t *body = form_of(w, d), *row = NULL;

	assert_int_equal(tried(&row, w, d, w->id[first_seed(d->name)], NULL, READ), 0);
	for (const char *p = names; *p;) {
		size_t n = strcspn(p, ",");
		char *name = xstrndup(p, n);

		if (!(d->fields[res_field_find(d, name)].flags & RES_READONLY)) /* the program fills it in */
			(void)json_object_set(body, name, json_object_get(row, name));
		free(name);
		p += n + (p[n] == ',');
	}
	if (!tried(NULL, w, d, 0, body, CREATE) || strcmp(said(w, first), "unique") != 0)
		wrong("%s.%s is there twice: %s", d->name, names, why_not(w));
	json_decref(row);
	free(first);
}

/* What no declaration has, and what comes with every row but is nobody's to write. */
static void knows_its_names(struct walk *w, const struct res_def *d)
{
	json_t *body = json_pack("{s:i, s:s, s:i, s:i, s:s, s:s, s:s}", "no_such_field", 1, "id", "1", "rev", 99, "updated_ms", 1, "centre_id", "1",
				 "x_no_such_field", "1", "", "1");
	const char *name;
	json_t *v;

	json_incref(body);
	(void)tried(NULL, w, d, w->id[first_seed(d->name)], body, UPDATE);
	json_object_foreach(body, name, v)
		expect(w, d, name, v, !strcmp(name, "id") || !strcmp(name, "rev") || !strcmp(name, "updated_ms") ? "readonly" : "unknown");
	json_decref(body);
	for (size_t i = 0; i < d->field_n; i++)
		if (d->fields[i].type == RES_REF) {
			char *label = xasprintf("%s_label", d->fields[i].name);

			(void)tried(NULL, w, d, w->id[first_seed(d->name)], pack1(label, json_string("somebody else")), UPDATE);
			expect(w, d, label, NULL, "readonly");
			free(label);
		}
}

static void keeps_its_rules(struct walk *w, const struct res_def *d)
{
	if (d->closed)
		return;
	knows_its_names(w, d);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (f->flags & (RES_READONLY | RES_CREATE_ONLY))
			keeps_it(w, d, f);
		if ((f->flags & RES_REQUIRED) && !f->fallback && made_here(d))
			need_it(w, d, f);
		if ((f->flags & RES_UNIQUE) && made_here(d))
			has_it_once(w, d, f->name);
	}
	for (size_t i = 0; d->unique && d->unique[i] && made_here(d); i++)
		has_it_once(w, d, d->unique[i]);
}

TEST(what_is_required_is_required_what_is_fixed_stays_and_what_is_unique_is_there_once)
{
	each_resource(keeps_its_rules);
}

/* ---- somebody was faster ---- */

static void refuses_stale_edits(struct walk *w, const struct res_def *d)
{
	int64_t id = w->id[first_seed(d->name)], rev;
	json_t *row = NULL, *patch = body_of(w->id, patch_of(first_seed(d->name)));

	assert_int_equal(tried(&row, w, d, id, NULL, READ), 0);
	rev = json_integer_value(json_object_get(row, "rev"));
	for (int64_t stale = rev - 1; !d->closed && stale <= rev + 1; stale += 2)
		for (int remove = 0; remove < 2; remove++) {
			json_t *out = NULL;

			forget(w);
			assert_int_equal(db_begin(w->db), 0);
			if ((remove ? res_delete(&w->c, d, id, stale) : res_update(&out, &w->c, d, id, patch, stale)) <= 0 || w->error.status != 409 ||
			    strcmp(w->error.code, "conflict") != 0)
				wrong("%s with rev %lld of %lld: %s", d->name, (long long)stale, (long long)rev, why_not(w));
			if (!json_equal(w->error.current, row))
				wrong("%s: who was late is not shown the row as it is: %s", d->name, shown(w->error.current));
			db_rollback(w->db);
		}
	json_decref(row);
	json_decref(patch);
}

TEST(a_stale_edit_is_refused_and_shown_the_row_as_it_is)
{
	each_resource(refuses_stale_edits);
}

/* ---- many rows at once ---- */

static void bulk_says(struct walk *w, const struct res_def *d, const struct res_field *f, const json_t *v, const char *code)
{
	bool hidden = f->type == RES_SECRET, fixed = f->flags & (RES_READONLY | RES_CREATE_ONLY);
	json_t *patch = pack1(f->name, json_incref((json_t *)(uintptr_t)v));

	forget(w);
	(void)res_bulk_check(&w->c, d, patch);
	expect(w, d, f->name, v, hidden ? "unknown" : f->flags & RES_UNIQUE ? "unique" : fixed ? "readonly" : code);
	json_decref(patch);
}

static void bulk_refuses(struct walk *w, const struct res_def *d)
{
	json_t *list, *v;
	size_t k;

	for (size_t i = 0; !d->closed && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		list = refused(w, d, f);
		json_array_foreach(list, k, v)
			if (json_array_size(v) == 2) /* what is later refuses row by row */
				bulk_says(w, d, f, json_array_get(v, 0), json_string_value(json_array_get(v, 1)));
		json_decref(list);
		list = taken(w, d, f);
		json_array_foreach(list, k, v)
			bulk_says(w, d, f, v, "");
		json_decref(list);
	}
}

TEST(a_change_of_many_rows_takes_and_refuses_what_a_form_does)
{
	each_resource(bulk_refuses);
}
