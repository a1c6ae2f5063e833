/*
 * Where a number is at home, in words. The one place that says so: pop, lists, customers' telephones, and the 0 before other cities' mobiles.
 *
 *   the imported table (prefix.h)  >  libphonenumber's tables  >  names of 400, 95588, 110 ...
 *
 * 30 us a question, 1 us when the table or a name answers. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "number/number.h"
#include "number/prefix.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NUM_REGION_MAX 128

/** "广东深圳", "广东省深圳市", "香港特别行政区", "中国工商银行" (@lang "zh") or "Shenzhen, Guangdong" ("en"); false and "": nothing is known. */
bool num_region(char *buf, size_t size, const struct num *n, const char *lang);
/** The same for a number as it was written or recorded; @area as in num_read, "" or NULL. */
bool num_region_text(char *buf, size_t size, const char *number, const char *area, const char *lang);

enum num_region_why { NUM_R_NONE, NUM_R_TABLE, NUM_R_LIBRARY, NUM_R_PLAN, NUM_REGION_WHYS };
const char *num_region_why_name(enum num_region_why why); /* none table library plan: stable */

struct num_region {
	char text[NUM_REGION_MAX];        /* as num_region says */
	struct num_place place;           /* NUM_R_TABLE */
	char prefix[NUM_PREFIX_MAX + 1];  /* NUM_R_TABLE: what fitted */
	enum num_region_why why;
};
bool num_region_of(struct num_region *ret, const struct num *n, const char *lang);

/** Names of numbers that are the same everywhere: 400, 95588, 110; "" when it has none. @lang: "zh" or "en". */
const char *num_plan_name(const struct num *n, const char *lang);

/** Whether a mobile is at home in an area ("755"). Numbers that were taken along by their owner are where they were first given out. */
enum num_city num_city_of(const struct num *n, const char *area);

#ifdef __cplusplus
}
#endif
