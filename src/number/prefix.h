/*
 * Where numbers were given out, by their first digits: the imported table in memory. Newer than libphonenumber's, which it overrules.
 *
 * A table is built by one thread, sorted once and then never changed: six bytes a prefix, so that half a million take 3 MB. Whoever asks
 * gets a copy of what is said, so a new table may come at any time. Any thread may ask, the switch too: a lock held for a few instructions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NUM_PREFIX_MIN 3
#define NUM_PREFIX_MAX 9

struct num_place {
	char province[40], city[64]; /* as the table says, mostly Chinese: "广东", "深圳"; may be "" */
	char area[5];                /* "755"; "" */
	char carrier[16];            /* of num_carriers; "" */
};

/** Carriers: mobile unicom telecom broadcast other, in words of @lang ("zh", "en"); "" for an unknown one. */
const char *num_carrier_name(const char *carrier, const char *lang);

struct num_prefixes;
struct num_prefixes *num_prefixes_new(void);
/**
 * @prefix: 3 to 9 digits of a mainland number as it is written in the country; a 0 before an area code does not count. The same again
 * overrules. -EINVAL: it is none, or a text is too long; -E2BIG: more than 65,000 different places.
 */
int num_prefixes_add(struct num_prefixes *t, const char *prefix, const struct num_place *place);
/** From now on everybody asks @t, which is taken over; NULL or an empty one: there is no table. */
void num_prefixes_publish(struct num_prefixes *t);
void num_prefixes_free(struct num_prefixes *t); /* of one that was not published */

struct num_prefixes_info {
	size_t rows, places, bytes;
};
struct num_prefixes_info num_prefixes_info(void);

/** The longest prefix that @national begins with ("13800138000", "75523456789"). Answers how many digits it has; 0: none. */
size_t num_prefix_find(struct num_place *ret, const char *national);

#ifdef __cplusplus
}
#endif
