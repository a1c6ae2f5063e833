/*
 * The audit: who changed which row, from what to what. A line's hash covers the line and the hash before it, so that a line altered, taken
 * out or put elsewhere is found; n counts without gaps within a centre.
 *
 * What was before and after is covered by its salted hash, body_hash, so that a person's lines can be erased: then salt and texts are
 * gone, body_hash stays, and the chain is as it was. Lines of older versions have no body_hash; their hash covers the texts themselves.
 */
#include "resource/engine.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HASH_HEX (2 * crypto_hash_sha256_BYTES + 1)

struct line {
	int64_t centre_id, n, at_ms, user_id, row_id;
	const char *resource, *action, *before, *after;
	const char *salt, *body_hash; /* NULL in lines of older versions; salt "": erased */
};

#define SALT_BYTES 16

static void add_text(crypto_hash_sha256_state *h, const char *s)
{
	/* The NUL goes in too: it keeps "ab","c" from "a","bc". No text here holds one. */
	crypto_hash_sha256_update(h, (const unsigned char *)(s ? s : ""), s ? strlen(s) + 1 : 1);
}

static void add_number(crypto_hash_sha256_state *h, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	add_text(h, text);
}

static void line_hash(char hex[HASH_HEX], const char *previous, const struct line *l)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	add_text(&h, previous);
	add_number(&h, l->centre_id);
	add_number(&h, l->n);
	add_number(&h, l->at_ms);
	add_number(&h, l->user_id);
	add_text(&h, l->resource);
	add_number(&h, l->row_id);
	add_text(&h, l->action);
	if (l->body_hash) {
		add_text(&h, "body");
		add_text(&h, l->body_hash);
	} else {
		add_text(&h, l->before);
		add_text(&h, l->after);
	}
	crypto_hash_sha256_final(&h, sum);
	str_hex_of(hex, sum, sizeof(sum));
}

static void body_hash(char hex[HASH_HEX], const struct line *l)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	add_text(&h, l->salt);
	add_text(&h, l->before);
	add_text(&h, l->after);
	crypto_hash_sha256_final(&h, sum);
	str_hex_of(hex, sum, sizeof(sum));
}

/* The newest line's n and hash; 0 and "" when there is none. The unique index (centre_id, n) serves it. */
static int last_line(int64_t *n, char hash[HASH_HEX], struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r;

	*n = 0;
	hash[0] = 0;
	r = db_prepare(&st, db, "SELECT n, hash FROM audit WHERE centre_id = $1 ORDER BY n DESC LIMIT 1");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	r = db_step(st);
	if (r == DB_ROW) {
		*n = db_i64(st, 0);
		(void)str_copy(hash, HASH_HEX, db_text(st, 1));
		r = 0;
	}
	db_done(st);
	return r;
}

static int line_append(struct res_ctx *c, struct line *l)
{
	char previous[HASH_HEX], hash[HASH_HEX], body[HASH_HEX], salt[2 * SALT_BYTES + 1];
	unsigned char raw[SALT_BYTES];
	int r;

	l->centre_id = c->who->centre_id;
	l->user_id = c->who->user_id;
	l->at_ms = c->now_ms;
	if (c->chain && c->chain->known) {
		l->n = c->chain->n;
		(void)str_copy(previous, sizeof(previous), c->chain->hash);
	} else {
		r = last_line(&l->n, previous, c->db, l->centre_id);
		if (r)
			return r;
	}
	l->n++;
	randombytes_buf(raw, sizeof(raw));
	str_hex_of(salt, raw, sizeof(raw));
	l->salt = salt;
	body_hash(body, l);
	l->body_hash = body;
	line_hash(hash, previous, l);
	if (c->chain) {
		*c->chain = (struct res_chain){.known = true, .n = l->n};
		(void)str_copy(c->chain->hash, sizeof(c->chain->hash), hash);
	}
	return db_run(c->db,
		      "INSERT INTO audit (id, centre_id, n, at_ms, user_id, resource, row_id, action, before_json, after_json, hash, salt, body_hash)"
		      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		      "iiiiititttttt", c->next_id ? c->next_id() : res_next_id(), l->centre_id, l->n, l->at_ms, l->user_id,
		      l->resource, l->row_id, l->action, l->before, l->after, hash, salt, body);
}

int res_audit(struct res_ctx *c, const char *resource, int64_t row_id, const char *action, const json_t *before,
	      const json_t *after)
{
	char *b = before ? json_dumps(before, JSON_COMPACT) : NULL, *a = after ? json_dumps(after, JSON_COMPACT) : NULL;
	struct line l = {.row_id = row_id, .resource = resource, .action = action, .before = b, .after = a};
	int r;

	r = line_append(c, &l);
	free(b);
	free(a);
	return r;
}

/* A copy of the row that says of secrets only whether they are set, and whether they are others than in @other. */
static json_t *blanked(const struct res_def *d, const json_t *row, const json_t *other)
{
	json_t *copy;

	if (!row)
		return NULL;
	copy = json_copy((json_t *)row);
	for (size_t i = 0; i < d->field_n; i++) {
		const char *name = d->fields[i].name;
		const json_t *v = json_object_get(row, name);

		if (!res_field_hidden(&d->fields[i]) || json_is_null(v))
			continue;
		(void)json_object_set_new(copy, name,
					  json_string(other && !json_equal(v, json_object_get(other, name)) ? "changed" : "set"));
	}
	return copy;
}

int res_audit_change(struct res_ctx *c, const struct res_def *d, int64_t id, const char *action, const json_t *before,
		     const json_t *after)
{
	json_t *b = blanked(d, before, NULL), *a = blanked(d, after, before);
	int r;

	r = res_audit(c, d->name, id, action, b, a);
	json_decref(b);
	json_decref(a);
	return r;
}

int res_audit_erase(struct db *db, int64_t centre_id, const char *resource, int64_t row_id)
{
	/* audit_row serves it */
	return db_run(db,
		      "UPDATE audit SET before_json = NULL, after_json = NULL, salt = '' WHERE centre_id = $1 AND resource = $2 AND row_id = $3"
		      " AND body_hash IS NOT NULL",
		      "iti", centre_id, resource, row_id);
}

static bool line_fits(struct db_stmt *st, int64_t centre_id, int64_t n, char previous[HASH_HEX])
{
	struct line l = {
		.centre_id = centre_id, .n = db_i64(st, 0), .at_ms = db_i64(st, 1), .user_id = db_i64(st, 2),
		.resource = db_text(st, 3), .row_id = db_i64(st, 4), .action = db_text(st, 5), .before = db_text(st, 6),
		.after = db_text(st, 7), .salt = db_is_null(st, 9) ? NULL : db_text(st, 9),
		.body_hash = db_is_null(st, 10) ? NULL : db_text(st, 10),
	};
	char body[HASH_HEX];

	if (l.n != n || !l.salt != !l.body_hash)
		return false;
	if (l.salt && *l.salt) {
		body_hash(body, &l);
		if (strcmp(body, l.body_hash) != 0)
			return false;
	} else if (l.salt && (!db_is_null(st, 6) || !db_is_null(st, 7))) {
		return false; /* erased, and written anew */
	}
	line_hash(previous, previous, &l);
	return !strcmp(previous, db_text(st, 8));
}

int res_audit_verify(struct db *db, int64_t centre_id, int64_t *n)
{
	char hash[HASH_HEX] = "";
	struct db_stmt *st;
	int64_t at = 0;
	int r;

	r = db_prepare(&st, db,
		       "SELECT n, at_ms, user_id, resource, row_id, action, before_json, after_json, hash, salt, body_hash"
		       " FROM audit WHERE centre_id = $1 ORDER BY n");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	while ((r = db_step(st)) == DB_ROW) {
		if (line_fits(st, centre_id, ++at, hash))
			continue;
		*n = at;
		db_done(st);
		return 1;
	}
	db_done(st);
	return r;
}

int res_conf_version(int64_t *ret, struct db *db, int64_t centre_id)
{
	int64_t v = 0;
	int r;

	r = db_get_i64(&v, db, "SELECT version FROM conf_version WHERE centre_id = $1", "i", centre_id);
	if (r && r != -ENOENT)
		return r;
	*ret = v;
	return 0;
}

int res_conf_version_raise(struct db *db, int64_t centre_id)
{
	return db_run(db,
		      "INSERT INTO conf_version (centre_id, version) VALUES ($1, 1)"
		      " ON CONFLICT (centre_id) DO UPDATE SET version = conf_version.version + 1",
		      "i", centre_id);
}
