/* Inside sheet/: what its readers share. */
#pragma once

#include <string.h>

#include "base/base.h"
#include "sheet/sheet.h"

/* One reading: where it is, and the row being gathered. */
struct sheet_reading {
	const struct sheet_handler *on;
	void *arg;
	struct sheet_limits max;
	struct sheet_error *e;
	uint64_t cells;

	struct strb text;            /* of the row's cells, each with its NUL */
	struct sheet_cell *row;
	size_t *at;                  /* where in text each begins */
	size_t n, room;
};

/** Notes why and where; SHEET_BAD. Only the first reason counts. */
int sheet_bad(struct sheet_reading *rd, const char *code, uint64_t limit);
/** Puts a cell with @kind and @text at column @col of the row being gathered. */
int sheet_cell_add(struct sheet_reading *rd, unsigned col, const struct sheet_cell *c, const char *text, size_t len);
/** Hands the row over and begins the next. */
int sheet_row_done(struct sheet_reading *rd, unsigned number, bool hidden);

int sheet_read_csv(struct sheet_reading *rd, const uint8_t *data, size_t size);
int sheet_read_xlsx(struct sheet_reading *rd, const void *data, size_t size);

/** A number as Excel keeps it, as text without an exponent. */
void sheet_number_text(char *ret, size_t size, double v);
/** Does a cell with this format show a day or a time of day? */
enum sheet_shown { SHOWN_PLAIN, SHOWN_DATE, SHOWN_PERCENT };
enum sheet_shown sheet_format_shows(const char *code);
/** A serial number as the clock on the wall, and as text; false when it is out of range. */
bool sheet_serial(int64_t *wall_ms, char *text, size_t size, double serial, bool from_1904);
