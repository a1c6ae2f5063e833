/* Rows of resources that rows.c does not name, as their declarations want them. */
#include "walk.h"

const struct res_field *field_of(const struct res_def *d, const char *column)
{
	for (size_t i = 0; column && i < d->field_n; i++)
		if (!strcmp(res_column(&d->fields[i]), column))
			return &d->fields[i];
	return NULL;
}

/* A row of the centre, or any: what hangs on it is seen with it. */
static const char *far_row(const char *resource)
{
	for (size_t i = first_seed(resource); i < seed_n; i++)
		if (!strcmp(seeds[i].d, resource) && seeds[i].level == CENTRE)
			return seeds[i].as;
	return seeds[first_seed(resource)].as;
}

/* The first that hooks take, or NULL: they want nothing particular. */
static json_t *sample_value(const struct res_def *d, const struct res_field *f)
{
	const struct sample *s = sample_of(d, f);
	char *text = s && s->valid ? xstrdup(s->valid) : NULL;
	json_t *list, *v;

	for (char *p = text; p && *p; p++)
		*p = *p == '\'' ? '"' : *p;
	list = text ? json_loads(text, 0, NULL) : NULL;
	v = json_incref(json_array_get(list, 0));
	json_decref(list);
	free(text);
	return v;
}

static json_t *some_value(const struct res_def *d, const struct res_field *f)
{
	json_t *v = sample_value(d, f);
	int64_t max = f->max ? f->max : 64;
	char text[128];

	if (v)
		return v;
	switch (f->type) {
	case RES_INT:
		return json_integer(f->min);
	case RES_TIME:
		return json_integer(1700000000000);
	case RES_BOOL:
		return json_true();
	case RES_ENUM:
		return json_string(f->options[0].value);
	case RES_SET:
		return json_pack("[s]", f->options[0].value);
	case RES_JSON:
		return json_object();
	case RES_REF:
		(void)snprintf(text, sizeof(text), "$%s", far_row(f->ref));
		return json_string(text);
	default:
		(void)snprintf(text, sizeof(text), f->flags & RES_DAY ? "2024-02-29" : f->flags & RES_NUMBER ? "%zu" : "%2$s %1$zu", 1000 + seed_n, d->name);
		if (max < (int64_t)strlen(text))
			text[max] = 0;
		return json_string(text);
	}
}

static void set_column(json_t *body, const struct res_def *d, const char *column, const char *as)
{
	const struct res_field *f = field_of(d, column);

	if (f && as && (by_hand(d) || !(f->flags & RES_READONLY)))
		(void)json_object_set_new(body, f->name, json_sprintf("$%s", as));
}

/* For as long as the program runs. */
static const char *keep(char *text)
{
	static char *kept[3 * SEEDS_MAX];
	static size_t n;

	assert_true(n < ARRAY_LEN(kept));
	return kept[n++] = text;
}

/* "{'name':'x'}" */
static const char *quoted(json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	for (char *p = text; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return keep(text);
}

static const char *derived_patch(const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if ((f->flags & (RES_READONLY | RES_CREATE_ONLY | RES_UNIQUE | RES_NUMBER | RES_DAY)) || f->show_if || sample_of(d, f))
			continue;
		if (f->type == RES_TEXT && (!f->max || f->max >= 7))
			return quoted(json_pack("{s:s}", f->name, "changed"));
		if (f->type == RES_BOOL)
			return quoted(json_pack("{s:b}", f->name, !f->fallback || !!strcmp(f->fallback, "true")));
	}
	return "{}";
}

static void add_derived(const struct res_def *d, enum level level, const char *owner, const char *team, const char *department, const char *parent)
{
	json_t *body = json_object();

	for (size_t i = 0; i < d->field_n; i++)
		if ((d->fields[i].flags & RES_REQUIRED) && !d->fields[i].fallback && !d->fields[i].show_if)
			(void)json_object_set_new(body, d->fields[i].name, some_value(d, &d->fields[i]));
	set_column(body, d, d->owner, owner);
	set_column(body, d, d->personal, owner);
	set_column(body, d, d->team, team);
	set_column(body, d, d->department, department);
	set_column(body, d, d->parent, parent);
	assert_true(seed_n < SEEDS_MAX);
	seeds[seed_n] = (struct seed){d->name, keep(xasprintf("%s_%zu", d->name, seed_n)), level, quoted(body), derived_patch(d)};
	seed_n++;
}

/* Whose rows a declaration may have, a row for each of me, mate, dep, far, and nobody. */
static void add_levels(const struct res_def *d)
{
	static const struct {
		enum level level;
		const char *user, *team, *department;
	} whose[] = {{OWN, "me", "t1", "d1"}, {TEAM, "mate", "t1", "d1"}, {DEPARTMENT, "dep", "t2", "d2"}, {CENTRE, "far", "t3", "d3"}};
	const struct res_field *up = field_of(d, d->parent);
	size_t n = seed_n;

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		enum level l = whose[i].level;

		if (d->owner || d->personal)
			add_derived(d, d->personal && l != OWN ? CENTRE : l, whose[i].user, whose[i].team, whose[i].department, NULL);
		else if (d->team && l != OWN)
			add_derived(d, l, NULL, whose[i].team, whose[i].department, NULL);
		else if (d->department && l > TEAM)
			add_derived(d, l, NULL, NULL, whose[i].department, NULL);
	}
	for (size_t i = 0; up && !d->owner && i < n; i++)
		if (!strcmp(seeds[i].d, up->ref))
			add_derived(d, seeds[i].level, NULL, NULL, NULL, seeds[i].as);
	if (d->open && d->owner)
		add_derived(d, OPEN, NULL, NULL, NULL, NULL);
	if (seed_n == n)
		add_derived(d, CENTRE, NULL, NULL, NULL, NULL);
}

void derive(const struct res_def *d, int depth)
{
	assert_true(depth < 8); /* rows that need each other */
	if (has_seed(d->name))
		return;
	for (size_t i = 0; i < d->field_n; i++)
		if (d->fields[i].type == RES_REF && ((d->fields[i].flags & RES_REQUIRED) || (d->parent && !strcmp(d->fields[i].name, d->parent))))
			derive(res_find(d->fields[i].ref), depth + 1);
	add_levels(d);
}

