/*
 * What follows an attempt: tried again, on this number or the customer's next one, or not any more. Pure.
 *
 *   result × which attempt of the lead it was  --rule-->  again: the same number after wait
 *                                                         next: the customer's next number after next_min; when all had their turn, the
 *                                                               first one again after wait
 *                                                         close
 * A campaign's own rules for a result stand in place of the centre's. A result without any rule is tried again after a day.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(enumerator, "code", 中文, English, does it count as an attempt) */
#define DIAL_RESULTS(X)                                                                    \
	X(DIAL_ANSWERED, "answered", "接通", "Answered", true)                              \
	X(DIAL_NOANSWER, "noanswer", "无人应答", "No answer", true)                         \
	X(DIAL_BUSY, "busy", "占线", "Busy", true)                                          \
	X(DIAL_REJECTED, "rejected", "拒接", "Rejected", true)                              \
	X(DIAL_EMPTY, "empty", "空号", "Number does not exist", true)                       \
	X(DIAL_SUSPENDED, "suspended", "停机", "Suspended", true)                           \
	X(DIAL_OFF, "off", "关机", "Switched off", true)                                    \
	X(DIAL_UNREACHABLE, "unreachable", "无法接通", "Unreachable", true)                 \
	X(DIAL_ASSISTANT, "assistant", "智能助理", "Voice assistant", true)                 \
	X(DIAL_FAILED, "failed", "线路失败", "Line failed", true)                           \
	X(DIAL_ABANDONED, "abandoned", "客户接起无人应答", "Answered, but nobody was free", true) \
	X(DIAL_RETURNED, "returned", "未拨出", "Not dialled", false)                        \
	X(DIAL_UNKNOWN, "unknown", "结果不明", "Not known", true)

enum dial_result {
#define X(e, code, zh, en, counts) e,
	DIAL_RESULTS(X)
#undef X
	DIAL_RESULT_COUNT
};
const char *dial_result_name(enum dial_result r);
const char *dial_result_text(enum dial_result r, const char *lang);
bool dial_result_counts(enum dial_result r);
/** Unknown codes are DIAL_UNKNOWN. */
enum dial_result dial_result_of(const char *code);

enum retry_action { RETRY_AGAIN, RETRY_NEXT, RETRY_CLOSE };
extern const char *const retry_action_names[]; /* again next close; NULL-ended */

struct retry_rule {
	int64_t campaign_id;      /* 0: of all that have none of their own for this result */
	enum dial_result result;
	int32_t nth;              /* from this attempt of the lead on */
	enum retry_action action;
	int32_t wait_min;
};

/* The ready ones, for a centre that has none. */
extern const struct retry_rule retry_defaults[];
extern const size_t retry_default_n;

struct retry_in {
	int64_t campaign_id;
	enum dial_result result;
	int32_t nth;              /* which attempt of the lead this was, from 1 */
	int32_t attempts_max;     /* 0: no limit */
	int32_t phone_at, phones; /* the number that was dialled, of how many that are in use now */
	int32_t next_min;         /* between two numbers */
};

struct retry {
	bool close;
	int32_t phone_at;
	int64_t wait_ms;          /* unless closed */
};

struct retry retry_after(const struct retry_rule *rules, size_t n, const struct retry_in *in);
