/* Numbers of Chinese identity cards (GB 11643-1999), of residence permits of the same form, and the old ones of 15 digits. Pure. */
#pragma once

#include <stdbool.h>

enum id_number_why {
	ID_OK,
	ID_LENGTH,  /* neither 18 nor 15 digits */
	ID_LETTERS, /* something else than digits, and an X at the end */
	ID_REGION,  /* no province has this code */
	ID_DATE,    /* the date of birth does not exist, or is to come */
	ID_CHECK,   /* the last digit does not fit: mistyped */
	ID_ROUNDED, /* ends in 000 or has an exponent: a spreadsheet keeps 15 digits, the last ones are lost */
	ID_NUMBER_WHYS,
};
const char *id_number_why_name(enum id_number_why why); /* ok length letters region date check rounded: stable */
/** Says it to a person; "" for ID_OK. @lang: "zh" or "en". */
const char *id_number_sentence(enum id_number_why why, const char *lang);

struct id_number {
	char text[19];          /* 18 characters, a capital X; an old one gets its century and check digit */
	char region[7];         /* six digits: province, city, county */
	int year, month, day;   /* of birth */
	bool male;
};

/**
 * Blanks, full-width digits, hyphens and a leading apostrophe are fine. @today: 20261122, or 0: a birthday to come is not noticed.
 * Whoever knows that the cell was a number of 16 digits and more (sheet_cell.rounded) need not ask: it is rounded.
 */
enum id_number_why id_number_read(struct id_number *ret, const char *text, int today);
/** Full years on the day @today (20261122); a birthday on 29 February counts from 1 March in other years. */
int id_number_age(const struct id_number *id, int today);
