/* The PostgreSQL engine's own: pg_conn.c connects, waits and translates errors; postgres.c is the engine. */
#pragma once

#include <libpq-fe.h>

#include "base/base.h"
#include "db/engine.h"

struct pg {
	char *url;             /* whole, perhaps with a password: never logged */
	char shown[200];       /* for logs */
	enum db_mode mode;
	PGconn *c;             /* NULL: away */
	uint64_t generation;   /* counts connections: a statement prepared on an older one is prepared again */
	unsigned names;        /* of prepared statements */
	int64_t next_try_ms;   /* mono: not connected again before */
	bool open;             /* a transaction was begun and not ended */
	bool broken;           /* the connection went with a transaction open: nothing runs until it is rolled back */
	bool told;             /* that it is away */
	char schema[64];
	char error[400];
	int64_t changes;
	int patience_ms;
	struct strb buried;    /* DEALLOCATE ...; of statements that are no longer kept */

	bool deferring;
	unsigned deferred;     /* sent, not answered yet; the connection is in pipeline mode */
	int deferred_error;    /* the first; cleared when deferring ends */
	bool shadows;          /* temporary tables hide real ones until the transaction ends */

	bool owner, dispossessed;
	int64_t token;         /* of the owner; 0: the table is not there yet */
	int backend;           /* server process of the last connection */
};

/** Connected, and every setting made. 0, or negative after saying why in p->error. At most every half second. */
int pg_connect(struct pg *p);
void pg_disconnect(struct pg *p);
/** The connection is of no use any more: notes why, and forgets it. Answers -ENOTCONN, or -ETIMEDOUT. */
int pg_lost(struct pg *p, int why);
int pg_drop(struct pg *p, int why); /* the same, with p->error already said */
/** The next result, or NULL at the end of a command; waits so long at most. */
int pg_wait(struct pg *p, PGresult **ret, int ms);
/** db.h's answer for a failed result; keeps its message. */
int pg_result_error(struct pg *p, const PGresult *res);
/** Simple query of several statements; first column of the last row of the last one into @text when it is not NULL. */
int pg_simple(struct pg *p, const char *sql, char *text, size_t size, int ms);
int pg_own(struct pg *p);
void pg_say(struct pg *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Of a statement, with the lock it waits for. A worker of the API has not long to wait. */
#define PG_PATIENCE_RW_MS 30000
#define PG_PATIENCE_RO_MS 8000
#define PG_SCRIPT_PATIENCE_MS 3600000
