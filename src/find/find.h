/*
 * Finding business rows by what people type: any part of a telephone number (three digits or more), a name by any of its characters, its
 * pinyin ("zhangxiaoli", "zhang xiao", "zhangxl") or its initials ("zxl"), words in notes, Chinese or not. The same answers on SQLite and
 * PostgreSQL, newest rows (largest ids) first.
 *
 * What is found is a kind: a table find_<kind> made by a migration ("CREATE SEARCH find_notes;") and a line in find_kinds. The table holds
 * a row's words; what words are is told in words.h. Texts may be anything: what is no letter, digit or Chinese character parts words,
 * full-width is as half-width, traditional characters as simplified ones, é as e, A as a.
 *
 *   after a write:  find_put(db, centre, "customers", id, &(struct find_text){.name = "张小丽", .numbers = "+8613800138000"});
 *   a list:         r = find_match(&match, db, &(struct find_ask){.centre_id = 1, .kind = "customers", .text = q});
 *                   if (!r) { bind match as $n; find_where(&where, "customers", n, FIND_WIDE); }
 *
 * Any thread, on its own connection; find_put and find_drop inside the caller's transaction on the writer's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct strb;

#define FIND_TEXT_MAX 4000    /* characters of a text whose words are kept; what comes after is not found */
#define FIND_NAME_MAX 200     /* the same of a name */
#define FIND_NUMBERS_MAX 50   /* numbers of a row */
#define FIND_ASK_MAX 100      /* characters of a question */
#define FIND_ROWS_MAX 20000   /* newest matching rows that a wide condition looks at */
#define FIND_SORT_MAX 256     /* bytes of a sort key with its NUL */

extern const char *const find_kinds[]; /* "customers", "notes"; NULL-ended */

/* What a row is found by; each may be NULL. */
struct find_text {
	const char *name;    /* of a person or company: characters, pinyin, initials. Several: put line breaks between */
	const char *numbers; /* telephone numbers, canonical ("+8613800138000", "95588"), with blanks between */
	const char *text;    /* anything else: its words, and the digits in it as those of numbers */
};

/** Makes the row found by @t and by nothing else; does nothing when that is so already. 0 or negative. */
int find_put(struct db *db, int64_t centre_id, const char *kind, int64_t row_id, const struct find_text *t);
/** The same for many rows that are new, of which nothing is known yet: one statement a row that no answer is waited for (db_batch). */
struct find_new {
	int64_t row_id;
	struct find_text text;
};
int find_put_new(struct db *db, int64_t centre_id, const char *kind, const struct find_new *rows, size_t n);
/** The row is found no more. */
int find_drop(struct db *db, const char *kind, int64_t row_id);

/**
 * Notes that were indexed before a character was a word: @from: put all with larger ids again, in pieces, and say so each time; 0 when all
 * are done. -1: none is left. Until then one character is looked for as the beginning of words, which takes longer.
 */
int find_notes_old(int64_t *from, struct db *db, int64_t centre_id);
int find_notes_done(struct db *db, int64_t centre_id, int64_t to);

struct find_ask {
	int64_t centre_id;
	const char *kind, *text;
	bool masked; /* who asks sees no numbers: digits find only whole numbers, or exactly the last four or more of one */
};

/* Positive answers. The question finds nothing then; a list says so or asks for more. */
enum {
	FIND_E_EMPTY = 1, /* no letter or digit in it */
	FIND_E_LONG,      /* more than FIND_ASK_MAX characters */
	FIND_E_SHORT,     /* fewer digits than may be asked for: three, four when masked */
};
const char *find_error_name(int e); /* "empty", "long", "short" */

/** The question as the engine wants it, into @ret (emptied before). 0, FIND_E_*, or negative. Reads the centre's number. @ret: a heap builder. */
int find_match(struct strb *ret, struct db *db, const struct find_ask *a);

enum find_way {
	FIND_WIDE, /* the question decides: of what matches, the newest FIND_ROWS_MAX rows are looked at */
	FIND_FEW,  /* the caller's other conditions leave some thousand rows at most, by an index: each of them is looked at */
};
/**
 * Appends " AND t.id IN (...)" or the like, where $@param will be bound to find_match's text. The centre is in it. A wide condition must
 * lead: the caller spells his others on indexed columns with a plus ("+t.centre_id = $1"), else SQLite may walk the whole table by its index.
 */
void find_where(struct strb *sql, const char *kind, int param, enum find_way way);

/** Ids of the newest @max rows that match, newest first. 0 with @n; FIND_E_*; negative. */
int find_rows(int64_t *ids, size_t max, size_t *n, struct db *db, const struct find_ask *a);

/** Does a question ask for digits alone (masked searches for them are counted and limited)? */
bool find_is_digits(const char *text);

/* ---- pinyin ---- */

/** The key a name sorts by: the same order on both engines, by pinyin, then by character; others by their letters. Always terminated. */
void find_name_sort(char ret[FIND_SORT_MAX], const char *name);
/** "zhang xiao li": a name's pinyin, the surname's reading where it has one of its own (曾 zeng, 单 shan, 仇 qiu). Cut to @size. */
void find_pinyin(char *ret, size_t size, const char *name);
/** "zxl" */
void find_initials(char *ret, size_t size, const char *name);
