/* huawu import-prefixes: a table of number regions, half a million rows, straight into the database in short transactions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "app/app.h"
#include "base/base.h"
#include "db/db.h"
#include "number/number.h"
#include "people/people.h"
#include "people/prefix.h"
#include "sheet/sheet.h"

#define FILE_MAX (256u << 20) /* inflated */
#define PIECE 2000            /* rows a transaction: the server's own writes wait for 20 ms */
#define SHOWN_MAX 10          /* refused rows that are told */

static void usage(void)
{
	printf("huawu import-prefixes FILE [--replace] [--check] [--data DIR | --db PATH]\n\n"
	       "  FILE       a table of number regions: .csv, .csv.gz or .xlsx with a row of titles. Columns: prefix (prefix, 号段),\n"
	       "             province (province, 省份), city (city, 城市), area code (area, 区号), carrier (carrier, 运营商)\n"
	       "  --replace  removes rows that are not in FILE\n"
	       "  --check    reads FILE and changes nothing\n\n"
	       "May be used while the server runs; it takes the new table within a few seconds. Rows are added or changed in pieces: who\n"
	       "stops it may simply run it again.\n");
}

enum column { C_PREFIX, C_PROVINCE, C_CITY, C_AREA, C_CARRIER, COLUMNS };

struct import {
	struct db *db;        /* NULL: only a check */
	int64_t centre_id, now_ms;
	int columns[COLUMNS]; /* of the sheet; -1: it has none */
	bool titled;          /* the titles were read */
	struct people_prefix rows[PIECE];
	size_t n;
	int64_t good, bad;
	int error;
};

/* ---- columns ---- */

static int column_of(const char *title)
{
	static const struct {
		const char *title;
		enum column column;
	} all[] = {
		{"prefix", C_PREFIX}, {"prefix7", C_PREFIX}, {"phone", C_PREFIX}, {"mobile", C_PREFIX}, {"号段", C_PREFIX}, {"号码段", C_PREFIX}, {"手机号段", C_PREFIX},
		{"前缀", C_PREFIX}, {"province", C_PROVINCE}, {"省份", C_PROVINCE}, {"省", C_PROVINCE}, {"city", C_CITY}, {"城市", C_CITY}, {"市", C_CITY}, {"地市", C_CITY},
		{"area", C_AREA}, {"area_code", C_AREA}, {"areacode", C_AREA}, {"city_code", C_AREA}, {"citycode", C_AREA}, {"区号", C_AREA},
		{"carrier", C_CARRIER}, {"isp", C_CARRIER}, {"operator", C_CARRIER}, {"运营商", C_CARRIER},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcasecmp(title, all[i].title))
			return (int)all[i].column;
	return -1;
}

static void read_titles(struct import *im, const struct sheet_row *row)
{
	for (int c = 0; c < COLUMNS; c++)
		im->columns[c] = -1;
	for (size_t i = 0; i < row->n; i++) {
		int c = column_of(row->cells[i].text);

		if (c >= 0 && im->columns[c] < 0)
			im->columns[c] = (int)i;
	}
	im->titled = true;
}

/* Tables without a title for it: the column whose first value is an area code with its 0. */
static void guess_area(struct import *im, const struct sheet_row *row)
{
	char area[5];

	for (size_t i = 0; i < row->n && im->columns[C_AREA] < 0; i++)
		if (row->cells[i].text[0] == '0' && num_area(area, row->cells[i].text) && *area)
			im->columns[C_AREA] = (int)i;
}

/* ---- rows ---- */

static int flush(struct import *im)
{
	int r = 0;

	if (im->db && im->n) {
		r = db_begin(im->db);
		if (!r) {
			r = people_prefixes_put(im->db, im->centre_id, im->rows, im->n, im->now_ms);
			if (!r)
				r = db_commit(im->db);
			else
				db_rollback(im->db);
		}
	}
	im->n = 0;
	im->error = r;
	return r;
}

static const char *cell(const struct import *im, const struct sheet_row *row, enum column c)
{
	return im->columns[c] >= 0 && (size_t)im->columns[c] < row->n ? row->cells[im->columns[c]].text : "";
}

static int take_row(void *arg, const struct sheet_row *row)
{
	struct import *im = arg;
	const char *bad;

	if (!im->titled) {
		read_titles(im, row);
		return im->columns[C_PREFIX] < 0 ? SHEET_STOP : 0;
	}
	if (!im->good && !im->bad)
		guess_area(im, row);
	bad = people_prefix_read(&im->rows[im->n], cell(im, row, C_PREFIX), cell(im, row, C_PROVINCE), cell(im, row, C_CITY), cell(im, row, C_AREA),
				 cell(im, row, C_CARRIER));
	if (bad) {
		if (im->bad++ < SHOWN_MAX)
			fprintf(stderr, "row %u left out: bad %s\n", row->number, bad);
		return 0;
	}
	im->good++;
	return ++im->n == PIECE && flush(im) ? SHEET_STOP : 0;
}

/* ---- the file ---- */

/* Whole into memory, inflated if need be. */
static int read_file(char **ret, size_t *size, const char *path)
{
	gzFile f = gzopen(path, "rb");
	size_t cap = 0, n = 0;
	char *data = NULL;
	int got = 1;

	if (!f)
		return errno ? -errno : -EIO;
	while (got > 0 && n <= FILE_MAX) {
		if (n == cap) {
			cap = cap ? cap * 2 : 1 << 20;
			data = xrealloc(data, cap);
		}
		got = gzread(f, data + n, (unsigned)(cap - n));
		n += got > 0 ? (size_t)got : 0;
	}
	if (gzclose(f) != Z_OK || got < 0 || n > FILE_MAX) {
		free(data);
		return n > FILE_MAX ? -EFBIG : -EBADMSG;
	}
	*ret = data;
	*size = n;
	return 0;
}

static int read_sheet(struct import *im, const char *path)
{
	const struct sheet_handler on = {.row = take_row};
	struct sheet_error e = {0};
	char *data;
	size_t size;
	int r = read_file(&data, &size, path);

	if (r) {
		fprintf(stderr, "huawu import-prefixes: %s: %s\n", path, strerror(-r));
		return r;
	}
	r = sheet_read(data, size, &on, im, NULL, &e);
	free(data);
	if (r == SHEET_BAD)
		fprintf(stderr, "huawu import-prefixes: %s is not a sheet that can be read: %s\n", path, e.code);
	else if (r == SHEET_STOP && !im->error)
		fprintf(stderr, "huawu import-prefixes: %s has no column with prefixes; title it prefix or 号段\n", path);
	else if (!r)
		r = flush(im);
	return im->error ? im->error : r ? -EINVAL : 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int finish(struct import *im, const char *path, bool replace, int64_t *dropped)
{
	int r = db_begin(im->db);

	if (r)
		return r;
	if (replace)
		r = people_prefixes_drop_older(im->db, im->centre_id, im->now_ms, dropped);
	if (!r)
		r = people_prefixes_imported(im->db, im->centre_id, base_name(path), im->good, im->now_ms);
	if (!r)
		return db_commit(im->db);
	db_rollback(im->db);
	return r;
}

static int run(const char *path, const char *db_path, bool replace, bool check)
{
	struct import *im = xcalloc(1, sizeof(*im));
	struct people_centre_info centre;
	struct db *db = NULL;
	int64_t dropped = 0, began = clock_mono_ms();
	int r = 0;

	im->now_ms = clock_utc_ms();
	if (!check) {
		r = people_init(NULL);
		if (!r)
			r = db_open(&db, db_path, DB_RW);
		if (!r)
			r = db_migrate(db);
		if (!r)
			r = people_centre_get(&centre, db);
		if (r) {
			fprintf(stderr, "huawu import-prefixes: %s: %s\n", db_url_shown((char[200]){0}, 200, db_path),
				r == -ENOENT ? "no centre there yet; start the server once" : r < 0 ? strerror(-r) : "refused");
			goto out;
		}
		im->db = db;
		im->centre_id = centre.id;
	}
	r = read_sheet(im, path);
	if (!r && !im->good) {
		fprintf(stderr, "huawu import-prefixes: no row of %s can be used\n", path);
		r = -EINVAL;
	}
	if (!r && db)
		r = finish(im, path, replace, &dropped);
	if (r)
		fprintf(stderr, "huawu import-prefixes: not finished%s%s\n", im->error || db ? ": " : "", im->error ? strerror(-im->error) : "");
	else
		printf("%s=%lld left_out=%lld removed=%lld seconds=%.1f\n", check ? "good" : "imported", (long long)im->good, (long long)im->bad,
		       (long long)dropped, (double)(clock_mono_ms() - began) / 1000);
out:
	db_close(db);
	free(im);
	return r ? 1 : 0;
}

int import_prefixes_main(int argc, char **argv)
{
	const char *file = NULL;
	char *path = NULL;
	bool replace = false, check = false, bad = false;
	int r;

	for (int i = 1; i < argc && !bad; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--replace")) {
			replace = true;
		} else if (!strcmp(argv[i], "--check")) {
			check = true;
		} else if (more && (!strcmp(argv[i], "--data") || !strcmp(argv[i], "--db"))) {
			free(path);
			path = !strcmp(argv[i], "--data") ? xasprintf("%s/huawu.db", argv[i + 1]) : xstrdup(argv[i + 1]);
			i++;
		} else if (argv[i][0] != '-' && !file) {
			file = argv[i];
		} else {
			bad = true;
		}
	}
	if (bad || !file) {
		usage();
		free(path);
		return argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) ? 0 : 2;
	}
	r = run(file, path ? path : "/var/lib/huawu/huawu.db", replace, check);
	free(path);
	return r;
}
