/* A log and its files: each single bit, a file that is gone, two that changed places are named. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "app/rec_check.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "media/media.h"

#define PARTS 3
#define SIZE 70

struct place {
	char dir[64];
	struct db *db;
	char *files[PARTS];
};

static void write_file(const char *path, const uint8_t *p)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, SIZE, f), SIZE);
	(void)fclose(f);
}

static void content(uint8_t p[SIZE], int i)
{
	for (int b = 0; b < SIZE; b++)
		p[b] = (uint8_t)(b * 7 + i * 31);
}

static void tell(struct journal_import *im, enum ev_kind kind, int i, const char *body)
{
	struct ev e = {.kind = kind, .centre_id = 1, .at_ms = 1800000000000LL + i, .call_id = 50 + i, .body = body, .body_len = strlen(body)};

	assert_int_equal(journal_import_event(im, &e), 0);
}

/* Parts 1 to 3 of calls 50 to 52, below @dir/2026/01/02/03. */
static void up(struct place *p)
{
	struct journal_import *im;
	char body[700], hash[65];
	uint8_t c[SIZE];

	strcpy(p->dir, "/tmp/huawu-rec-check.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(body, sizeof(body), "mkdir -p %s/2026/01/02/03", p->dir);
	assert_int_equal(system(body), 0);
	assert_int_equal(db_open(&p->db, ":memory:", DB_RW), 0);
	assert_int_equal(db_migrate(p->db), 0);
	assert_int_equal(db_begin(p->db), 0);
	assert_int_equal(journal_import_new(&im, p->db, 1), 0);
	for (int i = 0; i < PARTS; i++) {
		p->files[i] = xasprintf("%s/2026/01/02/03/%d.wav", p->dir, i + 1);
		content(c, i);
		write_file(p->files[i], c);
		assert_int_equal(med_rec_hash(p->files[i], hash), 0);
		tell(im, EV_CALL_NEW, i, "{\"dir\":\"in\"}");
		(void)snprintf(body, sizeof(body), "{\"part\":\"%d\",\"path\":\"%s\"}", i + 1, p->files[i]);
		tell(im, EV_REC_OPEN, i, body);
		(void)snprintf(body, sizeof(body), "{\"part\":\"%d\",\"bytes\":%d,\"hash\":\"%s\"}", i + 1, SIZE, hash);
		tell(im, EV_REC_CLOSE, i, body);
	}
	journal_import_free(im);
	assert_int_equal(db_commit(p->db), 0);
}

static void down(struct place *p)
{
	char cmd[100];

	for (int i = 0; i < PARTS; i++)
		free(p->files[i]);
	db_close(p->db);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", p->dir);
	assert_int_equal(system(cmd), 0);
}

static void is_wrong(struct place *p, int part, const char *what)
{
	struct rec_check c;

	assert_int_equal(rec_check(&c, p->db, NULL), 1);
	assert_int_equal(c.part, part);
	assert_int_equal(c.call_id, 49 + part);
	assert_string_equal(c.wrong, what);
	assert_string_equal(c.path, p->files[part - 1]);
}

TEST(any_flipped_bit_of_a_recording_is_named)
{
	struct rec_check c;
	uint8_t b[SIZE];
	struct place p;

	up(&p);
	assert_int_equal(rec_check(&c, p.db, NULL), 0);
	assert_int_equal(c.whole, PARTS);
	for (int bit = 0; bit < SIZE * 8; bit++) {
		content(b, 1);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_file(p.files[1], b);
		is_wrong(&p, 2, "altered");
	}
	content(b, 1);
	write_file(p.files[1], b);
	assert_int_equal(truncate(p.files[1], SIZE - 1), 0);
	is_wrong(&p, 2, "altered");
	write_file(p.files[1], b);
	assert_int_equal(rec_check(&c, p.db, NULL), 0);
	down(&p);
}

TEST(recordings_that_are_gone_or_changed_places_are_named)
{
	struct rec_check c;
	struct place p;
	char other[200];

	up(&p);
	(void)snprintf(other, sizeof(other), "%s/x", p.dir);
	assert_int_equal(rename(p.files[2], other), 0);
	is_wrong(&p, 3, "missing");
	assert_int_equal(rename(p.files[0], p.files[2]), 0);
	assert_int_equal(rename(other, p.files[0]), 0);
	is_wrong(&p, 1, "altered"); /* each is whole, at the other's place */
	assert_int_equal(db_run(p.db, "UPDATE recording_part SET state = 'erased' WHERE id IN (1, 3)", NULL), 0);
	assert_int_equal(rec_check(&c, p.db, NULL), 0); /* a person was erased: the records say so */
	assert_int_equal(c.erased, 2);
	assert_int_equal(c.whole, 1);
	down(&p);
}

TEST(recordings_are_found_where_they_were_moved)
{
	struct rec_check c;
	struct place p;
	char to[100];

	up(&p);
	(void)snprintf(to, sizeof(to), "%s/moved", p.dir);
	assert_int_equal(mkdir(to, 0755), 0);
	(void)strcat(to, "/2026");
	(void)snprintf(c.path, sizeof(c.path), "%s/2026", p.dir);
	assert_int_equal(rename(c.path, to), 0);
	is_wrong(&p, 1, "missing");
	*strrchr(to, '/') = '\0';
	assert_int_equal(rec_check(&c, p.db, to), 0);
	assert_int_equal(c.whole, PARTS);
	down(&p);
}

/* Whoever writes the whole chain anew, or cuts it off, has another root than the one that was noted. */
TEST(a_log_written_anew_is_found_by_its_root)
{
	struct db_stmt *st;
	struct place p;
	char root[128], hex[65];
	const void *hash;
	int64_t epoch, n;
	size_t len;

	up(&p);
	assert_int_equal(db_prepare(&st, p.db, "SELECT epoch, n, hash FROM event ORDER BY epoch DESC, n DESC LIMIT 1"), 0);
	assert_int_equal(db_step(st), DB_ROW);
	hash = db_blob(st, 2, &len);
	str_hex_of(hex, hash, len);
	(void)snprintf(root, sizeof(root), "%lld.%lld:%s", (long long)db_i64(st, 0), (long long)db_i64(st, 1), hex);
	db_done(st);
	assert_true(verify_root(p.db, root));
	assert_false(verify_root(p.db, "nonsense"));
	down(&p);

	up(&p); /* the same calls again: other salts or times, a chain that is whole, another root */
	assert_int_equal(db_run(p.db, "DELETE FROM event WHERE (epoch, n) = (SELECT epoch, n FROM event ORDER BY epoch DESC, n DESC LIMIT 1)", NULL), 0);
	assert_int_equal(journal_verify(p.db, &epoch, &n), 0); /* the end was cut off: what is left is whole */
	assert_false(verify_root(p.db, root));
	down(&p);
}
