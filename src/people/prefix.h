/* The table of number prefixes: from the database into memory (number/prefix.h), and many rows at once into the database. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/**
 * Reads the table into memory when it has changed since, or was never read. @every_ms: ask the database at most so often (0: now).
 * Any connection, any thread, in no transaction. 0 or negative; then the old one stays.
 */
int people_prefixes_refresh(struct db *db, int64_t centre_id, int64_t every_ms);

struct people_prefixes_info {
	int64_t rows;                     /* in memory */
	int64_t bytes, load_ms;           /* of memory; how long the last reading took */
	int64_t changed_ms, imported_ms;  /* 0: never */
	char file[128];                   /* of the last import; "" */
};
int people_prefixes_info(struct people_prefixes_info *ret, struct db *db, int64_t centre_id);

/** The centre's area code ("571"), for numbers written without one: that of most trunks' number forms; "" when none says. Any connection. */
int people_area(char ret[5], struct db *db, int64_t centre_id);

/* ---- many rows: in pieces, each a transaction of the caller's on a read-write connection ---- */

struct people_prefix {
	char prefix[12], province[40], city[64], area[6], carrier[16];
};
/** As a person writes them: "0755", "移动", "China Mobile". NULL and @ret, or what is bad: "prefix" "area" "carrier" "province" "city". */
const char *people_prefix_read(struct people_prefix *ret, const char *prefix, const char *province, const char *city, const char *area,
			       const char *carrier);
/** New ones are added, others changed; updated_ms of all is @now_ms. */
int people_prefixes_put(struct db *db, int64_t centre_id, const struct people_prefix *rows, size_t n, int64_t now_ms);
/** Removes those that nobody has put since @since_ms. */
int people_prefixes_drop_older(struct db *db, int64_t centre_id, int64_t since_ms, int64_t *dropped);
/** The import is whole: version, file and a line in the audit. */
int people_prefixes_imported(struct db *db, int64_t centre_id, const char *file, int64_t rows, int64_t now_ms);
