/*
 * What people put in a cell or a field for telephone numbers: several in one text, with labels, extensions, full-width digits, and what a
 * spreadsheet made of them. Pure: no state, nothing allocated, any thread.
 *
 *   "手机：138 0013 8000 / 家 0571-88123456转8001"  ->  {+8613800138000}, {+8657188123456, family, extension 8001}
 *
 * What is no number is a piece, too, with why: the caller decides whether he takes the good pieces of a text or refuses it whole.
 */
#pragma once

#include "number/number.h"

#define NUM_ENTRY_TEXT_MAX 1000 /* bytes; a longer text is one piece, NUM_E_LONG */
#define NUM_EXTENSION_MAX 9     /* with its NUL */

enum num_entry_why {
	NUM_E_OK,
	NUM_E_ROUNDED, /* 1.38E+10: a spreadsheet shows it so, the digits behind are lost */
	NUM_E_LETTERS, /* no number, or something in it that is none: 1380013800O */
	NUM_E_SHORT,   /* digits are missing. num is filled when it could be a telephone of an exchange (NUM_SHORT): who has one may take it */
	NUM_E_LONG,    /* there are too many */
	NUM_E_AREA,    /* seven or eight digits, and nobody said of which area; num is filled (NUM_LOCAL) */
	NUM_E_FORM,    /* as many digits as a number has, but none begins so; *72 */
	NUM_ENTRY_WHYS,
};
const char *num_entry_why_name(enum num_entry_why why); /* ok rounded letters short long area form: stable */
/** Says it to a person, and what to do; "" for NUM_E_OK. @lang: "zh" or "en". */
const char *num_entry_sentence(enum num_entry_why why, const char *lang);

/* Whose it is, when the text says so: the labels of a customer's numbers. */
enum num_entry_label { NUM_L_NONE, NUM_L_SELF, NUM_L_FAMILY, NUM_L_COMPANY, NUM_L_OTHER, NUM_ENTRY_LABELS };
const char *num_entry_label_name(enum num_entry_label l); /* "" self family company other */

struct num_entry {
	enum num_entry_why why;
	struct num num;                    /* canonical in num.text; NUM_BAD unless why is OK, SHORT or AREA */
	char extension[NUM_EXTENSION_MAX]; /* digits; "": none */
	enum num_entry_label label;
	size_t at, len;                    /* bytes of the text that this piece was read from */
};

/**
 * Reads @text, UTF-8 (what is not counts as letters); @area: of the centre ("571"), for numbers written without one, "" or NULL: unknown.
 * Answers how many pieces there are, of which @max are stored; 0: nothing is said (empty, "无", "-", "N/A"). The same number twice is two
 * pieces.
 */
size_t num_entries(struct num_entry *ret, size_t max, const char *text, const char *area);
