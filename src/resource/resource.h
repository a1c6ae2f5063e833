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

struct res_ctx;
struct res_chain;

enum res_type {
	RES_TEXT,   /* min..max characters */
	RES_INT,    /* min..max */
	RES_BOOL,
	RES_ENUM,   /* options */
	RES_REF,    /* id of another resource: ref */
	RES_TIME,   /* ms UTC */
	RES_SECRET, /* written, never read: password, generated secret */
	RES_JSON,
	RES_ID,     /* id of what is no resource: a call */
	RES_KEY,    /* another resource's row by its key, a text: ref */
	RES_SET,    /* several of options; in the column ",a,b," */
};

#define RES_FIELDS_MAX 96 /* a declaration's fields, custom ones included */

enum res_flag {
	RES_REQUIRED = 1,
	RES_UNIQUE = 2,       /* within the centre */
	RES_SEARCH = 4,       /* found by the list's q= */
	RES_READONLY = 8,     /* set by hooks or the system */
	RES_CREATE_ONLY = 16,
	RES_HIDE_LIST = 32,   /* not a column of the plain list */
	RES_NUMBER = 64,      /* a telephone number or extension: digits and +, at most 20 */
	RES_MULTILINE = 128,  /* text with line breaks; the form draws an area */
	RES_DAY = 1 << 16,    /* text that is a day, 2026-11-22: sheets bring it in other forms, too */
	RES_MASKED = 256,     /* in part to who may not see such: res_mask; then neither sorted by nor searched */
	RES_ASSIGN = 512,     /* whose a row is: changed only with the right to assign */
	RES_TAGS = 4096,      /* text of tags, parted by commas with one at each end: ",vip,北京," */
	RES_OPTIONS = 1 << 17, /* RES_JSON: a list of choices that the form draws an editor for */
	RES_ADDS = 1 << 19,   /* what is written is one more of several; the last is shown, and nothing is lost */
	RES_CUSTOM = 1 << 18, /* added by an administrator; see res_now */
};

struct res_option {
	const char *value, *zh, *en;
	bool old;               /* stays where it is, but is not chosen any more */
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
	const char *also;       /* other titles that sheets give its column: "手机|电话|mobile"; NULL: none */
	const char *column;     /* NULL: the name */
	unsigned char decimals; /* RES_INT: how many of its digits stand behind the point: 2 means hundredths */
};
static inline const char *res_column(const struct res_field *f)
{
	return f->column ? f->column : f->name;
}

/*
 * Rows of another resource that come with their parent's row: a customer's telephones. Single rows show them as a list, and a body may
 * hold the list as it is to be, "phones": [{"id":"7","number":"..."}, {"number":"..."}]: without an id a row is new, and what is not in
 * the list goes; at most 50. The list has the name of the first column. In a sheet they are columns of the parent's row. A cell may hold several values,
 * parted by / 、 ; , and line breaks, and several columns may be the same. Every column maps to one of these by name, as to a field.
 */
struct res_child_column {
	const char *name;       /* none of the fields' names: "phones", "phones_family" */
	const char *zh, *en;
	const char *also;       /* as a field's */
	const char *with;       /* what else such a child row has: "label=family"; NULL: its defaults */
};

struct res_child {
	const char *resource;   /* "customer_phones" */
	const char *parent;     /* its field that refers to the row: "customer_id" */
	const char *value;      /* its field that a value goes to: "number". Where that is unique, a row that has one of the values is the row meant */
	const struct res_child_column *columns;
	size_t column_n;
	/*
	 * A telephone number as it is stored, so that it is found; it comes without what programs add (res_number_clean). 0; 1 with @what
	 * ("number") when it is none; negative. NULL: the value as it is. What is written goes through the child's own hooks besides. Any
	 * thread, any connection.
	 */
	int (*normal)(char *ret, size_t size, const char **what, struct res_ctx *c, const char *text);
};

/* Which rows a right reaches: those of one's own, of the teams one leads or is in, of the departments with what is below them, all. */
enum res_scope { SCOPE_NONE, SCOPE_OWN, SCOPE_TEAM, SCOPE_DEPARTMENT, SCOPE_CENTRE };
/** "none", "own" ... "centre", NULL: by enum res_scope */
extern const char *const res_scope_names[];
enum res_act { RES_READ, RES_WRITE, RES_REMOVE, RES_EXPORT, RES_IMPORT };

struct res_grant {
	enum res_scope read, write, remove;
	bool export, import;
	const char *const *hidden, *const *fixed; /* fields neither seen nor written; seen but not written. NULL-ended; NULL: none */
};

/* What somebody may. Immutable, and there as long as the process. */
struct res_rights {
	uint64_t bits;                  /* what is more than reading and writing rows: people/people.h names them */
	bool unmasked, assign, open;    /* of these, what the engine asks: sees RES_MASKED, sets RES_ASSIGN, sees rows of nobody */
	const struct res_grant *grants; /* one for each of res_all, in its order */
};

/*
 * Many new rows at once, as sheets bring them (many.c). A declaration with hooks that has this says that before_write, where c->memo is not NULL,
 *   - only reads, on any connection, and says the same whether other new rows are written already or not
 *   - keeps in c->memo, an object for all the rows, what it looks up more than once
 *   - of a child row, looks neither at the parent, which is new, nor whether somebody has its unique value, which the engine does
 * and that after_write is these two. Without it rows with hooks are created one by one. What they answer is as the hooks' below.
 */
struct res_new;
struct res_many {
	/*
	 * All rows and their child rows have passed their checks, nothing is written: readonly fields, and the columns below, are filled in here.
	 * Those with row NULL are not among them.
	 */
	int (*fill)(struct res_ctx *c, struct res_new *rows, size_t n);
	int (*after)(struct res_ctx *c, struct res_new *rows, size_t n); /* they are written; what changes now is changed in row, too */
	const char *const *columns; /* TEXT, besides the fields; NULL-ended; NULL: none */
	int (*before_delete)(struct res_ctx *c, const int64_t *ids, size_t n); /* the hook of that name, for many; must be there where that is */
};
extern const struct res_many res_many_plain; /* of a before_write that only checks */

struct res_def {
	const char *name;       /* plural path segment: "queues" */
	const char *table;
	const char *zh, *en;    /* title */
	const struct res_field *fields;
	size_t field_n;
	const char *label;      /* field that names a row to a person */
	const char *order;      /* default sort: "name" or "-created_ms" */
	const char *label_en;   /* the same in English, when it is another; where it is empty, label */
	const char *key;        /* the field RES_KEY refers to */
	const char *group;      /* rights are given by it, or by name */
	/*
	 * Whose a row is. owner: the column with a user's id ("id": the row is the user); team: with a team's ("id": it is the team); parent:
	 * a reference, rows are seen and written with that row. Without any of them a row is the centre's. open: the column that
	 * is NULL in rows that nobody owns. with: "table.column", a table of rows' ids in that column and user_id: who else works with a row.
	 */
	const char *owner, *team, *parent, *open, *with;
	const char *department;    /* besides team: the column with a department's id ("id": it is the department) */
	/*
	 * For tables of any size: the fields with an index (centre_id, column, id), "next_ms,name:name_sort" when a field sorts by another
	 * column. By others a list is sorted only when it has at most RES_COUNT_MAX rows. NULL: the table stays small, by all.
	 */
	const char *sorts;
	/*
	 * Rows that belong to a person: the reference to him, filled in on create. Others neither see nor change them, but for rows whose
	 * field @shared is true, which everybody sees. NULL: no such rows.
	 */
	const char *personal, *shared;
	const char *find_kind;  /* q is looked for in this index of find/ (the hooks keep it); NULL: in the fields with RES_SEARCH */
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
	const struct res_many *many;
	bool configures_switch; /* a committed change makes a new configuration version */
	bool mask_words;        /* people write about customers in it: who sees no numbers sees none in its texts */
	bool no_import;         /* rows come one by one, not from sheets */
	bool closed;            /* only the program writes it */
	bool no_page;           /* no list of its own among the settings: another page shows it */
	/* Sheets; both NULL for most. See the hooks above for what they answer. */
	const struct res_child *child;
	/*
	 * A sheet's line means @old, which is there already: res_fail(c, 409, "taken", NULL, NULL) when it is somebody else's. On the reader's
	 * connection before anything is written. A row that who asks may not read or write is "taken" without it.
	 */
	int (*import_existing)(struct res_ctx *c, const struct json_t *old, const struct json_t *body);
	/*
	 * The undo of an import will remove the row, or (@put_back) give it its old values: res_fail when it must stay, with a code that says
	 * why ("worked": somebody has worked with it). Rows that were changed since, and rows that others refer to, stay without it. On the
	 * writer, in the transaction.
	 */
	int (*import_undo)(struct res_ctx *c, int64_t id, const struct json_t *row, bool put_back);
	bool attachments;       /* files may hang on its rows (api/attach.c) */
	bool custom;            /* an administrator may add fields: the table has columns x1..x24 TEXT and n1..n16 BIGINT */
	const struct res_def *base; /* of an effective declaration: the constant one it was made from */
};
/* Every table has besides: id BIGINT primary key, centre_id, rev, created_ms, updated_ms. */

/* Who asks. */
struct res_who {
	int64_t centre_id, user_id;
	bool system;       /* the program itself: first start, command line, demo. May do everything */
	const struct res_rights *rights; /* NULL: none */
	const char *lang;  /* "zh" or "en" */
};

/* How a user's teams are found, given by people/: subselects of ids of teams, and of departments, with $U for the user's id. */
extern const struct res_scope_sql {
	const char *team, *department;
	const char *departments; /* of SCOPE_DEPARTMENT */
} res_scope_sql;

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
	bool want_undo;             /* res_update leaves in undo, when it changed something, the patch that puts back what a person can */
	struct json_t *undo;
	struct json_t *memo;        /* of many new rows: see struct res_many; else NULL */
	struct res_chain *chain;    /* the engine's: where the audit is; NULL: it is asked for each time */
	bool dry;                   /* nothing of it will be kept: prepare may leave out what is slow */
};
/** Frees prepared, once and undo. */
void res_ctx_done(struct res_ctx *c);
/** For hooks: adds @key to what the answer shows once. */
void res_once(struct res_ctx *c, const char *key, const char *value);

/** Ids of business objects: one generator for the process, any thread. @node: 0..1023, another one than the switch's. */
void res_set_node(unsigned node);
int64_t res_next_id(void);

extern const struct res_def *const res_all[]; /* NULL-ended; given by people/ */

const struct res_def *res_find(const char *name);
/**
 * The declaration as it is now in a centre: the constant one with the custom fields behind its own. What reads and writes rows does
 * this itself, so hooks may pass the constant one; who draws forms, columns or documents asks here. It stays whole and unchanged for
 * a day after another has taken its place. Any thread. @d: constant or effective. res_named: by name, NULL for an unknown one.
 */
const struct res_def *res_now(const struct res_def *d, int64_t centre_id);
const struct res_def *res_named(const char *name, int64_t centre_id);
/**
 * Makes the effective declarations of a centre from the rows of custom_fields, and publishes those that are others than before. At
 * start, and by whoever has committed a change of custom_fields. 0 or negative: the old ones stay. Any thread, any connection.
 */
int res_custom_load(struct db *db, int64_t centre_id);
bool res_custom_full(void); /* so many changes in a day that no more are taken */
#define RES_SLOTS_TEXT 24
#define RES_SLOTS_NUMBER 16
/** Which columns hold a type of custom_fields: 'x' TEXT, 'n' BIGINT; 0: no such type. */
char res_custom_slot(const char *type);
/** Empties up to 500 values of deleted fields. @more: perhaps not the last. On the writer, in its transaction. */
int res_custom_wipe(bool *more, struct db *db, int64_t centre_id);
/** Index of a field by its name; -1: none. */
int res_field_find(const struct res_def *d, const char *name);

/* ---- rights ---- */

/** How far @who may do this with rows of @d; export and import answer centre or none. */
enum res_scope res_scope_of(const struct res_who *who, const struct res_def *d, enum res_act act);
static inline bool res_may(const struct res_who *who, const struct res_def *d, enum res_act act)
{
	return res_scope_of(who, d, act) != SCOPE_NONE;
}
struct strb;
/**
 * Adds a condition on rows of @d with the alias @alias: those within @scope of the user, whose id is bound to $@user_at; with @open also
 * those of nobody. "1 = 1" for the centre.
 */
void res_scope_text(struct strb *b, const struct res_def *d, const char *alias, enum res_scope scope, bool open, int user_at);
/** 0: may; 1 with c->error: not_found for who may not even read it and for rows of another centre, else forbidden; or negative. */
int res_may_row(struct res_ctx *c, const struct res_def *d, int64_t id, enum res_act act);
/** Does @who see the field at all; may he set it? */
bool res_field_seen(const struct res_who *who, const struct res_def *d, const struct res_field *f);
bool res_field_settable(const struct res_who *who, const struct res_def *d, const struct res_field *f);
/** Does he see what is masked to others? */
bool res_unmasked(const struct res_who *who);
/** Makes of a row as it is what @who may see of it. */
void res_row_show(const struct res_who *who, const struct res_def *d, struct json_t *row);
/** What is shown of a masked text: three and four characters of a number ("138****8000"), of others the first and the last. A new text. */
char *res_mask(const char *text);
/** Telephone numbers within words, masked the same way. A new text. */
char *res_mask_words(const char *text);
/** The same of all texts in a JSON value; a new one. */
struct json_t *res_mask_json(const struct json_t *v);
/** @text with the numbers of @was where they stand masked in it. A new text. */
char *res_unmask_words(const char *text, const char *was);

#define RES_LIST_MAX 1000    /* rows a list answers at most */
#define RES_OFFSET_MAX 10000 /* further on one goes by "next" */
#define RES_COUNT_MAX 10000  /* a total is counted up to here, unless it is asked for exactly */
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
/*
 * What rows, and which of them. @filters: {"field":"text", "field.op":"text"} as they come from a query string (the operators: filter.c), or
 * NULL. @q, @sort, @after: NULL or "" for none. @after: the "next" of the page before, with the same sort.
 */
struct res_ask {
	const char *q, *sort, *after;
	int64_t limit, offset;
	const struct json_t *filters;
	bool count_all; /* the exact total, however long it takes */
};
/**
 * {"items": [...], "total": n, "total_exact": true, "next": text or null}. A total that is not exact is RES_COUNT_MAX, and there are more.
 * Without a value in the column that it is sorted by a row comes last, either way.
 */
int res_page(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const struct res_ask *ask);
/** Ids of at most @max rows, in no order; *n above @max: there are more. Freed by the caller. */
int res_ids(int64_t **ids, size_t *n, struct res_ctx *c, const struct res_def *d, const char *q, const struct json_t *filters, size_t max);
/** May @patch be written to many rows (NULL: may many be deleted)? 0, or positive with everything wrong in c->error. Looks at no row. */
int res_bulk_check(struct res_ctx *c, const struct res_def *d, const struct json_t *patch);
/** res_page of these. */
int res_list(struct json_t **ret, struct res_ctx *c, const struct res_def *d, const char *q, const char *sort, int64_t limit, int64_t offset,
	     const struct json_t *filters);
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

/* ---- many new rows, in few statements ---- */

struct res_new {
	const struct json_t *body;  /* borrowed */
	struct json_t *row;         /* for hooks: as it is written, "id" in it; NULL: not plain */
	int64_t id;                 /* 0: not plain */
	struct res_new *kids;       /* its child rows, in order */
	size_t kid_n;
};
/** Can rows of @d be made so? */
bool res_can_many(const struct res_def *d);
/**
 * Finds the rows that are plain: nothing speaks against them, or against all of them together. The others keep id 0: res_create says why, of each alone.
 * @rows: zeroed but for body. Reads only, on any connection. 0 or negative.
 */
int res_many_look(struct res_new *rows, size_t n, struct res_ctx *c, const struct res_def *d);
/** Will all that were found plain be written? Else only writing shows it. */
bool res_many_surely(const struct res_ctx *c, const struct res_def *d);
/**
 * Writes the plain ones: in the end everything is as if res_create had made each. Writer, in its transaction. 0; 1: nothing is written, as
 * something spoke against one of them only then: all are to be created one by one; or negative. @c: time and asker of the look.
 */
int res_many_write(struct res_new *rows, size_t n, struct res_ctx *c, const struct res_def *d);
void res_many_done(struct res_new *rows, size_t n);

/* ---- and many that go ---- */

struct res_gone {
	int64_t id;
	struct json_t *row;         /* as it is, secrets too, without child rows; NULL: there is none */
	int64_t rev;
	struct json_t *children;    /* as res_row_revs; NULL: the declaration has none */
	bool skip;                  /* the caller's: leave it */
	bool done;
};
bool res_can_many_go(const struct res_def *d);
/** Fills in the rows; any connection. Freed by res_many_gone_done. */
int res_many_read(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d);
/**
 * Removes those that nothing refers to, as res_delete would. What is not done afterwards is to be removed alone, which says why not. Who asks
 * may remove any row there. Writer, in its transaction. 0 or negative.
 */
int res_many_remove(struct res_gone *rows, size_t n, struct res_ctx *c, const struct res_def *d);
void res_many_gone_done(struct res_gone *rows, size_t n);

/**
 * A line in the audit for what is no plain change of a row (log-in, clearing the demo). @before and @after may be NULL.
 * Inside the caller's transaction, on the writer's connection.
 */
int res_audit(struct res_ctx *c, const char *resource, int64_t row_id, const char *action, const struct json_t *before,
	      const struct json_t *after);
/** Recomputes a centre's chain. 0: whole; 1: broken, and @n names the first altered, missing or reordered line. */
int res_audit_verify(struct db *db, int64_t centre_id, int64_t *n);
/** Takes out what a row's lines say was before and after; the chain stays whole. Lines of versions before this stay. Writer. */
int res_audit_erase(struct db *db, int64_t centre_id, const char *resource, int64_t row_id);

/* ---- sheets: values as people write them ---- */

/** A row's value in the words of @lang ("zh" or "en"); NULL: none. Freed by the caller. Not for times: they need a zone. */
char *res_value_text(const struct res_field *f, const struct json_t *row, const char *lang);
static inline const char *res_field_label(const struct res_field *f, const char *lang)
{
	return lang[0] == 'e' ? f->en : f->zh;
}
/** Can a sheet bring it? */
bool res_field_importable(const struct res_field *f);
#define RES_TARGET_CHILD 256 /* what a column goes to: a field's index, or this and a child column's; -1: nothing */

/** The field or child column of that name which a sheet can bring; -1: none. */
int res_target_find(const struct res_def *d, const char *name);
const char *res_target_name(const struct res_def *d, int target); /* NULL for -1 */
bool res_target_is_list(int target); /* several columns may go there */
/**
 * What the titles mean, into @targets[n]: labels in both languages, names and other titles; case, blanks, stars and what is in brackets do
 * not hinder; then "电话2" for 电话, then "客户姓名" for 姓名. Parts of a header of several rows are parted by LF. A field is given once.
 * Answers how many are more than a guess.
 */
size_t res_titles_guess(int *targets, const struct res_def *d, const char *const *titles, size_t n);
/** The field that one title means for certain; -1: none. */
int res_field_of_title(const struct res_def *d, const char *title);
/**
 * A number's text without what spreadsheets and other programs add to it: full-width, a leading apostrophe, 13800138000.0, 1.3800138E10.
 * 0; 1: too long; 2: its digits are gone (1.38E+10). @size > 96. Blanks and hyphens stay.
 */
int res_number_clean(char *ret, size_t size, const char *text);
/** Every value of a cell that holds several. @numbers: a blank parts two that are as long as telephone numbers. */
void res_cell_split(const char *text, bool numbers, void (*fn)(void *arg, const char *value), void *arg);
/** A child row's value as it is stored. 0; 1 and @what; negative. */
int res_child_value(char *ret, size_t size, const char **what, struct res_ctx *c, const struct res_def *d, const char *text);
/** Into @parents, an object by values: the parents' ids of those that are there, where the value is unique. 0 or negative. */
int res_child_parents(struct json_t *parents, struct res_ctx *c, const struct res_def *d, const char *const *values, size_t n);
const char *res_child_list_name(const struct res_def *d); /* the list of child rows in a body: the first of the child's columns; NULL: it has none */
/** A child row's body as a column brings it, for the list of child rows in its parent's body; a new object. */
struct json_t *res_child_body(const struct res_def *d, int target, const char *value);
/** Rev of a row, and [[id, rev], ...] of its child rows (NULL: it has none): what somebody touches later differs. -ENOENT: it is gone. */
int res_row_revs(int64_t *rev, struct json_t **children, struct res_ctx *c, const struct res_def *d, int64_t id);
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
struct json_t *res_openapi_paths(int64_t centre_id);   /* 0: without custom fields */
struct json_t *res_openapi_schemas(int64_t centre_id);
/** What the page draws lists and forms from: [{"name","zh","en","fields":[...]}], only what @who may read. */
struct json_t *res_describe(const struct res_who *who);
