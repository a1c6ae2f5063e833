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
	RES_NUMBER = 64,      /* a telephone number or extension: digits and +, at most 20 */
	RES_MULTILINE = 128,  /* text with line breaks; the form draws an area */
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
	/* "field=value[|value]": the form shows it only then, it is required only then, and otherwise it goes back to its default. */
	const char *show_if;
};

enum res_role {
	ROLE_AGENT = 1,
	ROLE_SUPERVISOR = 2,
	ROLE_ADMIN = 4,
	ROLE_ALL = 7,
	ROLE_SYSTEM = 128, /* the program itself: first start, command line, demo. May do everything, is in no declaration */
};

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
	const char *const *unique; /* groups of fields that are unique together, "queue_id,user_id"; NULL-ended; NULL: none */
	/*
	 * Hooks, each may be NULL: 0, or positive after res_fail, or negative. @row holds "id" and every field that passed its checks,
	 * secrets too; a field that failed is missing, so a hook must bear any value missing. @old is NULL on create.
	 * prepare runs before the transaction, where slow work belongs (on a worker, by res_prepare): it leaves what it
	 * computed in c->prepared. @id is 0 on create. The others run on the writer's thread inside the transaction.
	 */
	int (*prepare)(struct res_ctx *c, int64_t id, const struct json_t *body);
	int (*before_write)(struct res_ctx *c, struct json_t *row, const struct json_t *old);
	int (*after_write)(struct res_ctx *c, int64_t id, struct json_t *row);
	int (*before_delete)(struct res_ctx *c, int64_t id, const struct json_t *old);
	bool configures_switch; /* a committed change makes a new configuration version */
	bool no_import;         /* rows come one by one, not from sheets */
};
/* Every table has besides: id BIGINT primary key, centre_id, rev, created_ms, updated_ms. */

/* Who asks. */
struct res_who {
	int64_t centre_id, user_id;
	unsigned role;     /* one bit of res_role */
	const char *lang;  /* "zh" or "en" */
};

/*
 * A refusal: HTTP status, stable code, fields. Everything bad is reported at once. Zeroed before use.
 *   400 invalid      the body is no object, or a list's parameter is bad (fields)
 *   403 forbidden    404 not_found
 *   409 conflict     somebody changed the row since (current)
 *   409 in_use       detail and fields name the resources that refer to the row
 *   422 invalid      fields: required type range format number enum ref unique unknown readonly create_only
 * Hooks have codes of their own, see people/people.h.
 */
struct res_error {
	int status;
	const char *code;
	struct json_t *fields;      /* {"name": "required"} or NULL; owned by the error */
	struct json_t *current;     /* conflict: the row as it is now, or NULL; owned by the error */
	char detail[128];           /* words for a person, in the asker's language; may be empty */
};
void res_error_done(struct res_error *e);
/**
 * The first code other than "invalid" wins; fields gather. Without @field, @detail is words for a person (may be NULL); with it and
 * "invalid", @detail is what is wrong with the field: one of the words above.
 */
void res_fail(struct res_ctx *c, int status, const char *code, const char *field, const char *detail);

struct res_ctx {
	struct db *db;
	const struct res_who *who;
	struct res_error *error;
	int64_t now_ms;
	int64_t (*next_id)(void);   /* NULL: res_next_id */
	struct json_t *prepared;    /* what the prepare hook left for before_write; never shown */
	struct json_t *once;        /* generated secrets: "once" in the row that this create or update answers, and never again */
	const struct json_t *body;  /* what was sent, for hooks; the engine sets it */
	bool dry;                   /* nothing of it will be kept: prepare may leave out what is slow */
};
/** Frees prepared and once. */
void res_ctx_done(struct res_ctx *c);
/** For hooks: adds @key to what the answer shows once. */
void res_once(struct res_ctx *c, const char *key, const char *value);

/** Ids of business objects: one generator for the process, any thread. @node: 0..1023, another one than the switch's. */
void res_set_node(unsigned node);
int64_t res_next_id(void);

extern const struct res_def *const res_all[]; /* NULL-ended; given by people/ */

const struct res_def *res_find(const char *name);
/** Index of a field by its name; -1: none. */
int res_field_find(const struct res_def *d, const char *name);

#define RES_LIST_MAX 1000 /* rows a list answers at most */
#define RES_REV_ANY (-1)  /* instead of a rev: whatever it is (the program's own changes) */

/*
 * All answer 0 with a new JSON value, positive with c->error filled, or negative. Reads work on any connection, writes only on the
 * writer's, inside its transaction: a job returns what these return, and anything but 0 undoes it.
 *
 * A row: id, rev, created_ms, updated_ms, the fields without secrets, and x_label beside each reference x.
 * A patch holds the fields to change; null puts a field back to its default. Changing nothing is no change: the rev stays.
 */
/** Calls the prepare hook. On a worker, before the write is submitted with the same @c and @body; when it was not, the write does it itself. */
int res_prepare(struct res_ctx *c, const struct res_def *d, int64_t id, const struct json_t *body);
/** @filters: {"field":"text"} as they come from a query string, or NULL. @q, @sort: NULL or "" for none. */
int res_list(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const char *q, const char *sort, int64_t limit, int64_t offset,
	     const struct json_t *filters); /* {"items":[...],"total":n} */
int res_get(struct json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id);
/**
 * A list of any length, row by row, as it was at one moment. Of the whole only ids are held. What @fn answers but 0 ends it.
 * @count: how many there are. Outside a transaction.
 */
int res_walk(int64_t *count, struct res_ctx *c, const struct res_def *d, const char *q, const char *sort, const struct json_t *filters,
	     int (*fn)(void *arg, const struct json_t *row), void *arg);
int res_create(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const struct json_t *body);
int res_update(struct json_t **ret, struct res_ctx *c, const struct res_def *d, int64_t id, const struct json_t *patch, int64_t rev);
int res_delete(struct res_ctx *c, const struct res_def *d, int64_t id, int64_t rev);

/**
 * A line in the audit for what is no plain change of a row (log-in, clearing the demo). @before and @after may be NULL.
 * Inside the caller's transaction, on the writer's connection.
 */
int res_audit(struct res_ctx *c, const char *resource, int64_t row_id, const char *action, const struct json_t *before,
	      const struct json_t *after);
/** Recomputes a centre's chain. 0: whole; 1: broken, and @n names the first altered, missing or reordered line. */
int res_audit_verify(struct db *db, int64_t centre_id, int64_t *n);

/* ---- sheets: values as people write them ---- */

/** A row's value in the words of @lang ("zh" or "en"); NULL: none. Freed by the caller. Not for times: they need a zone. */
char *res_value_text(const struct res_field *f, const struct json_t *row, const char *lang);
static inline const char *res_field_label(const struct res_field *f, const char *lang)
{
	return lang[0] == 'e' ? f->en : f->zh;
}
/** Is it shown to who may read the rest? Secrets are not. */
bool res_field_readable(const struct res_field *f);
/** Can a sheet bring it? */
bool res_field_importable(const struct res_field *f);
/** The field that a column's title means: its label in either language, or its name; case, blanks and a star at the end do not count. -1: none. */
int res_field_of_title(const struct res_def *d, const char *title);
/** May @role import rows? */
bool res_may_import(const struct res_who *who, const struct res_def *d);
/**
 * What was written in a cell as a value for a body: choices, truths and references in words. A reference is found by its label, else by any
 * field that is unique, else by its id. 0 and a new value; 1 and @what: type enum ref ambiguous; negative.
 */
int res_value_parse(struct json_t **ret, const char **what, struct res_ctx *c, const struct res_field *f, const char *text);
/**
 * The row that @body means: the one with the same unique field, or group of fields, of those that @body has. 0 with @id, 0 for none, and
 * in @key what makes it unique (a new text; NULL: nothing does); or negative.
 */
int res_row_find(int64_t *id, char **key, struct res_ctx *c, const struct res_def *d, const struct json_t *body);

/** Configuration version of the switch: res_create and the others raise it with a change of what configures it. */
int res_conf_version(int64_t *ret, struct db *db, int64_t centre_id);
int res_conf_version_raise(struct db *db, int64_t centre_id);

/** Compares every declaration with the database's tables; NULL or a sentence naming the first difference. */
char *res_check_schema(struct db *db);
/**
 * OpenAPI 3.1 paths ("/users": relative to the server's /api/v1) and schemas: UsersRow, UsersNew, UsersPatch, UsersList of every
 * resource, with the form's description in "x-huawu", and Error.
 */
struct json_t *res_openapi_paths(void);
struct json_t *res_openapi_schemas(void);
/** What the page draws lists and forms from: [{"name","zh","en","fields":[...]}], only what @role may read. */
struct json_t *res_describe(unsigned role);
