/* Search tables: words in, row ids out. */
#include "find/find.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "find/find_int.h"
#include "find/words.h"

#define WORDS_MAX (1 << 20) /* bytes: more than FIND_TEXT_MAX characters can make */
#define MATCH_MAX (1 << 16)

const char *const find_kinds[] = {"customers", "notes", NULL};

/* SQL of each kind, from one text. */
static const struct kind {
	const char *name;
	bool alone; /* a text's characters are words by themselves, too */
	const char *same, *drop, *put, *rows;
} kinds[] = {
#define KIND(k, alone)                                                                                                        \
	{k, alone, "SELECT rowid FROM find_" k " WHERE rowid = $1 AND words = $2", "DELETE FROM find_" k " WHERE rowid = $1", \
	 "INSERT INTO find_" k " (rowid, words) VALUES ($1, $2)",                                                      \
	 "SELECT rowid FROM find_" k " WHERE words MATCH $1 ORDER BY rowid DESC LIMIT $2"}
	KIND("customers", false),
	KIND("notes", true),
#undef KIND
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	assert(!"a kind of find_kinds");
	return NULL;
}

/* ---- centres ---- */

#define PREFIX_MAX 24

static int centre_number(int64_t *ret, struct db *db, int64_t centre_id)
{
	return db_get_i64(ret, db, "SELECT n FROM find_centre WHERE centre_id = $1", "i", centre_id);
}

/* A data folder has one centre nearly always: its words are as they are, those of others begin with "c1g", "c2g" ... */
static void spell_prefix(char ret[PREFIX_MAX], int64_t n)
{
	*ret = '\0';
	if (n)
		(void)snprintf(ret, PREFIX_MAX, "c%llxg", (unsigned long long)n);
}

static int prefix_to_put(char ret[PREFIX_MAX], struct db *db, int64_t centre_id)
{
	int64_t n;
	int r = centre_number(&n, db, centre_id);

	if (r == -ENOENT) {
		r = db_run(db, "INSERT INTO find_centre (centre_id, n) SELECT $1, COUNT(*) FROM find_centre", "i", centre_id);
		r = r > 0 ? -EIO : r ? r : centre_number(&n, db, centre_id);
	}
	if (!r)
		spell_prefix(ret, n);
	return r;
}

/* ---- writing ---- */

static int row_drop(struct db *db, const struct kind *k, int64_t row_id)
{
	int r = db_run(db, k->drop, "i", row_id);

	return r > 0 ? -EIO : r;
}

static int row_put(struct db *db, const struct kind *k, int64_t row_id, const char *words)
{
	int64_t there;
	int r = db_get_i64(&there, db, k->same, "it", row_id, words);

	if (r != -ENOENT)
		return r;
	r = row_drop(db, k, row_id);
	if (!r && *words)
		r = db_run(db, k->put, "it", row_id, words);
	return r > 0 ? -EIO : r;
}

/* What is put into the column: a new text. */
static char *spell(struct db *db, const struct kind *k, const char *prefix, const struct find_text *t)
{
	struct strb b;
	char *own;

	strb_init(&b, WORDS_MAX);
	words_of(&b, prefix, t, k->alone);
	assert(!b.overflow);
	own = db_search_words(db, b.len ? b.buf : "");
	strb_done(&b);
	return own;
}

int find_put(struct db *db, int64_t centre_id, const char *kind, int64_t row_id, const struct find_text *t)
{
	char prefix[PREFIX_MAX], *own;
	int r;

	r = prefix_to_put(prefix, db, centre_id);
	if (r)
		return r;
	own = spell(db, kind_of(kind), prefix, t);
	r = row_put(db, kind_of(kind), row_id, own);
	free(own);
	return r;
}

int find_put_new(struct db *db, int64_t centre_id, const char *kind, const struct find_new *rows, size_t n)
{
	const struct kind *k = kind_of(kind);
	char prefix[PREFIX_MAX];
	int r = n ? prefix_to_put(prefix, db, centre_id) : 0;

	for (size_t i = 0; !r && i < n; i++) {
		char *own = spell(db, k, prefix, &rows[i].text);

		r = *own ? db_run(db, k->put, "it", rows[i].row_id, own) : 0;
		free(own);
	}
	return r > 0 ? -EIO : r;
}

int find_drop(struct db *db, const char *kind, int64_t row_id)
{
	return row_drop(db, kind_of(kind), row_id);
}

/* ---- notes from before their characters were words ---- */

int find_notes_old(int64_t *from, struct db *db, int64_t centre_id)
{
	int r = db_get_i64(from, db, "SELECT COALESCE(notes_id, -1) FROM find_centre WHERE centre_id = $1", "i", centre_id);

	if (r == -ENOENT)
		*from = -1;
	return r == -ENOENT ? 0 : r;
}

int find_notes_done(struct db *db, int64_t centre_id, int64_t to)
{
	int r = db_run(db, "UPDATE find_centre SET notes_id = $1 WHERE centre_id = $2", "ri", to, centre_id);

	return r > 0 ? -EIO : r;
}

/* ---- asking ---- */

int find_match(struct strb *ret, struct db *db, const struct find_ask *a)
{
	const struct kind *k = kind_of(a->kind);
	char prefix[PREFIX_MAX];
	int64_t n, old = -1;
	int r = centre_number(&n, db, a->centre_id);

	if (r && r != -ENOENT)
		return r;
	if (r)
		(void)str_copy(prefix, sizeof(prefix), "cg"); /* nothing was put yet: nobody's */
	else
		spell_prefix(prefix, n);
	r = k->alone ? find_notes_old(&old, db, a->centre_id) : 0;
	return r ? r : find_question(ret, db, prefix, a, k->alone && old < 0);
}

void find_where(struct strb *sql, const char *kind, int param, enum find_way way)
{
	(void)kind_of(kind);
	if (way == FIND_FEW)
		strb_printf(sql, " AND EXISTS (SELECT 1 FROM find_%s AS found WHERE found.rowid = t.id AND search_match(found.words, $%d))", kind, param);
	else
		strb_printf(sql,
			    " AND t.id IN (SELECT found.rowid FROM (SELECT rowid FROM find_%s WHERE words MATCH $%d ORDER BY rowid DESC"
			    " LIMIT %d) AS found)",
			    kind, param, FIND_ROWS_MAX);
}

int find_rows(int64_t *ids, size_t max, size_t *n, struct db *db, const struct find_ask *a)
{
	struct db_stmt *st;
	struct strb match;
	size_t k = 0;
	int r;

	strb_init(&match, MATCH_MAX);
	r = find_match(&match, db, a);
	if (!r)
		r = db_prepare(&st, db, kind_of(a->kind)->rows);
	if (!r) {
		db_bind_text(st, 1, match.buf);
		db_bind_i64(st, 2, (int64_t)max);
		while ((r = db_step(st)) == DB_ROW && k < max)
			ids[k++] = db_i64(st, 0);
		r = r == DB_ROW ? 0 : r;
		db_done(st);
	}
	if (!r)
		*n = k;
	strb_done(&match);
	return r;
}
