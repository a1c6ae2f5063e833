/*
 * Each role may with each row what its grants say and nothing more. What is expected is computed here from the roles' JSON and from where
 * the walk put the rows, not by the code under test. Where a hook knows better than the declaration, hooks_say names it with its reason.
 */
#include "walk.h"

struct role {
	const char *key;
	json_t *rights, *grants;
};

static bool has_right(const struct role *r, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(r->rights, i, v)
		if (!strcmp(json_string_value(v), name) || !strcmp(json_string_value(v), "*"))
			return true;
	return false;
}

static const json_t *grant_of(const struct role *r, const struct res_def *d)
{
	const json_t *g = json_object_get(r->grants, d->name);

	if (!g && d->group)
		g = json_object_get(r->grants, d->group);
	return g ? g : json_object_get(r->grants, "*");
}

/* 0: none, else the highest level that is reached. What is personal is its owner's, whatever the role. */
static int reach(const struct role *r, const struct res_def *d, const char *what)
{
	static const char *const names[] = {"none", "own", "team", "department", "centre"};
	const char *scope = json_string_value(json_object_get(grant_of(r, d), what));

	if (d->closed && strcmp(what, "read") != 0)
		return 0;
	if (d->personal)
		return OWN;
	for (int i = 0; scope && i < 5; i++)
		if (!strcmp(names[i], scope))
			return i;
	return 0;
}

static bool reached(const struct role *r, const struct res_def *d, const char *what, enum level level)
{
	int n = reach(r, d, what);

	if (level == OPEN)
		return n == CENTRE || (n && !strcmp(what, "read") && has_right(r, "pool"));
	return n >= (int)level;
}

/* What a hook refuses although the grant allows it, by name and reason. The status, or 0. */
static int hooks_say(const struct role *r, const struct seed *s, enum act act, const char *code)
{
	bool mine = !strcmp(s->as, "n_me");

	if (!strcmp(s->d, "notes") && act == REMOVE)
		return 403; /* what was said was said */
	if (!strcmp(s->d, "notes") && act == UPDATE && !mine && !has_right(r, "notes"))
		return 403; /* words of another are corrected with a right of its own */
	if (!strcmp(s->d, "users") && code && !strcmp(code, "more_than_own"))
		return 403; /* an agent's role holds what this one lacks: nobody changes who has more */
	if ((!strcmp(s->d, "roles") || !strcmp(s->d, "tokens")) && code && !strcmp(code, "more_than_own"))
		return 403; /* nor hands more out by a role or a token */
	return 0;
}

static void check_row(struct walk *w, const struct role *r, size_t i, enum act act)
{
	static const char *const words[] = {"read", "write", "remove"};
	const struct seed *s = &seeds[i];
	const struct res_def *d = res_find(s->d);
	bool may = reached(r, d, words[act], s->level), sees = reached(r, d, "read", s->level);
	int got = tried(NULL, w, d, w->id[i], act == UPDATE ? body_of(w->id, patch_of(i)) : NULL, act), want;
	const char *code = w->error.code;

	want = !reach(r, d, words[act]) ? 403 : may ? hooks_say(r, s, act, code) : sees && act != READ ? 403 : 404;
	if (act == REMOVE && may && got == 409)
		want = 409; /* in use, the only one, oneself, the last administrator: the right was there */
	if (got != want)
		fail_msg("%s, %s of %s %s: %d, wanted %d: %s", r->key, words[act], s->d, s->as, got, want, why_not(w));
}

/* The list holds the rows within reach, and no others. */
static void check_list(struct walk *w, const struct role *r, const struct res_def *d)
{
	json_t *page = NULL, *row;
	size_t i, n = 0, want = 0;
	int64_t all = 0, got;
	char *sql = xasprintf("SELECT COUNT(*) FROM %s WHERE centre_id = $1", d->table);
	int result;

	forget(w);
	result = res_list(&page, &w->c, d, NULL, NULL, 1000, 0, NULL);
	assert_true(result >= 0);
	if (!reach(r, d, "read")) {
		if (!result || w->error.status != 403)
			fail_msg("%s lists %s", r->key, d->name);
		free(sql);
		return;
	}
	assert_int_equal(result, 0);
	assert_int_equal(db_get_i64(&all, w->db, sql, "i", w->centre), 0);
	free(sql);
	for (size_t k = 0; k < seed_n; k++)
		want += !strcmp(seeds[k].d, d->name) && reached(r, d, "read", seeds[k].level);
	json_array_foreach(json_object_get(page, "items"), i, row)
		for (size_t k = 0; k < seed_n; k++) {
			got = row_id(row, "id");
			if (got == w->foreign[k] || (got == w->id[k] && !reached(r, d, "read", seeds[k].level)))
				fail_msg("%s sees %s %s in the list", r->key, d->name, seeds[k].as);
			n += got == w->id[k];
		}
	if (n != want || (int64_t)i != (reach(r, d, "read") == CENTRE ? all : (int64_t)want))
		fail_msg("%s lists %zu of %s, %zu of the walk's; wanted %zu", r->key, i, d->name, n, want);
	json_decref(page);
}

/* Files: out only with the grant and reading, in only with the grant and writing, and not where rows come one by one. */
static void check_files(struct walk *w, const struct role *r, const struct res_def *d)
{
	const json_t *g = grant_of(r, d);
	bool out = d->personal || (json_is_true(json_object_get(g, "export")) && reach(r, d, "read"));
	bool in = !d->no_import && json_is_true(json_object_get(g, "import")) && reach(r, d, "write");

	if (res_may(&w->who, d, RES_EXPORT) != out || res_may(&w->who, d, RES_IMPORT) != in)
		fail_msg("%s and files of %s: wanted export %d, import %d", r->key, d->name, out, in);
}

/* A role that may write nothing makes nothing; new rows below another's row are made only where that is reached. */
static void check_create(struct walk *w, const struct role *r, const struct res_def *d)
{
	bool none = !reach(r, d, "write");
	int got;

	if (none) {
		got = tried(NULL, w, d, 0, body_of(w->id, seeds[first_seed(d->name)].body ? seeds[first_seed(d->name)].body : "{'name':'x'}"), CREATE);
		if (got != 403)
			fail_msg("%s makes %s: %d", r->key, d->name, got);
	}
	if (none || strcmp(d->name, "customer_phones") != 0)
		return;
	for (size_t i = 0; i < seed_n; i++) {
		json_t *body;

		if (strcmp(seeds[i].d, "customers") != 0)
			continue;
		body = json_pack("{s:o, s:s}", "customer_id", idj(w->id[i]), "number", "13900139000");
		got = tried(NULL, w, d, 0, body, CREATE);
		if (!got != reached(r, d, "write", seeds[i].level))
			fail_msg("%s gives %s a telephone: %d", r->key, seeds[i].as, got);
	}
}

static void walk_role(struct walk *w, const struct role *r)
{
	w->who.rights = rights_of(json_incref(r->rights), json_incref(r->grants));
	for (size_t i = 0; i < seed_n; i++)
		for (enum act a = READ; a <= REMOVE; a++)
			check_row(w, r, i, a);
	for (size_t k = 0; res_all[k]; k++) {
		check_list(w, r, res_all[k]);
		check_files(w, r, res_all[k]);
		check_create(w, r, res_all[k]);
	}
}

TEST(every_ready_role_may_what_its_grants_say_and_nothing_more)
{
	json_t *all = people_rights_catalogue(), *one;
	const char *key;
	struct walk w;

	walk_init(&w);
	json_object_foreach(json_object_get(all, "shipped"), key, one) {
		struct role r = {key, json_object_get(one, "rights"), json_object_get(one, "grants")};

		walk_role(&w, &r);
	}
	json_decref(all);
	walk_done(&w);
}

static int count_row(void *arg, const json_t *row)
{
	++*(size_t *)arg;
	return 0;
}

/* A file holds the rows that the list does. */
static void check_export(struct walk *w, const struct role *r, const struct res_def *d)
{
	json_t *page = NULL;
	int64_t all = 0;
	size_t n = 0;

	if (!res_may(&w->who, d, RES_EXPORT))
		return;
	forget(w);
	assert_int_equal(res_list(&page, &w->c, d, NULL, NULL, 1000, 0, NULL), 0);
	assert_int_equal(res_walk(&all, &w->c, d, NULL, NULL, NULL, count_row, &n), 0);
	if (n != json_array_size(json_object_get(page, "items")) || (int64_t)n != all)
		fail_msg("%s exports %zu of %s, and is shown %zu", r->key, n, d->name, json_array_size(json_object_get(page, "items")));
	json_decref(page);
}

TEST(every_scope_of_every_action_reaches_its_rows_and_no_others)
{
	/* more: pool, notes, and files in and out */
	static const struct {
		const char *scope;
		bool more;
	} cases[] = {{"none", true}, {"own", false}, {"own", true}, {"team", false}, {"department", true}, {"centre", false}, {"centre", true}};
	struct walk w;

	walk_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *s = cases[i].scope;
		bool more = cases[i].more;
		struct role r = {s, more ? json_pack("[s, s]", "pool", "notes") : json_array(),
				 json_pack("{s:{s:s, s:s, s:s, s:b, s:b}}", "*", "read", s, "write", s, "remove", s, "export", more, "import", more)};

		walk_role(&w, &r);
		for (size_t k = 0; res_all[k]; k++)
			check_export(&w, &r, res_all[k]);
		json_decref(r.rights);
		json_decref(r.grants);
	}
	walk_done(&w);
}
