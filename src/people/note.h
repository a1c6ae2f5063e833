/*
 * Notes (小结): what was said in a call, or besides calls, and the templates that say what must not be left out.
 *
 * A template's fields, JSON: [{"key":"f1", "label":"订单号", "type":"text|choice|number|date|bool", "required":true, "options":["退货","换货"],
 * "min":0, "max":200}]; its phrases: ["已核对身份", ...]. A note's form arrives as {"f1":"..."} and is kept with labels and types,
 * [{"key","label","type","value"}], so that it reads the same when the template is another one later.
 *
 * Who wrote a note corrects it until the day of the centre's zone is over, a supervisor later, too; what stood there before stays in the
 * audit. Nobody deletes one. Codes: 409 note_closed (the day is over); fields "form.<key>": required type range enum format unknown.
 */
#pragma once

#include "resource/resource.h"

#define NOTE_FIELDS_MAX 40
#define NOTE_OPTIONS_MAX 60
#define NOTE_PHRASES_MAX 100

/** Is this a template's list of fields, of phrases? What is wrong goes to c->error, as "fields.2.label". */
void note_fields_check(struct res_ctx *c, const struct json_t *fields);
void note_phrases_check(struct res_ctx *c, const struct json_t *phrases);
/** The form as it is kept, a new value, from what was filled in (an object, or null for nothing). What is wrong goes to c->error. */
struct json_t *note_form_take(struct res_ctx *c, const struct json_t *fields, const struct json_t *values);

/** Is @at_ms of the same day as @now_ms in the centre's zone? Without the zone's file, by UTC. */
bool people_same_day(struct db *db, int64_t at_ms, int64_t now_ms);
/** Notes of calls with @number that had no customer become @customer_id's. On the writer, in its transaction. */
int people_notes_adopt(struct db *db, int64_t centre_id, int64_t customer_id, const char *number);
/** The same for many at once: asks first which of the numbers any call or call-back had. */
struct people_number_of {
	const char *number; /* canonical */
	int64_t customer_id;
	bool known;         /* the answer: there may have been something */
};
int people_notes_adopt_many(struct db *db, int64_t centre_id, struct people_number_of *list, size_t n);
/** Indexes a piece of the notes from before one character was a word (find_notes_old). @more: there are others. Writer. */
int people_notes_index_step(bool *more, struct db *db, int64_t centre_id);
/** A note of the past, for the demo: @body as it would be posted; by @user_id, at @at_ms. */
int people_note_import(struct res_ctx *c, const struct json_t *body, int64_t user_id, int64_t at_ms);
