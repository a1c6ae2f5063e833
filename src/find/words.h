/*
 * What texts are made of, inside src/find. Words are of lower-case letters, digits and what is beyond ASCII; their first letter says what
 * they are, so that none is taken for another:
 *
 *   138  12     three digits of a number in a row, each beginning at the next digit; all of a shorter number
 *   e8000       at the end of a number: its last four digits (all, when it has fewer)
 *   客户 户      two characters in a row; after them the last one alone
 *   u张          a character of a name, alone; of notes, all that occur, once each
 *   pzhang      a character of a name as it is read
 *   izxl ixl iz three initials of a name in a row; two; that of the first character
 *   lsmith      a word of letters
 *   b           parts what must not be read as one
 *   c1g...      any of these in the second centre of a data folder, c2g... in the third
 *
 * A number with the digits abcde is "abc bcd cde ebcde", so any part of it is a phrase of its words, as any part of a Chinese text is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct find_text;

#define WORD_CHARS_MAX 40 /* of a word of letters; more are cut off, in questions too */

/** UTF-8 of @c into @s, four bytes at most; its length. */
size_t utf8_put(char s[4], uint32_t c);

/**
 * Characters as they are compared: half-width, lower case, without accents, simplified; 0 stands for anything between words, never first or
 * last or twice. Marks and what has no width are left out. At most @max; their number. Bytes that are not UTF-8 part words.
 */
size_t fold_text(uint32_t *ret, size_t max, const char *text);

enum run_kind { RUN_END, RUN_DIGITS, RUN_HAN, RUN_LETTERS };
/** The run of one kind that begins at c[*at], which moves behind it; its length in @n. Zeros are skipped. */
enum run_kind next_run(const uint32_t **run, size_t *n, const uint32_t *c, size_t len, size_t *at);

/** Appends a row's words, each with @prefix before it, with a blank between. @alone: the text's characters alone, too. */
void words_of(struct strb *b, const char *prefix, const struct find_text *t, bool alone);
/** A number's digits without a country's code that nobody dials here: +86 and 00. @out holds @n + 2. Their number. */
size_t number_digits(char *out, const char *digits, size_t n, bool plus);
