/* Inside api/: what the files of the import share. */
#pragma once

#include "api/api_int.h"
#include "api/sheet.h"
#include "journal/zone.h"

#define IMPORT_ROWS_MAX 1000000
#define IMPORT_COLUMNS_MAX 512
#define IMPORT_PIECE_MAX 400
#define IMPORT_CHILDREN_MAX 20 /* values of child rows in a line */
#define IMPORT_HEAD_ROWS 20    /* the header is looked for in so many */
#define IMPORT_MERGES_MAX 400
#define IMPORT_SHOWN_MAX 200   /* refused rows that the page lists; the file has all */
#define IMPORT_ONCE_MAX 5000   /* generated secrets kept for the one download */
#define IMPORT_SAMPLES 3       /* values of each column that the page shows */
#define IMPORT_DIR_PREFIX ".import-"

enum import_state { UPLOADING, CHECKING, CHECKED, REFUSED_FILE, RUNNING, DONE, CANCELLED, INTERRUPTED, FAILED };
extern const char *const import_state_names[];

/* What to do with a row that is there already. */
enum import_existing { EXISTING_OVERWRITE, EXISTING_FILL, EXISTING_LEAVE };

/* What somebody wants done with his file. Owned by the thread that runs, then by whoever holds the lock. */
struct import_wish {
	char sheet[128];      /* "": the one that looks most like our columns and is not hidden */
	unsigned header_row;  /* the last of its rows; 0: found */
	json_t *columns;      /* names of fields or null, by column; NULL: as remembered for these titles, else guessed */
	json_t *values;       /* for every row that has none in a column: field -> value as in a body; or NULL */
	enum import_existing existing;
	bool skip_hidden, forget; /* forget: not as remembered */
};

/* What happened to lines. */
struct import_counts {
	int64_t rows, added, changed, unchanged, hidden;
	int64_t bad, exists, twice, taken; /* bad: all that were refused, the others among them */
};

struct job {
	struct ilink link;
	struct api *api;
	int64_t id, touched_ms, import_id;
	struct res_who who;
	char who_name[256], lang[4];
	const struct res_def *d;
	char *name, *path, *bad_path;
	struct import_wish wish;
	_Atomic bool cancel;
	struct sheet_merge *merges; /* of the sheet's first rows; the thread's that runs */
	size_t merge_n;

	/* Below: under the lock, as a page may ask at any time. */
	enum import_state state;
	uint64_t size;
	struct sheet_error error;
	json_t *sheets, *titles, *columns, *samples, *shown, *reasons, *once;
	char sheet[128];
	unsigned header_row, last_row;
	int64_t remembered_ms; /* when these columns were last chosen; 0: guessed, or chosen now */
	struct import_counts n;
	int64_t expected;
};

struct undo;

struct imports {
	pthread_mutex_t lock;
	struct ilink jobs; /* oldest first */
	unsigned n;
	struct pool *pool; /* one thread */
	char *dir;
	struct undo *undo; /* the one that runs, or ran last; under the lock */
};

/* A line of the sheet on its way. Its cells: text with a mark before it: ' ' text, 'n' number, 'r' rounded number, 'e' a formula's error. */
struct line {
	unsigned number;
	json_t *cells, *body;
	json_t *children;     /* [[target, value, there], ...] */
	json_t *later;        /* references to rows above: field -> text */
	struct strb why;      /* empty: nothing is wrong */
	char code[24];        /* the first thing wrong */
	char *gist;           /* it in words without the value */
	int64_t id;           /* of the row that is there; 0: a new one */
	struct res_error error;
	struct res_ctx ctx;
	bool done;            /* written with many others, or as good as that in a check */
	enum { NEW, CHANGED, SAME } outcome;
};

struct pass {
	struct job *j;
	bool dry;
	struct db *db;
	struct zone *zone;
	int columns[IMPORT_COLUMNS_MAX]; /* targets */
	size_t column_n;
	bool head_known, sheet_taken;
	json_t *head;             /* its titles, with their marks */
	json_t *first;            /* rows before the header is known: [{row, cells, hidden}] */
	struct seen {             /* what makes rows unique, as hashes: a million need 32 MB */
		uint64_t hash;
		unsigned row;     /* its number in the sheet; 0: free */
	} *seen;
	size_t seen_n, seen_room; /* a power of two */
	unsigned char seen_key[16];
	struct import_many {      /* lines of the piece that are written together */
		struct line *lines[IMPORT_PIECE_MAX];
		struct res_new rows[IMPORT_PIECE_MAX];
		struct res_ctx ctx;
		size_t n;
	} many;
	json_t *refs;             /* what cells of this piece mean that refer to other rows: field and text -> value */
	json_t *names;            /* what rows above are called, where a row may refer to another; or NULL */
	struct line lines[IMPORT_PIECE_MAX];
	size_t line_n, piece;     /* so many lines go at once */
	double job_ms;            /* the last piece on the writer */
	struct sheet_writer *bad;
	struct sheet_column *bad_cols;
	json_t *reasons;          /* words -> how many */
	struct import_counts n;
};

/* ---- import_row.c: what a line means, and writing it ---- */

/** A code's words in the job's language. */
const char *import_reason(const struct job *j, const char *code);
void import_why(struct pass *p, struct line *l, const char *field, const char *code, unsigned row);
/** What can be said of the lines before they are written. 0 or negative; what is wrong with one is in its why. */
int import_understand(struct pass *p);
/** On the writer, in a savepoint of its own: 0, positive (l->why says why not), or negative. */
int import_write(struct pass *p, struct db *db, struct line *l);
/** Finds among the new lines those that nothing speaks against, on @p->db; they are done, in a check that needs no writing for it. */
int import_many_look(struct pass *p, bool enough);
/** On the writer: those at once, which then are done; or none of them. */
int import_many_write(struct pass *p, struct db *db);
void import_many_done(struct pass *p);
void import_line_done(struct line *l);

/* ---- import_head.c: which sheet, which row is the header, which column means what ---- */

/** Looks through a workbook for the sheet and its merged cells. 0, or as sheet_read_file. */
int import_look(struct job *j, struct sheet_error *e);
/** A row's cells with marks, a new array. */
json_t *import_cells(const struct sheet_row *row);
/** Of the rows so far the one that is most like a header: its place in p->first. */
size_t import_head_guess(const struct pass *p);
/** The last row of the header that has row @number. */
unsigned import_head_end(const struct pass *p, unsigned number);
/** Titles of the header that ends in row @number with @cells, of all its rows, a new array: with their marks. */
json_t *import_titles(const struct pass *p, unsigned number, json_t *cells);
/** Which column means what, into p->columns and the job. */
int import_map(struct pass *p, const json_t *titles);
/** Keeps it for the next sheet with these titles. On the writer. */
int import_remember(struct db *db, const struct job *j);

/* ---- import.c ---- */

/** 0, SHEET_BAD ..., or negative. */
int import_read(struct pass *p);

/* ---- import_undo.c ---- */
void undo_free(struct undo *u);
void undo_stop(struct undo *u);
/** After a start: undos that a crash ended. On the writer. */
int undo_interrupted(struct db *db);
