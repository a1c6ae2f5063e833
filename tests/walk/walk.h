/*
 * test_walk walks every declared resource, those of the program and tests/browser/declared_resource.c: rows.c makes rows of each in two
 * centres, fields.c tries values (values.c) of every field, rights.c roles, actions and scopes, centre.c and http.c what is another centre's.
 * A new resource is walked by itself; where its hooks want something particular, it gets a line in the table of values.c, or rows of its own in rows.c.
 */
#pragma once

#include "base/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "people/declared.h"
#include "people/rights.h"

/*
 * I am in team t1 of department d1, a mate with me; dep is in t2 of d2 below d1; far in t3 of d3. Levels: whose a row is, seen from me. OPEN:
 * nobody's. CENTRE rows belong to the centre or to far.
 */
enum level { OWN = 1, TEAM, DEPARTMENT, CENTRE, OPEN };

/* A row of the walk, made in each of two centres. */
struct seed {
	const char *d, *as;
	enum level level;
	const char *body;  /* JSON with ' for "; $x: the id of the row x. NULL: there is one in each centre, and never another */
	const char *patch; /* a harmless change; NULL: as the row before */
};

#define SEEDS_MAX 512
extern struct seed seeds[SEEDS_MAX]; /* after walk_seeds: one or more of every resource, what is referred to before what refers */
extern size_t seed_n;
void walk_seeds(void);
bool has_seed(const char *resource);
size_t first_seed(const char *resource); /* also a form's base */
/** Adds rows of @d, and of what they need, when it has none. */
void derive(const struct res_def *d, int depth);
const struct res_field *field_of(const struct res_def *d, const char *column); /* NULL: none */
const char *patch_of(size_t i);
/** What only the program writes: such rows are put there as they would stand. */
bool by_hand(const struct res_def *d);

struct walk {
	char file[64], path[512];
	struct db *db;
	int64_t centre, other, id[SEEDS_MAX], foreign[SEEDS_MAX]; /* the same rows in two centres */
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

void walk_init(struct walk *w);
void walk_done(struct walk *w);
/** Makes the rows in a centre. Writer, in a transaction. */
void walk_fill(struct db *db, int64_t centre, int64_t *ids);
/** Another centre, with what each has from its beginning. */
int64_t walk_other(struct db *db);
/** Makes the table of a resource that has no migration. */
void walk_tables(struct db *db);

int64_t row_named(const int64_t *ids, const char *as);
json_t *idj(int64_t id);
/** JSON with ' for ", and $x for ids of @ids. */
json_t *body_of(const int64_t *ids, const char *text);
json_t *pack1(const char *key, json_t *v);
/** A field that the form shows only beside another's value gets it: otherwise it is emptied, and there is nothing to refuse. */
void show(const struct res_field *f, json_t *body);

enum act { READ, UPDATE, REMOVE, CREATE };
/** 0, or the status it was refused with; w->error says why. Nothing of it is kept. @ret may be NULL; takes @body. */
int tried(json_t **ret, struct walk *w, const struct res_def *d, int64_t id, json_t *body, enum act act);
void forget(struct walk *w);
/** What the refusal says of a field; "" for nothing. */
const char *said(const struct walk *w, const char *field);

/** Rights that somebody has for as long as the program runs. Takes both. */
const struct res_rights *rights_of(json_t *rights, json_t *grants);

/** Runs @fn with each resource, as an administrator, custom fields of every type included. Fails after the last if anything was wrong. */
void each_resource(void (*fn)(struct walk *w, const struct res_def *d));
extern unsigned wrong_n; /* what was said by wrong() */
void wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For messages, good until the fourth next: a value's JSON as far as a line bears it, and why something was refused. */
const char *shown(const json_t *v);
const char *why_not(const struct walk *w);

/* What hooks want of a field. JSON with ' for ", and $x for ids. NULL: as declared. */
struct sample {
	const char *field;          /* "trunks.host" */
	const char *valid;          /* [value, ...] */
	const char *invalid;        /* [[value, why], ...] */
	const char *with;           /* what the form has besides */
};
const struct sample *sample_of(const struct res_def *d, const struct res_field *f); /* NULL: nothing */
/** What the field takes: a list. */
json_t *taken(const struct walk *w, const struct res_def *d, const struct res_field *f);
/** What it does not take: [[value, why], ...], or [value, why, true] for what only a hook or the database finds. */
json_t *refused(const struct walk *w, const struct res_def *d, const struct res_field *f);
