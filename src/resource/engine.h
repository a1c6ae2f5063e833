/* Inside the resource engine: what its files share. */
#pragma once

#include "resource/resource.h"

#include <jansson.h>

#include "base/base.h"
#include "db/db.h"

#define RES_ROW_COLS 4    /* id, rev, created_ms, updated_ms come before the fields */

/* A declaration with its SQL: of a constant one made once per process and never freed. */
struct res_sql {
	const struct res_def *d;
	char *cols, *from;  /* what a row is read from; with the labels of its references */
	char *get;          /* $1 centre, $2 id */
	char *insert;       /* $1.. id centre rev created updated fields */
	char *insert_many;  /* the same and what .many adds; NULL: it adds nothing */
	char *update;       /* $1 id $2 centre $3 old rev $4 updated $5.. fields */
	char *remove;       /* $1 id $2 centre */
	struct res_unique {
		char *sql;  /* $1 centre $2 id of the row itself $3.. values */
		size_t field[4], n;
	} *unique;
	size_t unique_n;
	struct res_use {    /* fields elsewhere that refer to this resource */
		const struct res_def *by;
		const char *column; /* NULL: by key */
		char *sql;  /* count; $1 id */
	} *uses;
	size_t use_n;
	char *ref[RES_FIELDS_MAX];  /* for references: does the row exist; $1 centre $2 id, or key */
};

const struct res_sql *res_sql_of(const struct res_def *d);
/*
 * "x IN ($3, ... $34)": look-ups of many values at once have one of three lengths, so that few statements are prepared. What is left over
 * is bound to the last value once more.
 */
#define RES_PLACES_MAX 128
size_t res_places(size_t n); /* for so many values, or RES_PLACES_MAX of them */
void res_put_places(struct strb *b, int from, size_t n);
void res_sql_make(struct res_sql *s, const struct res_def *d);
void res_sql_done(struct res_sql *s);
/** Of an effective declaration (custom.c). */
const struct res_sql *res_custom_sql(const struct res_def *d);

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
	int i = d->label ? res_field_find(d, d->label) : -1;

	return i < 0 ? "id" : res_column(&d->fields[i]);
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
void res_row_settle(struct res_ctx *c, const struct res_def *d, json_t *row, const json_t *old);

/** Several of a field's options: as JSON from the column's ",a,b,", and back (NULL for none; freed by the caller). */
json_t *res_set_read(const char *text);
char *res_set_text(const json_t *v);
bool res_set_has(const json_t *v, const char *value);
const struct res_option *res_option_find(const struct res_field *f, const char *value); /* NULL: none such */

/* What a list was asked for, as SQL under construction: conditions on t (the row) and r<i> (what field i refers to), with their values. */
#define RES_QUERY_VALUES 512
#define RES_QUERY_RESERVE 16 /* kept for what the list itself adds after conditions: cursor, limit */
struct query {
	struct strb where; /* " WHERE t.centre_id = $1 AND ..." */
	struct value {
		bool text;
		int64_t i;
		const char *s; /* borrowed */
	} values[RES_QUERY_VALUES];
	int n;             /* values[n - 1] is $n */
	struct own *own;   /* texts that live as long as the query */
	struct zone *zone; /* the centre's, when a condition needs days */
	bool zone_asked;
};
/** Adds a value; answers n, for "$n". */
int res_query_i64(struct query *q, int64_t v);
int res_query_text(struct query *q, const char *s);
/** Memory that lives as long as the query. */
char *res_query_own(struct query *q, size_t size);
void res_query_done(struct query *q);
/** Appends " AND ..." for the rows of @d that who asks may see at all. Every list, count, export and bulk change passes here. */
void res_scope_where(struct res_ctx *c, struct query *q, const struct res_def *d);
/** Conditions of a query string on fields of @d; what is wrong goes to c->error under the condition's own name. */
void res_filters_add(struct res_ctx *c, struct query *q, const struct res_def *d, const json_t *filters);
/** One condition on @column ("t.x1"), whose type is @f's. @op: "" or one of filter.c's table. */
void res_filter_add(struct res_ctx *c, struct query *q, const struct res_field *f, const char *column, const char *key, const char *op,
		    const char *value);
/** id, created_ms and updated_ms as fields, for conditions; NULL: another name. */
const struct res_field *res_base_field(const char *name);
/** @text for LIKE .. ESCAPE '\\', its wildcards meant as they are, ASCII in lower case, between @before and @after. False: too long. */
bool res_like_pattern(char *out, size_t size, const char *before, const char *text, const char *after);
/** The row a statement of res_sql's cols stands on: as it is, with secrets, or as c->who may see it. */
json_t *res_row_json(struct res_ctx *c, const struct res_def *d, struct db_stmt *st, bool secrets);
/** Masks what of the row is masked, and numbers in what people wrote. */
void res_row_mask(const struct res_def *d, json_t *row);
/** What somebody who sees masks means by @v, where @was is what he was shown in part. A new reference. */
json_t *res_unmask(const struct res_who *who, const struct res_def *d, const struct res_field *f, const json_t *v, const json_t *was);
/** res_may_row of a row that is read with its centre besides: who reaches the whole centre is not asked for it. */
int res_row_may(struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act);
/** Is the row within the scope of this right? The same holds. 0 or negative. */
int res_row_within(bool *ret, struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act);
/** Are all these? */
int res_rows_within(bool *ret, struct res_ctx *c, const struct res_def *d, const int64_t *ids, size_t n, enum res_act act);
/** Does @who see what names the row that @f refers to? What is hidden there is hidden beside references, too. */
bool res_label_seen(const struct res_who *who, const struct res_field *f);
/** Is it shown to @who in part only? Then it is not sorted by, and asked for only as a whole. */
bool res_field_masked(const struct res_who *who, const struct res_field *f);
/** Does a reference's label tell @who no more than he may see, so that he may sort by it and look for it? */
bool res_label_tells(const struct res_who *who, const struct res_field *f);
static inline bool res_field_refers(const struct res_field *f)
{
	return f->type == RES_REF || f->type == RES_KEY;
}

/* ---- crud.c, for many.c ---- */

void res_bind_field(struct db_stmt *st, int i, const struct res_field *f, const json_t *v);
/** Is what the field refers to there? @sql: res_sql's. */
int res_check_ref(struct res_ctx *c, const struct res_field *f, const char *sql, const json_t *row);
/** 0; positive with c->error. @body: NULL to remove. */
int res_may_write(struct res_ctx *c, const struct res_def *d, const json_t *body);
/** With the columns that .many adds. As db_step. */
int res_insert_many(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *row);

/* ---- child_list.c: a declaration with .child has its child rows in its single rows and bodies ---- */

/** The child rows of row @id, in order: a new array. */
int res_child_list_read(json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id);
/** Is the list one, and are its ids among @rows (NULL: there are none)? Else it is refused. */
bool res_child_list_check(struct res_ctx *c, const struct res_def *d, const json_t *list, const json_t *rows);
/** What is written of the item in place @at of the list: a new body, without what says whose row it is. */
json_t *res_child_item(const struct res_def *d, const json_t *item, size_t at);
/** Does the list ask for something else than @rows? */
bool res_child_list_differs(const struct res_def *d, const json_t *list, const json_t *rows);
/** Makes the child rows what the list says; refusals are said of "phones.0.number". 0, positive with c->error, or negative. */
int res_child_list_write(struct res_ctx *c, const struct res_def *d, int64_t id, const json_t *list, const json_t *rows);

/** A centre's audit as it was last left by who holds this; known false: to be asked for. */
struct res_chain {
	bool known;
	int64_t n;
	char hash[65];
};
/** The audit's line for a change of a row; secrets in it are blanked here. */
int res_audit_change(struct res_ctx *c, const struct res_def *d, int64_t id, const char *action, const json_t *before,
		     const json_t *after);
