/*
 * What somebody sees of rows that he may read: secrets nobody, what is masked in part, what a role hides not at all; neither shown nor found
 * nor guessed by order or condition. And every field is sorted by and asked for with every operator, which runs the SQL of both databases.
 */
#include "walk.h"

/* Which operator is for which type, with something to ask. */
static const struct {
	const char *op;
	enum res_type type;
	const char *value;
} asks[] = {
	{"", RES_TEXT, "x"}, {"in", RES_TEXT, "x,y"}, {"not", RES_TEXT, "x"}, {"empty", RES_TEXT, "true"}, {"has", RES_TEXT, "x"}, {"starts", RES_TEXT, "x"},
	{"", RES_INT, "1"}, {"in", RES_INT, "1,2"}, {"not", RES_INT, "1"}, {"empty", RES_INT, "false"}, {"gte", RES_INT, "1"}, {"lte", RES_INT, "1"},
	{"", RES_BOOL, "true"}, {"empty", RES_BOOL, "true"},
	{"", RES_ENUM, NULL}, {"in", RES_ENUM, NULL}, {"not", RES_ENUM, NULL}, {"empty", RES_ENUM, "true"},
	{"", RES_REF, "7"}, {"in", RES_REF, "7,8"}, {"not", RES_REF, "7"}, {"empty", RES_REF, "true"},
	{"", RES_ID, "7"}, {"in", RES_ID, "7,8"}, {"not", RES_ID, "7"}, {"empty", RES_ID, "true"},
	{"", RES_KEY, "agent"}, {"in", RES_KEY, "agent,qa"}, {"not", RES_KEY, "agent"}, {"empty", RES_KEY, "true"},
	{"", RES_TIME, "1700000000000"}, {"empty", RES_TIME, "true"}, {"gte", RES_TIME, "2023-11-14"}, {"lte", RES_TIME, "1700000000000"}, {"rel", RES_TIME, "today"},
	{"", RES_SET, NULL}, {"empty", RES_SET, "true"}, {"any", RES_SET, NULL}, {"all", RES_SET, NULL},
};
static const char *const ops[] = {"", "in", "not", "empty", "has", "starts", "gte", "lte", "rel", "any", "all", "no_such_operator"};

/* NULL: the field has no such operator. */
static const char *ask_of(const struct res_field *f, const char *op)
{
	if ((f->flags & RES_TAGS) && (!strcmp(op, "any") || !strcmp(op, "all")))
		return "vip,new";
	for (size_t i = 0; i < ARRAY_LEN(asks); i++)
		if (asks[i].type == f->type && !strcmp(asks[i].op, op))
			return asks[i].value ? asks[i].value : f->options[0].value;
	return NULL;
}

static json_t *centre_wide(void)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:b}", "read", "centre", "write", "centre", "remove", "centre", "export", 1, "import", 1);
}

/* How many rows he is shown; -1: refused. */
static int rows(struct walk *w, const struct res_def *d, const char *q, const char *sort, const json_t *filters, json_t **ret)
{
	json_t *page = NULL;
	int r, n;

	forget(w);
	r = res_list(&page, &w->c, d, q, sort, 1000, 0, filters);
	assert_true(r >= 0);
	n = r ? -1 : (int)json_array_size(json_object_get(page, "items"));
	if (ret)
		*ret = json_incref(json_object_get(page, "items"));
	json_decref(page);
	return n;
}

/* Every other time the other way round. */
static bool sorts(struct walk *w, const struct res_def *d, const char *name)
{
	static bool down;
	char *sort = xasprintf("%s%s", (down = !down) ? "-" : "", name);
	bool may = rows(w, d, NULL, sort, NULL, NULL) >= 0;

	if (!may && strcmp(said(w, "sort"), "unknown") != 0 && strcmp(said(w, "sort"), "range") != 0)
		wrong("%s by %s: %s", d->name, sort, why_not(w));
	free(sort);
	return may;
}

/* One condition with @op on each field that has it, all in one question; those that have it not are each named. */
static void asks_all(struct walk *w, const struct res_def *d, const char *op, bool (*open)(const struct res_field *f, const char *op))
{
	json_t *can = json_object(), *cannot = json_object(), *v;
	const char *key;

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		const char *value = open(f, op) ? ask_of(f, op) : NULL;
		char *name = *op ? xasprintf("%s.%s", f->name, op) : xstrdup(f->name);

		(void)json_object_set_new(value ? can : cannot, name, json_string(value ? value : "x"));
		free(name);
	}
	if (json_object_size(can) && rows(w, d, NULL, NULL, can, NULL) < 0)
		wrong("%s does not answer %s: %s", d->name, shown(can), why_not(w));
	if (json_object_size(cannot) && rows(w, d, NULL, NULL, cannot, NULL) >= 0)
		wrong("%s answers %s", d->name, shown(cannot));
	json_object_foreach(cannot, key, v)
		if (strcmp(said(w, key), "unknown") != 0)
			wrong("%s answers %s: '%s'", d->name, key, said(w, key));
	json_decref(can);
	json_decref(cannot);
}

static bool open_to_all(const struct res_field *f, const char *op)
{
	return true;
}

static bool open_to_masked(const struct res_field *f, const char *op)
{
	return !(f->flags & RES_MASKED) || !*op || !strcmp(op, "empty"); /* a whole number one knows already */
}

static bool open_to_none(const struct res_field *f, const char *op)
{
	return false;
}

static const struct res_field *label_of(const struct res_field *f)
{
	const struct res_def *d = f->type == RES_REF || f->type == RES_KEY ? res_find(f->ref) : NULL;
	int i = d && d->label ? res_field_find(d, d->label) : -1;

	return i >= 0 ? &d->fields[i] : NULL;
}

static bool is_masked(const struct res_field *f)
{
	const struct res_field *label = label_of(f);

	return (f->flags & RES_MASKED) || (label && (label->flags & RES_MASKED));
}

/* ---- secrets, and all that has an order ---- */

static void secrets_stay(struct walk *w, const struct res_def *d)
{
	json_t *row = NULL;

	assert_int_equal(tried(&row, w, d, w->id[first_seed(d->name)], NULL, READ), 0);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		bool no_order = f->type == RES_SECRET || f->type == RES_JSON || (f->type == RES_TEXT && f->max > 1000);

		if (sorts(w, d, f->name) == no_order)
			wrong("%s by %s: %s", d->name, f->name, why_not(w));
		if (f->type == RES_SECRET && json_object_get(row, f->name))
			wrong("%s.%s is shown", d->name, f->name);
	}
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		asks_all(w, d, ops[i], open_to_all);
	assert_false(sorts(w, d, "no_such_field"));
	assert_false(sorts(w, d, "centre_id"));
	assert_false(sorts(w, d, "id; DROP TABLE users"));
	json_decref(row);
}

TEST(every_field_has_an_order_and_its_operators_but_secrets_have_none)
{
	each_resource(secrets_stay);
}

/* ---- masked ---- */

/* Six characters of the middle find the row for who sees all, and nobody for who sees a part. */
static void middle_finds_nothing(struct walk *w, const struct res_def *d, const char *value)
{
	char middle[7] = "";
	size_t n = strlen(value);
	const struct res_rights *masked = w->who.rights;

	if (n < 10)
		return;
	memcpy(middle, value + n - 8, 6);
	if (rows(w, d, middle, NULL, NULL, NULL) != rows(w, d, "000999", NULL, NULL, NULL))
		wrong("%s finds %s of %s for who sees no numbers", d->name, middle, value);
	w->who.rights = &people_rights_shipped("admin")->res;
	if (rows(w, d, middle, NULL, NULL, NULL) <= 0)
		wrong("%s does not find %s of %s", d->name, middle, value);
	w->who.rights = masked;
}

static void masks_hold(struct walk *w, const struct res_def *d)
{
	json_t *all = NULL, *part = NULL;
	bool any = false;
	int64_t id = w->id[first_seed(d->name)];

	assert_int_equal(tried(&all, w, d, id, NULL, READ), 0);
	w->who.rights = rights_of(json_pack("[s]", "pool"), json_pack("{s:o}", "*", centre_wide()));
	assert_int_equal(tried(&part, w, d, id, NULL, READ), 0);
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		const char *was = json_string_value(json_object_get(all, f->name)), *is = json_string_value(json_object_get(part, f->name));

		any |= (f->flags & RES_MASKED) != 0;
		if (is_masked(f) && sorts(w, d, f->name))
			wrong("%s is sorted by %s for who sees no numbers", d->name, f->name);
		if (!(f->flags & RES_MASKED) || !was)
			continue;
		if (!is || !strcmp(was, is) || !strchr(is, '*'))
			wrong("%s.%s is %s for who sees no numbers", d->name, f->name, is);
		if (f->flags & RES_SEARCH)
			middle_finds_nothing(w, d, was);
	}
	for (size_t i = 0; any && i < ARRAY_LEN(ops); i++)
		asks_all(w, d, ops[i], open_to_masked);
	w->who.rights = &people_rights_shipped("admin")->res;
	json_decref(all);
	json_decref(part);
}

TEST(what_is_masked_is_seen_sorted_and_searched_by_nobody_without_the_right)
{
	each_resource(masks_hold);
}

/* ---- hidden and fixed by the role ---- */

static json_t *names_of(const struct res_def *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->field_n; i++)
		(void)json_array_append_new(list, json_string(d->fields[i].name));
	return list;
}

static void as(struct walk *w, const struct res_def *d, const char *how)
{
	json_t *grants = json_pack("{s:o, s:o}", "*", centre_wide(), d->name, centre_wide());

	(void)json_object_set_new(json_object_get(grants, d->name), how, names_of(d));
	w->who.rights = rights_of(json_pack("[s]", "*"), grants);
}

static void shows_nothing(const struct res_def *d, const json_t *row)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)row, key, v)
		if (strcmp(key, "id") && strcmp(key, "rev") && strcmp(key, "created_ms") && strcmp(key, "updated_ms") &&
		    (!d->child || strcmp(key, d->child->columns[0].name) != 0))
			wrong("%s shows %s, which is hidden", d->name, key);
}

/* What names a row is hidden beside references to it, too: in the list, in its order and in what is searched. */
static void labels_are_hidden(struct walk *w, const struct res_def *hidden)
{
	for (size_t k = 0; res_all[k]; k++) {
		const struct res_def *d = res_now(res_all[k], w->centre);
		json_t *items, *row;
		size_t j;

		for (size_t i = 0; i < d->field_n; i++) {
			const struct res_field *f = &d->fields[i];
			char *label = xasprintf("%s_label", f->name);

			if (label_of(f) && d != hidden && !strcmp(f->ref, hidden->name)) {
				(void)rows(w, d, NULL, NULL, NULL, &items);
				json_array_foreach(items, j, row)
					if (json_object_get(row, label))
						wrong("%s shows %s, which is hidden among %s", d->name, label, hidden->name);
				json_decref(items);
				if (sorts(w, d, f->name))
					wrong("%s is sorted by %s, whose label is hidden among %s", d->name, f->name, hidden->name);
			}
			free(label);
		}
	}
}

static int exported(void *arg, const json_t *row)
{
	shows_nothing(arg, row);
	return 0;
}

static void hides(struct walk *w, const struct res_def *d)
{
	size_t seed = first_seed(d->name);
	json_t *all = NULL, *row = NULL, *items, *v;
	const char *q, *key;
	int64_t n;
	size_t i;

	assert_int_equal(tried(&all, w, d, w->id[seed], NULL, READ), 0);
	as(w, d, "hidden");
	assert_int_equal(tried(&row, w, d, w->id[seed], NULL, READ), 0);
	shows_nothing(d, row);
	json_decref(row);
	if (rows(w, d, NULL, NULL, NULL, &items) <= 0) /* by the declaration's order, which is hidden, too */
		wrong("%s has no list when all is hidden: %s", d->name, why_not(w));
	json_array_foreach(items, i, v)
		shows_nothing(d, v);
	json_decref(items);
	forget(w);
	assert_int_equal(res_walk(&n, &w->c, d, NULL, NULL, NULL, exported, (void *)(uintptr_t)d), 0);
	for (i = 0; i < d->field_n; i++)
		if (sorts(w, d, d->fields[i].name))
			wrong("%s is sorted by %s, which is hidden", d->name, d->fields[i].name);
	for (i = 0; i < ARRAY_LEN(ops); i++)
		asks_all(w, d, ops[i], open_to_none);
	q = d->label ? json_string_value(json_object_get(all, d->label)) : NULL;
	if (q && rows(w, d, q, NULL, NULL, NULL) != rows(w, d, "zzqqzz", NULL, NULL, NULL))
		wrong("%s finds %s, which is hidden", d->name, q);
	(void)tried(NULL, w, d, w->id[seed], json_incref(all), UPDATE);
	for (i = 0; !d->closed && i < d->field_n; i++) {
		key = d->fields[i].name;
		if (json_object_get(all, key) && strcmp(said(w, key), "unknown") != 0)
			wrong("%s.%s is hidden, and writing it says '%s'", d->name, key, said(w, key));
	}
	json_decref(all);
	if (d->label)
		labels_are_hidden(w, d);
	w->who.rights = &people_rights_shipped("admin")->res;
}

TEST(what_a_role_hides_is_not_shown_found_or_guessed)
{
	each_resource(hides);
}

/* What a page would send back. A field that became required later is asked for where somebody writes it, so an empty one is left out. */
static json_t *back(const struct res_def *d, const json_t *row)
{
	json_t *body = json_copy((json_t *)(uintptr_t)row);

	for (size_t i = 0; i < d->field_n; i++)
		if ((d->fields[i].flags & RES_CUSTOM) && json_is_null(json_object_get(row, d->fields[i].name)))
			(void)json_object_del(body, d->fields[i].name);
	return body;
}

/* What is seen and may be sent back as it is, but not be changed. */
static void keeps(struct walk *w, const struct res_def *d)
{
	size_t seed = first_seed(d->name);
	json_t *row = NULL, *same = NULL;

	as(w, d, "fixed");
	assert_int_equal(tried(&row, w, d, w->id[seed], NULL, READ), 0);
	if (!d->closed && tried(&same, w, d, w->id[seed], back(d, row), UPDATE))
		wrong("%s does not take back what it showed: %s", d->name, why_not(w));
	if (same && !json_equal(json_object_get(same, "rev"), json_object_get(row, "rev")))
		wrong("%s is another when it is sent back as it was", d->name);
	json_decref(row);
	json_decref(same);
	for (size_t i = 0; !d->closed && i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *v = f->type == RES_BOOL ? json_boolean(!(f->fallback && !strcmp(f->fallback, "true"))) : f->type == RES_INT ? json_integer(f->max ? f->max : 7)
			    : f->type == RES_TEXT && !(f->flags & (RES_NUMBER | RES_DAY)) ? json_string("other") : NULL;

		if (!v || (f->flags & RES_READONLY) || (f->max && f->type == RES_TEXT && f->max < 5)) {
			json_decref(v);
			continue;
		}
		if (!tried(NULL, w, d, w->id[seed], pack1(f->name, v), UPDATE) || strcmp(said(w, f->name), "readonly") != 0)
			wrong("%s.%s is fixed and changes: %s", d->name, f->name, why_not(w));
	}
	w->who.rights = &people_rights_shipped("admin")->res;
}

TEST(what_a_role_fixes_is_shown_and_stays)
{
	each_resource(keeps);
}

/* A page sends back what it was shown, masked or whole; nothing is changed by it. */
static void takes_back(struct walk *w, const struct res_def *d)
{
	for (int masked = 0; masked < 2; masked++)
		for (size_t i = 0; !d->closed && i < seed_n; i++) {
			json_t *row = NULL, *same = NULL;

			if (strcmp(seeds[i].d, d->name) != 0 || (d->personal && seeds[i].level != OWN))
				continue;
			w->who.rights = masked ? rights_of(json_pack("[s, s]", "pool", "notes"), json_pack("{s:o}", "*", centre_wide())) : &people_rights_shipped("admin")->res;
			assert_int_equal(tried(&row, w, d, w->id[i], NULL, READ), 0);
			if (tried(&same, w, d, w->id[i], back(d, row), UPDATE) && strcmp(w->error.code, "more_than_own") != 0)
				wrong("%s %s does not take back what it showed: %s", d->name, seeds[i].as, why_not(w));
			if (same && !json_equal(json_object_get(same, "rev"), json_object_get(row, "rev")))
				wrong("%s %s is another when it is sent back as it was", d->name, seeds[i].as);
			json_decref(row);
			json_decref(same);
		}
	w->who.rights = &people_rights_shipped("admin")->res;
}

TEST(a_row_sent_back_as_it_was_shown_is_no_change)
{
	each_resource(takes_back);
}

/* ---- whose a row is ---- */

static void assigns(struct walk *w, const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!(f->flags & RES_ASSIGN) || d->closed)
			continue;
		w->who.rights = rights_of(json_pack("[s]", "numbers"), json_pack("{s:o}", "*", centre_wide()));
		if (!tried(NULL, w, d, w->id[first_seed(d->name)], pack1(f->name, idj(w->id[first_seed(f->ref) + 1])), UPDATE) ||
		    strcmp(said(w, f->name), "readonly") != 0)
			wrong("%s.%s is given away without the right: %s", d->name, f->name, why_not(w));
		w->who.rights = &people_rights_shipped("admin")->res;
	}
}

TEST(whose_a_row_is_says_who_may_assign)
{
	each_resource(assigns);
}
