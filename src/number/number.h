/*
 * Telephone numbers: reading what people and carriers write, one canonical form inside, writing what a carrier wants. Pure: no I/O, no
 * state, any thread.
 *
 * Canonical is E.164 with its plus ("+8613800138000", "+861062345678", "+85221234567", "+864008001234"); what has no E.164 stays short:
 * "95588", "10086", "110", a telephone of the exchange behind a trunk ("2001"), a local number while no area code is known ("62345678").
 * Source of the forms: the national numbering plan (GB/T, MIIT "电信网编号计划" 2017), ITU-T E.164 and its list of country codes.
 *
 *   text --num_read--> struct num --num_write--> what a carrier wants        num_class: what it costs
 *                                                                             table.h: a trunk's own rules around this
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUM_MAX 40      /* a canonical number with its NUL */
#define NUM_TEXT_MAX 96 /* bytes that are looked at: full-width digits have three each */

enum num_kind {
	NUM_BAD,       /* no number at all */
	NUM_MOBILE,    /* 1[3-9] and nine more */
	NUM_FIXED,     /* area code and subscriber, or a short code of another area: 0755 95588 */
	NUM_LOCAL,     /* seven or eight digits, and nobody said of which area */
	NUM_SHARED,    /* 400: the caller pays the local part */
	NUM_FREE,      /* 800 */
	NUM_SERVICE,   /* 95xxx, 96xxx, 10086, 12345, 114 ... */
	NUM_EMERGENCY, /* 110 119 120 122 */
	NUM_PREMIUM,   /* 16x, 968, 118: information services that cost more than a call */
	NUM_ABROAD,    /* other countries and regions, Hong Kong, Macao and Taiwan among them */
	NUM_SHORT,     /* three to six digits that the plan does not know: behind the trunk is an exchange */
	NUM_CODE,      /* with * or #: commands to an exchange */
	NUM_OTHER,     /* digits that fit nothing */
	NUM_KINDS,
};

struct num {
	enum num_kind kind;
	char text[NUM_MAX]; /* canonical; "" when NUM_BAD */
	char area[5];       /* of NUM_FIXED: "10", "755"; else "" */
	uint16_t cc;        /* country code: 86 of all that is in the mainland's plan, 852; 0 where there is none */
};

const char *num_kind_name(enum num_kind k); /* "mobile", stable */

/** What was typed without what makes it readable: digits, *, # and a plus in front, at most 32. False: something else is in it. */
bool num_clean(char ret[NUM_MAX], const char *text);
/** Reads a number as somebody in the area @area ("10", "755", or ""/NULL) dials or writes it. False: NUM_BAD. */
bool num_read(struct num *ret, const char *text, const char *area);
/** As num_read, but a number without plus and leading 0 has its country code: 8613800138000, 85221234567. */
bool num_read_bare(struct num *ret, const char *text, const char *area);
/** "010", "0755", "10": the area code without its 0 into @ret; false when there is no such code. "" is fine and stays "". */
bool num_area(char ret[5], const char *text);

enum num_form {
	NUM_F_RAW,      /* as it was dialled */
	NUM_F_E164,     /* +8613800138000 */
	NUM_F_BARE,     /* 8613800138000 */
	NUM_F_INTL,     /* 008613800138000 */
	NUM_F_NATIONAL, /* 13800138000, 01062345678; abroad 00852... */
	NUM_F_LOCAL,    /* as a telephone in the trunk's area dials: 62345678, 013800138000 of another city */
	NUM_FORMS,
};
const char *num_form_name(enum num_form f); /* raw e164 bare intl national local */
bool num_form_parse(enum num_form *ret, const char *name);

/** Whether a mobile is at home in an area; region.h knows. */
enum num_city { NUM_CITY_UNKNOWN, NUM_CITY_HOME, NUM_CITY_OTHER };

/** Writes @n; NUM_F_RAW writes the canonical form. @city: NUM_F_LOCAL puts a 0 before mobiles that are not known to be at home. */
void num_write(char ret[NUM_MAX], const struct num *n, enum num_form form, const char *area, enum num_city city);
/** Reads what num_write wrote. */
bool num_read_form(struct num *ret, const char *text, enum num_form form, const char *area);
/** For people: "138 0013 8000", "010-62345678", "400-800-1234", "+852 21234567". */
void num_show(char *buf, size_t size, const struct num *n);

/** Whether a caller hides: anonymous@anonymous.invalid, unknown, restricted, nothing at all, Privacy: id. Each may be NULL. */
bool num_is_hidden(const char *user, const char *host, const char *privacy);
