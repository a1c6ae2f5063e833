/* Leads that are done or closed become new ones again, chosen by what came of them. Whoever is not to be called, or is gone, never. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct json_t;

#define RECYCLE_MAX 32

struct recycle_ask {
	char last[RECYCLE_MAX][16];    /* results of the last attempt: noanswer ... */
	size_t last_n;
	int64_t results[RECYCLE_MAX];  /* what agents wrote: ids of contact_results */
	size_t result_n;
	int64_t before_ms;             /* only those last tried before; 0: all */
	bool fresh;                    /* their attempts are counted from nought */
	int64_t priority;              /* 0 .. 10 */
};

/** From {"last":[..],"results":[..],"before_ms","fresh","priority"}; what is wrong goes to @bad as fields. */
void recycle_ask_read(struct recycle_ask *ret, const struct json_t *body, struct json_t **bad);
/** {"n", "spent": of them with as many attempts as allowed, "by":[{"last","result_id","result","n"}]}. Any connection. */
int campaign_recycle_preview(struct json_t **ret, struct db *db, int64_t campaign_id, const struct recycle_ask *ask);
/** At most @max of them. @n: how many; less than @max: it is over. Writer. */
int campaign_recycle_step(int64_t *n, struct db *db, int64_t campaign_id, const struct recycle_ask *ask, int64_t max, int64_t now_ms);
