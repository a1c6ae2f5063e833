/* Inside the resource engine: what its files share. */
#pragma once

#include "resource/resource.h"

#include <jansson.h>

#include "base/base.h"
#include "db/db.h"

#define RES_FIELDS_MAX 48 /* a declaration's fields */
#define RES_ROW_COLS 4    /* id, rev, created_ms, updated_ms come before the fields */

/* A declaration with its SQL, made once per process and never freed. */
struct res_sql {
	const struct res_def *d;
	char *cols, *from;  /* what a row is read from; with the labels of its references */
	char *get;          /* $1 centre, $2 id */
	char *insert;       /* $1.. id centre rev created updated fields */
	char *update;       /* $1 id $2 centre $3 old rev $4 updated $5.. fields */
	char *remove;       /* $1 id $2 centre */
	struct res_unique {
		char *sql;  /* $1 centre $2 id of the row itself $3.. values */
		size_t field[4], n;
	} *unique;
	size_t unique_n;
	struct res_use {    /* fields elsewhere that refer to this resource */
		const struct res_def *by;
		char *sql;  /* count; $1 centre $2 id */
	} *uses;
	size_t use_n;
	char *ref[RES_FIELDS_MAX];  /* for references: does the row exist; $1 centre $2 id */
};

const struct res_sql *res_sql_of(const struct res_def *d);

/** Read back by nobody: not shown, not sorted or filtered by. */
static inline bool res_field_hidden(const struct res_field *f)
{
	return f->type == RES_SECRET;
}
/** Hidden from those who write, too. */
static inline bool res_field_internal(const struct res_field *f)
{
	return f->type == RES_SECRET && (f->flags & RES_READONLY);
}
static inline const char *res_label_column(const struct res_def *d)
{
	return d->label ? d->label : "id";
}
static inline int64_t res_text_max(const struct res_field *f)
{
	if (f->flags & RES_NUMBER)
		return 20;
	return f->max ? f->max : f->type == RES_JSON ? 16384 : 200;
}

/** A field's default as JSON; null without one. A new value. */
json_t *res_field_default(const struct res_field *f);
/** Whether the row's other values let this field be there. */
bool res_field_shown(const struct res_def *d, const struct res_field *f, const json_t *row);
/** Checks one value. NULL and a new canonical value in @ret, or the code of what is wrong. */
const char *res_value_check(json_t **ret, const struct res_field *f, const json_t *v);
/**
 * Takes the body into @row, which starts as a copy of @old, or empty. What is wrong goes to c->error and out of the row.
 * Nothing here looks at the database.
 */
void res_body_take(struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *body, const json_t *old);
/** Clears what is not shown, and finds what is required and missing. */
void res_row_settle(struct res_ctx *c, const struct res_def *d, json_t *row);

bool res_may(const struct res_who *who, unsigned roles);

/** The audit's line for a change of a row; secrets in it are blanked here. */
int res_audit_change(struct res_ctx *c, const struct res_def *d, int64_t id, const char *action, const json_t *before,
		     const json_t *after);
