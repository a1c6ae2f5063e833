/* Readings of Chinese characters. Pure; the tables are made at build time by main.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PINYIN_FIRST 0x3400u
#define PINYIN_CHARS 0x6c00u /* to 0x9fff */
#define PINYIN_SYLLABLE 8    /* bytes of the longest with its NUL: "chuang" */
#define PINYIN_READINGS 3    /* that a character has at most here */

/* From the generated file. Syllable 0 is "": no reading. */
extern const char pinyin_syllables[][PINYIN_SYLLABLE];
extern const uint16_t pinyin_syllable_n, pinyin_table[], pinyin_simple[];

static inline bool pinyin_is_han(uint32_t c)
{
	return (c >= PINYIN_FIRST && c < PINYIN_FIRST + PINYIN_CHARS) || c == 0x3007 || (c >= 0x20000 && c < 0x32000);
}
/** A traditional character's simplified form; others as they are. */
static inline uint32_t pinyin_simplified(uint32_t c)
{
	return c >= PINYIN_FIRST && c < PINYIN_FIRST + PINYIN_CHARS ? pinyin_simple[c - PINYIN_FIRST] : c;
}
/** How a character is read, the likeliest first; @surname: as the first of a name. Their number, 0 when nobody knows. */
size_t pinyin_readings(const char *ret[PINYIN_READINGS], uint32_t c, bool surname);
/** A surname of two characters (欧阳, 尉迟): its readings at once. False: none. */
bool pinyin_surname_of_two(const char *ret[2], uint32_t a, uint32_t b);

/** Is @s (n letters) a syllable? */
bool pinyin_is_syllable(const char *s, size_t n);
/** Syllables that begin with @s: their range in pinyin_syllables. False: none. */
bool pinyin_beginning(uint16_t *from, uint16_t *to, const char *s, size_t n);
