/*
 * What a start may find: a ring file and a spill file with anything in them. The input's first 256 bytes lie over the
 * ring's head, the rest over its records, whose checksums are put right so that what is behind them is reached.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal_priv.h"

#define HEAD 256
#define DATA 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(64) uint8_t file[4096 + DATA];
static char dir[] = "/dev/shm/hw_fuzz.XXXXXX", ring_path[64], spill_path[64];
static struct db *db;

static void clean(void)
{
	const char *const paths[] = {ring_path, spill_path};
	char damaged[80];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(damaged, sizeof(damaged), "%s.damaged", paths[i]);
		(void)unlink(damaged);
		(void)unlink(paths[i]);
	}
	(void)rmdir(dir);
}

static void make_db(void)
{
	log_set_level(LOG_L_ERROR - 1);
	if (!mkdtemp(dir) || db_open(&db, ":memory:", DB_RW) || db_migrate(db))
		abort();
	snprintf(ring_path, sizeof(ring_path), "%s/ring", dir);
	snprintf(spill_path, sizeof(spill_path), "%s/spill", dir);
	(void)atexit(clean);
}

static void put(const char *path, const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* Each record's checksum is its second word, of what follows it. */
static void right_checksums(uint8_t *p, size_t n)
{
	uint32_t size, crc;

	for (size_t at = 0; at + 8 <= n; at += size) {
		memcpy(&size, p + at, 4);
		if (size < 8 || size > n - at || size % 8)
			return;
		crc = crc32c(p + at + 8, size - 8);
		memcpy(p + at + 4, &crc, 4);
	}
}

static void sound_head(const uint8_t *data, size_t n)
{
	struct ring_head *h = (struct ring_head *)file;

	memset(file, 0, sizeof(file));
	memcpy(h->magic, "HWRING\r\n", 8);
	h->version = 1;
	h->bytes = DATA;
	atomic_store(&h->head, DATA);
	for (size_t i = 0; i < n && i < HEAD; i++)
		file[i] ^= data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_conf conf = {.ring_path = ring_path, .ring_bytes = DATA, .spill_path = spill_path, .centre_id = 1};
	struct journal *j;
	bool more;

	if (!db)
		make_db();
	sound_head(data, size);
	if (size > HEAD) {
		memcpy(file + 4096, data + HEAD, size - HEAD < DATA ? size - HEAD : DATA);
		right_checksums(file + 4096, DATA);
	}
	put(ring_path, file, sizeof(file));
	put(spill_path, file + 4096, size > HEAD && size - HEAD < DATA ? size - HEAD : 0);
	if (journal_open(&j, &conf))
		return 0;
	if (db_begin(db))
		abort();
	if (!journal_drain(j, db, &more))
		journal_drained(j);
	db_rollback(db);
	journal_close(j);
	return 0;
}
