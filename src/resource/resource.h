/*
 * Business objects, declared: one constant table per resource, interpreted at run time, gives SQL, checks, CRUD, rights, OpenAPI,
 * TypeScript types, list and form. Hooks hold what a table cannot say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct arena;
struct json_t;

enum res_type {
	RES_TEXT,   /* min..max characters */
	RES_INT,    /* min..max */
	RES_BOOL,
	RES_ENUM,   /* options */
	RES_REF,    /* id of another resource: ref */
	RES_TIME,   /* ms UTC */
	RES_SECRET, /* written, never read: password, generated secret */
	RES_JSON,
};

enum res_flag {
	RES_REQUIRED = 1,
	RES_UNIQUE = 2,       /* within the centre */
	RES_SEARCH = 4,       /* found by the list's q= */
	RES_READONLY = 8,     /* set by hooks or the system */
	RES_CREATE_ONLY = 16,
	RES_HIDE_LIST = 32,   /* not a column of the plain list */
	RES_NUMBER = 64,      /* a telephone number or extension: digits and + */
};

struct res_option {
	const char *value, *zh, *en;
};

struct res_field {
	const char *name;       /* JSON key and column */
	enum res_type type;
	const char *zh, *en;    /* label */
	unsigned flags;
	int64_t min, max;
	const char *fallback;   /* default as text; NULL: none */
	const char *ref;        /* RES_REF: resource name */
	const struct res_option *options; /* RES_ENUM: ended by a NULL value */
	const char *help_zh, *help_en;
	const char *show_if;    /* "field=value[|value]": the form shows it only then; NULL: always */
};

enum res_role { ROLE_AGENT = 1, ROLE_SUPERVISOR = 2, ROLE_ADMIN = 4 };

struct res_ctx;

struct res_def {
	const char *name;       /* plural path segment: "queues" */
	const char *table;
	const char *zh, *en;    /* title */
	const struct res_field *fields;
	size_t field_n;
	const char *label;      /* field that names a row to a person */
	const char *order;      /* default sort: "name" or "-created_ms" */
	unsigned read, write;   /* bits of res_role */
	/* Hooks, each may be NULL; on the writer's thread inside the transaction, but for after_read. 0, or positive with res_fail. */
	int (*before_write)(struct res_ctx *c, struct json_t *row, const struct json_t *old);
	int (*after_write)(struct res_ctx *c, int64_t id, struct json_t *row);
	int (*before_delete)(struct res_ctx *c, int64_t id, const struct json_t *old);
	bool configures_switch; /* a committed change makes a new configuration version */
};
/* Every table has besides: id BIGINT primary key, centre_id, rev, created_ms, updated_ms. */

/* Who asks. */
struct res_who {
	int64_t centre_id, user_id;
	unsigned role;     /* one bit of res_role */
	const char *lang;  /* "zh" or "en" */
};

/* A refusal: HTTP status, stable code, fields. Everything bad is reported at once. */
struct res_error {
	int status;                 /* 400 403 404 409 412 422 */
	const char *code;           /* invalid, forbidden, not_found, conflict, in_use ... */
	struct json_t *fields;      /* {"name": "required"} or NULL; owned by the error */
	char detail[128];
};
void res_error_done(struct res_error *e);
void res_fail(struct res_ctx *c, int status, const char *code, const char *field, const char *detail);

struct res_ctx {
	struct db *db;
	const struct res_who *who;
	struct res_error *error;
	int64_t now_ms;
	int64_t (*next_id)(void);
	struct json_t *once;        /* shown once in the answer of a create or update: generated secrets; hooks may fill it */
};

extern const struct res_def *const res_all[]; /* NULL-ended; given by people/ */

const struct res_def *res_find(const char *name);
/* All answer 0 with a new JSON value, positive with c->error filled, or negative. Reads work on any connection, writes only on the writer's. */
int res_list(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const char *q, const char *sort, int64_t limit, int64_t offset,
	     const struct json_t *filters); /* {"items":[...],"total":n} */
int res_get(struct json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id);
int res_create(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const struct json_t *body);
int res_update(struct json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, const struct json_t *patch, int64_t rev);
int res_delete(struct res_ctx *c, const struct res_def *d, int64_t id, int64_t rev);

/** Compares every declaration with the database's tables; NULL or a sentence naming the first difference. */
char *res_check_schema(struct db *db);
/** OpenAPI 3.1 paths and schemas of all resources, and the form descriptions the page draws from ("x-huawu"). */
struct json_t *res_openapi_paths(void);
struct json_t *res_openapi_schemas(void);
/** What the page draws lists and forms from: [{"name","zh","en","fields":[...]}], only what @role may read. */
struct json_t *res_describe(unsigned role);
