/*
 * Built and run before the module: writes the table of readings that pinyin.c is compiled with. ICU knows them ("Han-Latin"), but opening its
 * rules costs 0.1 s and a name 20 us; a table costs nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "find/pinyin.h"

static UTransliterator *rules(const char *name)
{
	UChar id[64];
	UErrorCode e = U_ZERO_ERROR;
	UTransliterator *t;

	u_uastrcpy(id, name);
	t = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &e);
	if (U_FAILURE(e)) {
		fprintf(stderr, "%s: %s\n", name, u_errorName(e));
		exit(1);
	}
	return t;
}

/* One character through the rules; its new length. */
static int32_t apply(UTransliterator *t, UChar out[64], unsigned c)
{
	UErrorCode e = U_ZERO_ERROR;
	int32_t n = 1, limit = 1;

	out[0] = (UChar)c;
	utrans_transUChars(t, out, &n, 64, 0, &limit, &e);
	return U_FAILURE(e) ? 0 : n;
}

static int order(const void *a, const void *b)
{
	return strcmp(a, b);
}

int main(void)
{
	static char read[PINYIN_CHARS][PINYIN_SYLLABLE], sorted[PINYIN_CHARS][PINYIN_SYLLABLE];
	UTransliterator *latin = rules("Han-Latin; Latin-ASCII; Lower"), *simple = rules("Hant-Hans");
	size_t n = 0;
	UChar out[64];

	for (unsigned i = 0; i < PINYIN_CHARS; i++) {
		int32_t len = apply(latin, out, PINYIN_FIRST + i);
		bool ok = len > 0 && len < PINYIN_SYLLABLE;

		for (int32_t k = 0; ok && k < len; k++)
			ok = out[k] >= 'a' && out[k] <= 'z';
		for (int32_t k = 0; ok && k < len; k++)
			read[i][k] = (char)out[k];
		memcpy(sorted[i], read[i], PINYIN_SYLLABLE);
	}
	qsort(sorted, PINYIN_CHARS, PINYIN_SYLLABLE, order);
	printf("#include \"find/pinyin.h\"\n\nconst char pinyin_syllables[][PINYIN_SYLLABLE] = {\n");
	for (unsigned i = 0; i < PINYIN_CHARS; i++) {
		if (n && !strcmp(sorted[n - 1], sorted[i]))
			continue;
		memmove(sorted[n++], sorted[i], PINYIN_SYLLABLE);
		printf("\t\"%s\",\n", sorted[n - 1]);
	}
	printf("};\nconst uint16_t pinyin_syllable_n = %zu;\n\nconst uint16_t pinyin_table[PINYIN_CHARS] = {", n);
	for (unsigned i = 0; i < PINYIN_CHARS; i++) {
		const char(*hit)[PINYIN_SYLLABLE] = bsearch(read[i], sorted, n, PINYIN_SYLLABLE, order);

		printf("%s%td,", i % 16 ? " " : "\n\t", hit - sorted);
	}
	printf("\n};\n\nconst uint16_t pinyin_simple[PINYIN_CHARS] = {");
	for (unsigned i = 0; i < PINYIN_CHARS; i++)
		printf("%s%u,", i % 16 ? " " : "\n\t", apply(simple, out, PINYIN_FIRST + i) == 1 ? out[0] : PINYIN_FIRST + i);
	printf("\n};\n");
	utrans_close(latin);
	utrans_close(simple);
	return 0;
}
