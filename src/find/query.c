/*
 * What people type, as a condition on words: every part of it must be there, each in one of the ways it can be meant. "zhangxl 8000" is
 *
 *     (lzhangxl* OR (izha + ihan + ... ) OR (pzhang AND izxl)) AND (800 + 000)
 */
#include <string.h>

#include "db/db.h"
#include "find/find.h"
#include "find/find_int.h"
#include "find/pinyin.h"
#include "find/words.h"

#define WAYS_MAX 40    /* a run of letters can be read */
#define STEPS_MAX 400  /* to find them */
#define SYLLABLES_MAX 20

struct query {
	struct strb *b;
	const struct db_search *s;
	const char *prefix; /* the centre's */
	bool any;           /* a part is there already */
	bool alone;         /* characters of texts are words by themselves */
};

/* ---- the engine's words ---- */

/* Before the next of several: @first is set, and cleared. */
static void join(struct query *q, const char *with, bool *first)
{
	if (!*first)
		strb_puts(q->b, with);
	*first = false;
}

static void word(struct query *q, const char *mark, const char *s, size_t n)
{
	strb_puts(q->b, q->prefix);
	strb_puts(q->b, mark);
	strb_add(q->b, s, n);
}

static void word_chars(struct query *q, const char *mark, const uint32_t *c, size_t n)
{
	char s[4];

	word(q, mark, "", 0);
	for (size_t i = 0; i < n; i++)
		strb_add(q->b, s, utf8_put(s, c[i]));
}

static void begin_part(struct query *q)
{
	strb_puts(q->b, q->any ? q->s->and : "");
	strb_putc(q->b, '(');
	q->any = true;
}

static void end_part(struct query *q)
{
	strb_putc(q->b, ')');
}

/* ---- digits ---- */

/* Any part of a number; at its end: the last of it. */
static void digits_part(struct query *q, const char *d, size_t n, bool end)
{
	bool first = true;

	begin_part(q);
	if (n < 3)
		word(q, "", d, n);
	for (size_t i = 0; i + 3 <= n && !(end && n == 4); i++) {
		join(q, q->s->then, &first);
		word(q, "", d + i, 3);
	}
	if (end) {
		join(q, q->s->then, &first);
		word(q, "e", d + n - 4, 4);
	}
	end_part(q);
}

/* Digits as somebody dials or copies them, without what stands before the number as we keep it. */
static size_t bare_digits(char *out, const char *d, size_t n, bool plus)
{
	if (!plus && n > 6 && d[0] == '0' && d[1] == '0')
		return number_digits(out, d + 2, n - 2, true);
	if (!plus && n >= 12 && d[0] == '8' && d[1] == '6')
		d += 2, n -= 2;
	if (!plus && n == 12 && d[0] == '0' && d[1] == '1' && d[2] >= '3')
		d++, n--;
	return number_digits(out, d, n, plus);
}

/* ---- Chinese ---- */

static void han_part(struct query *q, const uint32_t *c, size_t n)
{
	bool first = true;

	begin_part(q);
	if (n == 1) {
		word_chars(q, "u", c, 1);
		if (!q->alone) {
			strb_puts(q->b, q->s->or);
			word_chars(q, "", c, 1);
			strb_puts(q->b, q->s->prefix);
		}
	}
	for (size_t i = 0; i + 2 <= n; i++) {
		join(q, q->s->then, &first);
		word_chars(q, "", c + i, 2);
	}
	end_part(q);
}

/* ---- letters ---- */

struct reading {
	struct query *q;
	char w[WORD_CHARS_MAX + 1];
	size_t n;
	unsigned ways, steps;
	struct syllable {
		const char *s;
		size_t n;
	} part[SYLLABLES_MAX];
};

static void initials(struct query *q, const char *s, size_t n)
{
	bool first = true;

	if (n < 3)
		word(q, "i", s, n);
	for (size_t i = 0; i + 3 <= n; i++) {
		join(q, q->s->then, &first);
		word(q, "i", s + i, 3);
	}
}

static void syllables(struct reading *r, size_t k)
{
	bool first = true;

	for (size_t i = 0; i < k; i++) {
		join(r->q, r->q->s->then, &first);
		word(r->q, "p", r->part[i].s, r->part[i].n);
	}
}

static bool another_way(struct reading *r)
{
	if (r->ways == WAYS_MAX)
		return false;
	r->ways++;
	strb_puts(r->q->b, r->q->s->or);
	return true;
}

/* "zhang" and then "xl": the initials z, x, l in a row. */
static void rest_as_initials(struct reading *r, size_t k, size_t at)
{
	char s[WORD_CHARS_MAX + 1];

	if (!another_way(r))
		return;
	s[0] = r->part[k - 1].s[0];
	memcpy(s + 1, r->w + at, r->n - at);
	strb_putc(r->q->b, '(');
	syllables(r, k);
	strb_puts(r->q->b, r->q->s->and);
	initials(r->q, s, 1 + r->n - at);
	strb_putc(r->q->b, ')');
}

/* All ways to part w, from @at on, into syllables; the last may be unfinished. The longest syllables first, as they are the likeliest. */
static void read_from(struct reading *r, size_t k, size_t at)
{
	size_t rest = r->n - at;
	uint16_t from, to;

	if (++r->steps > STEPS_MAX || k == SYLLABLES_MAX)
		return;
	if (!rest) {
		if (another_way(r))
			syllables(r, k);
		return;
	}
	for (size_t n = rest < PINYIN_SYLLABLE - 1 ? rest : PINYIN_SYLLABLE - 1; n; n--)
		if (pinyin_is_syllable(r->w + at, n)) {
			r->part[k] = (struct syllable){r->w + at, n};
			read_from(r, k + 1, at + n);
		}
	if (rest >= 2 && rest < PINYIN_SYLLABLE && pinyin_beginning(&from, &to, r->w + at, rest))
		for (; from < to; from++) {
			if (!pinyin_syllables[from][rest])
				continue; /* the syllable itself was there */
			r->part[k] = (struct syllable){pinyin_syllables[from], strlen(pinyin_syllables[from])};
			if (another_way(r))
				syllables(r, k + 1);
		}
	if (k && rest <= 3)
		rest_as_initials(r, k, at);
}

static bool is_latin(const uint32_t *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i] >= 128)
			return false;
	return true;
}

static void letters_part(struct query *q, const uint32_t *c, size_t n)
{
	struct reading r = {.q = q};

	n = n < WORD_CHARS_MAX ? n : WORD_CHARS_MAX;
	begin_part(q);
	word_chars(q, "l", c, n);
	if (n > 1)
		strb_puts(q->b, q->s->prefix);
	if (is_latin(c, n)) {
		for (r.n = 0; r.n < n; r.n++)
			r.w[r.n] = (char)c[r.n];
		if (n <= 8) {
			strb_puts(q->b, q->s->or);
			initials(q, r.w, n);
		}
		for (size_t i = 0; i < n; i++) /* ü is typed v; tables without accents have u */
			r.w[i] = r.w[i] == 'v' ? 'u' : r.w[i];
		if (n > 1)
			read_from(&r, 0, 0);
	}
	end_part(q);
}

/* ---- questions ---- */

/* Digits with blanks and strokes between are one number. */
static size_t all_digits(char *out, const uint32_t *c, size_t len, size_t *at, const uint32_t *run, size_t n)
{
	size_t k = 0, next = *at;

	do {
		for (size_t i = 0; i < n; i++)
			out[k++] = (char)run[i];
		*at = next;
	} while (next_run(&run, &n, c, len, &next) == RUN_DIGITS);
	return k;
}

static int make(struct query *q, const uint32_t *c, size_t len, bool plus, bool masked)
{
	char d[FIND_ASK_MAX + 2], bare[FIND_ASK_MAX + 4];
	size_t at = 0, n, shorts = 0, parts = 0;
	const uint32_t *run;
	enum run_kind kind;

	while ((kind = next_run(&run, &n, c, len, &at)) != RUN_END) {
		parts++;
		if (kind == RUN_HAN)
			han_part(q, run, n);
		else if (kind == RUN_LETTERS)
			letters_part(q, run, n);
		else {
			n = bare_digits(bare, d, all_digits(d, c, len, &at, run, n), plus);
			shorts += n < 3;
			if (masked && n < 4)
				return FIND_E_SHORT;
			digits_part(q, bare, n, masked);
		}
	}
	return !parts ? FIND_E_EMPTY : shorts == parts ? FIND_E_SHORT : 0;
}

static bool has_plus(const char *text)
{
	return strchr(text, '+') || strstr(text, "＋");
}

int find_question(struct strb *ret, const struct db *db, const char *prefix, const struct find_ask *a, bool alone)
{
	struct query q = {.b = ret, .s = db_search(db), .prefix = prefix, .alone = alone};
	uint32_t c[FIND_ASK_MAX + 1];
	size_t len = fold_text(c, FIND_ASK_MAX + 1, a->text ? a->text : "");

	strb_clear(ret);
	if (len > FIND_ASK_MAX)
		return FIND_E_LONG;
	return make(&q, c, len, has_plus(a->text ? a->text : ""), a->masked);
}

bool find_is_digits(const char *text)
{
	uint32_t c[FIND_ASK_MAX];
	size_t len = fold_text(c, FIND_ASK_MAX, text ? text : "");
	bool any = false;

	for (size_t i = 0; i < len; i++) {
		if (c[i] && (c[i] < '0' || c[i] > '9'))
			return false;
		any |= c[i] != 0;
	}
	return any;
}

const char *find_error_name(int e)
{
	static const char *const names[] = {"", "empty", "long", "short"};

	return e > 0 && e < (int)ARRAY_LEN(names) ? names[e] : "";
}
