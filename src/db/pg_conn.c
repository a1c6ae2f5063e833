/*
 * A PostgreSQL connection: made with deadlines, watched while it waits, made again when it went. libpq is used without blocking, so
 * that a server that does not answer costs seconds, not the store thread.
 */
#include "db/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 5000
#define AGAIN_MS 500
#define SILENT_MS 5000
#define VERSION_MIN 150000

/* Keys of advisory locks are (one of these, hash of the schema's name): one centre is one schema. */
#define LOCK_OWNER "1215655797, hashtext(current_schema())"

void pg_say(struct pg *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
	for (char *s = p->error; *s; s++)
		if (*s == '\n')
			*s = s[1] ? ' ' : '\0';
}

int pg_drop(struct pg *p, int why)
{
	p->broken |= p->open;
	pg_disconnect(p);
	return why;
}

int pg_lost(struct pg *p, int why)
{
	if (why == -ENOTCONN)
		pg_say(p, "connection lost: %s", p->c ? PQerrorMessage(p->c) : "");
	else
		pg_say(p, "the server has not answered in time");
	return pg_drop(p, why);
}

void pg_disconnect(struct pg *p)
{
	PQfinish(p->c);
	p->c = NULL;
	if (p->deferred && !p->deferred_error)
		p->deferred_error = -ENOTCONN;
	p->deferred = 0;
	p->generation++;
	strb_clear(&p->buried);
}

/* ---- waiting ---- */

/* 0: the socket is ready for one of @events; -ETIMEDOUT. */
static int wait_socket(struct pg *p, short events, int64_t end_ms)
{
	struct pollfd fd = {.fd = PQsocket(p->c), .events = events};

	for (;;) {
		int64_t left = end_ms - clock_mono_ms();
		int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

		if (n > 0)
			return 0;
		if (n == 0 || errno != EINTR)
			return -ETIMEDOUT;
	}
}

int pg_wait(struct pg *p, PGresult **ret, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	for (;;) {
		int unsent = PQflush(p->c);

		if (unsent < 0)
			return pg_lost(p, -ENOTCONN);
		if (!PQisBusy(p->c)) {
			*ret = PQgetResult(p->c);
			if (PQstatus(p->c) != CONNECTION_BAD)
				return 0;
			PQclear(*ret);
			return pg_lost(p, -ENOTCONN);
		}
		if (wait_socket(p, (short)(POLLIN | (unsent ? POLLOUT : 0)), end))
			return pg_lost(p, -ETIMEDOUT);
		if (!PQconsumeInput(p->c))
			return pg_lost(p, -ENOTCONN);
	}
}

/* ---- errors ---- */

/* By SQLSTATE; a shorter one stands for its class. PostgreSQL 15 documentation, appendix A. First match. */
static const struct {
	const char *state;
	int result;
} states[] = {
	{"23505", DB_E_UNIQUE},
	{"23", DB_E_CONSTRAINT},
	{"40", -EAGAIN},      /* serialization, deadlock */
	{"55P03", -EBUSY},    /* lock not available */
	{"57014", -ETIMEDOUT}, /* cancelled: statement_timeout */
	{"57", -ENOTCONN},    /* shut down, starting up */
	{"08", -ENOTCONN},
	{"53300", -ENOTCONN}, /* too many connections */
	{"53100", -ENOSPC},
	{"53200", -ENOMEM},
	{"25006", -EROFS},
	{"25P02", -EIO},      /* an earlier statement has failed the transaction */
	{"42501", -EACCES},
	{"28", -EACCES},
	{"3D000", -ENOENT},
	{"54", -E2BIG},
	{"XX001", -EBADMSG},
	{"XX002", -EBADMSG},
	{"22", -EINVAL}, {"42", -EINVAL}, {"0A", -EINVAL}, {"26", -EINVAL},
};

static int result_of_state(const char *state)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (!strncmp(state, states[i].state, strlen(states[i].state)))
			return states[i].result;
	return -EIO;
}

int pg_result_error(struct pg *p, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	pg_say(p, "%s (%s)", text ? text : PQresultErrorMessage(res), state ? state : "no code");
	return state ? result_of_state(state) : -EIO;
}

/* What a server says while it refuses a connection has its code only in the text: "FATAL:  28P01: password ...". */
static int refused(struct pg *p)
{
	static const struct {
		const char *code;
		int result;
		const char *what;
	} known[] = {
		{" 28P01: ", -EACCES, "the password is wrong, or there is no such role"},
		{" 28000: ", -EACCES, "the server does not let this role in from here (pg_hba.conf), or there is no such role"},
		{" 3D000: ", -ENOENT, "there is no such database on that server; createdb makes it"},
		{" 57P03: ", -ENOTCONN, "the server is starting or stopping"},
		{" 53300: ", -ENOTCONN, "the server has no connection left (max_connections)"},
		{"no password supplied", -EACCES, "the server wants a password, and none is given (in the URL, or in ~/.pgpass)"},
	};
	char said[400], *end;

	(void)str_copy(said, sizeof(said), PQerrorMessage(p->c));
	if ((end = strstr(said, "LOCATION:")))
		*end = '\0';
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strstr(said, known[i].code)) {
			pg_say(p, "%s: %s", known[i].what, said);
			return known[i].result;
		}
	pg_say(p, "the server cannot be reached: %s", said);
	return -ENOTCONN;
}

/* ---- connecting ---- */

static void no_notices(void *arg, const PGresult *res)
{
}

static int dial(struct pg *p)
{
	static const char *const keys[] = {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
					   "tcp_user_timeout", "fallback_application_name", "dbname", "client_encoding", NULL};
	const char *values[] = {"5", "10", "5", "3", "20000", "huawu", p->url, "UTF8", NULL};
	int64_t end = clock_mono_ms() + CONNECT_MS;
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	p->c = PQconnectStartParams(keys, values, 1);
	if (!p->c)
		return -ENOMEM;
	if (PQstatus(p->c) == CONNECTION_BAD)
		return refused(p);
	(void)PQsetErrorVerbosity(p->c, PQERRORS_VERBOSE);
	(void)PQsetNoticeReceiver(p->c, no_notices, NULL);
	while (want != PGRES_POLLING_OK) {
		if (wait_socket(p, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, end)) {
			pg_say(p, "the server does not answer");
			return -ENOTCONN;
		}
		want = PQconnectPoll(p->c);
		if (want == PGRES_POLLING_FAILED)
			return refused(p);
	}
	return PQsetnonblocking(p->c, 1) ? -EIO : 0;
}

/* Sorting by bytes, as SQLite does: pages of lists go on where the last ended only if both sides sort alike. */
static int check_server(struct pg *p)
{
	char made[128], *schema;
	int r;

	if (PQserverVersion(p->c) < VERSION_MIN) {
		pg_say(p, "the server is PostgreSQL %d, 15 or newer is needed", PQserverVersion(p->c) / 10000);
		return -EPROTO;
	}
	r = pg_simple(p,
		      "SELECT pg_encoding_to_char(encoding) || ' ' || CASE WHEN datlocprovider = 'c' THEN datcollate ELSE 'icu' END"
		      " || ' ' || coalesce(current_schema(), '') FROM pg_database WHERE datname = current_database()",
		      made, sizeof(made), CONNECT_MS);
	if (r)
		return r;
	schema = strrchr(made, ' ');
	*schema++ = '\0';
	if (strcmp(made, "UTF8 C.UTF-8") && strcmp(made, "UTF8 C.utf8") && strcmp(made, "UTF8 C") && strcmp(made, "UTF8 POSIX")) {
		pg_say(p, "the database is made with '%s'; make it with: createdb -T template0 -E UTF8 --locale=C.UTF-8 NAME", made);
		return -EINVAL;
	}
	if (!*schema || !str_copy(p->schema, sizeof(p->schema), schema)) {
		pg_say(p, "the role's search_path names no schema that is there");
		return -EINVAL;
	}
	return 0;
}

static int settle(struct pg *p)
{
	/* Compiling a plan takes longer than any of our questions. */
	static const char common[] = "SET standard_conforming_strings = on; SET bytea_output = 'hex'; SET lock_timeout = 2000; SET jit = off;";
	int r = check_server(p);

	if (!r)
		r = pg_simple(p, common, NULL, 0, CONNECT_MS);
	/* What is asked decides how a search or a list is best read: a plan that fits any question reads a table through. */
	if (!r && p->mode == DB_RO)
		r = pg_simple(p, "SET default_transaction_read_only = on; SET statement_timeout = 7000; SET plan_cache_mode = force_custom_plan", NULL, 0, CONNECT_MS);
	/*
	 * The writer finds rows by keys. A plan that was made while a table was small would read it through, and be kept until the server
	 * looks at the table again: an import would become slower with each row. A commit is on the disk when it returns; what the server does
	 * beyond that (remote_apply) stays.
	 */
	if (!r && p->mode == DB_RW)
		r = pg_simple(p,
			      "SET statement_timeout = 25000; SET enable_seqscan = off; SELECT set_config('synchronous_commit', 'on', false)"
			      " WHERE current_setting('synchronous_commit') = 'off'",
			      NULL, 0, CONNECT_MS);
	if (!r && p->owner)
		r = pg_own(p);
	return r;
}

int pg_connect(struct pg *p)
{
	int64_t now = clock_mono_ms();
	int r;

	if (p->c && PQstatus(p->c) == CONNECTION_OK)
		return 0;
	if (now < p->next_try_ms)
		return -ENOTCONN;
	pg_disconnect(p);
	r = dial(p);
	if (!r)
		r = settle(p);
	if (r) {
		pg_disconnect(p);
		/* A server that refuses is asked again soon; one that says nothing costs everybody's patience. */
		p->next_try_ms = clock_mono_ms();
		p->next_try_ms += p->next_try_ms - now > AGAIN_MS ? SILENT_MS : AGAIN_MS;
		return r > 0 ? -EIO : r;
	}
	p->next_try_ms = 0;
	p->backend = PQbackendPID(p->c);
	return 0;
}

/* ---- simple queries ---- */

int pg_simple(struct pg *p, const char *sql, char *text, size_t size, int ms)
{
	PGresult *res;
	int r = 0, w;

	if (text)
		*text = '\0';
	if (!PQsendQuery(p->c, sql))
		return pg_lost(p, -ENOTCONN);
	while (!(w = pg_wait(p, &res, ms)) && res) {
		ExecStatusType s = PQresultStatus(res);

		if (s == PGRES_FATAL_ERROR && !r)
			r = pg_result_error(p, res);
		if (s == PGRES_TUPLES_OK && text && PQntuples(res))
			(void)str_copy(text, size, PQgetvalue(res, PQntuples(res) - 1, 0));
		PQclear(res);
	}
	if (!w && r == -ENOTCONN) /* the server's last words */
		return pg_drop(p, r);
	return w ? w : r;
}

/* ---- one process writes ---- */

/* Our own old connection may live on at the server when the network broke; it is ended, another process's is not. */
static int end_own_old(struct pg *p)
{
	char sql[512], done[8];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT pg_terminate_backend(pid, 2000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1215655797"
		       " AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid AND objsubid = 2 AND granted"
		       " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid = %d",
		       p->backend);
	return p->backend ? pg_simple(p, sql, done, sizeof(done), CONNECT_MS) : 0;
}

static int take_lock(struct pg *p, bool *got)
{
	char yes[8];
	int r = pg_simple(p, "SELECT pg_try_advisory_lock(" LOCK_OWNER ")", yes, sizeof(yes), CONNECT_MS);

	*got = yes[0] == 't';
	return r;
}

static int dispossessed(struct pg *p, const char *how)
{
	p->dispossessed = true;
	pg_say(p, "another huawu %s these data", how);
	return -EBUSY;
}

/*
 * The lock lives and dies with the connection. Whoever connects again takes it again, and finds in the token whether somebody else has
 * written in between; then he never writes again.
 */
int pg_own(struct pg *p)
{
	char text[32] = "";
	bool got = false;
	int64_t token = 0;
	int r;

	if (p->dispossessed)
		return dispossessed(p, "has taken over");
	r = take_lock(p, &got);
	if (!r && !got && p->owner) {
		r = end_own_old(p);
		if (!r)
			r = take_lock(p, &got);
	}
	if (!r && !got) {
		pg_say(p, "another huawu writes these data");
		r = -EBUSY;
	}
	if (!r)
		r = pg_simple(p, "SELECT to_regclass(quote_ident(current_schema()) || '.db_owner') IS NOT NULL", text, sizeof(text), CONNECT_MS);
	if (r || text[0] != 't')
		goto out;
	if (!p->owner || !p->token)
		r = pg_simple(p, "UPDATE db_owner SET token = token + 1 RETURNING token", text, sizeof(text), CONNECT_MS);
	else
		r = pg_simple(p, "SELECT token FROM db_owner", text, sizeof(text), CONNECT_MS);
	if (!r && !str_to_i64(&token, text, 1, INT64_MAX))
		r = -EIO;
	if (!r && p->token && token != p->token)
		return dispossessed(p, "has written");
	if (!r)
		p->token = token;
out:
	if (!r)
		p->owner = true;
	return r;
}
