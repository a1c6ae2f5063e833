/*
 * Files that hang on rows: pictures, PDFs, documents, a recording pen's sound. What one is says its content (filetype.h), not its name;
 * what a browser would run is not taken. The bytes are <data>/attachments/ab/<sha256>; the row is written with the audit's line.
 *
 * A file larger than one request comes in pieces: the first answers 202 with the name of the upload, the others name it and where they
 * begin; the last answers 201. What has come is a file .up-<user>-<name> and nothing else, so a restart loses only what was under way.
 *
 * Files and rows: a file is there before its row, and goes after it, under one lock; what a crash leaves behind is removed at start.
 */
#include "api/api_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/filetype.h"

#define FILE_MAX (20LL << 20)
#define ROW_MAX (100LL << 20)
#define COUNT_MAX 500
#define UPLOADS_MAX 6              /* of a person at once */
#define UPLOAD_KEEP_S 3600
#define HASH_HEX (2 * crypto_hash_sha256_BYTES + 1)

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

static char *folder(struct ask *k)
{
	return arena_printf(k->arena, "%s/attachments", k->api->conf.data_dir ? k->api->conf.data_dir : "/tmp");
}

static char *file_path(struct ask *k, const char *sha256)
{
	return arena_printf(k->arena, "%s/%.2s/%s", folder(k), sha256, sha256);
}

/* ---- whose row, and may he ---- */

/* Is it there, and may he? As res_may_row answers. */
static int row_reached(struct res_ctx *c, const struct res_def *d, int64_t row_id, bool write)
{
	json_t *row = NULL;
	int r = res_get(&row, c, d, row_id);

	json_decref(row);
	return r || !write ? r : res_may_row(c, d, row_id, RES_WRITE);
}

/* The row is read as who asks reads it; 0 after answering. */
static const struct res_def *row_of(struct ask *k, const char *resource, int64_t row_id, bool write)
{
	const struct res_def *d = res_named(resource, k->who.centre_id);
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int r;

	if (!d || !d->attachments) {
		api_refuse(k, "not_found", NULL, NULL);
		return NULL;
	}
	r = row_reached(&c, d, row_id, write);
	if (r) {
		api_refuse_res(k, r, d->name, &e);
		return NULL;
	}
	res_error_done(&e);
	return d;
}

struct attached {
	int64_t id, row_id, size, user_id;
	const char *resource, *name, *mime, *sha256;
};

static json_t *attached_json(const struct attached *a, int64_t at_ms, const char *by)
{
	char id[24], user[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)a->id);
	(void)snprintf(user, sizeof(user), "%lld", (long long)a->user_id);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s?, s:s?}", "id", id, "name", a->name, "mime", a->mime, "size", (json_int_t)a->size, "created_ms",
			 (json_int_t)at_ms, "user_id", a->user_id ? user : NULL, "user_id_label", by);
}

void attach_list(struct ask *k)
{
	json_t *items;
	struct db_stmt *st;
	int64_t id;
	const struct res_def *d;
	int r;

	if (!api_path_id(k, &id))
		return;
	d = row_of(k, http_param(k->rq, "resource"), id, false);
	if (!d)
		return;
	r = db_prepare(&st, k->db,
		       "SELECT a.id, a.name, a.mime, a.size, a.user_id, a.created_ms, u.name FROM attachments a LEFT JOIN users u ON u.id = a.user_id"
		       " WHERE a.resource = $1 AND a.row_id = $2 AND a.centre_id = $3 ORDER BY a.created_ms, a.id");
	if (r) {
		api_failed(k, "attachments", r);
		return;
	}
	db_bind_text(st, 1, d->name);
	db_bind_i64(st, 2, id);
	db_bind_i64(st, 3, k->who.centre_id);
	items = json_array();
	while ((r = db_step(st)) == DB_ROW) {
		struct attached a = {.id = db_i64(st, 0), .name = db_text(st, 1), .mime = db_text(st, 2), .size = db_i64(st, 3), .user_id = db_i64(st, 4)};

		(void)json_array_append_new(items, attached_json(&a, db_i64(st, 5), db_text(st, 6)));
	}
	db_done(st);
	api_ok(k, 200, privacy_answer(k, json_pack("{s:o}", "items", items)));
}

/* ---- what comes in ---- */

/* A person's uploads under way; those nobody goes on with are removed. */
static unsigned uploads_of(const char *dir, int64_t user_id)
{
	DIR *d = opendir(dir);
	char own[48], *path;
	unsigned n = 0;
	struct stat st;

	(void)snprintf(own, sizeof(own), ".up-%lld-", (long long)user_id);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strncmp(e->d_name, ".up-", 4) != 0)
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		if (!stat(path, &st) && clock_utc_ms() / 1000 - st.st_mtime > UPLOAD_KEEP_S)
			(void)unlink(path);
		else
			n += !strncmp(e->d_name, own, strlen(own));
		free(path);
	}
	if (d)
		(void)closedir(d);
	return n;
}

static bool upload_name_ok(const char *s)
{
	return strlen(s) == 24 && strspn(s, "0123456789abcdef") == 24;
}

/* The upload's file, open and locked; -1 after answering. @name: of the upload, a new one when it was NULL. */
static int upload_open(struct ask *k, char name[32], char **path, int64_t offset)
{
	const char *given = http_query(k->rq, "upload"), *dir = folder(k);
	uint8_t raw[12];
	struct stat st;
	int fd;

	if (given && !upload_name_ok(given)) {
		api_refuse(k, "not_found", NULL, NULL);
		return -1;
	}
	if (mkdir(dir, 0750) && errno != EEXIST) {
		api_failed(k, "attachments folder", -errno);
		return -1;
	}
	if (!given && uploads_of(dir, k->who.user_id) >= UPLOADS_MAX) {
		api_refuse(k, "slow_down", NULL, NULL);
		return -1;
	}
	if (given) {
		(void)str_copy(name, 32, given);
	} else {
		randombytes_buf(raw, sizeof(raw));
		str_hex_of(name, raw, sizeof(raw));
	}
	*path = arena_printf(k->arena, "%s/.up-%lld-%s", dir, (long long)k->who.user_id, name);
	fd = open(*path, O_RDWR | O_CLOEXEC | (given ? 0 : O_CREAT | O_EXCL), 0640);
	if (fd < 0) {
		if (given && errno == ENOENT)
			api_refuse(k, "not_found", NULL, NULL);
		else
			api_failed(k, "attachment", -errno);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st) || st.st_size != offset) {
		(void)close(fd);
		api_refuse(k, "wrong_state", NULL, NULL);
		return -1;
	}
	return fd;
}

static int write_all(int fd, const char *data, size_t n, int64_t offset)
{
	while (n) {
		ssize_t w = pwrite(fd, data, n, offset);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		data += w;
		n -= (size_t)w;
		offset += w;
	}
	return 0;
}

/* ---- it is whole ---- */

struct attach {
	struct ask *k;
	const struct res_def *d;
	struct attached a;
	struct res_error e;
};

static int insert_job(struct db *db, void *arg)
{
	struct attach *t = arg;
	struct res_ctx c = {.db = db, .who = &t->k->who, .error = &t->e, .now_ms = t->k->now_ms};
	int64_t bytes = 0, n = 0;
	json_t *after;
	int r = row_reached(&c, t->d, t->a.row_id, true); /* gone meanwhile? */

	if (!r)
		r = db_get_i64(&bytes, db, "SELECT COALESCE(SUM(size), 0) FROM attachments WHERE resource = $1 AND row_id = $2", "ti", t->d->name, t->a.row_id);
	if (!r)
		r = db_get_i64(&n, db, "SELECT COUNT(*) FROM attachments WHERE resource = $1 AND row_id = $2", "ti", t->d->name, t->a.row_id);
	if (!r && (bytes + t->a.size > ROW_MAX || n >= COUNT_MAX)) {
		res_fail(&c, 413, "row_full", NULL, NULL);
		return 1;
	}
	if (!r)
		r = db_run(db,
			   "INSERT INTO attachments (id, centre_id, rev, created_ms, updated_ms, resource, row_id, name, mime, size, sha256, user_id)"
			   " VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10)",
			   "iiitittitr", t->a.id, t->k->who.centre_id, t->k->now_ms, t->d->name, t->a.row_id, t->a.name, t->a.mime, t->a.size,
			   t->a.sha256, t->k->who.user_id);
	if (r)
		return r;
	after = json_pack("{s:s, s:s, s:I, s:s}", "attachment", t->a.name, "mime", t->a.mime, "size", (json_int_t)t->a.size, "sha256", t->a.sha256);
	r = res_audit(&c, t->d->name, t->a.row_id, "attach", NULL, after);
	json_decref(after);
	return r;
}

static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		r = -errno;
	(void)close(fd);
	return r;
}

/* From its upload to its place; the same bytes may be there already. */
static int move_in(struct ask *k, int fd, const char *upload, const char *sha256)
{
	char *path = file_path(k, sha256), *shard = arena_printf(k->arena, "%s/%.2s", folder(k), sha256);

	if (fsync(fd))
		return -errno;
	if (mkdir(shard, 0750) && errno != EEXIST)
		return -errno;
	if (!access(path, F_OK))
		return unlink(upload) ? -errno : 0;
	if (rename(upload, path))
		return -errno;
	return sync_folder(shard);
}

/* Nobody refers to these bytes any more. Under files_lock. */
static void file_drop(struct ask *k, const char *sha256)
{
	int64_t n = 1;

	if (db_get_i64(&n, k->db, "SELECT COUNT(*) FROM attachments WHERE sha256 = $1", "t", sha256) || n)
		return;
	if (unlink(file_path(k, sha256)) && errno != ENOENT)
		log_warn("attachment's file stays sha256=%s error=%d", sha256, errno);
}

static const struct filetype *look_at(int fd, size_t size, char sha256[HASH_HEX])
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	const struct filetype *type;
	void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (data == MAP_FAILED)
		return NULL;
	type = filetype_find(data, size);
	crypto_hash_sha256(sum, data, size);
	(void)munmap(data, size);
	str_hex_of(sha256, sum, sizeof(sum));
	return type;
}

static void finish(struct ask *k, const struct res_def *d, int64_t row_id, int fd, const char *upload, int64_t size)
{
	const char *given = http_query(k->rq, "name");
	char sha256[HASH_HEX], name[512];
	const struct filetype *type = size ? look_at(fd, (size_t)size, sha256) : NULL;
	struct attach t = {.k = k, .d = d};
	int r;

	if (!type) {
		(void)unlink(upload);
		api_refuse(k, "file_type", NULL, NULL);
		return;
	}
	filetype_name(name, sizeof(name), given ? given : "", type);
	t.a = (struct attached){.id = res_next_id(), .row_id = row_id, .size = size, .user_id = k->who.user_id, .resource = d->name, .name = name,
				.mime = type->mime, .sha256 = sha256};
	pthread_mutex_lock(&files_lock);
	r = move_in(k, fd, upload, sha256);
	if (!r)
		r = db_writer_call(k->api->conf.writer, DB_BUSINESS, insert_job, &t);
	if (r) {
		(void)unlink(upload);
		file_drop(k, sha256);
	}
	pthread_mutex_unlock(&files_lock);
	if (r)
		api_refuse_res(k, r, "attachment", &t.e);
	else
		api_ok(k, 201, attached_json(&t.a, k->now_ms, k->session_id ? k->user.name : NULL));
	res_error_done(&t.e);
}

void attach_new(struct ask *k)
{
	int64_t row_id, offset, size;
	const struct res_def *d;
	char upload[32] = "", *path;
	size_t n;
	const char *data = http_body(k->rq, &n);
	int fd, r;

	if (!api_path_id(k, &row_id) || !api_query_int(k, "offset", &offset, 0, FILE_MAX, 0) ||
	    !api_query_int(k, "size", &size, 0, INT64_MAX, offset + (int64_t)n))
		return;
	d = row_of(k, http_param(k->rq, "resource"), row_id, true);
	if (!d)
		return;
	if (size > FILE_MAX || offset + (int64_t)n > size) {
		api_refuse(k, "too_large", NULL, NULL);
		return;
	}
	if (!http_query(k->rq, "upload") && offset) {
		api_refuse(k, "wrong_state", NULL, NULL);
		return;
	}
	fd = upload_open(k, upload, &path, offset);
	if (fd < 0)
		return;
	r = write_all(fd, data, n, offset);
	if (r) {
		(void)unlink(path);
		api_failed(k, "attachment", r);
	} else if (offset + (int64_t)n == size) {
		finish(k, d, row_id, fd, path, size);
	} else {
		api_ok(k, 202, json_pack("{s:s, s:I}", "upload", upload, "received", (json_int_t)(offset + (int64_t)n)));
	}
	(void)close(fd);
}

/* ---- one of them ---- */

/* 0 after answering. Its texts are the request's. */
static bool attached_get(struct ask *k, struct attached *a, bool write)
{
	struct db_stmt *st;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return false;
	r = db_prepare(&st, k->db, "SELECT resource, row_id, name, mime, size, sha256, user_id FROM attachments WHERE id = $1 AND centre_id = $2");
	if (r) {
		api_failed(k, "attachment", r);
		return false;
	}
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*a = (struct attached){
			.id = id, .resource = arena_strdup(k->arena, db_text(st, 0)), .row_id = db_i64(st, 1), .name = arena_strdup(k->arena, db_text(st, 2)),
			.mime = arena_strdup(k->arena, db_text(st, 3)), .size = db_i64(st, 4), .sha256 = arena_strdup(k->arena, db_text(st, 5)),
			.user_id = db_i64(st, 6),
		};
	db_done(st);
	if (r != DB_ROW) {
		if (r)
			api_failed(k, "attachment", r);
		else
			api_refuse(k, "not_found", NULL, NULL);
		return false;
	}
	return row_of(k, a->resource, a->row_id, write) != NULL;
}

void attach_data(struct ask *k)
{
	const struct filetype *type;
	struct attached a;
	bool inside;

	if (!attached_get(k, &a, false))
		return;
	type = filetype_of_mime(a.mime);
	inside = type && type->kind != 'd' && !http_query(k->rq, "download");
	/* Nothing of it runs, and nobody else's page shows it. */
	http_set_header(k->rq, "Content-Security-Policy", type && type->kind == 'p' ? "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'" : "default-src 'none'; sandbox");
	http_set_header(k->rq, "Cross-Origin-Resource-Policy", "same-origin");
	http_set_header(k->rq, "Cache-Control", "private, max-age=0");
	http_reply_file(k->rq, file_path(k, a.sha256), type ? a.mime : "application/octet-stream", inside ? NULL : a.name);
}

struct detach {
	struct ask *k;
	const struct attached *a;
};

static int delete_job(struct db *db, void *arg)
{
	const struct detach *t = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &t->k->who, .error = &e, .now_ms = t->k->now_ms};
	json_t *before = json_pack("{s:s, s:s, s:I, s:s}", "attachment", t->a->name, "mime", t->a->mime, "size", (json_int_t)t->a->size, "sha256", t->a->sha256);
	int r = db_run(db, "DELETE FROM attachments WHERE id = $1 AND centre_id = $2", "ii", t->a->id, t->k->who.centre_id);

	if (!r)
		r = res_audit(&c, t->a->resource, t->a->row_id, "detach", before, NULL);
	json_decref(before);
	res_error_done(&e);
	return r;
}

void attach_delete(struct ask *k)
{
	struct attached a;
	struct detach t = {.k = k, .a = &a};
	int r;

	if (!attached_get(k, &a, true))
		return;
	if (a.user_id != k->who.user_id && !people_may(&k->who, RIGHT_FLOOR)) { /* one's own; others' with the right */
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	pthread_mutex_lock(&files_lock);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, delete_job, &t);
	if (!r)
		file_drop(k, a.sha256);
	pthread_mutex_unlock(&files_lock);
	if (r)
		api_failed(k, "attachment", r);
	else
		api_none(k);
}

/* ---- what a crash left, and what rows that are gone had ---- */

static unsigned sweep_shard(struct db *db, const char *path)
{
	DIR *d = opendir(path);
	unsigned gone = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		int64_t n = 1;
		char *file;

		if (e->d_name[0] == '.' || strlen(e->d_name) != HASH_HEX - 1)
			continue;
		if (db_get_i64(&n, db, "SELECT COUNT(*) FROM attachments WHERE sha256 = $1", "t", e->d_name) || n)
			continue;
		file = xasprintf("%s/%s", path, e->d_name);
		gone += !unlink(file);
		free(file);
	}
	if (d)
		(void)closedir(d);
	return gone;
}

static int sweep_job(struct db *db, void *arg)
{
	const char *dir = arg;
	DIR *d = opendir(dir);
	unsigned gone = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		char *path = xasprintf("%s/%s", dir, e->d_name);

		if (!strncmp(e->d_name, ".up-", 4))
			gone += !unlink(path);
		else if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
			gone += sweep_shard(db, path);
		free(path);
	}
	if (d)
		(void)closedir(d);
	if (gone)
		log_info("attachments' files that no row has are removed n=%u", gone);
	return 0;
}

int attach_start(struct api *a)
{
	char *dir = xasprintf("%s/attachments", a->conf.data_dir ? a->conf.data_dir : "/tmp");
	int r = a->conf.data_dir ? db_writer_call(a->conf.writer, DB_BUSINESS, sweep_job, dir) : 0;

	free(dir);
	return r;
}
