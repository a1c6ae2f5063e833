/* Cells and titles as people write them: which field a title means, what a number was before a program "helped", several values in one cell. */
#include "resource/engine.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MAX 256
#define PARTS_MAX 8

/* ---- characters ---- */

/* What is a blank to a person: also no-break, wide, zero-width ones and the byte order mark. Its bytes; 0: none. */
static size_t blank(const char *s)
{
	static const char *const wide[] = {"\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xef\xbb\xbf", "\xe2\x80\xaf", "\xe2\x80\xac", "\xe2\x80\xad"};

	if (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
		return 1;
	for (size_t i = 0; (unsigned char)*s >= 0xc2 && i < ARRAY_LEN(wide); i++)
		if (!strncmp(s, wide[i], strlen(wide[i])))
			return strlen(wide[i]);
	return 0;
}

/* Full-width ! to ~ as ASCII; answers the bytes read, with the character in @c, or 0. */
static size_t full_width(char *c, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned v;

	if (p[0] != 0xef || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
		return 0;
	v = 0xf000u | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	if (v < 0xff01 || v > 0xff5e)
		return 0;
	*c = (char)(v - 0xfee0);
	return 3;
}

/* ---- titles ---- */

/* "电话（家人）*" and "电话\n家人" have two parts: 电话, 家人. Lower case, no blanks. */
struct title {
	char text[TITLE_MAX];
	const char *part[PARTS_MAX];
	size_t n;
};

static size_t title_char(char *c, const char *s)
{
	size_t k = full_width(c, s);

	if (k)
		return k;
	if (!strncmp(s, "【", 3) || !strncmp(s, "】", 3)) {
		*c = '(';
		return 3;
	}
	*c = *s;
	return 1;
}

static void title_make(struct title *t, const char *s)
{
	size_t at = 0;
	bool begin = true;

	t->n = 0;
	for (size_t k; *s && at + 2 < sizeof(t->text); s += k) {
		size_t b = blank(s);
		char c = 0;

		if (b && *s != '\n') {
			k = b;
			continue;
		}
		k = title_char(&c, s);
		if (c == '*' || c == ':' || c == '\'' || c == '"')
			continue;
		if (strchr("\n()[]<>", c)) {
			begin = true;
			continue;
		}
		if (begin) {
			if (t->n == PARTS_MAX)
				break;
			t->text[at] = 0;
			at += t->n > 0;
			t->part[t->n++] = t->text + at;
			begin = false;
		}
		t->text[at++] = (char)tolower((unsigned char)c);
	}
	t->text[at] = 0;
}

static void join(char out[TITLE_MAX], const struct title *t, bool back)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const char *p = t->part[back ? t->n - 1 - i : i];

		n += (size_t)snprintf(out + n, TITLE_MAX - n, "%s", p);
	}
	out[n] = 0;
}

/* The ways to read a title, best first. */
#define WAYS 4

static const char *way(char out[TITLE_MAX], const struct title *t, int i)
{
	if (!t->n || (t->n == 1 && i))
		return NULL;
	if (i < 2)
		join(out, t, i == 1);
	else
		(void)str_copy(out, TITLE_MAX, t->part[i == 2 ? t->n - 1 : 0]);
	return out;
}

/* Everything a target is called, as titles are read. */
struct names {
	struct name {
		int target;
		size_t len;
		char text[TITLE_MAX];
	} *v;
	size_t n, room;
};

static void names_add(struct names *ns, int target, const char *list)
{
	for (const char *p = list; p && *p; p += strcspn(p, "|"), p += *p == '|') {
		size_t len = strcspn(p, "|");
		char word[TITLE_MAX];
		struct title t;
		struct name *n;

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (ns->n == ns->room) {
			ns->room = ns->room * 2 + 32;
			ns->v = xrealloc(ns->v, ns->room * sizeof(*ns->v));
		}
		n = &ns->v[ns->n];
		title_make(&t, word);
		join(n->text, &t, false);
		n->target = target;
		n->len = strlen(n->text);
		ns->n += n->len > 0;
	}
}

static void names_of(struct names *ns, const struct res_def *d)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (!res_field_importable(f))
			continue;
		names_add(ns, (int)i, f->zh);
		names_add(ns, (int)i, f->en);
		names_add(ns, (int)i, f->name);
		names_add(ns, (int)i, f->also);
	}
	for (size_t i = 0; d->child && i < d->child->column_n; i++) {
		const struct res_child_column *cc = &d->child->columns[i];

		names_add(ns, RES_TARGET_CHILD + (int)i, cc->zh);
		names_add(ns, RES_TARGET_CHILD + (int)i, cc->en);
		names_add(ns, RES_TARGET_CHILD + (int)i, cc->name);
		names_add(ns, RES_TARGET_CHILD + (int)i, cc->also);
	}
}

/* "客户姓名" ends with 姓名. Only Chinese, whose last word is the thing, and two characters at least. */
static bool ends(const char *title, size_t n, const struct name *name)
{
	for (size_t i = 0; i < name->len; i++)
		if (!(name->text[i] & 0x80))
			return false;
	return name->len >= 6 && name->len < n && !memcmp(title + n - name->len, name->text, name->len);
}

enum how { EXACT, COUNTED, ENDS, HOWS };

/* The name that fits best; of equal ones the first. */
static int best_target(enum how how, const struct names *ns, const struct title *t, const bool *used)
{
	char text[TITLE_MAX];
	size_t most = 0;
	int best = -1;

	for (int i = 0; best < 0 && i < WAYS; i++) {
		size_t n;

		if (!way(text, t, i))
			continue;
		n = strlen(text);
		while (how == COUNTED && n && isdigit((unsigned char)text[n - 1])) /* 电话2, phone 3: the second of several */
			n--;
		if (!n || (how == COUNTED && !text[n]))
			continue;
		for (size_t k = 0; k < ns->n; k++) {
			const struct name *name = &ns->v[k];
			bool is = how == ENDS ? ends(text, n, name) : name->len == n && !memcmp(name->text, text, n);

			if (is && name->len > most && (name->target >= RES_TARGET_CHILD || !used[name->target])) {
				most = name->len;
				best = name->target;
			}
		}
	}
	return best;
}

bool res_target_is_list(int target)
{
	return target >= RES_TARGET_CHILD;
}

const char *res_target_name(const struct res_def *d, int target)
{
	return target < 0 ? NULL : target >= RES_TARGET_CHILD ? d->child->columns[target - RES_TARGET_CHILD].name : d->fields[target].name;
}

int res_target_find(const struct res_def *d, const char *name)
{
	int i = res_field_find(d, name);

	if (i >= 0)
		return res_field_importable(&d->fields[i]) ? i : -1;
	for (size_t k = 0; d->child && k < d->child->column_n; k++)
		if (!strcmp(d->child->columns[k].name, name))
			return RES_TARGET_CHILD + (int)k;
	return -1;
}

size_t res_titles_guess(int *targets, const struct res_def *d, const char *const *titles, size_t n)
{
	struct title *t = xcalloc(n + 1, sizeof(*t));
	bool used[RES_TARGET_CHILD] = {false};
	struct names names = {0};
	size_t sure = 0;

	names_of(&names, d);
	for (size_t i = 0; i < n; i++) {
		targets[i] = -1;
		title_make(&t[i], titles[i] ? titles[i] : "");
	}
	for (enum how how = EXACT; how < HOWS; how++)
		for (size_t i = 0; i < n; i++) {
			if (targets[i] >= 0 || !t[i].n)
				continue;
			targets[i] = best_target(how, &names, &t[i], used);
			if (targets[i] >= 0 && targets[i] < RES_TARGET_CHILD)
				used[targets[i]] = true;
			sure += targets[i] >= 0 && how < ENDS;
		}
	free(names.v);
	free(t);
	return sure;
}

/* ---- numbers ---- */

/*
 * "1.38E+10" is what a spreadsheet shows when it is too narrow: the digits behind are gone, and only as many decimals as the exponent say
 * otherwise. "1.3800138E10" without a plus is how Java writes a double, with all its digits. 0; 1: gone; -1: no such number.
 */
static int unfold(char *s)
{
	size_t lead = strspn(s, "0123456789"), dec = s[lead] == '.' ? strspn(s + lead + 1, "0123456789") : 0;
	const char *e = s + lead + (s[lead] == '.') + dec;
	char digits[64];
	long exp;

	if (lead != 1 || (*e != 'e' && *e != 'E') || !e[1] || e[1 + strspn(e + 1, "+0123456789")] || dec > 30)
		return -1;
	exp = strtol(e + 1, NULL, 10);
	if (exp < 1 || exp > 30)
		return -1;
	if (e[1] == '+' && (long)dec < exp)
		return 1;
	(void)snprintf(digits, sizeof(digits), "%c%.*s", s[0], (int)dec, s + lead + 1);
	for (size_t n = dec + 1; n < (size_t)exp + 1; n++) {
		digits[n] = '0';
		digits[n + 1] = 0;
	}
	if ((long)dec > exp && strspn(digits + exp + 1, "0") != strlen(digits + exp + 1))
		return -1; /* a fraction is no number that rings */
	digits[exp + 1] = 0;
	(void)strcpy(s, digits); /* not longer: mantissa and exponent took more */
	return 0;
}

/* 13,800,138,000 */
static bool thousands(const char *s)
{
	size_t lead = strspn(s, "0123456789");

	if (!lead || lead > 3 || s[lead] != ',')
		return false;
	for (s += lead; *s == ','; s += 4)
		if (strspn(s + 1, "0123456789") != 3)
			return false;
	return !*s;
}

/* 13800138000.0, and commas between thousands. */
static void whole(char *s)
{
	size_t lead = strspn(s, "0123456789"), n = 0;

	if (lead && s[lead] == '.' && s[lead + 1] && !s[lead + 1 + strspn(s + lead + 1, "0")])
		s[lead] = 0;
	if (thousands(s)) {
		for (const char *p = s; *p; p++)
			if (*p != ',')
				s[n++] = *p;
		s[n] = 0;
	}
}

int res_number_clean(char *ret, size_t size, const char *text)
{
	char sci[96];
	size_t n = 0, k;
	char c;
	int r;

	assert(size > 96);
	for (; *text && n + 8 < size; text += k) {
		k = blank(text);
		if (k) {
			if (n && ret[n - 1] != ' ')
				ret[n++] = ' ';
			continue;
		}
		k = full_width(&c, text);
		if (!k) {
			c = *text;
			k = 1;
		}
		if (!n && (c == '\'' || c == '`'))
			continue;
		ret[n++] = c;
	}
	while (n && ret[n - 1] == ' ')
		n--;
	ret[n] = 0;
	if (*text)
		return 1;
	whole(ret);
	if (!str_copy(sci, sizeof(sci), ret))
		return 0;
	r = strlen(sci) < 40 ? unfold(sci) : -1;
	if (r == 1)
		return 2;
	if (!r)
		(void)str_copy(ret, size, sci);
	return 0;
}

/* ---- several in one cell ---- */

static size_t digits(const char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += isdigit((unsigned char)s[i]) != 0;
	return k;
}

/* A blank parts two numbers when both have as many digits as a telephone of its own. */
static bool blanks_part(const char *s, size_t n)
{
	size_t words = 0;

	for (size_t i = 0; i < n;) {
		size_t k = 0;

		while (i + k < n && s[i + k] != ' ')
			k++;
		if (k && digits(s + i, k) < 7)
			return false;
		words += k > 0;
		i += k + 1;
	}
	return words > 1;
}

static size_t separator(const char *s)
{
	static const char *const wide[] = {"、", "；", "，", "／", "｜", "或", "和"};

	if (strchr("/;,|\n\r\\", *s))
		return 1;
	for (size_t i = 0; (unsigned char)*s >= 0xe3 && i < ARRAY_LEN(wide); i++)
		if (!strncmp(s, wide[i], strlen(wide[i])))
			return strlen(wide[i]);
	return 0;
}

static void give(const char *s, size_t n, void (*fn)(void *arg, const char *value), void *arg)
{
	char *copy;

	while (n && *s == ' ') {
		s++;
		n--;
	}
	while (n && s[n - 1] == ' ')
		n--;
	if (!n)
		return;
	copy = xstrndup(s, n);
	fn(arg, copy);
	free(copy);
}

void res_cell_split(const char *text, bool numbers, void (*fn)(void *arg, const char *value), void *arg)
{
	const char *from = text;
	size_t k;

	if (numbers && thousands(text)) {
		give(text, strlen(text), fn, arg);
		return;
	}
	for (const char *p = text;; p += k) {
		bool space = numbers && *p == ' ' && blanks_part(from, strcspn(from, "/;,|\n\r\\"));

		k = *p ? space ? 1 : separator(p) : 0;
		if (*p && !k) {
			k = 1;
			continue;
		}
		give(from, (size_t)(p - from), fn, arg);
		if (!*p)
			return;
		from = p + k;
	}
}
