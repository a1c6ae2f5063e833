/*
 * Privacy beyond masks: showing a number for a reason, who looked at what, and removing a person.
 *
 * Codes of refusal: 429 reveal_limit (the day's numbers are used up; detail says how many), 409 erased, 409 owned_call (she is being talked to).
 */
#pragma once

#include <stdint.h>

#include "people/people.h"

struct people_privacy {
	int64_t reveal_day_max;
	char recordings[8];      /* keep later now */
	int64_t recordings_days;
};
/** The centre's rules; the shipped ones where there are none. Any connection. */
int people_privacy_get(struct people_privacy *ret, struct db *db, int64_t centre_id);
int people_privacy_seed(struct db *db, int64_t centre_id);

/**
 * A customer's number whole, to who may see the row and reveal: {"number", "left"} (left: null for who sees all). Noted with its reason.
 * 0, 1 with c->error, or negative. Writer.
 */
int people_phone_reveal(struct json_t **ret, struct res_ctx *c, int64_t phone_id, const char *reason);
/** How often @user_id had numbers shown since @since_ms. */
int people_reveals_since(int64_t *ret, struct db *db, int64_t user_id, int64_t since_ms);

/** The row's page was opened. One line a user, row and hour. Writer. */
int people_row_seen(struct db *db, int64_t centre_id, const char *resource, int64_t row_id, int64_t user_id, int64_t now_ms);

/** Begins to erase: the customer is of nobody any more and cannot be changed; people_erase_step does the rest. Writer. */
int people_erase_begin(struct res_ctx *c, int64_t customer_id, const char *reason);
#define PEOPLE_ERASE_FILES 64
struct people_erased {
	bool more;                            /* call again */
	char *files[PEOPLE_ERASE_FILES];      /* below the recordings' or attachments' folder: unlink, then people_erase_files_gone */
	int64_t parts[PEOPLE_ERASE_FILES];
	size_t file_n;
	int64_t customer_id;
};
/** A piece of what is to be erased, in one transaction; what was done stays done, so it goes on after a crash. Writer. */
int people_erase_step(struct people_erased *ret, struct db *db, int64_t centre_id, int64_t now_ms);
/** Their files are unlinked. Writer. */
int people_erase_files_gone(struct db *db, const struct people_erased *e);
void people_erased_done(struct people_erased *e);
