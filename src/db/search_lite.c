/*
 * search_match(words, question) for SQLite: does one row's text of words answer a question of db_search's words and signs? FTS5 is made to go
 * through all that match; a row whose key is known is looked at faster this way.
 *
 *   any := all {" OR " all}    all := one {" AND " one}    one := "(" any ")" | word {" + " word} ["*"]
 */
#include <sqlite3.h>
#include <string.h>

#include "base/base.h"
#include "db/engine.h"

#define DEPTH_MAX 8
#define PHRASE_MAX 4096

struct reader {
	const char *at, *words;
	unsigned depth;
	bool bad;
};

static bool read_any(struct reader *r);

static bool take(struct reader *r, const char *sign)
{
	size_t n = strlen(sign);

	if (strncmp(r->at, sign, n) != 0)
		return false;
	r->at += n;
	return true;
}

/* Whole words, but for the end of a beginning. */
static bool has_phrase(const char *words, const char *phrase, size_t n, bool begins)
{
	for (const char *hit = words; (hit = strstr(hit, phrase)); hit++)
		if ((hit == words || hit[-1] == ' ') && (begins || !hit[n] || hit[n] == ' '))
			return true;
	return false;
}

static bool read_phrase(struct reader *r)
{
	char phrase[PHRASE_MAX];
	size_t n = 0;

	do {
		size_t k = strcspn(r->at, " *()");

		if (!k || n + k + 2 > sizeof(phrase)) {
			r->bad = true;
			return false;
		}
		if (n)
			phrase[n++] = ' ';
		memcpy(phrase + n, r->at, k);
		n += k;
		r->at += k;
	} while (take(r, " + "));
	phrase[n] = '\0';
	return has_phrase(r->words, phrase, n, take(r, "*"));
}

static bool read_one(struct reader *r)
{
	bool yes;

	if (!take(r, "("))
		return read_phrase(r);
	if (++r->depth > DEPTH_MAX) {
		r->bad = true;
		return false;
	}
	yes = read_any(r);
	r->depth--;
	r->bad |= !take(r, ")");
	return yes;
}

static bool read_all(struct reader *r)
{
	bool yes = read_one(r);

	while (!r->bad && take(r, " AND "))
		yes = read_one(r) && yes;
	return yes;
}

static bool read_any(struct reader *r)
{
	bool yes = read_all(r);

	while (!r->bad && take(r, " OR "))
		yes = read_all(r) || yes;
	return yes;
}

static void search_match(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct reader r = {.words = (const char *)sqlite3_value_text(v[0]), .at = (const char *)sqlite3_value_text(v[1])};
	bool yes;

	if (!r.words || !r.at)
		return;
	yes = read_any(&r);
	if (r.bad || *r.at)
		sqlite3_result_error(c, "search_match: not a question", -1);
	else
		sqlite3_result_int(c, yes);
}

int db_search_register(struct sqlite3 *conn)
{
	return sqlite3_create_function_v2(conn, "search_match", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, search_match, NULL, NULL, NULL);
}
