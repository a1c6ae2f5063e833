/* Who rings back, and who is dialled by a click: what stands beside the campaigns' own dials. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct json_t;
struct zone;

/* The last dial of a customer. */
struct campaign_dialled {
	int64_t claim_id, campaign_id, lead_id, agent_id; /* agent_id 0: nobody was there, or he is not any more */
	int64_t at_ms;
	int32_t nth;
	char result[16];
};
/** 0; -ENOENT: none within the centre's ringback_days. Any connection; dial_claims_customer serves it. */
int campaign_last_dial(struct campaign_dialled *ret, struct db *db, int64_t centre_id, int64_t customer_id, int64_t now_ms);
/** Are these the campaign's own hours and days? Nobody is dialled by this: windows of regions do not count. */
int campaign_hours_now(bool *ret, struct db *db, int64_t centre_id, int64_t campaign_id, int64_t now_ms);
/** The team most of the campaign's people are of; 0: none. */
int campaign_main_team(int64_t *ret, struct db *db, int64_t campaign_id);
/** Calls in of the last hour by who had been dialled become ring-backs, each once. @n: how many. Writer. */
int campaign_ring_backs(size_t *n, struct db *db, const struct zone *zone, int64_t centre_id, int64_t now_ms);

/**
 * What campaign a call or a customer belongs to: {"campaign_id","name","lead_id","nth","attempts","at_ms","result","mode","now","script"}; "now": this very call
 * is its dial, else it is what came before. NULL: none. Any connection.
 */
int campaign_about(struct json_t **ret, struct db *db, int64_t centre_id, int64_t call_id, int64_t customer_id, int64_t now_ms);

enum click { CLICK_OK, CLICK_CAP, CLICK_BARRED };
/** May the user dial this customer by a click? @number: that he will dial. Any connection. */
int campaign_may_click(enum click *ret, struct db *db, int64_t centre_id, int64_t user_id, int64_t customer_id, const char *number, int64_t midnight_ms, int64_t now_ms);
/** He has. Writer. */
int campaign_clicked(struct db *db, int64_t centre_id, int64_t user_id, int64_t customer_id, int64_t now_ms);
