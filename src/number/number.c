/* Reading and writing numbers; see number.h. */
#include "number/number.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define DIGITS "0123456789"

/* ---- characters ---- */

/* One character of UTF-8; 0 at the end, U+FFFD for what is none. */
static uint32_t next_char(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	unsigned n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 0;
	uint32_t c = n == 1 ? s[0] : n == 2 ? s[0] & 0x1f : s[0] & 0x0f;

	if (!s[0])
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			n = 0;
		else
			c = c << 6 | (s[i] & 0x3f);
	}
	*p += n ? n : 1;
	return n ? c : 0xfffd;
}

/* Blanks, dashes, brackets, dots and slashes, narrow and wide: they only make a number readable. */
static bool is_filling(uint32_t c)
{
	static const uint16_t all[] = {' ', '\t', '-', '(', ')', '.', '/', 0xa0, 0x3000, 0xff08, 0xff09, 0xff0d, 0xff0e, 0xff0f};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (c == all[i])
			return true;
	return c >= 0x2000 && c <= 0x2015; /* spaces and dashes of typography */
}

bool num_clean(char ret[NUM_MAX], const char *text)
{
	const char *end = text + strnlen(text, NUM_TEXT_MAX + 1);
	size_t n = 0;
	uint32_t c;

	ret[0] = '\0';
	if (end > text + NUM_TEXT_MAX)
		return false;
	if (!strncmp(text, "tel:", 4))
		text += 4;
	while ((c = next_char(&text))) {
		if (c >= 0xff01 && c <= 0xff5e && !is_filling(c))
			c -= 0xfee0; /* full-width forms mirror ASCII */
		if (is_filling(c))
			continue;
		if (!(c >= '0' && c <= '9') && c != '*' && c != '#' && !(c == '+' && !n))
			return false;
		if (n == (ret[0] == '+' ? 31 : 32)) /* 00 and thirty digits are 32 */
			return false;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return n > (ret[0] == '+');
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool all_digits(const char *s)
{
	return !s[strspn(s, DIGITS)];
}

/* ---- the plan of the mainland ---- */

static bool set(struct num *ret, enum num_kind kind, unsigned cc, const char *area, const char *fmt, const char *a, const char *b)
{
	*ret = (struct num){.kind = kind, .cc = (uint16_t)cc};
	(void)str_copy(ret->area, sizeof(ret->area), area);
	(void)snprintf(ret->text, sizeof(ret->text), fmt, a, b);
	return true;
}

/* How many digits of @s are an area code; 0: none. 10 and 2x have two, the others three; 1x and 0 begin other things. */
static size_t area_len(const char *s)
{
	if (begins(s, "10"))
		return 2;
	if (s[0] == '2' && s[1] && s[1] != '6')
		return 2;
	if (s[0] < '3' || s[0] > '9' || !s[1] || !s[2] || begins(s, "400") || begins(s, "800") || begins(s, "96"))
		return 0;
	return 3;
}

static bool is_mobile(const char *s, size_t n)
{
	return n == 11 && s[0] == '1' && s[1] >= '3';
}

static bool is_subscriber(const char *s, size_t n)
{
	return (n == 7 || n == 8) && s[0] >= '2' && s[0] <= '8';
}

static enum num_kind short_kind(const char *s, size_t n)
{
	static const char *const emergency[] = {"110", "119", "120", "122"};

	for (size_t i = 0; i < ARRAY_LEN(emergency); i++)
		if (!strcmp(s, emergency[i]))
			return NUM_EMERGENCY;
	if (n >= 5 && n <= 10 && (begins(s, "160") || begins(s, "166") || begins(s, "168")))
		return NUM_PREMIUM;
	if (n >= 5 && n <= 8 && (begins(s, "118") || begins(s, "968")))
		return NUM_PREMIUM;
	if (n >= 5 && n <= 8 && (begins(s, "95") || begins(s, "96")))
		return NUM_SERVICE;
	if (n >= 3 && n <= 6 && s[0] == '1' && s[1] >= '0' && s[1] <= '2')
		return NUM_SERVICE;
	if (n == 8 && begins(s, "1010"))
		return NUM_SERVICE;
	return NUM_BAD;
}

/* What is the same with and without +86. */
static bool read_common(struct num *ret, const char *s, size_t n)
{
	enum num_kind k = short_kind(s, n);

	if (k)
		return set(ret, k, 86, "", "%s%s", s, "");
	if (is_mobile(s, n))
		return set(ret, NUM_MOBILE, 86, "", "+86%s%s", s, "");
	if (n == 10 && (begins(s, "400") || begins(s, "800")))
		return set(ret, s[0] == '4' ? NUM_SHARED : NUM_FREE, 86, "", "+86%s%s", s, "");
	return false;
}

/* Area code and what follows: a subscriber, or a short code of that area (0755 95588, 010 12345). */
static bool read_area(struct num *ret, const char *s, size_t n)
{
	size_t a = area_len(s);
	char area[5] = "";
	enum num_kind k;

	if (!a || n <= a)
		return false;
	memcpy(area, s, a);
	s += a;
	k = short_kind(s, n - a);
	if (k == NUM_PREMIUM)
		return set(ret, NUM_PREMIUM, 86, "", "+86%s%s", area, s);
	if (is_subscriber(s, n - a) || k)
		return set(ret, NUM_FIXED, 86, area, "+86%s%s", area, s);
	return false;
}

/* Behind +86, 0086 or 86: the 0 of "+86 (0)10" is not dialled. */
static bool read_mainland(struct num *ret, const char *s)
{
	size_t n;

	if (s[0] == '0')
		s++;
	n = strlen(s);
	return all_digits(s) && (read_common(ret, s, n) || read_area(ret, s, n));
}

static bool read_dialled(struct num *ret, const char *s, const char *area)
{
	size_t n = strlen(s);

	if (s[strspn(s, DIGITS)])
		return set(ret, NUM_CODE, 0, "", "%s%s", s, "");
	if (s[0] == '0')
		return read_mainland(ret, s) || set(ret, NUM_OTHER, 0, "", "%s%s", s, "");
	if (read_common(ret, s, n))
		return true;
	if (is_subscriber(s, n))
		return area && *area ? set(ret, NUM_FIXED, 86, area, "+86%s%s", area, s) : set(ret, NUM_LOCAL, 86, "", "%s%s", s, "");
	if (begins(s, "86") && n >= 12 && read_mainland(ret, s + 2))
		return true;
	return set(ret, n >= 3 && n <= 6 ? NUM_SHORT : NUM_OTHER, 0, "", "%s%s", s, "");
}

/* ---- other countries ---- */

/* ITU-T E.164's list: 1 and 7 have one digit, these two, all others three. */
static unsigned country(const char *s)
{
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 "
				  "90 91 92 93 94 95 98 ";
	char key[4] = {s[0], s[1], ' ', '\0'};
	unsigned cc = 0;
	size_t n = s[0] == '1' || s[0] == '7' ? 1 : strlen(s) >= 2 && strstr(two, key) ? 2 : 3;

	for (size_t i = 0; i < n && s[i]; i++)
		cc = cc * 10 + (unsigned)(s[i] - '0');
	return cc;
}

/* @s: what follows the plus or 00. It is abroad even if no such country exists: whoever carries it might know better. */
static bool read_international(struct num *ret, const char *s)
{
	if (!all_digits(s))
		return set(ret, NUM_CODE, 0, "", "+%s%s", s, "");
	if (begins(s, "86"))
		return read_mainland(ret, s + 2) || set(ret, NUM_OTHER, 86, "", "+%s%s", s, "");
	if (s[0] == '0' || strlen(s) < 4 || strlen(s) > 15)
		return set(ret, NUM_ABROAD, 0, "", "00%s%s", s, "");
	return set(ret, NUM_ABROAD, country(s), "", "+%s%s", s, "");
}

bool num_read(struct num *ret, const char *text, const char *area)
{
	char s[NUM_MAX];

	*ret = (struct num){0};
	if (!text || !num_clean(s, text))
		return false;
	if (s[0] == '+')
		return read_international(ret, s + 1);
	if (begins(s, "00"))
		return read_international(ret, s + 2);
	return read_dialled(ret, s, area);
}

bool num_read_bare(struct num *ret, const char *text, const char *area)
{
	char s[NUM_MAX];

	*ret = (struct num){0};
	if (!text || !num_clean(s, text))
		return false;
	/* Seven digits are the shortest number with a country code; short codes are not changed by this form. */
	if (s[0] == '+' || s[0] == '0' || !all_digits(s) || strlen(s) < 7)
		return num_read(ret, s, area);
	if (num_read(ret, s, area) && (ret->kind == NUM_SERVICE || ret->kind == NUM_PREMIUM || ret->kind == NUM_LOCAL))
		return true;
	return read_international(ret, s);
}

bool num_area(char ret[5], const char *text)
{
	if (text[0] == '0')
		text++;
	if (strlen(text) > 4 || !all_digits(text) || (*text && area_len(text) != strlen(text)))
		return false;
	(void)str_copy(ret, 5, text);
	return true;
}

/* ---- writing ---- */

static const char *const form_names[] = {
	[NUM_F_RAW] = "raw", [NUM_F_E164] = "e164", [NUM_F_BARE] = "bare", [NUM_F_INTL] = "intl", [NUM_F_NATIONAL] = "national",
	[NUM_F_LOCAL] = "local",
};

const char *num_form_name(enum num_form f)
{
	return form_names[f];
}

bool num_form_parse(enum num_form *ret, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(form_names); i++)
		if (!strcmp(form_names[i], name)) {
			*ret = (enum num_form)i;
			return true;
		}
	return false;
}

/* Inside the mainland, @s without +86. */
static void write_home(char ret[NUM_MAX], const struct num *n, bool local, const char *area, enum num_city city)
{
	const char *s = n->text + 3, *zero = "0";

	if (n->kind == NUM_SHARED || n->kind == NUM_FREE || (n->kind == NUM_MOBILE && (!local || city == NUM_CITY_HOME)))
		zero = "";
	if (local && n->kind == NUM_FIXED && area && !strcmp(area, n->area) && is_subscriber(s + strlen(area), strlen(s + strlen(area)))) {
		zero = "";
		s += strlen(area);
	}
	(void)snprintf(ret, NUM_MAX, "%s%s", zero, s);
}

void num_write(char ret[NUM_MAX], const struct num *n, enum num_form form, const char *area, enum num_city city)
{
	bool home = begins(n->text, "+86");

	if (n->text[0] != '+' || n->kind == NUM_CODE || form == NUM_F_RAW || form == NUM_F_E164)
		(void)str_copy(ret, NUM_MAX, n->text);
	else if (form == NUM_F_BARE)
		(void)str_copy(ret, NUM_MAX, n->text + 1);
	else if (form == NUM_F_INTL || !home || n->kind == NUM_OTHER)
		(void)snprintf(ret, NUM_MAX, "00%s", n->text + 1);
	else
		write_home(ret, n, form == NUM_F_LOCAL, area, city);
}

bool num_read_form(struct num *ret, const char *text, enum num_form form, const char *area)
{
	return form == NUM_F_BARE ? num_read_bare(ret, text, area) : num_read(ret, text, area);
}

void num_show(char *buf, size_t size, const struct num *n)
{
	const char *s = n->text;

	if (n->kind == NUM_MOBILE)
		(void)snprintf(buf, size, "%.3s %.4s %s", s + 3, s + 6, s + 10);
	else if (n->kind == NUM_SHARED || n->kind == NUM_FREE)
		(void)snprintf(buf, size, "%.3s-%.3s-%s", s + 3, s + 6, s + 9);
	else if (n->kind == NUM_FIXED)
		(void)snprintf(buf, size, "0%s-%s", n->area, s + 3 + strlen(n->area));
	else if (n->kind == NUM_ABROAD && n->cc)
		(void)snprintf(buf, size, "+%u %s", n->cc, s + 1 + (n->cc < 10 ? 1 : n->cc < 100 ? 2 : 3));
	else
		(void)str_copy(buf, size, s);
}

const char *num_kind_name(enum num_kind k)
{
	static const char *const names[NUM_KINDS] = {
		[NUM_BAD] = "bad", [NUM_MOBILE] = "mobile", [NUM_FIXED] = "fixed", [NUM_LOCAL] = "local", [NUM_SHARED] = "shared",
		[NUM_FREE] = "free", [NUM_SERVICE] = "service", [NUM_EMERGENCY] = "emergency", [NUM_PREMIUM] = "premium",
		[NUM_ABROAD] = "abroad", [NUM_SHORT] = "short", [NUM_CODE] = "code", [NUM_OTHER] = "other",
	};

	return names[k];
}

/* ---- who hides ---- */

/* RFC 3323 4.1.1.3, RFC 3325, and what gateways in the field write. */
bool num_is_hidden(const char *user, const char *host, const char *privacy)
{
	static const char *const words[] = {"anonymous", "unknown", "restricted", "unavailable", "private", "withheld", "hidden"};

	if (!user || !*user)
		return true;
	if (host && !strcasecmp(host, "anonymous.invalid"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcasecmp(user, words[i]))
			return true;
	for (const char *p = privacy; p && *p; p += strcspn(p, ",; \t"), p += strspn(p, ",; \t")) {
		size_t n = strcspn(p, ",; \t");

		if ((n == 2 && !strncasecmp(p, "id", 2)) || (n == 4 && !strncasecmp(p, "user", 4)) || (n == 6 && !strncasecmp(p, "header", 6)))
			return true;
	}
	return false;
}
