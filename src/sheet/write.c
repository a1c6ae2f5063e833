/* Writing: XLSX by libxlsxwriter, which keeps one row in memory and the parts in temporary files; CSV by hand. */
#include "sheet/sheet_int.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <xlsxwriter.h>

#define ROWS_MAX 1048576
#define TEXT_MAX 32767 /* characters of a cell */
#define CHOICE_MAX 255 /* bytes that a list of choices may have */

struct sheet_writer {
	const struct sheet_column *cols;
	size_t col_n, col;
	FILE *csv;
	bool own_csv;
	int error;

	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *head, *text, *date;
	char name[32], *tmp, *title;
	unsigned sheets;
	lxw_row_t row;
};

/* ---- CSV ---- */

static void csv_text(struct sheet_writer *w, const char *s)
{
	bool formula = *s && strchr("=+-@\t\r", *s), quote = strpbrk(s, "\",;\t\r\n") || *s == ' ' || (*s && s[strlen(s) - 1] == ' ');

	if (w->col)
		(void)putc(',', w->csv);
	if (quote)
		(void)putc('"', w->csv);
	if (formula)
		(void)putc('\'', w->csv);
	for (; *s; s++) {
		if (*s == '"')
			(void)putc('"', w->csv);
		(void)putc(*s, w->csv);
	}
	if (quote)
		(void)putc('"', w->csv);
}

static void csv_start(struct sheet_writer *w)
{
	(void)fputs("\xef\xbb\xbf", w->csv);
	if (w->title) {
		sheet_put_text(w, w->title);
		(void)sheet_end_row(w);
	}
	for (size_t i = 0; i < w->col_n; i++)
		sheet_put_text(w, w->cols[i].title);
	(void)sheet_end_row(w);
}

/* ---- XLSX ---- */

/* A sheet's name: 31 characters at most, none of []:*?/\ and no apostrophe. */
static void take_name(struct sheet_writer *w, const char *name)
{
	size_t n = 0, chars = 0;

	for (const char *s = name; *s && chars < 24 && n < sizeof(w->name) - 6; s++) {
		if ((*s & 0xc0) != 0x80)
			chars++;
		w->name[n++] = strchr("[]:*?/\\'", *s) ? '_' : *s;
	}
	while (n && !str_is_utf8(w->name, n))
		n--;
	w->name[n] = 0;
	if (!n)
		(void)str_copy(w->name, sizeof(w->name), "1");
}

/* A wide character takes the place of two. */
static double title_width(const char *s)
{
	double width = 0;

	for (; *s; s++)
		width += (*s & 0xc0) == 0x80 ? 0 : (unsigned char)*s >= 0xe0 ? 2 : 1;
	return width;
}

static double width_of(const struct sheet_column *c)
{
	double title = title_width(c->title) + 4, kind = c->kind == SHEET_DATE ? 20 : c->kind == SHEET_NUMBER || c->kind == SHEET_BOOL ? 10 : 18;

	return c->width ? c->width : title > kind ? title : kind;
}

static void add_hint(struct sheet_writer *w, lxw_col_t col, const struct sheet_column *c)
{
	lxw_data_validation v = {.validate = LXW_VALIDATION_TYPE_ANY, .ignore_blank = LXW_VALIDATION_ON, .error_type = LXW_VALIDATION_ERROR_TYPE_WARNING};
	size_t n = 0;
	char note[256];

	for (const char *const *s = c->choices; s && *s; s++)
		n += strlen(*s) + 1;
	if (n && n <= CHOICE_MAX) {
		v.validate = LXW_VALIDATION_TYPE_LIST;
		v.value_list = (char **)(uintptr_t)c->choices; /* only read */
	}
	if (c->note) {
		(void)str_copy(note, sizeof(note), c->note);
		for (n = strlen(note); n && !str_is_utf8(note, n); n--)
			;
		note[n] = 0;
		v.input_message = note;
	}
	if (c->note || v.validate == LXW_VALIDATION_TYPE_LIST)
		(void)worksheet_data_validation_range(w->sheet, 1, col, ROWS_MAX - 1, col, &v);
}

static void sheet_begin(struct sheet_writer *w)
{
	char name[48];

	(void)snprintf(name, sizeof(name), w->sheets ? "%s %u" : "%s", w->name, w->sheets + 1);
	w->sheets++;
	w->row = 0;
	w->sheet = workbook_add_worksheet(w->book, name);
	if (!w->sheet) {
		w->error = -EINVAL;
		return;
	}
	for (size_t i = 0; i < w->col_n; i++) {
		const struct sheet_column *c = &w->cols[i];

		(void)worksheet_set_column(w->sheet, (lxw_col_t)i, (lxw_col_t)i, width_of(c), c->kind == SHEET_TEXT ? w->text : NULL);
		add_hint(w, (lxw_col_t)i, c);
	}
	if (w->title)
		(void)worksheet_write_string(w->sheet, w->row++, 0, w->title, NULL);
	for (size_t i = 0; i < w->col_n; i++)
		(void)worksheet_write_string(w->sheet, w->row, (lxw_col_t)i, w->cols[i].title, w->head);
	w->row++;
	worksheet_freeze_panes(w->sheet, w->row, 0);
}

/* The filter covers what was written, known only now. */
static void sheet_finish(struct sheet_writer *w)
{
	lxw_row_t head = w->title ? 1 : 0;

	if (w->sheet && w->col_n)
		(void)worksheet_autofilter(w->sheet, head, 0, w->row > head + 1 ? w->row - 1 : head + 1, (lxw_col_t)(w->col_n - 1));
}

static int open_book(struct sheet_writer *w, const char *path, const char *name)
{
	lxw_workbook_options o = {.constant_memory = LXW_TRUE, .tmpdir = w->tmp};

	w->book = workbook_new_opt(path, &o);
	if (!w->book)
		return -ENOMEM;
	take_name(w, name);
	if (w->title) {
		lxw_doc_properties p = {.title = w->name, .subject = w->title, .comments = w->title};

		(void)workbook_set_properties(w->book, &p);
	}
	w->head = workbook_add_format(w->book);
	format_set_bold(w->head);
	format_set_bg_color(w->head, 0xE8EEF7);
	format_set_border(w->head, LXW_BORDER_THIN);
	format_set_border_color(w->head, 0xC0C8D4);
	w->text = workbook_add_format(w->book);
	format_set_num_format(w->text, "@");
	w->date = workbook_add_format(w->book);
	format_set_num_format(w->date, "yyyy-mm-dd hh:mm:ss");
	format_set_align(w->date, LXW_ALIGN_LEFT);
	sheet_begin(w);
	return w->error;
}

/* ---- both ---- */

static struct sheet_writer *writer_new(const struct sheet_column *cols, size_t n)
{
	struct sheet_writer *w = xcalloc(1, sizeof(*w));

	w->cols = cols;
	w->col_n = n;
	return w;
}

int sheet_writer_stream(struct sheet_writer **ret, FILE *f, const struct sheet_column *cols, size_t n)
{
	struct sheet_writer *w = writer_new(cols, n);

	w->csv = f;
	csv_start(w);
	*ret = w;
	return 0;
}

int sheet_writer_open(struct sheet_writer **ret, const char *path, enum sheet_format format, const char *sheet_name, const char *tmp_dir,
		      const struct sheet_column *cols, size_t n)
{
	return sheet_writer_open_titled(ret, path, format, sheet_name, tmp_dir, cols, n, NULL);
}

int sheet_writer_open_titled(struct sheet_writer **ret, const char *path, enum sheet_format format, const char *sheet_name, const char *tmp_dir,
			     const struct sheet_column *cols, size_t n, const char *title)
{
	struct sheet_writer *w = writer_new(cols, n);
	int r;

	w->title = title ? xstrdup(title) : NULL;
	if (format == SHEET_CSV) {
		w->csv = fopen(path, "we");
		w->own_csv = true;
		if (!w->csv) {
			r = -errno;
			free(w->title);
			free(w);
			return r;
		}
		csv_start(w);
		*ret = w;
		return 0;
	}
	w->tmp = tmp_dir ? xstrdup(tmp_dir) : NULL;
	r = open_book(w, path, sheet_name);
	if (r) {
		(void)sheet_writer_close(w);
		return r;
	}
	*ret = w;
	return 0;
}

/* What does not fit in a cell is cut; Excel would refuse the whole file. */
static void xlsx_text(struct sheet_writer *w, const char *s)
{
	size_t n = 0, chars = 0;
	char *cut;

	for (; s[n]; n++)
		if ((s[n] & 0xc0) != 0x80 && ++chars > TEXT_MAX)
			break;
	cut = s[n] ? xstrndup(s, n) : NULL;
	if (worksheet_write_string(w->sheet, w->row, (lxw_col_t)w->col, cut ? cut : s, w->text))
		w->error = -EIO;
	free(cut);
}

void sheet_put_text(struct sheet_writer *w, const char *s)
{
	if (w->csv)
		csv_text(w, s ? s : "");
	else if (s && *s && !w->error)
		xlsx_text(w, s);
	w->col++;
}

void sheet_put_empty(struct sheet_writer *w)
{
	sheet_put_text(w, NULL);
}

void sheet_put_int(struct sheet_writer *w, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)v);
	if (w->csv) { /* a minus here is no formula */
		(void)fprintf(w->csv, "%s%s", w->col ? "," : "", text);
		w->col++;
	} else if (v >= 1000000000000000 || v <= -1000000000000000) {
		sheet_put_text(w, text);
	} else {
		if (!w->error && worksheet_write_number(w->sheet, w->row, (lxw_col_t)w->col, (double)v, NULL))
			w->error = -EIO;
		w->col++;
	}
}

void sheet_put_wall(struct sheet_writer *w, int64_t wall_ms)
{
	double serial = (double)wall_ms / 86400000.0 + 25569.0;
	time_t t = (time_t)(wall_ms / 1000);
	char text[64];
	struct tm tm;

	if (w->csv || serial < 61 || serial >= 2958466) {
		(void)gmtime_r(&t, &tm);
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		sheet_put_text(w, text);
		return;
	}
	if (!w->error && worksheet_write_number(w->sheet, w->row, (lxw_col_t)w->col, serial, w->date))
		w->error = -EIO;
	w->col++;
}

int sheet_end_row(struct sheet_writer *w)
{
	w->col = 0;
	if (w->csv) {
		(void)fputs("\r\n", w->csv);
		if (ferror(w->csv) && !w->error)
			w->error = -EIO;
	} else if (!w->error && ++w->row >= ROWS_MAX) {
		sheet_finish(w);
		sheet_begin(w);
	}
	return w->error;
}

int sheet_writer_close(struct sheet_writer *w)
{
	int r = w->error;

	if (w->csv && (fflush(w->csv) || ferror(w->csv)) && !r)
		r = -EIO;
	if (w->own_csv && fclose(w->csv) && !r)
		r = -EIO;
	if (w->book) {
		sheet_finish(w);
		if (workbook_close(w->book) && !r)
			r = -EIO;
	}
	free(w->title);
	free(w->tmp);
	free(w);
	return r;
}
