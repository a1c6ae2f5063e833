/* See id_number.h. The check digit is ISO 7064 MOD 11-2, as GB 11643 says. */
#include "number/id_number.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static const char *const names[ID_NUMBER_WHYS] = {
	[ID_OK] = "ok", [ID_LENGTH] = "length", [ID_LETTERS] = "letters", [ID_REGION] = "region", [ID_DATE] = "date", [ID_CHECK] = "check",
	[ID_ROUNDED] = "rounded",
};

const char *id_number_why_name(enum id_number_why why)
{
	return names[why];
}

const char *id_number_sentence(enum id_number_why why, const char *lang)
{
	static const struct {
		const char *zh, *en;
	} all[ID_NUMBER_WHYS] = {
		[ID_OK] = {"", ""},
		[ID_LENGTH] = {"身份证号应为 18 位（旧证 15 位）。", "An ID number has 18 digits (old ones 15)."},
		[ID_LETTERS] = {"身份证号只能是数字，最后一位可以是 X。", "An ID number is digits only; the last one may be X."},
		[ID_REGION] = {"身份证号开头的地区代码不存在。", "No province has the code at the start of this ID number."},
		[ID_DATE] = {"身份证号里的出生日期不存在。", "The date of birth in this ID number does not exist."},
		[ID_CHECK] = {"身份证号校验位不对，请核对是否输错。", "The check digit of this ID number does not fit: please compare it again."},
		[ID_ROUNDED] = {"身份证号被 Excel 当作数字，末几位已经丢失。请在原表中把该列设为“文本”后重新录入。",
				"Excel took this ID number for a number and lost its last digits. Make the column text and enter it again."},
	};

	return strcmp(lang, "en") ? all[why].zh : all[why].en;
}

/* Digits, X, E and what an exponent has, without filling; false: something else, or too much. */
static bool clean(char ret[32], const char *text)
{
	static const char *const filling[] = {" ", "\t", "\r", "\n", "-", "'", "\u2018", "\u2019", "\u00a0", "\u3000", "\ufeff", "\u200b"};
	size_t n = 0;

	while (*text) {
		const unsigned char *u = (const unsigned char *)text;
		size_t skip = 0;
		char c = *text;

		for (size_t i = 0; i < ARRAY_LEN(filling) && !skip; i++)
			if (!strncmp(text, filling[i], strlen(filling[i])))
				skip = strlen(filling[i]);
		if (skip) {
			text += skip;
			continue;
		}
		if (u[0] == 0xef && ((u[1] == 0xbc && u[2] >= 0x81 && u[2] <= 0xbf) || (u[1] == 0xbd && u[2] >= 0x80 && u[2] <= 0x9e))) {
			c = (char)(u[1] == 0xbc ? u[2] - 0x60 : u[2] - 0x20); /* U+FF01..FF5E mirror ASCII */
			text += 2;
		}
		text++;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (!strchr("0123456789XE.+", c) || n == 31)
			return false;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return true;
}

static int number_at(const char *s, size_t at, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[at + i] - '0');
	return v;
}

/* GB/T 2260's provinces; 81 to 83 are residence permits; a 9 first: foreigners with permanent residence, the province behind it. */
static bool is_region(const char *s)
{
	static const char all[] = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 ";
	char key[4] = {s[s[0] == '9'], s[1 + (s[0] == '9')], ' ', '\0'};

	return strstr(all, key) != NULL;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_date(const struct id_number *id, int today)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int date = id->year * 10000 + id->month * 100 + id->day;

	if (id->year < 1850 || id->month < 1 || id->month > 12 || id->day < 1 || (today && date > today))
		return false;
	return id->day <= days[id->month - 1] + (id->month == 2 && is_leap(id->year));
}

/* ISO 7064 MOD 11-2: the weight of the i-th of 17 digits is 2 to the power of 17-i, mod 11. */
static char check_digit(const char *s)
{
	int sum = 0;

	for (int i = 0; i < 17; i++)
		sum = (sum + (s[i] - '0')) * 2 % 11;
	return "10X98765432"[sum % 11];
}

static bool is_rounded(const char *s, size_t n)
{
	return strchr(s, 'E') != NULL || (n == 18 && strspn(s, "0123456789") == n && !strcmp(s + 15, "000") && check_digit(s) != '0');
}

enum id_number_why id_number_read(struct id_number *ret, const char *text, int today)
{
	char s[32];
	size_t n;
	bool old;

	*ret = (struct id_number){0};
	if (!clean(s, text))
		return ID_LETTERS;
	n = strlen(s);
	if (n > 2 && !strcmp(s + n - 2, ".0"))
		s[n -= 2] = '\0';
	if (s[0] >= '0' && s[0] <= '9' && is_rounded(s, n))
		return ID_ROUNDED;
	old = n == 15;
	if (n != 18 && !old)
		return strspn(s, "0123456789X") == n ? ID_LENGTH : ID_LETTERS;
	if (strspn(s, "0123456789") < n - !old || !strchr("0123456789X", s[n - 1]) || (old && s[n - 1] == 'X'))
		return ID_LETTERS;
	if (!is_region(s))
		return ID_REGION;
	if (old) {
		memmove(s + 8, s + 6, 9);
		memcpy(s + 6, "19", 2);
		s[17] = check_digit(s);
		s[18] = '\0';
	}
	ret->year = number_at(s, 6, 4);
	ret->month = number_at(s, 10, 2);
	ret->day = number_at(s, 12, 2);
	if (!is_date(ret, today))
		return ID_DATE;
	if (s[17] != check_digit(s))
		return ID_CHECK;
	ret->male = (s[16] - '0') % 2;
	memcpy(ret->region, s, 6);
	memcpy(ret->text, s, 18);
	return ID_OK;
}

int id_number_age(const struct id_number *id, int today)
{
	return (today - (id->year * 10000 + id->month * 100 + id->day)) / 10000;
}
