/*
 * See entry.h. The text becomes a string of signs first, one character each with its place in the text; then it is cut into pieces.
 *
 *   0-9 + * # ( ) . - : / '  as they are (wide ones, too)      ' ' blanks        ; what parts numbers: ; 、 | or line breaks
 *   x  extension: 转 分机 ext    e  exponent    A..E  a label (num_entry_label)    w  words that do not matter    ?  letters that do
 */
#include "number/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define DIGITS "0123456789"
#define WORD_MAX 64
#define TOKENS_MAX 64

static const struct {
	const char *name, *zh, *en;
} whys[NUM_ENTRY_WHYS] = {
	[NUM_E_OK] = {"ok", "", ""},
	[NUM_E_ROUNDED] = {"rounded", "号码被表格软件写成了科学计数（如 1.38E+10），末几位已经丢失。请把该列设为“数字”或“文本”后重新保存。",
			   "A spreadsheet wrote this number as 1.38E+10 and lost its last digits. Make the column text and save it again."},
	[NUM_E_LETTERS] = {"letters", "不是电话号码，或夹有不是数字的字。", "This is no telephone number, or something in it is no digit."},
	[NUM_E_SHORT] = {"short", "号码位数不够。", "Digits are missing."},
	[NUM_E_LONG] = {"long", "号码位数太多。", "There are too many digits."},
	[NUM_E_AREA] = {"area", "缺少区号。", "The area code is missing."},
	[NUM_E_FORM] = {"form", "没有这样的号码。", "No number looks like this."},
};

const char *num_entry_why_name(enum num_entry_why why)
{
	return whys[why].name;
}

const char *num_entry_sentence(enum num_entry_why why, const char *lang)
{
	return strcmp(lang, "en") ? whys[why].zh : whys[why].en;
}

const char *num_entry_label_name(enum num_entry_label l)
{
	static const char *const names[NUM_ENTRY_LABELS] = {"", "self", "family", "company", "other"};

	return names[l];
}

/* ---- signs ---- */

struct signs {
	char s[NUM_ENTRY_TEXT_MAX + 2]; /* ends with NUL */
	uint16_t at[NUM_ENTRY_TEXT_MAX + 2], end[NUM_ENTRY_TEXT_MAX + 2];
	size_t n;
};

static void put(struct signs *g, char c, size_t at, size_t end)
{
	g->s[g->n] = c;
	g->at[g->n] = (uint16_t)at;
	g->end[g->n] = (uint16_t)end;
	g->s[++g->n] = '\0';
}

/* One character; U+FFFD for what is no UTF-8. @text[*i] is not the end. */
static uint32_t char_at(const char *text, size_t *i)
{
	const unsigned char *s = (const unsigned char *)text + *i;
	unsigned n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c = n < 2 ? s[0] : s[0] & (0xffu >> (n + 1));

	for (unsigned k = 1; k < n; k++) {
		if ((s[k] & 0xc0) != 0x80) {
			n = 0;
			break;
		}
		c = c << 6 | (s[k] & 0x3f);
	}
	*i += n ? n : 1;
	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xfee0; /* full-width forms mirror ASCII */
	return n ? c : 0xfffd;
}

/* What a character is by itself; 0: part of a word, 1: nothing (it cannot be seen). */
static char sign_of(uint32_t c)
{
	static const struct {
		uint16_t c;
		char sign;
	} all[] = {
		{'\n', ';'}, {'\r', ';'}, {',', ';'}, {';', ';'}, {0x3001, ';'}, {'|', ';'}, {'\\', ';'}, {'&', ';'}, {0x2028, ';'}, {0x2029, ';'},
		{0x3002, ';'}, {'\t', ' '}, {' ', ' '}, {0xa0, ' '}, {0x3000, ' '}, {'\'', '\''}, {'`', '\''}, {0x2018, '\''}, {0x2019, '\''},
		{'"', '\''}, {0x201c, '\''}, {0x201d, '\''}, {'[', '('}, {']', ')'}, {0x3010, '('}, {0x3011, ')'}, {'<', '('}, {'>', ')'}, {'_', '-'},
		{0x2212, '-'}, {0x30fc, '-'}, {0x2014, '-'}, {'~', '-'}, {'=', ':'}, {0xb7, '.'}, {0xfeff, 1}, {0xad, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (c == all[i].c)
			return all[i].sign;
	if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069))
		return 1;
	if (c >= 0x2000 && c <= 0x200a)
		return ' ';
	if (c >= 0x2010 && c <= 0x2015)
		return '-';
	if (c < 0x80 && strchr(DIGITS "+*#().-:/", (int)c) && c)
		return (char)c;
	return 0;
}

/* ---- words ---- */

/* Longest first where one begins another. */
static const struct atom {
	const char *text;
	char sign; /* A none, B self, C family, D company, E other, x, ; */
} atoms[] = {
	{"转分机号", 'x'}, {"转分机", 'x'}, {"分机号", 'x'}, {"分机", 'x'}, {"内线", 'x'}, {"转", 'x'}, {"轉", 'x'}, {"extension", 'x'}, {"ext", 'x'},
	{"x", 'x'}, {"或者", ';'}, {"或", ';'}, {"和", ';'}, {"及", ';'}, {"or", ';'}, {"and", ';'},
	{"手机号码", 'A'}, {"手机号", 'A'}, {"手机", 'A'}, {"移动电话", 'A'}, {"联系电话", 'A'}, {"联系方式", 'A'}, {"联系人", 'A'}, {"联系", 'A'},
	{"电话号码", 'A'}, {"电话", 'A'}, {"號碼", 'A'}, {"号码", 'A'}, {"座机", 'A'}, {"固话", 'A'}, {"固定", 'A'}, {"微信同号", 'A'}, {"同微信", 'A'},
	{"微信", 'A'}, {"同号", 'A'}, {"號", 'A'}, {"号", 'A'}, {"的", 'A'}, {"主", 'A'}, {"telephone", 'A'}, {"tel", 'A'}, {"phone", 'A'}, {"mobile", 'A'},
	{"cellphone", 'A'}, {"cell", 'A'}, {"mob", 'A'}, {"no", 'A'}, {"number", 'A'}, {"wechat", 'A'}, {"vx", 'A'},
	{"本人", 'B'}, {"自己", 'B'}, {"个人", 'B'}, {"客户", 'B'}, {"self", 'B'}, {"own", 'B'},
	{"家庭", 'C'}, {"家人", 'C'}, {"家属", 'C'}, {"家里", 'C'}, {"家", 'C'}, {"住宅", 'C'}, {"宅", 'C'}, {"配偶", 'C'}, {"爱人", 'C'}, {"妻子", 'C'},
	{"丈夫", 'C'}, {"父亲", 'C'}, {"母亲", 'C'}, {"儿子", 'C'}, {"女儿", 'C'}, {"父母", 'C'}, {"子女", 'C'}, {"home", 'C'}, {"family", 'C'},
	{"公司", 'D'}, {"单位", 'D'}, {"办公室", 'D'}, {"办公", 'D'}, {"工作", 'D'}, {"office", 'D'}, {"company", 'D'}, {"work", 'D'}, {"business", 'D'},
	{"其他", 'E'}, {"其它", 'E'}, {"备用", 'E'}, {"传真", 'E'}, {"紧急", 'E'}, {"other", 'E'}, {"fax", 'E'},
};

static const struct atom *atom_at(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(atoms); i++)
		if (!strncmp(word, atoms[i].text, strlen(atoms[i].text)))
			return &atoms[i];
	return NULL;
}

/* The sign of a word that consists of known ones: the strongest of its labels; 0: it has unknown parts. */
static char known_word(const char *word)
{
	const struct atom *a = atom_at(word);
	char sign = a ? a->sign : 0;

	if (sign == 'x' || sign == ';')
		return word[strlen(a->text)] ? 0 : sign;
	while (a && *(word += strlen(a->text))) {
		a = atom_at(word);
		sign = !a || a->sign == 'x' || a->sign == ';' ? 0 : sign > 'A' ? sign : a->sign;
		if (!sign)
			return 0;
	}
	return sign;
}

/* Letters of ASCII and other numerals might be digits that went wrong; other words beside a number are a name or a remark. */
static bool is_suspicious(uint32_t c)
{
	return c < 0x80 || (c >= 0x2070 && c <= 0x209c) || (c >= 0x2460 && c <= 0x24ff) || c == 0xfffd;
}

/* In names they are common: a word is a number only if it consists of them. */
static bool is_han_numeral(uint32_t c)
{
	static const uint16_t numerals[] = {0x3007, 0x96f6, 0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d, 0x5341};

	for (size_t i = 0; i < ARRAY_LEN(numerals); i++)
		if (c == numerals[i])
			return true;
	return false;
}

struct word {
	char text[WORD_MAX]; /* lower case; "" when it is longer */
	bool suspicious;
	size_t at, end;
};

static void read_word(struct word *w, const char *text, size_t *i)
{
	size_t n = 0, before;
	bool numerals = true;

	*w = (struct word){.at = *i};
	while (text[*i]) {
		uint32_t c;
		size_t len;

		before = *i;
		c = char_at(text, i);
		if (sign_of(c)) {
			*i = before;
			break;
		}
		w->suspicious |= is_suspicious(c);
		numerals &= is_han_numeral(c);
		len = c < 0x80 ? 1 : *i - before;
		if (n + len < WORD_MAX) {
			if (c < 0x80)
				w->text[n] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
			else
				memcpy(w->text + n, text + before, len);
		}
		n += len;
	}
	if (n >= WORD_MAX)
		w->text[0] = '\0';
	w->suspicious |= numerals;
	w->end = *i;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The next sign behind @i that is none of @skip; 0: a word or the end. */
static char peek(const char *text, size_t i, const char *skip)
{
	while (text[i]) {
		char c = sign_of(char_at(text, &i));

		if (!c || !strchr(skip, c))
			return c;
	}
	return 0;
}

/* The last sign of @g that is no filling; 0: none. */
static char last_sign(const struct signs *g)
{
	for (size_t i = g->n; i-- > 0;)
		if (!strchr(" ()-.:", g->s[i]))
			return g->s[i];
	return 0;
}

static void put_word(struct signs *g, const struct word *w, const char *text)
{
	char known = known_word(w->text), before = g->n ? g->s[g->n - 1] : 0, after = peek(text, w->end, "");
	bool exponent = !strcmp(w->text, "e") && (is_digit(before) || before == '.') && (is_digit(after) || after == '+');

	if (exponent)
		put(g, 'e', w->at, w->end);
	else if (known == 'x' && is_digit(last_sign(g)) && is_digit(peek(text, w->end, " .:-()")))
		put(g, 'x', w->at, w->end);
	else if (known == ';')
		put(g, ';', w->at, w->end);
	else if (known && known != 'x')
		put(g, known, w->at, w->end);
	else if (peek(text, w->end, " ") == ':' || (before == '(' && after == ')') || !w->suspicious)
		put(g, 'w', w->at, w->end);
	else
		put(g, '?', w->at, w->end);
}

static void read_signs(struct signs *g, const char *text)
{
	g->n = 0;
	g->s[0] = '\0';
	for (size_t i = 0; text[i];) {
		size_t at = i;
		char c = sign_of(char_at(text, &i));
		struct word w;

		if (c > 1) {
			if (!(g->n && g->s[g->n - 1] == 'x' && strchr(" .:-(", c))) /* "ext. 8001" */
				put(g, c, at, i);
		} else if (!c) {
			i = at;
			read_word(&w, text, &i);
			put_word(g, &w, text);
		}
	}
}

/* ---- one number ---- */

/* Only what a number consists of. */
static size_t keep(char *ret, size_t size, const char *s, size_t n, const char *chars)
{
	size_t m = 0;

	for (size_t i = 0; i < n && m + 1 < size; i++)
		if (strchr(chars, s[i]) && s[i])
			ret[m++] = s[i];
	ret[m] = '\0';
	return m;
}

/*
 * "1.3800138000e+10" into digits. False: some are missing. The exponent without a plus is that of programs which write the shortest text
 * that means the same, so zeros may have been left out; eight digits and more: nobody rounds to so many.
 */
static bool expand(char *ret, size_t size, const char *s)
{
	const char *e = strchr(s, 'e');
	size_t frac = 0, n = 0;
	int exp = 0;

	for (const char *p = s; p < e; p++) {
		if (*p == '.')
			frac = (size_t)(e - p) - 1;
		else if (n + 1 < size)
			ret[n++] = *p;
	}
	e += e[1] == '+';
	if (!is_digit(e[1]) || strlen(e + 1) > 2)
		return false;
	for (const char *p = e + 1; *p; p++)
		exp = exp * 10 + (*p - '0');
	if (frac < (size_t)exp && (*e == '+' || n < 8 || exp > 20))
		return false;
	for (; frac < (size_t)exp && n + 1 < size; frac++)
		ret[n++] = '0';
	for (; frac > (size_t)exp && n && ret[n - 1] == '0'; frac--)
		n--;
	ret[n] = '\0';
	return frac == (size_t)exp && n;
}

static bool is_subscribers(const struct num *n)
{
	return n->kind == NUM_MOBILE || n->kind == NUM_FIXED || n->kind == NUM_LOCAL || n->kind == NUM_SHARED || n->kind == NUM_FREE;
}

/* Of three or four digits only these are anybody's; the dialling plan would let all that begin so pass. */
static bool is_service(const char *s)
{
	static const char *const known[] = {"110", "112", "114", "117", "119", "120", "121", "122"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(s, known[i]))
			return true;
	return strlen(s) > 4;
}

/* What num_read makes of it, and a spreadsheet's lost 0 of an area code: 57188123456. */
static enum num_entry_why judge(struct num *ret, const char *s, const char *area)
{
	char zero[NUM_MAX];
	struct num n;
	size_t len = strlen(s);
	bool abroad = s[0] == '+' || !strncmp(s, "00", 2);

	*ret = (struct num){0};
	if (len >= NUM_MAX - 2)
		return NUM_E_LONG;
	(void)num_read(&n, s, area);
	if (n.kind == NUM_OTHER && len >= 9 && s[0] != '0' && s[0] != '+') {
		(void)snprintf(zero, sizeof(zero), "0%s", s);
		(void)num_read(&n, zero, area);
		if (n.kind != NUM_FIXED)
			(void)num_read(&n, s, area);
	}
	if (n.kind == NUM_ABROAD && (!n.cc || strlen(n.text) < 8))
		return strlen(s) > 15 ? NUM_E_LONG : strlen(s) < 8 ? NUM_E_SHORT : NUM_E_FORM;
	if (n.kind == NUM_SERVICE && !is_service(n.text))
		n.kind = NUM_SHORT;
	if (n.kind == NUM_LOCAL || n.kind == NUM_SHORT)
		*ret = n;
	if (n.kind == NUM_LOCAL)
		return NUM_E_AREA;
	if (n.kind == NUM_SHORT || (n.kind == NUM_BAD && len < 3))
		return NUM_E_SHORT;
	if (n.kind == NUM_BAD || n.kind == NUM_CODE)
		return NUM_E_FORM;
	if (n.kind != NUM_OTHER) {
		*ret = n;
		return NUM_E_OK;
	}
	if (!abroad && s[0] == '1' && s[1] >= '3' && len != 11)
		return len < 11 ? NUM_E_SHORT : NUM_E_LONG;
	return len < 7 ? NUM_E_SHORT : len > 12 + 2 * (size_t)abroad ? NUM_E_LONG : NUM_E_FORM;
}

/* Where an extension begins that a hyphen, # or bracket parts: "0571-88123456-8001"; 0: there is none. */
static size_t extension_at(const char *s, size_t n, const char *area)
{
	char base[NUM_MAX], tail[NUM_EXTENSION_MAX];
	struct num num;
	size_t at = n;

	if (at && s[at - 1] == ')')
		at--;
	while (at && is_digit(s[at - 1]))
		at--;
	if (!at || !strchr("-#(", s[at - 1]) || keep(tail, sizeof(tail), s + at, n - at, DIGITS) > 6 || !tail[0])
		return 0;
	if (keep(base, sizeof(base), s, at - 1, DIGITS "+") < 7 || judge(&num, base, area) > NUM_E_AREA || !is_subscribers(&num))
		return 0;
	/* Without an area code "6234567-8" may be eight digits as well. */
	if (num.kind == NUM_LOCAL || (num.kind == NUM_FIXED && base[0] != '0' && base[0] != '+')) {
		struct num whole;

		(void)keep(base, sizeof(base), s, n, DIGITS "+");
		if (judge(&whole, base, area) != NUM_E_SHORT && is_subscribers(&whole))
			return 0;
	}
	return at;
}

/* A piece of signs without words: one number. */
static void read_one(struct num_entry *e, const char *s, size_t n, const char *area)
{
	char t[NUM_MAX + 8], digits[NUM_MAX + 8], *x;
	size_t at;

	e->why = NUM_E_LONG;
	e->num = (struct num){0};
	e->extension[0] = '\0';
	if (keep(t, sizeof(t), s, n, DIGITS "+*#.-()xe/") + 1 >= sizeof(t))
		return;
	x = strchr(t, 'x');
	if (x) {
		if (keep(e->extension, sizeof(e->extension), x + 1, strlen(x + 1), DIGITS) > 6 || strspn(x + 1, DIGITS ".-()") < strlen(x + 1)) {
			e->why = NUM_E_FORM;
			e->extension[0] = '\0';
			return;
		}
		*x = '\0';
	}
	if (strchr(t, 'e')) {
		e->why = NUM_E_ROUNDED;
		if (strspn(t, DIGITS ".e+") < strlen(t) || !expand(digits, sizeof(digits), t))
			return;
		e->why = judge(&e->num, digits, area);
		return;
	}
	at = strspn(t, DIGITS);
	if (at >= 7 && t[at] == '.' && t[at + 1] && strspn(t + at + 1, "0") == strlen(t + at + 1))
		t[at] = '\0'; /* 13800138000.0 */
	at = x ? 0 : extension_at(t, strlen(t), area);
	if (at) {
		(void)keep(e->extension, sizeof(e->extension), t + at, strlen(t + at), DIGITS);
		t[at - 1] = '\0';
	}
	(void)keep(digits, sizeof(digits), t, strlen(t), DIGITS "+*#");
	e->why = strchr(digits + (digits[0] == '+'), '+') ? NUM_E_FORM : judge(&e->num, digits, area);
}

/* ---- several ---- */

struct reading {
	struct num_entry *ret;
	size_t max, n;
	const struct signs *g;
	const char *area;
};

static void add(struct reading *r, const struct num_entry *e, size_t from, size_t to)
{
	if (r->n < r->max) {
		r->ret[r->n] = *e;
		r->ret[r->n].at = r->g->at[from];
		r->ret[r->n].len = (size_t)r->g->end[to - 1] - r->g->at[from];
	}
	r->n++;
}

struct span {
	size_t from, to; /* signs */
};

static bool has_digit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_digit(s[i]))
			return true;
	return false;
}

/* Blanks part numbers and make them readable: as many tokens as make one good number are one. */
static void read_tokens(struct reading *r, const struct span *t, size_t n, enum num_entry_label label)
{
	for (size_t i = 0; i < n;) {
		struct num_entry e = {0}, best = {0};
		size_t took = 0;

		for (size_t j = i; j < n && j < i + 8; j++) {
			read_one(&e, r->g->s + t[i].from, t[j].to - t[i].from, r->area);
			if (e.why == NUM_E_OK || (e.why == NUM_E_AREA && !took)) {
				best = e;
				took = j - i + 1;
			}
		}
		if (!took) { /* nothing good begins here: all the rest is one bad piece, so that one mistake is told once */
			read_one(&best, r->g->s + t[i].from, t[n - 1].to - t[i].from, r->area);
			took = n - i;
		}
		best.label = label;
		add(r, &best, t[i].from, t[i + took - 1].to);
		i += took;
	}
}

/* @s: signs of numbers and blanks only. */
static void read_segment(struct reading *r, size_t from, size_t to, enum num_entry_label label)
{
	const char *s = r->g->s;
	struct span t[TOKENS_MAX];
	size_t n = 0;

	for (size_t i = from; i < to;) {
		size_t end = i;

		while (end < to && s[end] != ' ')
			end++;
		if (n && n < TOKENS_MAX && (!has_digit(s + i, end - i) || s[i] == 'x' || s[t[n - 1].to - 1] == 'x'))
			t[n - 1].to = end > i ? end : t[n - 1].to; /* a hyphen, a bracket or 转 between blanks */
		else if (end > i && n < TOKENS_MAX && has_digit(s + i, end - i))
			t[n++] = (struct span){i, end};
		else if (end > i && n == TOKENS_MAX)
			t[n - 1].to = end;
		i = end + 1;
	}
	if (n)
		read_tokens(r, t, n, label);
}

/* "0571/88123456": the stroke parts an area code from its number here. */
static bool is_area_stroke(const struct signs *g, size_t from, size_t i)
{
	char left[8], right[16];
	size_t end = i + 1;

	while (g->s[end] && strchr(DIGITS " -", g->s[end]))
		end++;
	return keep(left, sizeof(left), g->s + from, i - from, DIGITS) >= 3 && left[0] == '0' && strlen(left) <= 4 &&
	       keep(right, sizeof(right), g->s + i + 1, end - i - 1, DIGITS) >= 7 && strlen(right) <= 8 && right[0] != '0';
}

static bool is_word(char c)
{
	return c == 'w' || (c >= 'A' && c <= 'E');
}

/* Between two signs that part: words with their numbers. @first: labels stand before the numbers, not behind. */
static void read_part(struct reading *r, size_t from, size_t to, bool first)
{
	const char *s = r->g->s;
	enum num_entry_label label = NUM_L_NONE;
	size_t before = r->n;
	bool words = false;

	if (memchr(s + from, '?', to - from)) {
		add(r, &(struct num_entry){.why = NUM_E_LETTERS}, from, to);
		return;
	}
	for (size_t i = from; i < to;) {
		size_t end = i, at = r->n;

		if (is_word(s[i]) || s[i] == ':') {
			words |= s[i] == 'w';
			if (s[i] > 'A' && s[i] <= 'E')
				label = (enum num_entry_label)(s[i] - 'A');
			i++;
			continue;
		}
		while (end < to && !is_word(s[end]) && s[end] != ':')
			end++;
		if (has_digit(s + i, end - i)) {
			size_t next = end;

			while (!first && next < to && !is_word(s[next]))
				next++;
			if (!first && next < to && s[next] > 'A' && s[next] <= 'E')
				label = (enum num_entry_label)(s[next] - 'A');
			read_segment(r, i, end, label);
			if (r->n > at)
				label = NUM_L_NONE;
		}
		i = end;
	}
	if (r->n == before && words)
		add(r, &(struct num_entry){.why = NUM_E_LETTERS}, from, to);
}

/* What people write where there is nothing. */
static bool says_nothing(const char *text)
{
	static const char *const all[] = {"无", "没有", "暂无", "空", "未知", "n/a", "na", "none", "null", "nil"};
	size_t n = strlen(text);

	while (n && (*text == ' ' || *text == '\t'))
		text++, n--;
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (n == strlen(all[i]) && !strncasecmp(text, all[i], n))
			return true;
	return false;
}

size_t num_entries(struct num_entry *ret, size_t max, const char *text, const char *area)
{
	struct signs g;
	struct reading r = {.ret = ret, .max = max, .g = &g, .area = area};
	bool first;

	if (strnlen(text, NUM_ENTRY_TEXT_MAX + 1) > NUM_ENTRY_TEXT_MAX) {
		if (max)
			ret[0] = (struct num_entry){.why = NUM_E_LONG, .len = NUM_ENTRY_TEXT_MAX};
		return 1;
	}
	if (says_nothing(text))
		return 0;
	read_signs(&g, text);
	first = is_word(g.s[strspn(g.s, " ('")]);
	for (size_t i = 0, from = 0; i <= g.n; i++) {
		if (g.s[i] && g.s[i] != ';' && (g.s[i] != '/' || is_area_stroke(&g, from, i)))
			continue;
		while (from < i && strchr(" '", g.s[from]))
			from++;
		if (from < i)
			read_part(&r, from, i, first);
		from = i + 1;
	}
	return r.n;
}
