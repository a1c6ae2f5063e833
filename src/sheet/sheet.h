/*
 * Spreadsheets: XLSX and CSV, read row by row as they come from other programs and strangers, and written row by row.
 *
 * Neither holds a table in memory. What a stranger can make large has a limit and a refusal with a stable code. Any thread; a reading
 * or a writer belongs to one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sheet_format { SHEET_XLSX, SHEET_CSV };

/* ---- reading ---- */

enum sheet_kind {
	SHEET_EMPTY,
	SHEET_TEXT,
	SHEET_NUMBER,
	SHEET_BOOL,
	SHEET_DATE,
	SHEET_ERROR, /* "#N/A" and its like, as text */
};

struct sheet_cell {
	enum sheet_kind kind;
	/*
	 * As a person would type it; never NULL, ends with NUL. Numbers have no exponent; dates are 2026-11-22, 2026-11-22 08:30:00 or, without
	 * a day, 08:30:00; truth is TRUE or FALSE; 0.85 with a format of percent is 85%.
	 */
	const char *text;
	size_t len;
	double number;  /* SHEET_NUMBER; SHEET_BOOL 0 or 1 */
	int64_t wall_ms; /* SHEET_DATE: what the clock on the wall shows, as if it were UTC */
	bool rounded;   /* 16 digits and more: a program that counts in doubles has already lost the last ones */
	bool hidden;    /* its column is */
};

struct sheet_row {
	unsigned number; /* from 1, as the program that made it shows it */
	bool hidden;
	const struct sheet_cell *cells; /* from column A on, empty ones too; the last is not empty. Until the handler returns */
	size_t n;
};

struct sheet_info {
	const char *name; /* CSV: "" */
	unsigned index;   /* from 0 */
	bool hidden;
};

struct sheet_merge {
	unsigned row, col, last_row, last_col; /* rows from 1, columns from 0 */
};

/* Each may be NULL. 0: go on; SHEET_SKIP: not this sheet; anything else ends the reading, which answers it. */
struct sheet_handler {
	int (*sheet)(void *arg, const struct sheet_info *s);
	int (*row)(void *arg, const struct sheet_row *row);        /* rows without any value are left out */
	int (*merged)(void *arg, const struct sheet_merge *m);     /* after a sheet's rows; only the first cell has a value */
};

enum { SHEET_BAD = 1, SHEET_SKIP = 2, SHEET_STOP = 3 }; /* SHEET_STOP: for handlers that have seen enough */

/* 0 takes the value in the comment. */
struct sheet_limits {
	uint64_t bytes;    /* of all parts, inflated: 1 GiB */
	uint64_t strings;  /* bytes of the shared strings: 64 MiB */
	uint64_t cells;    /* 20,000,000 with a value */
	unsigned rows;     /* 1,048,576 */
	unsigned columns;  /* 1024 */
	unsigned text;     /* bytes of one cell: 131,072 */
	unsigned entries;  /* files in the archive: 4096 */
};

/*
 * Why a file was refused, and where.
 *   not_a_sheet  neither a workbook nor text          old_format  .xls, or locked with a password: save it as .xlsx
 *   damaged      part says which                      entities    XML with a DOCTYPE
 *   encoding     neither UTF-8 nor GB18030            no_sheet    a workbook without sheets
 *   limit_bytes  limit_strings  limit_cells  limit_rows  limit_columns  limit_text  limit_entries: more than limit
 */
struct sheet_error {
	const char *code;
	char sheet[128], part[128];
	unsigned row, col;  /* from 1; 0: no certain one */
	uint64_t limit;
};

/** Reads @data whole. 0; SHEET_BAD with @e; negative; or what a handler answered. @limits may be NULL. */
int sheet_read(const void *data, size_t size, const struct sheet_handler *on, void *arg, const struct sheet_limits *limits, struct sheet_error *e);
/** The same with a file, which nobody may shorten meanwhile. */
int sheet_read_file(const char *path, const struct sheet_handler *on, void *arg, const struct sheet_limits *limits, struct sheet_error *e);

/** "A", "Z", "AA" for 0, 25, 26. */
void sheet_column_name(char ret[8], unsigned col);

/* ---- writing ---- */

struct sheet_column {
	const char *title;
	enum sheet_kind kind;       /* the width's guess, and how dates are shown */
	unsigned width;             /* characters; 0: of title and kind */
	const char *note;           /* shown when a cell of it is chosen; XLSX only; may be NULL */
	const char *const *choices; /* NULL-ended list that XLSX offers; may be NULL */
};

struct sheet_writer;

/**
 * A new file with the titles in its first row. @tmp_dir: where XLSX keeps its parts meanwhile; NULL: the system's.
 * XLSX: head frozen, filters on, a further sheet after 1,048,576 rows. CSV: UTF-8 with BOM, CRLF.
 */
int sheet_writer_open(struct sheet_writer **ret, const char *path, enum sheet_format format, const char *sheet_name, const char *tmp_dir,
		      const struct sheet_column *cols, size_t n);
/** The same below a row that says whose file it is; XLSX says it in the document's properties, too. @title may be NULL. */
int sheet_writer_open_titled(struct sheet_writer **ret, const char *path, enum sheet_format format, const char *sheet_name, const char *tmp_dir,
			     const struct sheet_column *cols, size_t n, const char *title);
/** CSV only, to a stream that stays the caller's. */
int sheet_writer_stream(struct sheet_writer **ret, FILE *f, const struct sheet_column *cols, size_t n);
/*
 * Cells of a row in their order, then sheet_end_row. Text stays text: telephone numbers and ids keep their zeros, and what would be a
 * formula (= + - @ tab CR first) is one in neither format; CSV gets an apostrophe before it, which our reader takes off again.
 */
void sheet_put_text(struct sheet_writer *w, const char *s); /* NULL: empty */
void sheet_put_int(struct sheet_writer *w, int64_t v);      /* with 16 digits and more as text */
void sheet_put_wall(struct sheet_writer *w, int64_t wall_ms);
void sheet_put_empty(struct sheet_writer *w);
int sheet_end_row(struct sheet_writer *w);
/** Finishes and frees. 0, or negative: the file is not whole. */
int sheet_writer_close(struct sheet_writer *w);
