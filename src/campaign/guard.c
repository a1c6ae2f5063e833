#include "campaign/guard.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000ll
#define MIN_MS 60000ll
#define TAKEN_AGAIN_MS (2 * MIN_MS)

/* ---- hours ---- */

/* What people write for ":", "-" and ",", and what means nothing. */
static const struct {
	const char *text;
	char as;
} marks[] = {
	{"：", ':'}, {":", ':'}, {"-", '-'}, {"－", '-'}, {"–", '-'}, {"—", '-'}, {"~", '-'}, {"～", '-'}, {"至", '-'}, {"到", '-'},
	{",", ','}, {"，", ','}, {"、", ','}, {";", ','}, {"；", ','}, {"\n", ','}, {" ", ' '}, {"　", ' '},
};

/* The next character as one of digits and marks; 0: the end; -1: something else. Full-width digits are digits. */
static int next_char(const char **p)
{
	const char *s = *p;

	if (!*s)
		return 0;
	if (*s >= '0' && *s <= '9') {
		*p = s + 1;
		return *s;
	}
	if (!strncmp(s, "\xef\xbc", 2) && (uint8_t)s[2] >= 0x90 && (uint8_t)s[2] <= 0x99) {
		*p = s + 3;
		return '0' + (uint8_t)s[2] - 0x90;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i].text);

		if (strncmp(s, marks[i].text, n) != 0)
			continue;
		*p = s + n;
		return marks[i].as;
	}
	return -1;
}

static int plain_char(const char **p)
{
	int c;

	do
		c = next_char(p);
	while (c == ' ');
	return c;
}

/* "9:00", "09:30", "24:00", "9": minutes, and what follows in @c. -1: none. */
static int read_time(const char **p, int *c)
{
	int hour = 0, minute = 0, n = 0;

	for (*c = plain_char(p); *c >= '0' && *c <= '9' && n < 2; *c = plain_char(p), n++)
		hour = hour * 10 + *c - '0';
	if (!n)
		return -1;
	if (*c == ':') {
		n = 0;
		for (*c = plain_char(p); *c >= '0' && *c <= '9' && n < 2; *c = plain_char(p), n++)
			minute = minute * 10 + *c - '0';
		if (n != 2)
			return -1;
	}
	return minute > 59 || hour * 60 + minute > DAY_MIN ? -1 : hour * 60 + minute;
}

/* In its place; false: it overlaps another. */
static bool put_span(struct hours *h, int from, int to)
{
	unsigned at = 0;

	if (h->n == HOURS_MAX || from >= to)
		return false;
	while (at < h->n && h->span[at].from < from)
		at++;
	if ((at && h->span[at - 1].to > from) || (at < h->n && h->span[at].from < to))
		return false;
	memmove(&h->span[at + 1], &h->span[at], (h->n - at) * sizeof(h->span[0]));
	h->span[at].from = (int16_t)from;
	h->span[at].to = (int16_t)to;
	h->n++;
	return true;
}

bool hours_read(struct hours *ret, const char *text)
{
	struct hours h = {0};
	const char *rest = text;
	int c;

	if (!plain_char(&rest)) {
		*ret = (struct hours){.n = 1, .span = {{0, DAY_MIN}}};
		return true;
	}
	do {
		int from = read_time(&text, &c), to;

		if (from < 0 || c != '-')
			return false;
		to = read_time(&text, &c);
		if (to < 0 || (c && c != ',') || !put_span(&h, from, to))
			return false;
		rest = text;
	} while (c && plain_char(&rest)); /* a comma at the end means nothing */
	*ret = h;
	return true;
}

void hours_write(char *buf, size_t size, const struct hours *h)
{
	size_t n = 0;

	assert(size > 12 * HOURS_MAX);
	buf[0] = 0;
	for (unsigned i = 0; i < h->n; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%02d:%02d-%02d:%02d", i ? "," : "", h->span[i].from / 60, h->span[i].from % 60,
				      h->span[i].to / 60, h->span[i].to % 60);
}

bool hours_has(const struct hours *h, int minute)
{
	for (unsigned i = 0; i < h->n; i++)
		if (minute >= h->span[i].from && minute < h->span[i].to)
			return true;
	return false;
}

void hours_both(struct hours *ret, const struct hours *a, const struct hours *b)
{
	unsigned i = 0, k = 0;

	ret->n = 0;
	while (i < a->n && k < b->n) {
		int16_t from = a->span[i].from > b->span[k].from ? a->span[i].from : b->span[k].from;
		int16_t to = a->span[i].to < b->span[k].to ? a->span[i].to : b->span[k].to;

		if (from < to && ret->n < HOURS_MAX) { /* more parts than that: the last are left out, which dials less, never more */
			ret->span[ret->n].from = from;
			ret->span[ret->n++].to = to;
		}
		if (a->span[i].to < b->span[k].to)
			i++;
		else
			k++;
	}
}

/* ---- days ---- */

const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", NULL};

/* Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil and civil_from_days. */
int64_t day_number(int64_t yyyymmdd)
{
	int64_t y = yyyymmdd / 10000, m = yyyymmdd / 100 % 100, d = yyyymmdd % 100;
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t day_yyyymmdd(int64_t number)
{
	int64_t z = number + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;

	return (yoe + era * 400 + (m <= 2)) * 10000 + m * 100 + d;
}

int64_t day_of_text(const char *text)
{
	int y, m, d, n = 0;

	if (!text || strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 || y < 1970 || m < 1 || m > 12 || d < 1 || d > 31)
		return 0;
	return y * 10000ll + m * 100 + d;
}

static int64_t day_at(int64_t wall_ms)
{
	assert(wall_ms >= 0);
	return wall_ms / DAY_MS;
}

int guard_day_kind(const struct guard_calendar *cal, int64_t wall_ms)
{
	int64_t number = day_at(wall_ms), day = day_yyyymmdd(number);
	size_t low = 0, high = cal->holiday_n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (cal->holidays[mid].day < day)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < cal->holiday_n && cal->holidays[low].day == day)
		return cal->holidays[low].kind;
	return (int)((number + 3) % 7); /* 1970-01-01 was a Thursday */
}

/* ---- open or closed ---- */

/* How much of the region is said: the longest counts. */
static size_t longest_in(const struct guard_calendar *cal, const char *text)
{
	size_t best = 0;

	for (size_t i = 0; text && *text && i < cal->window_n; i++) {
		const char *region = cal->windows[i].region;

		if (*region && strlen(region) > best && strstr(text, region))
			best = strlen(region);
	}
	return best;
}

static bool applies(const struct guard_window *w, const char *text, size_t len)
{
	return strlen(w->region) == len && (!len || strstr(text, w->region));
}

/* Adds a part; what it touches becomes one with it. */
static void join_span(struct hours *h, int from, int to)
{
	for (unsigned i = 0; i < h->n;) {
		if (h->span[i].from > to || h->span[i].to < from) {
			i++;
			continue;
		}
		from = h->span[i].from < from ? h->span[i].from : from;
		to = h->span[i].to > to ? h->span[i].to : to;
		memmove(&h->span[i], &h->span[i + 1], (--h->n - i) * sizeof(h->span[0]));
	}
	(void)put_span(h, from, to); /* no room for so many parts: this one stays closed */
}

/* Hours of one kind of day. Windows for the same day add up. */
static void window_hours(struct hours *ret, const struct guard_calendar *cal, const struct guard_when *when, int kind)
{
	const char *text = when->city;
	size_t len = longest_in(cal, text);
	bool any = false;

	if (!len) {
		text = when->region;
		len = longest_in(cal, text);
	}
	*ret = (struct hours){0};
	for (size_t i = 0; i < cal->window_n; i++) {
		const struct guard_window *w = &cal->windows[i];

		if (!applies(w, text, len))
			continue;
		any = true;
		for (unsigned k = 0; w->days & 1u << kind && k < w->hours.n; k++)
			join_span(ret, w->hours.span[k].from, w->hours.span[k].to);
	}
	if (!any) /* nobody has said anything about it */
		*ret = (struct hours){.n = 1, .span = {{0, DAY_MIN}}};
}

static void open_hours(struct hours *ret, const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms)
{
	int64_t day = day_yyyymmdd(day_at(wall_ms));
	int kind = guard_day_kind(cal, wall_ms);
	struct hours legal;

	*ret = (struct hours){0};
	if ((w->start_day && day < w->start_day) || (w->end_day && day > w->end_day) || !(w->days & 1u << kind))
		return;
	window_hours(&legal, cal, w, kind);
	hours_both(ret, w->hours, &legal);
}

bool guard_is_open(const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms, int64_t *until_ms)
{
	struct hours h;
	int minute = (int)(wall_ms % DAY_MS / MIN_MS);

	open_hours(&h, cal, w, wall_ms);
	for (unsigned i = 0; i < h.n; i++) {
		if (minute < h.span[i].from || minute >= h.span[i].to)
			continue;
		if (until_ms)
			*until_ms = day_at(wall_ms) * DAY_MS + h.span[i].to * MIN_MS;
		return true;
	}
	return false;
}

int64_t guard_next_open(const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms)
{
	for (int64_t i = 0, at = wall_ms; i < GUARD_LOOK_DAYS; i++, at = (day_at(at) + 1) * DAY_MS) {
		int64_t ms = at % DAY_MS, day = at - ms;
		struct hours h;

		open_hours(&h, cal, w, at);
		for (unsigned k = 0; k < h.n; k++) {
			if (ms >= h.span[k].to * MIN_MS)
				continue;
			return ms > h.span[k].from * MIN_MS ? at : day + h.span[k].from * MIN_MS;
		}
	}
	return -1;
}

/* ---- the verdict ---- */

const char *guard_reason_name(enum guard_reason r)
{
	static const char *const names[] = {
#define X(e, name, zh, en) [e] = name,
		GUARD_REASONS(X)
#undef X
	};

	assert(r < GUARD_REASON_COUNT);
	return names[r];
}

const char *guard_reason_text(enum guard_reason r, const char *lang)
{
	static const char *const texts[][2] = {
#define X(e, name, zh, en) [e] = {zh, en},
		GUARD_REASONS(X)
#undef X
	};

	assert(r < GUARD_REASON_COUNT);
	return texts[r][lang && lang[0] == 'e'];
}

/* Not before @at_ms, and in the hours. Never when there are no more. */
static struct guard_verdict later(const struct guard_calendar *cal, const struct guard_in *in, enum guard_reason why, int64_t at_ms)
{
	int64_t open = guard_next_open(cal, &in->when, at_ms);

	return (struct guard_verdict){why, open < 0 ? at_ms + DAY_MS : open};
}

static bool over(int32_t n, int32_t max)
{
	return max && n >= max;
}

struct guard_verdict guard_judge(const struct guard_calendar *cal, const struct guard_in *in)
{
	int64_t now = in->wall_ms, tomorrow = (day_at(now) + 1) * DAY_MS, until = 0;
	int64_t today = day_yyyymmdd(day_at(now));
	enum guard_reason never = in->gone ? GUARD_GONE : in->dnc ? GUARD_DNC : !in->number ? GUARD_NUMBER
				  : over(in->attempts, in->attempts_max) ? GUARD_ATTEMPTS
				  : in->when.end_day && today > in->when.end_day ? GUARD_ENDED : GUARD_OK;

	if (never != GUARD_OK)
		return (struct guard_verdict){never, 0};
	if (!in->basis)
		return later(cal, in, GUARD_BASIS, tomorrow);
	if (in->taken)
		return later(cal, in, GUARD_TAKEN, now + TAKEN_AGAIN_MS);
	if (over(in->lead_today, in->lead_day_max))
		return later(cal, in, GUARD_LEAD_DAY, tomorrow);
	if (over(in->today, in->day_max))
		return later(cal, in, GUARD_DAY, tomorrow);
	if (over(in->week, in->week_max))
		return later(cal, in, GUARD_WEEK, in->week_first_ms + 7 * DAY_MS > now ? in->week_first_ms + 7 * DAY_MS : tomorrow);
	if (in->gap_min && in->last_ms && in->last_ms + in->gap_min * MIN_MS > now)
		return later(cal, in, GUARD_GAP, in->last_ms + in->gap_min * MIN_MS);
	if (!guard_is_open(cal, &in->when, now, &until))
		return later(cal, in, GUARD_HOURS, now);
	return (struct guard_verdict){GUARD_OK, until};
}
