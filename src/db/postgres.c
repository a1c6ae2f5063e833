/*
 * PostgreSQL 15 behind engine.h. It behaves as SQLite does where our code can tell:
 *
 *   - a writing transaction is the only one: BEGIN takes an advisory lock, as BEGIN IMMEDIATE does
 *   - a refused INSERT, UPDATE or DELETE leaves the transaction standing: each runs in a savepoint of its own, in one round trip
 *   - a result is read whole before its first row is given out, so that other statements may run while it is walked
 *   - whoever cannot reach the server gets -ENOTCONN at once, and the next statement tries again
 *
 * While deferring (db_batch), writes are only sent, in libpq's pipeline mode, and answered at the next read or at the end.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/pg.h"

#define DEFERRED_MAX 256 /* their answers fit the socket's buffer */
#define PARAMS_MAX 1000
#define OWN_WAIT_MS 5000 /* for the server to notice that a process has ended: it goes on with what was sent to it */
#define TRIES 3          /* of a statement that met a deadlock */

#define LOCK_WRITE "1215655798, hashtext(current_schema())"

/* Object identifiers of types; pg_type.dat. */
enum { OID_UNKNOWN = 0, OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_FLOAT8 = 701 };

struct param {
	Oid type; /* of the value bound: OID_UNKNOWN for a text, whose type the server finds */
	bool null, blob;
	char *s;
	size_t n, cap;
};

enum kind { READS, WRITES, OTHER };

struct stmt {
	struct pg *p;
	char *sql; /* translated */
	enum kind kind;
	char name[16];
	uint64_t generation; /* of the connection that knows the name; 0: none */
	Oid *types;          /* as prepared */
	bool *used;          /* by parameter: is it in the text? */
	struct param *params;
	const char **values; /* as libpq wants them */
	int *lens, *formats;
	int param_n;

	PGresult *res;
	int row; /* the current one; -1 before the first */
	bool ran;
	void **blobs; /* decoded, of this row; one a column */
};

/* ---- translation ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Our dialect's few words that mean something else there. */
static char *translate(const char *sql)
{
	static const char *const words[][2] = {{"BLOB", "BYTEA"}, {"INTEGER", "BIGINT"}, {"REAL", "DOUBLE PRECISION"}, {"LIKE", "ILIKE"}, {"MATCH", "@@"}, {"search_match", "ts_match_vq"}};
	struct strb b;

	strb_init(&b, SIZE_MAX / 2);
	for (const char *s = sql; *s;) {
		const char *next = db_skip_quoted(s);
		size_t n = 0, i;

		if (next != s) {
			strb_add(&b, s, (size_t)(next - s));
			s = next;
			continue;
		}
		while (is_word(s[n]))
			n++;
		for (i = 0; n && i < ARRAY_LEN(words); i++)
			if (strlen(words[i][0]) == n && !strncmp(s, words[i][0], n))
				break;
		if (n && i < ARRAY_LEN(words))
			strb_puts(&b, words[i][1]);
		else
			strb_add(&b, s, n ? n : 1);
		s += n ? n : 1;
	}
	strb_puts(&b, "");
	return strb_take(&b);
}

/* Highest $n outside of quotes. @used (may be NULL): which are there. */
static int find_params(const char *sql, bool *used)
{
	long max = 0;

	while (*sql) {
		const char *next = db_skip_quoted(sql);

		if (next != sql) {
			sql = next;
			continue;
		}
		if (sql[0] == '$' && isdigit((unsigned char)sql[1])) {
			long n = strtol(sql + 1, NULL, 10);

			assert(n >= 1 && n <= PARAMS_MAX);
			max = n > max ? n : max;
			if (used)
				used[n - 1] = true;
		}
		sql++;
	}
	return (int)max;
}

static enum kind kind_of(const char *sql)
{
	static const struct {
		const char *word;
		enum kind kind;
	} words[] = {{"SELECT", READS}, {"WITH", READS}, {"VALUES", READS}, {"INSERT", WRITES}, {"UPDATE", WRITES}, {"DELETE", WRITES}};

	sql += strspn(sql, " \t\r\n(");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strncasecmp(sql, words[i].word, strlen(words[i].word)))
			return words[i].kind;
	return OTHER;
}

/* ---- rounds: statements sent together, and their answers ---- */

static bool in_transaction(const struct pg *p)
{
	PGTransactionStatusType t = p->c ? PQtransactionStatus(p->c) : PQTRANS_IDLE;

	return t == PQTRANS_INTRANS || t == PQTRANS_INERROR || t == PQTRANS_ACTIVE;
}

static int note_result(struct pg *p, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
		p->changes = atoll(PQcmdTuples((PGresult *)(uintptr_t)res));
		return 0;
	case PGRES_TUPLES_OK:
		p->changes = atoll(PQcmdTuples((PGresult *)(uintptr_t)res));
		return 0;
	case PGRES_PIPELINE_ABORTED:
		return -ECANCELED;
	default:
		return pg_result_error(p, res);
	}
}

/*
 * Ends a round in pipeline mode. The answer of statement number @mine (from 0) goes to @ret and @result; the first error of the others is
 * returned. -ECANCELED is what those after a failed one get.
 */
static int end_round(struct pg *p, unsigned mine, PGresult **ret, int *result)
{
	unsigned at = 0;
	int first = 0, w;
	PGresult *res;

	if (!PQpipelineSync(p->c))
		return pg_lost(p, -ENOTCONN);
	for (;;) {
		w = pg_wait(p, &res, p->patience_ms);
		if (w)
			return w;
		if (!res) {
			at++;
			continue;
		}
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC)
			break;
		if (at == mine && ret) {
			*result = note_result(p, res);
			PQclear(*ret);
			*ret = res;
			continue;
		}
		w = note_result(p, res);
		PQclear(res);
		if (w && !first)
			first = w;
	}
	PQclear(res);
	while (!(w = pg_wait(p, &res, p->patience_ms)) && res)
		PQclear(res);
	if (!w && !PQexitPipelineMode(p->c))
		w = pg_lost(p, -ENOTCONN);
	if (!w && first == -ENOTCONN)
		w = pg_drop(p, first);
	return w ? w : first;
}

static void deferred_failed(struct pg *p, int r)
{
	if (r && !p->deferred_error)
		p->deferred_error = r == -ENOTCONN || r == -ETIMEDOUT ? r : -ECANCELED;
}

/* Everything that was deferred is answered. */
static int settle_deferred(struct pg *p)
{
	unsigned n = p->deferred;

	if (n) {
		p->deferred = 0;
		deferred_failed(p, end_round(p, n, NULL, NULL));
	}
	return p->deferred_error;
}

/* ---- preparing ---- */

static void bury(struct pg *p)
{
	if (!p->buried.len || !p->c || PQtransactionStatus(p->c) == PQTRANS_INERROR)
		return;
	(void)pg_simple(p, p->buried.buf, NULL, 0, p->patience_ms);
	strb_clear(&p->buried);
}

static void forget_name(struct stmt *st)
{
	if (st->generation == st->p->generation)
		strb_printf(&st->p->buried, "DEALLOCATE %s;", st->name);
	st->generation = 0;
}

/* May the values now bound go where the server expects what was bound when it was prepared? */
static bool types_fit(const struct stmt *st)
{
	for (int i = 0; i < st->param_n; i++) {
		const struct param *v = &st->params[i];

		if (!st->used[i] || v->null || !st->types[i] || st->types[i] == v->type)
			continue;
		if (st->types[i] == OID_FLOAT8 && v->type == OID_INT8)
			continue;
		return false;
	}
	return true;
}

static int make_ready(struct stmt *st)
{
	struct pg *p = st->p;
	PGresult *res = NULL, *more;
	int r, w;

	if (st->generation == p->generation && types_fit(st))
		return 0;
	if (p->deferred) {
		r = settle_deferred(p);
		if (r)
			return r;
	}
	forget_name(st);
	bury(p);
	if (!p->c)
		return -ENOTCONN;
	(void)snprintf(st->name, sizeof(st->name), "s%u", ++p->names);
	for (int i = 0; i < st->param_n; i++)
		st->types[i] = !st->used[i] ? OID_INT8 : st->params[i].null ? OID_UNKNOWN : st->params[i].type;
	if (!PQsendPrepare(p->c, st->name, st->sql, st->param_n, st->types))
		return pg_lost(p, -ENOTCONN);
	w = pg_wait(p, &res, p->patience_ms);
	if (w)
		return w;
	r = res ? note_result(p, res) : -EIO;
	PQclear(res);
	while (!(w = pg_wait(p, &more, p->patience_ms)) && more)
		PQclear(more);
	if (!w && r == -ENOTCONN)
		w = pg_drop(p, r);
	if (!w && !r)
		st->generation = p->generation;
	return w ? w : r;
}

/* ---- running ---- */

static int send(struct stmt *st)
{
	for (int i = 0; i < st->param_n; i++) {
		const struct param *v = &st->params[i];

		st->values[i] = v->null || !st->used[i] ? NULL : v->s;
		st->lens[i] = (int)v->n;
		st->formats[i] = v->blob;
	}
	if (!PQsendQueryPrepared(st->p->c, st->name, st->param_n, st->values, st->lens, st->formats, 0))
		return pg_lost(st->p, -ENOTCONN);
	return 0;
}

static int run_deferred(struct stmt *st)
{
	struct pg *p = st->p;
	int r;

	if (PQpipelineStatus(p->c) == PQ_PIPELINE_OFF && !PQenterPipelineMode(p->c))
		return pg_lost(p, -ENOTCONN);
	r = send(st);
	if (r)
		return r;
	p->deferred++;
	if (p->deferred >= DEFERRED_MAX)
		return settle_deferred(p);
	if (p->deferred % 8 == 0)
		(void)PQflush(p->c); /* so that the server begins */
	return 0;
}

/* In the same round trip as what was deferred before it. */
static int run_behind_deferred(struct stmt *st)
{
	struct pg *p = st->p;
	unsigned n = p->deferred;
	int r, mine = -EIO;

	r = send(st);
	if (r)
		return r;
	p->deferred = 0;
	r = end_round(p, n, &st->res, &mine);
	deferred_failed(p, r ? r : mine);
	return p->deferred_error;
}

static int run_in_savepoint(struct stmt *st)
{
	struct pg *p = st->p;
	int r, mine = -EIO;

	if (!PQenterPipelineMode(p->c) || !PQsendQueryParams(p->c, "SAVEPOINT hw_statement", 0, NULL, NULL, NULL, NULL, 0))
		return pg_lost(p, -ENOTCONN);
	r = send(st);
	if (r)
		return r;
	if (!PQsendQueryParams(p->c, "RELEASE hw_statement", 0, NULL, NULL, NULL, NULL, 0))
		return pg_lost(p, -ENOTCONN);
	r = end_round(p, 1, &st->res, &mine);
	if (!p->c)
		return r;
	if (mine) {
		int64_t changes = p->changes;
		char said[sizeof(p->error)];

		(void)str_copy(said, sizeof(said), p->error);
		r = pg_simple(p, "ROLLBACK TO hw_statement; RELEASE hw_statement", NULL, 0, p->patience_ms);
		if (r)
			return r;
		(void)str_copy(p->error, sizeof(p->error), said);
		p->changes = changes;
		return mine;
	}
	p->changes = atoll(PQcmdTuples(st->res)); /* not RELEASE's */
	return r;
}

static int run_alone(struct stmt *st)
{
	struct pg *p = st->p;
	PGresult *more;
	int r, w;

	r = send(st);
	if (r)
		return r;
	w = pg_wait(p, &st->res, p->patience_ms);
	if (w)
		return w;
	r = st->res ? note_result(p, st->res) : -EIO;
	while (!(w = pg_wait(p, &more, p->patience_ms)) && more)
		PQclear(more);
	if (!w && r == -ENOTCONN)
		w = pg_drop(p, r);
	return w ? w : r;
}

static int run_once(struct stmt *st)
{
	struct pg *p = st->p;
	int r;

	r = make_ready(st);
	if (r) {
		if (p->deferring)
			deferred_failed(p, r);
		return r;
	}
	if (p->deferring && st->kind == WRITES)
		return run_deferred(st);
	if (p->deferred && st->kind == READS)
		return run_behind_deferred(st);
	if (p->deferred && (r = settle_deferred(p)))
		return r;
	return st->kind == WRITES && PQtransactionStatus(p->c) == PQTRANS_INTRANS ? run_in_savepoint(st) : run_alone(st);
}

/* Outside of a transaction a lost connection is made again once: a server that was restarted is not the reader's trouble. */
static int run(struct stmt *st)
{
	struct pg *p = st->p;
	int r = 0;

	if (p->deferred_error)
		return p->deferred_error;
	for (int i = 0; i < TRIES; i++) {
		bool fresh = !p->c;

		if (p->broken)
			return -ENOTCONN;
		r = pg_connect(p);
		if (r)
			return r;
		PQclear(st->res);
		st->res = NULL;
		r = run_once(st);
		if (r == -EAGAIN && !p->deferring) {
			(void)usleep(20000u << i); /* a deadlock's other side goes first */
			continue;
		}
		if (r == -ENOTCONN && !p->open && !fresh && st->kind == READS)
			continue;
		break;
	}
	if (r == -EINVAL) /* our own mistake, or a value beyond a type */
		log_error("statement is refused error=\"%s\" sql=\"%.300s\"", p->error, st->sql);
	return r;
}

/* ---- engine: connections ---- */

static void show(struct pg *p)
{
	PQconninfoOption *all = PQconninfoParse(p->url, NULL), *o;
	const char *user = "", *host = "", *port = "", *name = "";

	for (o = all; o && o->keyword; o++) {
		const char **want = !strcmp(o->keyword, "user")	    ? &user
				    : !strcmp(o->keyword, "host")   ? &host
				    : !strcmp(o->keyword, "port")   ? &port
				    : !strcmp(o->keyword, "dbname") ? &name
								    : NULL;

		if (want && o->val)
			*want = o->val;
	}
	(void)snprintf(p->shown, sizeof(p->shown), "postgresql://%s%s%s%s%s/%s", user, *user ? "@" : "", host, *port ? ":" : "", port, name);
	PQconninfoFree(all);
}

static void pg_close(void *conn)
{
	struct pg *p = conn;

	PQfinish(p->c);
	strb_done(&p->buried);
	free(p->url);
	free(p);
}

static int pg_open(void **conn, const char *where, enum db_mode mode, bool later)
{
	struct pg *p = xcalloc(1, sizeof(*p));
	int r;

	p->url = xasprintf("postgresql:%s", where);
	p->mode = mode;
	p->generation = 1;
	p->patience_ms = mode == DB_RW ? PG_PATIENCE_RW_MS : PG_PATIENCE_RO_MS;
	strb_init(&p->buried, 1 << 20);
	show(p);
	r = pg_connect(p);
	if (r && !(later && r == -ENOTCONN)) {
		log_error("database cannot be opened url=%s: %s", p->shown, p->error);
		pg_close(p);
		return r;
	}
	*conn = p;
	return 0;
}

static const char *pg_error(void *conn)
{
	return ((struct pg *)conn)->error;
}

static const char *pg_schema(void *conn)
{
	return ((struct pg *)conn)->schema;
}

static int pg_script(void *conn, const char *sql)
{
	struct pg *p = conn;
	char *own, *searched;
	int r = p->broken ? -ENOTCONN : pg_connect(p);

	if (r)
		return r;
	if (p->deferred && (r = settle_deferred(p)))
		return r;
	searched = db_spell_search(&db_postgres, sql);
	own = translate(searched);
	r = pg_simple(p, own, NULL, 0, PG_SCRIPT_PATIENCE_MS);
	free(own);
	free(searched);
	return r;
}

static bool pg_in_transaction(void *conn)
{
	return in_transaction(conn);
}

static int pg_begin(void *conn)
{
	struct pg *p = conn;
	int r;

	p->broken = p->open = false;
	for (int i = 0; i < 2; i++) {
		bool fresh = !p->c;

		r = pg_connect(p);
		if (r)
			return r;
		r = pg_simple(p, p->mode == DB_RW ? "BEGIN; SELECT pg_advisory_xact_lock(" LOCK_WRITE ")" : "BEGIN", NULL, 0, p->patience_ms);
		if (r != -ENOTCONN || fresh)
			break;
	}
	if (r && in_transaction(p))
		(void)pg_simple(p, "ROLLBACK", NULL, 0, p->patience_ms);
	p->open = !r;
	return r;
}

static int pg_begin_view(void *conn)
{
	struct pg *p = conn;
	int r = pg_connect(p);

	p->broken = false;
	if (!r)
		r = pg_simple(p, "BEGIN READ WRITE ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout = 0", NULL, 0, p->patience_ms);
	p->open = !r;
	if (!r)
		p->patience_ms = PG_SCRIPT_PATIENCE_MS; /* sums over everything take their time */
	return r;
}

static void forget_plans(struct pg *p)
{
	if (p->c && PQtransactionStatus(p->c) != PQTRANS_INERROR)
		(void)pg_simple(p, "DEALLOCATE ALL", NULL, 0, p->patience_ms);
	p->generation++;
	strb_clear(&p->buried);
}

/* A transaction that failed ends with ROLLBACK, whatever was asked for. */
static int pg_commit(void *conn)
{
	struct pg *p = conn;
	bool failed;
	int r;

	if (p->deferred)
		(void)settle_deferred(p);
	if (p->broken || !p->c)
		return -ENOTCONN;
	failed = PQtransactionStatus(p->c) == PQTRANS_INERROR;
	r = pg_simple(p, "COMMIT", NULL, 0, p->patience_ms);
	p->open &= r != 0;
	return r ? r : failed ? -EIO : 0;
}

static void pg_rollback(void *conn)
{
	struct pg *p = conn;

	if (p->deferred)
		(void)settle_deferred(p);
	if (in_transaction(p))
		(void)pg_simple(p, "ROLLBACK", NULL, 0, p->patience_ms);
	p->broken = p->open = false;
	p->patience_ms = p->mode == DB_RW ? PG_PATIENCE_RW_MS : PG_PATIENCE_RO_MS;
	if (p->shadows)
		forget_plans(p);
	p->shadows = false;
}

static int64_t pg_changes(void *conn)
{
	struct pg *p = conn;

	if (p->deferred)
		(void)settle_deferred(p);
	return p->changes;
}

static int pg_defer(void *conn, bool on)
{
	struct pg *p = conn;
	int r;

	if (on) {
		p->deferring = true;
		p->deferred_error = 0;
		return 0;
	}
	r = settle_deferred(p);
	p->deferring = false;
	p->deferred_error = 0;
	return r;
}

/* Statements already prepared would go on to mean the real table: they are prepared anew. */
static int pg_shadow(void *conn, const char *table)
{
	struct pg *p = conn;
	char sql[300];
	int r;

	(void)snprintf(sql, sizeof(sql), "CREATE TEMP TABLE %s (LIKE %s.%s INCLUDING ALL) ON COMMIT DROP", table, p->schema, table);
	r = pg_connect(p);
	if (!r)
		r = pg_simple(p, sql, NULL, 0, p->patience_ms);
	p->shadows = true;
	forget_plans(p);
	return r;
}

static int pg_own_engine(void *conn)
{
	struct pg *p = conn;
	int64_t end = clock_mono_ms() + OWN_WAIT_MS;
	int r;

	do {
		r = pg_connect(p);
		if (!r && !p->owner)
			r = pg_own(p);
	} while (r == -EBUSY && clock_mono_ms() < end && !usleep(20000));
	return r;
}

/* ---- engine: statements ---- */

static int pg_prepare(void **raw, void *conn, const char *sql)
{
	struct stmt *st;

	if (!sql[strspn(sql, " \t\r\n;")])
		return -EINVAL;
	st = xcalloc(1, sizeof(*st));
	st->p = conn;
	st->sql = translate(sql);
	st->kind = kind_of(st->sql);
	st->param_n = find_params(st->sql, NULL);
	st->params = xcalloc((size_t)st->param_n + 1, sizeof(*st->params));
	st->types = xcalloc((size_t)st->param_n + 1, sizeof(*st->types));
	st->used = xcalloc((size_t)st->param_n + 1, sizeof(*st->used));
	(void)find_params(st->sql, st->used);
	st->values = xcalloc((size_t)st->param_n + 1, sizeof(*st->values));
	st->lens = xcalloc((size_t)st->param_n + 1, sizeof(*st->lens));
	st->formats = xcalloc((size_t)st->param_n + 1, sizeof(*st->formats));
	for (int i = 0; i < st->param_n; i++)
		st->params[i].null = true;
	st->row = -1;
	*raw = st;
	return 0;
}

static void drop_blobs(struct stmt *st)
{
	int n = st->blobs ? PQnfields(st->res) : 0;

	for (int i = 0; i < n; i++) {
		free(st->blobs[i]);
		st->blobs[i] = NULL;
	}
}

static void pg_reset(void *raw)
{
	struct stmt *st = raw;

	drop_blobs(st);
	free(st->blobs);
	st->blobs = NULL;
	PQclear(st->res);
	st->res = NULL;
	st->row = -1;
	st->ran = false;
	for (int i = 0; i < st->param_n; i++)
		st->params[i].null = true;
}

static void pg_finalize(void *raw)
{
	struct stmt *st = raw;

	pg_reset(st);
	forget_name(st);
	for (int i = 0; i < st->param_n; i++)
		free(st->params[i].s);
	free(st->params);
	free(st->values);
	free(st->lens);
	free(st->formats);
	free(st->types);
	free(st->used);
	free(st->sql);
	free(st);
}

static struct param *param(struct stmt *st, int i, Oid type, size_t room)
{
	struct param *v;

	assert(i >= 1 && i <= st->param_n); /* a parameter that the text does not have is our own mistake */
	v = &st->params[i - 1];
	if (room > v->cap) {
		v->cap = room < 32 ? 32 : room * 2;
		v->s = xrealloc(v->s, v->cap);
	}
	v->type = type;
	v->null = false;
	v->blob = type == OID_BYTEA;
	return v;
}

static void pg_bind_i64(void *raw, int i, int64_t n)
{
	struct param *v = param(raw, i, OID_INT8, 24);

	v->n = (size_t)snprintf(v->s, v->cap, "%lld", (long long)n);
}

static void pg_bind_num(void *raw, int i, double n)
{
	struct param *v = param(raw, i, OID_FLOAT8, 32);

	v->n = (size_t)snprintf(v->s, v->cap, "%.17g", n);
}

static void pg_bind_text(void *raw, int i, const char *s, size_t n)
{
	struct param *v = param(raw, i, OID_UNKNOWN, n + 1);

	v->null = !s;
	if (s)
		memcpy(v->s, s, n);
	v->s[s ? n : 0] = '\0';
	v->n = n;
}

static void pg_bind_blob(void *raw, int i, const void *s, size_t n)
{
	struct param *v = param(raw, i, OID_BYTEA, n + 1);

	if (n)
		memcpy(v->s, s, n);
	v->n = n;
}

static int pg_step(void *raw)
{
	struct stmt *st = raw;

	if (!st->ran) {
		int r = run(st);

		st->ran = true;
		if (r)
			return r;
	}
	drop_blobs(st);
	if (!st->res || st->row + 1 >= PQntuples(st->res))
		return 0;
	st->row++;
	return DB_ROW;
}

static int pg_cols(void *raw)
{
	const struct stmt *st = raw;

	return st->res ? PQnfields(st->res) : 0;
}

static const char *value(const struct stmt *st, int col)
{
	assert(st->res && st->row >= 0 && col < PQnfields(st->res));
	return PQgetisnull(st->res, st->row, col) ? NULL : PQgetvalue(st->res, st->row, col);
}

static int64_t pg_i64(void *raw, int col)
{
	const struct stmt *st = raw;
	const char *s = value(st, col);

	if (!s)
		return 0;
	return PQftype(st->res, col) == OID_BOOL ? *s == 't' : strtoll(s, NULL, 10);
}

static double pg_num(void *raw, int col)
{
	const char *s = value(raw, col);

	return s ? strtod(s, NULL) : 0;
}

static const char *pg_text(void *raw, int col)
{
	return value(raw, col);
}

static const void *pg_blob(void *raw, int col, size_t *n)
{
	struct stmt *st = raw;
	const char *s = value(st, col);
	size_t len;

	*n = 0;
	if (!s)
		return NULL;
	if (PQftype(st->res, col) != OID_BYTEA) {
		*n = (size_t)PQgetlength(st->res, st->row, col);
		return s;
	}
	len = (size_t)PQgetlength(st->res, st->row, col) / 2 - 1; /* \x and two digits a byte */
	if (!st->blobs)
		st->blobs = xcalloc((size_t)PQnfields(st->res), sizeof(*st->blobs));
	if (!st->blobs[col]) {
		st->blobs[col] = xcalloc(1, len + 1);
		if (!str_hex_to(st->blobs[col], len, s + 2))
			return NULL;
	}
	*n = len;
	return st->blobs[col];
}

static bool pg_is_null(void *raw, int col)
{
	return !value(raw, col);
}

const char *db_url_shown(char *ret, size_t size, const char *url)
{
	struct pg p = {.url = (char *)(uintptr_t)url};

	if (strncmp(url, "postgresql:", 11) && strncmp(url, "postgres:", 9)) {
		(void)str_copy(ret, size, url);
		return ret;
	}
	show(&p);
	(void)str_copy(ret, size, p.shown);
	return ret;
}

const struct db_engine db_postgres = {
	.scheme = "postgresql",
	.temp_schema = "pg_temp",
	/* position, name, type in our words, must it be given */
	.columns_sql = "SELECT column_name, CASE data_type WHEN 'bytea' THEN 'BLOB' ELSE upper(data_type) END,"
		       " is_nullable = 'NO' AND column_default IS NULL FROM information_schema.columns"
		       " WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
	.tables_sql = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
	/* The planner knows the ten thousand commonest words: whether to walk from the newest row until there are enough, or to ask the index. */
	.search_sql = "CREATE TABLE @ (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL);"
		      " ALTER TABLE @ ALTER words SET STATISTICS 1000; CREATE INDEX @_words ON @ USING gin (words)",
	.search = {.and = " & ", .or = " | ", .then = " <-> ", .prefix = ":*", .places = true},
	.open = pg_open,
	.close = pg_close,
	.error = pg_error,
	.schema = pg_schema,
	.script = pg_script,
	.in_transaction = pg_in_transaction,
	.begin = pg_begin,
	.begin_view = pg_begin_view,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.changes = pg_changes,
	.defer = pg_defer,
	.shadow = pg_shadow,
	.own = pg_own_engine,
	.prepare = pg_prepare,
	.finalize = pg_finalize,
	.reset = pg_reset,
	.bind_i64 = pg_bind_i64,
	.bind_num = pg_bind_num,
	.bind_text = pg_bind_text,
	.bind_blob = pg_bind_blob,
	.step = pg_step,
	.cols = pg_cols,
	.i64 = pg_i64,
	.num = pg_num,
	.text = pg_text,
	.blob = pg_blob,
	.is_null = pg_is_null,
};
