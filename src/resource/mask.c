/*
 * What is shown in part: a number that is a field's value, and numbers that stand in words people wrote ("改打 138-0013-8000"). What is
 * masked in words reads like a telephone number: a mobile, a landline with its area code, 400, or anything behind a plus.
 */
#include "resource/engine.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 8  /* digits that blanks and hyphens part: 138 0013 8000 */
#define DIGITS_MAX 20

static size_t char_len(const char *s)
{
	size_t n = 1;

	while ((s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

char *res_mask(const char *text)
{
	size_t len = strlen(text), digits = strspn(text + (*text == '+'), "0123456789Xx"), last = len;
	const char *s = text;

	if (!len)
		return xstrdup("");
	if (!strncmp(s, "+86", 3))
		s += 3;
	if (digits + (*text == '+') == len) {
		len = strlen(s);
		if (len >= 9)
			return xasprintf("%.3s****%s", s, s + len - 4);
		return len >= 5 ? xasprintf("****%s", s + len - 2) : xstrdup("****");
	}
	while (last && (s[last - 1] & 0xc0) == 0x80)
		last--;
	last -= last != 0;
	return xasprintf("%.*s****%s", (int)char_len(s), s, last >= 3 ? s + last : "");
}

/* A digit at @s, half or full width: its bytes, and the digit in @c; 0: none. */
static size_t digit_at(const char *s, char *c)
{
	if (*s >= '0' && *s <= '9') {
		*c = *s;
		return 1;
	}
	if ((unsigned char)s[0] == 0xef && (unsigned char)s[1] == 0xbc && (unsigned char)s[2] >= 0x90 && (unsigned char)s[2] <= 0x99) {
		*c = (char)('0' + (unsigned char)s[2] - 0x90);
		return 3;
	}
	return 0;
}

static bool is_number(const char *d, size_t n, bool plus)
{
	if (plus)
		return n >= 7 && n <= 15;
	if (n > 4 && !strncmp(d, "0086", 4))
		return is_number(d + 4, n - 4, false);
	if (n > 11 && !strncmp(d, "86", 2))
		return is_number(d + 2, n - 2, false);
	if (n == 12 && d[0] == '0' && d[1] == '1' && d[2] >= '3')
		return true;
	if (n == 11 && d[0] == '1' && d[1] >= '3')
		return true;
	if (n >= 10 && n <= 12 && d[0] == '0' && d[1] != '0')
		return true;
	if (n > 9 && n <= 17 && !strncmp(d, "00", 2))
		return true;
	return n == 10 && (!strncmp(d, "400", 3) || !strncmp(d, "800", 3));
}

/*
 * A number that begins at @s: how many bytes it has, 0: there is none. Its digits into @d. The longest reading wins, so that two numbers
 * with a blank between are two.
 */
static size_t number_at(const char *s, char d[DIGITS_MAX + 1])
{
	size_t at = 0, n = 0, best = 0, best_n = 0, len, groups = 1;
	bool plus = *s == '+';
	char c;

	at += plus;
	while (n <= DIGITS_MAX) {
		len = digit_at(s + at, &c);
		if (len) {
			if (n == DIGITS_MAX)
				break; /* a longer one is no number, but what came before a blank may be */
			d[n++] = c;
			at += len;
			if (digit_at(s + at, &c))
				continue;
			if (is_number(d, n, plus)) {
				best = at;
				best_n = n;
			}
		} else {
			break;
		}
		if ((s[at] != ' ' && s[at] != '-') || !digit_at(s + at + 1, &c) || groups++ == GROUP_MAX)
			break;
		at++;
	}
	d[best_n] = 0;
	return best;
}

/* Calls @fn with each number in @text, and with what stands between. */
static void each_part(const char *text, void (*fn)(void *arg, const char *part, size_t len, const char *digits), void *arg)
{
	char d[DIGITS_MAX + 1], c;
	const char *from = text;
	size_t len;

	while (*text) {
		len = *text == '+' || digit_at(text, &c) ? number_at(text, d) : 0;
		if (len) {
			if (text > from)
				fn(arg, from, (size_t)(text - from), NULL);
			d[DIGITS_MAX] = 0;
			fn(arg, text, len, d);
			from = text += len;
		} else if (*text == '+') {
			text++;
		} else if (digit_at(text, &c)) { /* past this group of digits */
			while ((len = digit_at(text, &c)))
				text += len;
		} else {
			text++;
		}
	}
	if (text > from)
		fn(arg, from, (size_t)(text - from), NULL);
}

static char *masked(const char *digits, const char *part)
{
	const char *d = digits;
	size_t n;

	if (*part == '+' && !strncmp(d, "86", 2))
		d += 2;
	else if (!strncmp(d, "0086", 4))
		d += 4;
	n = strlen(d);
	return n >= 9 ? xasprintf("%.3s****%s", d, d + n - 4) : xasprintf("****%s", d + n - 2);
}

static void put_masked(void *arg, const char *part, size_t len, const char *digits)
{
	char *m;

	if (!digits) {
		strb_add(arg, part, len);
		return;
	}
	m = masked(digits, part);
	strb_puts(arg, m);
	free(m);
}

char *res_mask_words(const char *text)
{
	struct strb b;

	strb_init(&b, 2 * strlen(text) + 64);
	each_part(text, put_masked, &b);
	return strb_take(&b);
}

struct back {
	char *text;
};

static void put_back(void *arg, const char *part, size_t len, const char *digits)
{
	struct back *k = arg;
	char *m = digits ? masked(digits, part) : NULL, *at = m ? strstr(k->text, m) : NULL, *whole;

	if (at) {
		whole = xasprintf("%.*s%.*s%s", (int)(at - k->text), k->text, (int)len, part, at + strlen(m));
		free(k->text);
		k->text = whole;
	}
	free(m);
}

char *res_unmask_words(const char *text, const char *was)
{
	struct back k = {xstrdup(text)};

	each_part(was, put_back, &k);
	return k.text;
}

/* ---- a row ---- */

json_t *res_mask_json(const json_t *v)
{
	char number[24], *text;
	const char *key;
	json_t *out, *part;
	size_t i;

	if (json_is_string(v) || json_is_integer(v)) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		text = res_mask_words(json_is_string(v) ? json_string_value(v) : number);
		out = json_is_integer(v) && !strcmp(text, number) ? json_copy((json_t *)v) : json_string(text);
		free(text);
		return out;
	}
	out = json_copy((json_t *)v);
	json_object_foreach(out, key, part)
		(void)json_object_set_new(out, key, res_mask_json(part));
	json_array_foreach(out, i, part)
		(void)json_array_set_new(out, i, res_mask_json(part));
	return out;
}

/* Written by people, about persons: whatever is in it. */
static bool has_words(const struct res_def *d, const struct res_field *f)
{
	return d && d->mask_words && (f->type == RES_TEXT || f->type == RES_JSON);
}

static void mask_label(const struct res_field *f, json_t *row)
{
	const struct res_def *d = res_find(f->ref);
	int at = d && d->label ? res_field_find(d, d->label) : -1;
	char key[72], *text;
	const char *s;

	(void)snprintf(key, sizeof(key), "%s_label", f->name);
	s = json_string_value(json_object_get(row, key));
	if (at < 0 || !s)
		return;
	text = d->fields[at].flags & RES_MASKED ? res_mask(s) : d->mask_words ? res_mask_words(s) : NULL;
	if (text)
		(void)json_object_set_new(row, key, json_string(text));
	free(text);
}

void res_row_mask(const struct res_def *d, json_t *row)
{
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		json_t *v = json_object_get(row, f->name);
		char *text;

		if (res_field_refers(f)) {
			mask_label(f, row);
		} else if ((f->flags & RES_MASKED) && json_is_string(v)) {
			text = res_mask(json_string_value(v));
			(void)json_object_set_new(row, f->name, json_string(text));
			free(text);
		} else if (has_words(d, f) && v && !json_is_null(v)) {
			(void)json_object_set_new(row, f->name, res_mask_json(v));
		}
	}
}

/* The same places of a form hold the same answers. */
static json_t *unmask_words(const json_t *v, const json_t *was)
{
	const char *key;
	json_t *out, *part;
	char *text;
	size_t i;

	if (json_is_string(v) && json_is_integer(was)) {
		part = res_mask_json(was);
		out = json_incref(json_equal(part, v) ? (json_t *)was : (json_t *)v);
		json_decref(part);
		return out;
	}
	if (json_is_string(v) && json_is_string(was)) {
		text = res_unmask_words(json_string_value(v), json_string_value(was));
		out = json_string(text);
		free(text);
		return out;
	}
	out = json_copy((json_t *)v);
	json_object_foreach(out, key, part)
		(void)json_object_set_new(out, key, unmask_words(part, json_object_get(was, key)));
	json_array_foreach(out, i, part)
		(void)json_array_set_new(out, i, unmask_words(part, json_array_get(was, i)));
	return out;
}

json_t *res_unmask(const struct res_who *who, const struct res_def *d, const struct res_field *f, const json_t *v, const json_t *was)
{
	json_t *same = (json_t *)v, *back;
	char *text;

	if (!v || !was || res_unmasked(who))
		return json_incref(same);
	if (has_words(d, f) && !(f->flags & RES_MASKED))
		return unmask_words(v, was);
	if (!(f->flags & RES_MASKED) || !json_is_string(v) || !json_is_string(was))
		return json_incref(same);
	text = res_mask(json_string_value(was));
	back = json_incref(strcmp(text, json_string_value(v)) ? same : (json_t *)was);
	free(text);
	return back;
}
