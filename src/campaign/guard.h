/*
 * May this number be dialled now? Facts in, a verdict out. Pure: no clock, no data, any thread.
 *
 * All times are those of the wall in the centre's zone, as ms as if it were UTC (journal/zone.h).
 *
 *   own hours of the campaign  ∩  the calling windows of the customer's region  ∩  what may be dialled at all  →  now, later, never
 *
 * A window's region is found in the customer's city, else in where the number is at home; the longest that is found counts ("广东深圳" before
 * "广东"), and where none is found those without a region. A kind of day that no such window names is closed; without any such window all are open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- hours ---- */

#define HOURS_MAX 8
#define DAY_MIN 1440

/* Parts of a day in minutes, in order and apart from each other. None: never. */
struct hours {
	unsigned n;
	struct {
		int16_t from, to; /* from <= minute < to */
	} span[HOURS_MAX];
};

/**
 * Reads "9:00-12:00, 13:30-20:00" as people write it: full-width characters, 至 and ~ for the hyphen, in any order. "" is the whole day.
 * False: it is not readable, overlaps, or has more than HOURS_MAX parts.
 */
bool hours_read(struct hours *ret, const char *text);
/** "09:00-12:00,13:30-20:00"; "00:00-24:00". @size > 12 * HOURS_MAX. */
void hours_write(char *buf, size_t size, const struct hours *h);
bool hours_has(const struct hours *h, int minute);
/** What both hold, into @ret, which may be neither. */
void hours_both(struct hours *ret, const struct hours *a, const struct hours *b);

/* ---- days ---- */

/* Monday is bit 0; holidays are a kind of their own. */
enum { DAY_MON, DAY_TUE, DAY_WED, DAY_THU, DAY_FRI, DAY_SAT, DAY_SUN, DAY_HOLIDAY, DAY_KINDS };
#define DAYS_ALL 0xff
extern const char *const day_names[]; /* mon .. sun holiday; NULL-ended */

/** Days since 1970-01-01 of yyyymmdd and back. */
int64_t day_number(int64_t yyyymmdd);
int64_t day_yyyymmdd(int64_t number);
/** yyyymmdd of "2026-10-01"; 0: it is none. */
int64_t day_of_text(const char *text);

struct guard_holiday {
	int32_t day;     /* yyyymmdd */
	uint8_t kind;    /* what it counts as: DAY_HOLIDAY, or the working day that a weekend's day stands for */
};

struct guard_window {
	char region[64]; /* "": everywhere else */
	uint8_t days;    /* bits of kinds */
	struct hours hours;
};

struct guard_calendar {
	const struct guard_window *windows;
	size_t window_n;
	const struct guard_holiday *holidays; /* by day */
	size_t holiday_n;
};

/** The kind of the day of an instant. */
int guard_day_kind(const struct guard_calendar *cal, int64_t wall_ms);

/* Who and when: the campaign's own hours, and whose number it is. */
struct guard_when {
	const struct hours *hours;
	uint8_t days;
	int32_t start_day, end_day; /* yyyymmdd, both included; 0: none */
	const char *city, *region;  /* of the customer, of the number; "" */
};

/** Is it open then? @until_ms: when it closes; at most the end of the day. May be NULL. */
bool guard_is_open(const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms, int64_t *until_ms);
/** The first instant from @wall_ms on at which it is; -1: in GUARD_LOOK_DAYS there is none. */
#define GUARD_LOOK_DAYS 60
int64_t guard_next_open(const struct guard_calendar *cal, const struct guard_when *w, int64_t wall_ms);

/* ---- the verdict ---- */

/* X(enumerator, "name", 中文, English): the first that holds is said. Those before BASIS close a lead for good. */
#define GUARD_REASONS(X)                                                                                                  \
	X(GUARD_OK, "ok", "可以拨打", "May be dialled")                                                                    \
	X(GUARD_GONE, "gone", "客户已合并、清除或不在", "The customer is merged, erased or gone")                          \
	X(GUARD_DNC, "dnc", "免打扰名单", "On the do-not-call list")                                                       \
	X(GUARD_NUMBER, "number", "没有可拨的号码", "No number that can be dialled")                                       \
	X(GUARD_ATTEMPTS, "attempts", "已到总次数上限", "As many attempts as allowed")                                     \
	X(GUARD_ENDED, "ended", "项目已过结束日期", "After the project's last day")                                        \
	X(GUARD_BASIS, "basis", "没有拨打依据", "No lawful basis")                                                         \
	X(GUARD_TAKEN, "taken", "正在拨打这位客户", "The customer is being dialled")                                       \
	X(GUARD_LEAD_DAY, "lead_day", "已到本项目当日次数", "As many attempts a day as the project allows")                \
	X(GUARD_DAY, "day", "已到客户当日次数（所有项目）", "As many attempts a day as all projects allow")                \
	X(GUARD_WEEK, "week", "已到客户一周次数（所有项目）", "As many attempts a week as all projects allow")             \
	X(GUARD_GAP, "gap", "离上次拨打太近", "Too soon after the last attempt")                                           \
	X(GUARD_HOURS, "hours", "不在可拨时段", "Outside the hours for calls")                                             \
	X(GUARD_SHOW, "resting", "外显号码都在休息", "All numbers to show are resting")

enum guard_reason {
#define X(e, name, zh, en) e,
	GUARD_REASONS(X)
#undef X
	GUARD_REASON_COUNT
};
const char *guard_reason_name(enum guard_reason r);
const char *guard_reason_text(enum guard_reason r, const char *lang);

struct guard_in {
	int64_t wall_ms;
	bool gone;               /* the customer is merged, erased, deleted */
	bool dnc;                /* this number, or the person */
	bool number;             /* there is one in use */
	bool basis;
	bool taken;              /* the number, or the customer, is in another open claim */
	int32_t attempts, attempts_max;   /* of the lead; _max 0: no limit */
	int32_t lead_today, lead_day_max;
	int32_t today, day_max;           /* of the customer, all campaigns */
	int32_t week, week_max;           /* within seven days before now */
	int64_t week_first_ms;            /* the oldest of these; wall time */
	int64_t last_ms;                  /* the last of them; 0: none */
	int32_t gap_min;
	struct guard_when when;
};

struct guard_verdict {
	enum guard_reason why;
	int64_t again_ms;        /* GUARD_OK: until when it holds. Else when to ask again; 0: never */
};

struct guard_verdict guard_judge(const struct guard_calendar *cal, const struct guard_in *in);
