/*
 * Rights: what a role may do. Reading and writing rows is granted by resource or group of resources with a scope (resource.h); all else is a
 * right of its own, a bit. Roles are rows, users and tokens name theirs by its key. The ready ones are rights.c's table; a row without
 * rights of its own has those, also after an upgrade brought new ones.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "resource/resource.h"

struct db;
struct json_t;

#define RIGHT_DESK    (1ull << 0)  /* takes and places calls */
#define RIGHT_DIAL    (1ull << 1)  /* keys numbers himself */
#define RIGHT_FLOOR   (1ull << 2)  /* sees board, queues, trunks, alarms */
#define RIGHT_FORCE   (1ull << 3)  /* logs others out, sends them to break or ready */
#define RIGHT_NUMBERS (1ull << 4)  /* sees telephone numbers whole */
#define RIGHT_REVEAL  (1ull << 5)  /* may have one shown, with a reason, counted */
#define RIGHT_ASSIGN  (1ull << 6)  /* gives customers to people */
#define RIGHT_POOL    (1ull << 7)  /* sees customers of nobody and claims them */
#define RIGHT_MERGE   (1ull << 8)
#define RIGHT_NOTES   (1ull << 9)  /* corrects notes of others, and after the day has closed */
#define RIGHT_SHARE   (1ull << 10) /* shares views with all */
#define RIGHT_AUDIT   (1ull << 11) /* reads who saw or changed what */
#define RIGHT_TRACE   (1ull << 12) /* reads SIP messages of trunks and calls */
#define RIGHT_ERASE   (1ull << 13) /* removes a person from all records */
#define RIGHT_SYSTEM  (1ull << 14) /* looks after the installation: doctor, strangers, faults, test calls, roles */
#define RIGHT_CAMPAIGNS (1ull << 15) /* starts and stops projects, puts customers into them */
#define RIGHT_LISTEN  (1ull << 20) /* hears calls of those whom he sees on the board */
#define RIGHT_WHISPER (1ull << 21) /* speaks, or writes, to the agent in one */
#define RIGHT_JOIN    (1ull << 22) /* joins one and, who has a desk, takes it over */
#define RIGHT_TOLD    (1ull << 23) /* the agent is told that he listens; that he whispers or joins, always */

struct people_right {
	uint64_t bit;
	const char *name, *zh, *en, *help_zh, *help_en;
};
extern const struct people_right people_rights_list[]; /* ended by a NULL name */

/* Immutable; there as long as the process. */
struct people_rights {
	struct res_rights res;          /* first: a res_who's rights are these */
	struct res_grant calls, recordings; /* no resources, granted like them */
};
static inline const struct people_rights *people_rights_of(const struct res_who *who)
{
	return (const struct people_rights *)who->rights;
}
static inline bool people_may(const struct res_who *who, uint64_t bits)
{
	return who->system || (who->rights && (who->rights->bits & bits));
}
/** How far he may read calls, and hear recordings. */
enum res_scope people_calls_scope(const struct res_who *who);
enum res_scope people_recordings_scope(const struct res_who *who);

/**
 * Rights in JSON, ["desk",...] and {"customers":{"read":"own","write":"own"},...}; "*" stands for all. NULL with @bad, what is
 * wrong, "rights" or "grants". Those of a role are kept; the others are given back by people_rights_free.
 */
const struct people_rights *people_rights_make(const struct json_t *rights, const struct json_t *grants, const char **bad);
void people_rights_free(const struct people_rights *p);
/** Those of the role as it is now; -ENOENT. One point query, any connection. */
int people_rights_find(const struct people_rights **ret, struct db *db, int64_t centre_id, const char *role);
/** The same for a role's row that was just read; @rights and @grants: its columns, NULL for the shipped ones. */
const struct people_rights *people_rights_known(int64_t role_id, int64_t rev, const char *key, const char *rights, const char *grants);
/** Does @inner allow nothing that @outer does not? Nobody gives more than he has. */
bool people_rights_within(const struct people_rights *inner, const struct people_rights *outer);
/** Those of a ready role; NULL: there is none of this key. */
const struct people_rights *people_rights_shipped(const char *key);
/** {"rights":[{name,zh,en,help..}],"areas":[{name,zh,en,resources,kind}],"shipped":{key:{rights,grants}}} for the page. */
struct json_t *people_rights_catalogue(void);
/** Makes the ready roles where a centre has none. Writer. */
int people_roles_seed(struct db *db, int64_t centre_id);
