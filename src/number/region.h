/* Where a number is at home, in words: from libphonenumber's tables, 30 us a question. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "number/number.h"

#ifdef __cplusplus
extern "C" {
#endif

/** "广东省深圳市", "香港特别行政区" (@lang "zh") or "Shenzhen, Guangdong" ("en"); false and "": nothing is known, as of 400 and 95588. */
bool num_region(char *buf, size_t size, const struct num *n, const char *lang);

/** Whether a mobile is at home in an area ("755"). Numbers that were taken along by their owner are where they were first given out. */
enum num_city num_city_of(const struct num *n, const char *area);

#ifdef __cplusplus
}
#endif
