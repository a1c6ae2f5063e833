/*
 * Notices (通报): a declared resource; whoever may write it publishes, within his reach. It concerns everybody of the centre, of a department with what
 * is below it, or of a team, their heads and leads included; reading one is a row of notice_reads, the first time counts. Whom it concerns reads it
 * without a right of its own.
 */
#pragma once

#include <stdint.h>

struct db;

/** SQL: does the row n of notices concern the user bound to $1? */
extern const char notice_concerns_sql[];
/** Of the notice $1: id, name, team's name, when he read it, of everybody whom it concerns but its publisher; who has not read it first. */
extern const char notice_people_sql[];
/** It was read; again is no change, nor what does not concern him. Writer. */
int notice_read(struct db *db, int64_t centre_id, int64_t notice_id, int64_t user_id, int64_t now_ms);
