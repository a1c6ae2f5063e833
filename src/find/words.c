/* Words of rows, see words.h. Pure. */
#include "find/words.h"

#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "find/find.h"
#include "find/pinyin.h"

/* ---- characters ---- */

size_t utf8_put(char s[4], uint32_t c)
{
	int32_t n = 0;

	U8_APPEND_UNSAFE(s, n, c);
	return (size_t)n;
}

static bool is_wide(uint32_t c) /* scripts written without blanks */
{
	return pinyin_is_han(c) || (c >= 0x3041 && c <= 0x30ff && c != 0x30fb) || (c >= 0x1100 && c <= 0x11ff) || (c >= 0xac00 && c <= 0xd7a3);
}

/* What one character of a decomposition is compared as: -1 nothing at all, 0 something between words. */
static int64_t fold_char(uint32_t c)
{
	int8_t type;

	if (c < 128)
		return c >= 'A' && c <= 'Z' ? c + 32 : (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : 0;
	if (pinyin_is_han(c))
		return pinyin_simplified(c);
	type = u_charType((UChar32)c);
	if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR)
		return -1;
	if (type == U_DECIMAL_DIGIT_NUMBER)
		return '0' + u_charDigitValue((UChar32)c);
	if (!u_isalnum((UChar32)c) && type != U_COMBINING_SPACING_MARK)
		return 0;
	return (int64_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

static size_t add_folded(uint32_t *ret, size_t n, size_t max, uint32_t c)
{
	int64_t f = fold_char(c);

	if (f < 0 || n == max || (!f && (!n || !ret[n - 1])))
		return n;
	ret[n++] = (uint32_t)f;
	return n;
}

size_t fold_text(uint32_t *ret, size_t max, const char *text)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&e);
	size_t n = 0;

	for (int32_t i = 0; text[i] && n < max;) {
		UChar apart[32];
		UChar32 c;
		int32_t len = -1;

		/* Bounded by the text's NUL, which is no trail byte. */
		U8_NEXT((const uint8_t *)text, i, -1, c);
		if (c < 0)
			c = ' ';
		if (c >= 128 && !(c >= 0x3400 && c < 0xa000) && U_SUCCESS(e)) {
			UErrorCode one = U_ZERO_ERROR;

			len = unorm2_getDecomposition(nfkd, c, apart, ARRAY_LEN(apart), &one);
			if (U_FAILURE(one))
				len = -1;
		}
		if (len < 0)
			n = add_folded(ret, n, max, (uint32_t)c);
		for (int32_t k = 0; k < len;) {
			U16_NEXT(apart, k, len, c);
			n = add_folded(ret, n, max, (uint32_t)c);
		}
	}
	while (n && !ret[n - 1])
		n--;
	return n;
}

static enum run_kind kind_of(uint32_t c)
{
	return !c ? RUN_END : c >= '0' && c <= '9' ? RUN_DIGITS : is_wide(c) ? RUN_HAN : RUN_LETTERS;
}

enum run_kind next_run(const uint32_t **run, size_t *n, const uint32_t *c, size_t len, size_t *at)
{
	enum run_kind kind;
	size_t from;

	while (*at < len && !c[*at])
		++*at;
	if (*at == len)
		return RUN_END;
	from = *at;
	kind = kind_of(c[from]);
	while (*at < len && kind_of(c[*at]) == kind)
		++*at;
	*run = c + from;
	*n = *at - from;
	return kind;
}

/* ---- words ---- */

struct maker {
	struct strb *b;
	const char *prefix;
};

static void begin_word(struct maker *m)
{
	if (m->b->len)
		strb_putc(m->b, ' ');
	strb_puts(m->b, m->prefix);
}

static void put_word(struct maker *m, const char *mark, const char *s, size_t n)
{
	begin_word(m);
	strb_puts(m->b, mark);
	strb_add(m->b, s, n);
}

static void put_chars(struct maker *m, const char *mark, const uint32_t *c, size_t n)
{
	char s[4];

	begin_word(m);
	strb_puts(m->b, mark);
	for (size_t i = 0; i < n; i++)
		strb_add(m->b, s, utf8_put(s, c[i]));
}

static void put_digits(struct maker *m, const char *d, size_t n)
{
	if (n < 3)
		put_word(m, "", d, n);
	for (size_t i = 0; i + 3 <= n; i++)
		put_word(m, "", d + i, 3);
	put_word(m, "e", d + n - (n < 4 ? n : 4), n < 4 ? n : 4);
}

static void put_text(struct maker *m, const uint32_t *c, size_t len)
{
	const uint32_t *run;
	char digits[FIND_TEXT_MAX];
	enum run_kind kind;
	size_t n, at = 0;

	while ((kind = next_run(&run, &n, c, len, &at)) != RUN_END) {
		if (kind == RUN_LETTERS)
			put_chars(m, "l", run, n < WORD_CHARS_MAX ? n : WORD_CHARS_MAX);
		for (size_t i = 0; kind == RUN_DIGITS && i < n; i++)
			digits[i] = (char)run[i];
		if (kind == RUN_DIGITS)
			put_digits(m, digits, n);
		for (size_t i = 0; kind == RUN_HAN && i < n; i++)
			put_chars(m, "", run + i, i + 1 < n ? 2 : 1);
	}
}

/* ---- numbers ---- */

/* 1[3-9] and nine more, 400 and 800 with seven more: what follows +86 without the trunk prefix 0. */
static bool has_no_area(const char *d, size_t n)
{
	return n < 9 || (n == 11 && d[0] == '1' && d[1] >= '3') || (n == 10 && (d[0] == '4' || d[0] == '8') && d[1] == '0' && d[2] == '0');
}

size_t number_digits(char *out, const char *digits, size_t n, bool plus)
{
	bool home = plus && n > 2 && !memcmp(digits, "86", 2);

	if (home && !has_no_area(digits + 2, n - 2)) {
		out[0] = '0';
		memcpy(out + 1, digits + 2, n - 2);
		return n - 1;
	}
	memcpy(out, digits + (home ? 2 : 0), n - (home ? 2 : 0));
	return n - (home ? 2 : 0);
}

static void put_numbers(struct maker *m, const char *numbers)
{
	char digits[32], out[34];

	for (size_t k = 0; k < FIND_NUMBERS_MAX && *(numbers += strspn(numbers, " ")); k++) {
		bool plus = *numbers == '+';
		size_t n = 0;

		for (; *numbers && *numbers != ' '; numbers++)
			if (*numbers >= '0' && *numbers <= '9' && n < sizeof(digits))
				digits[n++] = *numbers;
		n = number_digits(out, digits, n, plus);
		if (n)
			put_digits(m, out, n);
	}
}

/* ---- names ---- */

#define SPELLINGS_MAX 4 /* of a run of characters: 乐 is le and yue */

struct spelling {
	const char *read[FIND_NAME_MAX];
};

/* All the ways to read a run, the likeliest first; their number. */
static size_t spell(struct spelling ret[SPELLINGS_MAX], const uint32_t *c, size_t n, bool first)
{
	size_t ways = 1;

	for (size_t i = 0; i < n; i++) {
		const char *r[PINYIN_READINGS], *two[2];
		size_t rn = pinyin_readings(r, c[i], first && !i), had = ways;

		if (i + 1 < n && pinyin_surname_of_two(two, c[i], c[i + 1])) {
			for (size_t w = 0; w < ways; w++) {
				ret[w].read[i] = two[0];
				ret[w].read[i + 1] = two[1];
			}
			i++;
			continue;
		}
		for (size_t w = 0; w < had; w++)
			ret[w].read[i] = rn ? r[0] : "";
		for (size_t k = 1; k < rn; k++)
			for (size_t w = 0; w < had && ways < SPELLINGS_MAX; w++) {
				memcpy(ret[ways].read, ret[w].read, i * sizeof(ret[w].read[0]));
				ret[ways++].read[i] = r[k];
			}
	}
	return ways;
}

static void put_initials(struct maker *m, const char *s, size_t n)
{
	for (size_t i = 0; i + 3 <= n; i++)
		put_word(m, "i", s + i, 3);
	for (size_t i = 0; i + 2 <= n; i++)
		put_word(m, "i", s + i, 2);
	if (n)
		put_word(m, "i", s, 1);
}

static void put_spelling(struct maker *m, const struct spelling *s, size_t n, char *last, bool again)
{
	char initials[FIND_NAME_MAX + 1];
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (*s->read[i]) {
			put_word(m, "p", s->read[i], strlen(s->read[i]));
			initials[k++] = s->read[i][0];
		}
	put_word(m, "b", "", 0);
	initials[k] = '\0';
	if (again && !strcmp(initials, last))
		return;
	strcpy(last, initials);
	put_initials(m, initials, k);
	put_word(m, "b", "", 0);
}

/* Latin letters have initials, too: those of words in a row. */
static void put_name(struct maker *m, const uint32_t *c, size_t len)
{
	struct spelling ways[SPELLINGS_MAX];
	char initials[FIND_NAME_MAX + 1] = "";
	const uint32_t *run;
	enum run_kind kind;
	size_t n, at = 0, words = 0;

	put_text(m, c, len);
	put_word(m, "b", "", 0);
	while ((kind = next_run(&run, &n, c, len, &at)) != RUN_END) {
		char last[FIND_NAME_MAX + 1] = "";
		size_t w;

		if (kind == RUN_LETTERS && run[0] < 128)
			initials[words++] = (char)run[0];
		if (kind != RUN_HAN)
			continue;
		for (size_t i = 0; i < n; i++)
			put_chars(m, "u", run + i, 1);
		w = spell(ways, run, n, run == c || !run[-1]);
		for (size_t i = 0; i < w; i++)
			put_spelling(m, &ways[i], n, last, i > 0);
	}
	if (words > 1)
		put_initials(m, initials, words);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A stroke between digits parts no number: 138-0013-8000. */
static size_t fold_plain(uint32_t *c, const char *text)
{
	char own[4 * FIND_TEXT_MAX + 1];
	size_t n = 0;

	for (const char *s = text; *s && n + 1 < sizeof(own); s++)
		if (*s != '-' || s == text || !is_digit(s[-1]) || !is_digit(s[1]))
			own[n++] = *s;
	own[n] = '\0';
	return fold_text(c, FIND_TEXT_MAX, own);
}

static int by_code(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Each once. What begins with a character is thousands of words in many notes, which no index gathers quickly. */
static void put_alone(struct maker *m, uint32_t *c, size_t len)
{
	qsort(c, len, sizeof(*c), by_code);
	for (size_t i = 0; i < len; i++)
		if (kind_of(c[i]) == RUN_HAN && (!i || c[i] != c[i - 1]))
			put_chars(m, "u", c + i, 1);
}

void words_of(struct strb *b, const char *prefix, const struct find_text *t, bool alone)
{
	struct maker m = {b, prefix};
	uint32_t c[FIND_TEXT_MAX];
	size_t n;

	if (t->name)
		put_name(&m, c, fold_text(c, FIND_NAME_MAX, t->name));
	if (t->numbers)
		put_numbers(&m, t->numbers);
	if (t->text) {
		put_word(&m, "b", "", 0);
		n = fold_plain(c, t->text);
		put_text(&m, c, n);
		if (alone)
			put_alone(&m, c, n);
	}
}
