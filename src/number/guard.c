/* Classes of destinations and rights to them; see guard.h. */
#include "number/guard.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define BIT(c) (1u << (c))

const struct num_rights num_rights_default = {
	.classes = BIT(NUM_C_EMERGENCY) | BIT(NUM_C_LOCAL) | BIT(NUM_C_DOMESTIC) | BIT(NUM_C_MOBILE) | BIT(NUM_C_SHARED) | BIT(NUM_C_FREE) |
		   BIT(NUM_C_SERVICE) | BIT(NUM_C_SHORT),
};

const char *num_class_name(enum num_class c)
{
	static const char *const names[NUM_CLASSES] = {
		"emergency", "local", "domestic", "mobile", "shared", "free", "service", "short", "premium", "abroad", "other",
	};

	return names[c];
}

const char *num_why_name(enum num_why w)
{
	static const char *const names[NUM_WHYS] = {"ok", "bad", "class", "country", "barred"};

	return names[w];
}

/* 0 and an area code that exists, whatever follows: it stays in the country. */
static bool is_long_distance(const char *s)
{
	char area[5], head[4];

	if (s[0] != '0' || s[1] == '0')
		return false;
	(void)snprintf(head, sizeof(head), "%.3s", s + 1);
	if (num_area(area, head) && area[0])
		return true;
	head[2] = '\0';
	return num_area(area, head) && area[0];
}

enum num_class num_class_of(const struct num *n, const char *area)
{
	switch (n->kind) {
	case NUM_EMERGENCY:
		return NUM_C_EMERGENCY;
	case NUM_MOBILE:
		return NUM_C_MOBILE;
	case NUM_FIXED:
		return area && !strcmp(area, n->area) ? NUM_C_LOCAL : NUM_C_DOMESTIC;
	case NUM_LOCAL:
		return NUM_C_LOCAL;
	case NUM_SHARED:
		return NUM_C_SHARED;
	case NUM_FREE:
		return NUM_C_FREE;
	case NUM_SERVICE:
		return NUM_C_SERVICE;
	case NUM_SHORT:
		return NUM_C_SHORT;
	case NUM_PREMIUM:
		return NUM_C_PREMIUM;
	case NUM_ABROAD:
		return NUM_C_ABROAD;
	default:
		return is_long_distance(n->text) ? NUM_C_DOMESTIC : NUM_C_OTHER;
	}
}

static bool listed(const char *list, unsigned cc)
{
	char key[16];
	size_t n = (size_t)snprintf(key, sizeof(key), "%u", cc);

	if (!list || !cc)
		return list && !strcmp(list, "*");
	if (!strcmp(list, "*"))
		return true;
	for (const char *p = list; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && !memcmp(p, key, n))
			return true;
	return false;
}

/* How many characters the longest that fits has, and whether it bars; 0: none fits. */
static size_t longest_bar(const char *barred, const char *number, int *bars)
{
	size_t longest = 0, n;

	for (const char *p = barred ? barred : ""; *p; p += n + strspn(p + n, " ")) {
		bool but = *p == '!';

		n = strcspn(p, " ");
		if (n - but > longest && !strncmp(number, p + but, n - but)) {
			longest = n - but;
			*bars = but ? -1 : 1;
		}
	}
	return longest;
}

int num_bars(const char *barred, const char *number)
{
	int bars = 0;

	(void)longest_bar(barred, number, &bars);
	return bars;
}

/* As typed, as it is written in the country, and with its plus: another way of writing a barred number is no way around the bar. */
static bool is_barred(const char *barred, const struct num *n, const char *dialled)
{
	const char *ways[] = {dialled, NULL, n->text};
	char national[NUM_MAX];
	size_t longest = 0;
	int bars = 0;

	num_write(national, n, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	ways[1] = national;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int one = 0;
		size_t len = longest_bar(barred, ways[i], &one);

		if (len > longest || (len == longest && one > bars)) {
			longest = len;
			bars = one;
		}
	}
	return bars > 0;
}

enum num_why num_may(const struct num_rights *r, const struct num *n, enum num_class c, const char *dialled)
{
	if (n->kind == NUM_BAD)
		return NUM_W_BAD;
	if (c == NUM_C_EMERGENCY)
		return NUM_OK;
	if (is_barred(r->barred, n, dialled))
		return NUM_W_BARRED;
	if (c == NUM_C_ABROAD)
		return listed(r->countries, n->cc) ? NUM_OK : r->countries && *r->countries ? NUM_W_COUNTRY : NUM_W_CLASS;
	return r->classes & BIT(c) ? NUM_OK : NUM_W_CLASS;
}
