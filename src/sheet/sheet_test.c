/*
 * Reading what other programs make (openpyxl writes and reads here as a second opinion), hand-made nasty files, and limits.
 * Expected serials: 45983 is 2025-11-22 (=DATE(2025,11,22)); 25569 is 1970-01-01; ECMA-376 18.17.4.1 for the two date systems.
 */
#include "base/test.h"

#include <iconv.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include "sheet/sheet_int.h"

/* What was read, as one text: "[name] 1:A=x|B=y; 2!:..." with ! for hidden, ~ for rounded, ^ for a hidden column, # error, @ date. */
struct seen {
	struct strb b;
	int stop_at; /* rows */
	int rows;
};

static int see_sheet(void *arg, const struct sheet_info *s)
{
	struct seen *v = arg;

	strb_printf(&v->b, "[%s%s]", s->name, s->hidden ? "!" : "");
	return !strcmp(s->name, "skip") ? SHEET_SKIP : 0;
}

static int see_row(void *arg, const struct sheet_row *row)
{
	static const char marks[] = {[SHEET_NUMBER] = 'n', [SHEET_BOOL] = 'b', [SHEET_DATE] = '@', [SHEET_ERROR] = '#'};
	struct seen *v = arg;
	char col[8];

	strb_printf(&v->b, " %u%s:", row->number, row->hidden ? "!" : "");
	for (size_t i = 0; i < row->n; i++) {
		const struct sheet_cell *c = &row->cells[i];

		if (c->kind == SHEET_EMPTY)
			continue;
		assert_int_equal(strlen(c->text), c->len);
		sheet_column_name(col, (unsigned)i);
		strb_printf(&v->b, "%s%s%s", col, c->hidden ? "^" : "", c->rounded ? "~" : "");
		if (marks[c->kind])
			strb_putc(&v->b, marks[c->kind]);
		strb_printf(&v->b, "=%s|", c->text);
	}
	return ++v->rows == v->stop_at ? SHEET_STOP : 0;
}

static int see_merge(void *arg, const struct sheet_merge *m)
{
	strb_printf(&((struct seen *)arg)->b, " merge %u,%u-%u,%u", m->row, m->col, m->last_row, m->last_col);
	return 0;
}

static const struct sheet_handler handler = {see_sheet, see_row, see_merge};

static void expect_read(const void *data, size_t size, const char *want)
{
	struct sheet_error e;
	struct seen v = {0};
	int r;

	strb_init(&v.b, 1 << 20);
	r = sheet_read(data, size, &handler, &v, NULL, &e);
	if (r)
		fail_msg("refused: %s part=%s sheet=%s row=%u col=%u", e.code, e.part, e.sheet, e.row, e.col);
	assert_string_equal(v.b.buf, want);
	strb_done(&v.b);
}

static void expect_bad(const void *data, size_t size, const struct sheet_limits *l, const char *code, struct sheet_error *ret)
{
	struct sheet_error e;
	struct seen v = {0};

	strb_init(&v.b, 16 << 20);
	assert_int_equal(sheet_read(data, size, &handler, &v, l, &e), SHEET_BAD);
	assert_string_equal(e.code, code);
	strb_done(&v.b);
	if (ret)
		*ret = e;
}

#define EXPECT_CSV(text, want) expect_read(text, sizeof(text) - 1, want)

/* ---- CSV ---- */

TEST(csv_is_split_at_commas_semicolons_or_tabs_whichever_it_has)
{
	EXPECT_CSV("a,b\r\n1;2,3\r\n", "[] 1:A=a|B=b| 2:A=1;2|B=3|");
	EXPECT_CSV("a;b\n1,5;2\n", "[] 1:A=a|B=b| 2:A=1,5|B=2|");
	EXPECT_CSV("a\tb\n1\t2", "[] 1:A=a|B=b| 2:A=1|B=2|");
	EXPECT_CSV("sep=;\r\na,b;c\r\n", "[] 1:A=a,b|B=c|");
	EXPECT_CSV("only\n", "[] 1:A=only|");
	EXPECT_CSV("", "[]");
}

TEST(csv_quotes_hold_separators_breaks_and_quotes_and_rows_count_as_excel_counts_them)
{
	EXPECT_CSV("\"a,\"\"b\"\"\r\nc\",d\r\n\r\n,\r\n\"\",x\n", "[] 1:A=a,\"b\"\r\nc|B=d| 4:B=x|");
	EXPECT_CSV("a,b\n\n\nc,d", "[] 1:A=a|B=b| 4:A=c|B=d|");
}

TEST(csv_encodings_are_known_by_mark_and_content)
{
	static const char gbk[] = "\xd0\xd5\xc3\xfb,\xb5\xe7\xbb\xb0\r\n\xd5\xc5\xc8\xfd,1380000\r\n"; /* 姓名,电话 / 张三 */

	EXPECT_CSV("\xef\xbb\xbf姓名,b\n", "[] 1:A=姓名|B=b|");
	EXPECT_CSV("姓名,b\n", "[] 1:A=姓名|B=b|");
	expect_read(gbk, sizeof(gbk) - 1, "[] 1:A=姓名|B=电话| 2:A=张三|B=1380000|");
	EXPECT_CSV("\xff\xfe" "a\0\t\0\x2d\x4e\n\0", "[] 1:A=a|B=中|");
	EXPECT_CSV("\xfe\xff" "\0a\0\t\x4e\x2d\0\n", "[] 1:A=a|B=中|");
	expect_bad("a,\xff\xff\n", 5, NULL, "encoding", NULL);
	expect_bad("\xef\xbb\xbf" "a\xd0\n", 6, NULL, "encoding", NULL);
}

/* 𠀀 (U+20000) is 95 32 82 36 in GB18030; filled up so that a piece of 8192 bytes ends within one. */
TEST(csv_in_gb18030_is_whole_where_pieces_meet)
{
	char *text = xcalloc(1, 50000), want[64];
	size_t n = 0;

	for (; n < 8190; n++)
		text[n] = n % 100 == 99 ? '\n' : 'x';
	memcpy(text + n, "\x95\x32\x82\x36,y\n", 7);
	{
		struct sheet_error e;
		struct seen v = {0};

		strb_init(&v.b, 1 << 20);
		assert_int_equal(sheet_read(text, n + 7, &handler, &v, NULL, &e), 0);
		(void)snprintf(want, sizeof(want), "\xf0\xa0\x80\x80|B=y|");
		assert_non_null(strstr(v.b.buf, want));
		strb_done(&v.b);
	}
	free(text);
}

TEST(csv_with_a_quote_that_never_ends_is_refused_where_it_begins)
{
	size_t n = 1 << 20;
	char *text = xcalloc(1, n);
	struct sheet_error e;

	memset(text, 'x', n);
	memcpy(text, "a,b\n1,\"", 7);
	expect_bad(text, n, NULL, "limit_text", &e);
	assert_int_equal(e.row, 2);
	assert_int_equal(e.col, 2);
	free(text);
}

TEST(limits_of_columns_rows_cells_and_bytes_are_kept)
{
	struct sheet_error e;

	expect_bad("a,b\n1,2,3\n", 10, &(struct sheet_limits){.columns = 2}, "limit_columns", &e);
	assert_int_equal(e.row, 2);
	assert_int_equal(e.col, 3);
	assert_int_equal(e.limit, 2);
	expect_bad("a\n1\n2\n", 6, &(struct sheet_limits){.rows = 2}, "limit_rows", NULL);
	expect_bad("a,b\n1,2\n", 8, &(struct sheet_limits){.cells = 3}, "limit_cells", NULL);
	expect_bad("a,b\n1,2\n", 8, &(struct sheet_limits){.bytes = 7}, "limit_bytes", NULL);
	expect_bad("abcdef\n", 7, &(struct sheet_limits){.text = 5}, "limit_text", NULL);
}

TEST(other_files_are_no_sheets)
{
	expect_bad("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on", 18, NULL, "old_format", NULL);
	expect_bad("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, NULL, "not_a_sheet", NULL);
	expect_bad("PK\3\4garbage", 11, NULL, "damaged", NULL);
	expect_bad("a,b\0c\n", 6, NULL, "not_a_sheet", NULL);
}

/* ---- numbers and dates ---- */

TEST(numbers_are_text_without_exponent)
{
	static const struct {
		double v;
		const char *want;
	} all[] = {
		{0, "0"}, {-0.0, "0"}, {13800138000., "13800138000"}, {1.38e10, "13800000000"}, {999999999999999., "999999999999999"},
		{0.30000000000000004, "0.3"}, {-1.5, "-1.5"}, {0.00001, "0.00001"}, {1e-7, "0.0000001"}, {123456.789, "123456.789"},
		{1e20, "100000000000000000000"}, {110101199001011234., "110101199001011232"}, {8e-3, "0.008"}, {100, "100"},
	};
	char text[400];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		sheet_number_text(text, sizeof(text), all[i].v);
		assert_string_equal(text, all[i].want);
	}
}

TEST(formats_show_days_percents_or_neither)
{
	static const char *const dates[] = {"yyyy-mm-dd", "m/d/yy", "h:mm", "yyyy\"年\"m\"月\"d\"日\"", "[$-804]yyyy/m/d", "[Red]d", "AM/PM h"};
	static const char *const plain[] = {"General", "0.00", "#,##0 \"days\"", "@", "0.00E+00", "[h]:mm", "[Red]0", "\\d0", "0;yyyy", "_d0", "", "\"open", "0\\%", "0\"%\"", "0;0%"};
	static const char *const percents[] = {"0%", "0.00%", "[Red]0%", "#,##0.0%;-0%"};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		assert_int_equal(sheet_format_shows(dates[i]), SHOWN_DATE);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_int_equal(sheet_format_shows(plain[i]), SHOWN_PLAIN);
	for (size_t i = 0; i < ARRAY_LEN(percents); i++)
		assert_int_equal(sheet_format_shows(percents[i]), SHOWN_PERCENT);
}

TEST(serials_are_days_of_two_systems)
{
	static const struct {
		double serial;
		bool from_1904;
		const char *want;
	} all[] = {
		{45983, false, "2025-11-22"}, {45983.5, false, "2025-11-22 12:00:00"}, {1, false, "1900-01-01"}, {59, false, "1900-02-28"},
		{61, false, "1900-03-01"}, {0.25, false, "06:00:00"}, {0, true, "1904-01-01"}, {44521, true, "2025-11-22"},
		{45983.999999, false, "2025-11-23 00:00:00"}, {2958465, false, "9999-12-31"},
	};
	int64_t ms;
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_true(sheet_serial(&ms, text, sizeof(text), all[i].serial, all[i].from_1904));
		assert_string_equal(text, all[i].want);
	}
	assert_true(sheet_serial(&ms, text, sizeof(text), 25569, false));
	assert_int_equal(ms, 0);
	assert_false(sheet_serial(&ms, text, sizeof(text), -1, false));
	assert_false(sheet_serial(&ms, text, sizeof(text), 1e300, false));
}

TEST(columns_have_letters)
{
	static const struct {
		unsigned col;
		const char *want;
	} all[] = {{0, "A"}, {25, "Z"}, {26, "AA"}, {701, "ZZ"}, {702, "AAA"}, {16383, "XFD"}};
	char text[8];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		sheet_column_name(text, all[i].col);
		assert_string_equal(text, all[i].want);
	}
}

/* ---- XLSX made by hand ---- */

struct made {
	char *data;
	size_t size;
};

#define MAIN "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define RELS "<Relationships>"
#define REL(id, type, target) "<Relationship Id=\"" id "\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/" type "\" Target=\"" target "\"/>"

/* Pairs of name and content, NULL-ended. */
static struct made make_zip(const char *const *parts)
{
	char path[] = "/tmp/sheet_test_XXXXXX";
	struct made m;
	zip_t *z;
	FILE *f;

	(void)close(mkstemp(path));
	z = zip_open(path, ZIP_TRUNCATE, NULL);
	for (; *parts; parts += 2) {
		zip_source_t *s = zip_source_buffer(z, parts[1], strlen(parts[1]), 0);

		assert_true(zip_file_add(z, parts[0], s, 0) >= 0);
	}
	assert_int_equal(zip_close(z), 0);
	f = fopen(path, "r");
	m.data = xcalloc(1, 1 << 22);
	m.size = fread(m.data, 1, 1 << 22, f);
	(void)fclose(f);
	(void)unlink(path);
	return m;
}

static struct made book(const char *sheet, const char *strings, const char *styles, const char *workbook_pr)
{
	char *wb = xasprintf("<x:workbook xmlns:x=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
			     "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">%s<x:sheets>"
			     "<x:sheet name=\"表一\" sheetId=\"1\" r:id=\"a\"/><x:sheet name=\"skip\" sheetId=\"2\" state=\"veryHidden\" r:id=\"b\"/>"
			     "</x:sheets></x:workbook>", workbook_pr ? workbook_pr : "");
	const char *parts[] = {
		"_rels/.rels", RELS REL("r", "officeDocument", "/xl/workbook.xml") "</Relationships>",
		"xl/workbook.xml", wb,
		"xl/_rels/workbook.xml.rels", RELS REL("a", "worksheet", "worksheets/sheet1.xml") REL("b", "worksheet", "../other/s2.xml")
			REL("c", "sharedStrings", "sharedStrings.xml") REL("d", "styles", "styles.xml") "</Relationships>",
		"xl/worksheets/sheet1.xml", sheet,
		"other/s2.xml", "<worksheet/>",
		"xl/sharedStrings.xml", strings ? strings : "<sst/>",
		"xl/styles.xml", styles ? styles : "<styleSheet/>",
		NULL,
	};
	struct made m = make_zip(parts);

	free(wb);
	return m;
}

static void expect_book(const char *sheet, const char *strings, const char *styles, const char *pr, const char *want)
{
	struct made m = book(sheet, strings, styles, pr);

	expect_read(m.data, m.size, want);
	free(m.data);
}

static void refuse_book(const char *sheet, const char *strings, const struct sheet_limits *l, const char *code, struct sheet_error *e)
{
	struct made m = book(sheet, strings, NULL, NULL);

	expect_bad(m.data, m.size, l, code, e);
	free(m.data);
}

#define ROWS(rows) "<worksheet " MAIN "><sheetData>" rows "</sheetData></worksheet>"

TEST(xlsx_texts_are_shared_inline_rich_and_without_their_sounds)
{
	expect_book(ROWS("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"D1\" t=\"inlineStr\"><is><r><t>in</t></r>"
			 "<r><t xml:space=\"preserve\"> line</t></r><rPh sb=\"0\" eb=\"1\"><t>no</t></rPh></is></c></row>"),
		    "<sst><si><t>姓名</t><rPh sb=\"0\" eb=\"2\"><t>xingming</t></rPh></si><si><r><rPr/><t>a</t></r><r><t>b_x000D_\nc_x005F_</t></r></si></sst>",
		    NULL, NULL, "[表一] 1:A=姓名|B=ab\nc_|D=in line|[skip!]");
}

TEST(xlsx_numbers_dates_truths_errors_and_cached_results)
{
	expect_book(ROWS("<row r=\"2\"><c r=\"A2\"><v>1.38E+10</v></c><c r=\"B2\" s=\"1\"><v>45983</v></c><c r=\"C2\" s=\"2\"><v>45983.5</v></c>"
			 "<c r=\"D2\" t=\"b\"><v>1</v></c><c r=\"E2\" t=\"e\"><v>#N/A</v></c><c r=\"F2\" t=\"str\"><f>A1&amp;\"x\"</f><v>cached</v></c>"
			 "<c r=\"G2\"><v>110101199001011234</v></c><c r=\"H2\" t=\"d\"><v>2025-11-22T08:30:00Z</v></c><c r=\"I2\" s=\"3\"><v>0.855</v></c><c r=\"J2\" s=\"3\"><v>7.0000000000000007E-2</v></c></row>"
			 "<row><c><v>1</v></c><c/><c><v>2</v></c></row>"),
		    NULL,
		    "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;\"/></numFmts>"
		    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
		    "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"10\"/></cellXfs></styleSheet>",
		    NULL,
		    "[表一] 2:An=13800000000|B@=2025-11-22|C@=2025-11-22 12:00:00|Db=TRUE|E#=#N/A|F=cached|G~n=110101199001011232|"
		    "H@=2025-11-22 08:30:00|In=85.5%|Jn=7%| 3:An=1|Cn=2|[skip!]");
}

TEST(xlsx_knows_the_other_date_system_hidden_things_and_merges)
{
	expect_book("<worksheet><cols><col min=\"2\" max=\"3\" hidden=\"1\"/></cols><sheetData><row r=\"1\" hidden=\"1\"><c r=\"A1\" s=\"1\"><v>44521</v></c>"
		    "<c r=\"B1\"><v>7</v></c><c r=\"XFD1\" s=\"1\"/></row></sheetData><mergeCells><mergeCell ref=\"A1:C2\"/></mergeCells></worksheet>",
		    NULL, "<styleSheet><cellXfs><xf/><xf numFmtId=\"22\"/></cellXfs></styleSheet>", "<x:workbookPr date1904=\"true\"/>",
		    "[表一] 1!:A@=2025-11-22|B^n=7| merge 1,0-2,2[skip!]");
}

TEST(xlsx_with_entities_is_refused_before_they_grow)
{
	struct sheet_error e;

	refuse_book("<!DOCTYPE w [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><worksheet>&b;</worksheet>", NULL, NULL, "entities", &e);
	assert_string_equal(e.part, "xl/worksheets/sheet1.xml");
	refuse_book(ROWS(""), "<!DOCTYPE sst SYSTEM \"file:///etc/passwd\"><sst/>", NULL, "entities", NULL);
}

TEST(xlsx_bombs_are_refused_by_what_they_inflate_to)
{
	size_t n = 8 << 20;
	char *big = xcalloc(1, n + 1);
	struct made m;

	memset(big, ' ', n);
	memcpy(big, "<worksheet>", 11);
	big[n] = 0;
	m = book(big, NULL, NULL, NULL);
	assert_true(m.size < 100000);
	expect_bad(m.data, m.size, &(struct sheet_limits){.bytes = 1 << 20}, "limit_bytes", NULL);
	free(m.data);
	free(big);
}

TEST(xlsx_limits_name_the_place)
{
	struct sheet_error e;

	refuse_book(ROWS("<row r=\"7\"><c r=\"C7\" t=\"str\"><v>too long</v></c></row>"), NULL, &(struct sheet_limits){.text = 4}, "limit_text", &e);
	assert_string_equal(e.sheet, "表一");
	assert_int_equal(e.row, 7);
	assert_int_equal(e.col, 3);
	refuse_book(ROWS("<row r=\"1\"><c r=\"XFD1\"><v>1</v></c></row>"), NULL, NULL, "limit_columns", &e);
	assert_int_equal(e.col, 16384);
	refuse_book(ROWS("<row r=\"1048577\"><c><v>1</v></c></row>"), NULL, NULL, "limit_rows", NULL);
	refuse_book(ROWS(""), "<sst><si><t>0123456789</t></si></sst>", &(struct sheet_limits){.strings = 5}, "limit_strings", NULL);
	refuse_book(ROWS(""), "<sst><si/><si/><si/><si/></sst>", &(struct sheet_limits){.strings = 20}, "limit_strings", NULL);
	refuse_book(ROWS(""), NULL, &(struct sheet_limits){.entries = 6}, "limit_entries", NULL);
}

TEST(xlsx_that_contradicts_itself_is_damaged)
{
	static const char *const sheets[] = {
		ROWS("<row r=\"1\"><c r=\"A2\"><v>1</v></c></row>"), ROWS("<row r=\"2\"/><row r=\"1\"/>"),
		ROWS("<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>"), ROWS("<row r=\"1\"><c t=\"s\"><v>0</v></c></row>"),
		ROWS("<row r=\"1\"><c t=\"s\"><v>-1</v></c></row>"), ROWS("<row r=\"1\"><c><v>0x10</v></c></row>"),
		ROWS("<row r=\"1\"><c><v>NaN</v></c></row>"), ROWS("<row r=\"1\"><c t=\"what\"><v>1</v></c></row>"),
		ROWS("<row r=\"1\"><c><c/></c></row>"), ROWS("<row><row/></row>"), ROWS("<c/>"), "<worksheet>", "no xml", "",
		ROWS("<row r=\"0\"/>"), ROWS("<row r=\"1\"><c r=\"AAAA1\"/></row>"), ROWS("<row r=\"1\"><c t=\"d\"><v>yesterday</v></c></row>"),
	};

	for (size_t i = 0; i < ARRAY_LEN(sheets); i++)
		refuse_book(sheets[i], NULL, NULL, "damaged", NULL);
}

TEST(archives_without_a_workbook_are_no_sheets)
{
	struct made m = make_zip((const char *const[]){"word/document.xml", "<w/>", NULL});

	expect_bad(m.data, m.size, NULL, "not_a_sheet", NULL);
	free(m.data);
	m = make_zip((const char *const[]){"xl/workbook.xml", "<workbook/>", "xl/_rels/workbook.xml.rels", "<r/>", NULL});
	expect_bad(m.data, m.size, NULL, "no_sheet", NULL);
	free(m.data);
}

TEST(every_cut_of_a_workbook_is_refused_or_read_and_never_more)
{
	struct made m = book(ROWS("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>"), "<sst><si><t>x</t></si></sst>", NULL, NULL);
	struct sheet_error e;

	for (size_t n = 0; n < m.size; n += 7) {
		char *cut = xcalloc(1, n ? n : 1); /* so that a sanitizer sees what lies beyond */

		memcpy(cut, m.data, n);
		assert_true(sheet_read(cut, n, &(struct sheet_handler){0}, NULL, NULL, &e) >= 0);
		free(cut);
	}
	free(m.data);
}

TEST(a_handler_may_stop)
{
	struct seen v = {.stop_at = 2};
	struct sheet_error e;
	struct made m = book(ROWS("<row><c><v>1</v></c></row><row><c><v>2</v></c></row><row><c><v>3</v></c></row>"), NULL, NULL, NULL);

	strb_init(&v.b, 1000);
	assert_int_equal(sheet_read(m.data, m.size, &handler, &v, NULL, &e), SHEET_STOP);
	assert_int_equal(v.rows, 2);
	v.rows = 0;
	assert_int_equal(sheet_read("1\n2\n3\n", 6, &handler, &v, NULL, &e), SHEET_STOP);
	assert_int_equal(v.rows, 2);
	strb_done(&v.b);
	free(m.data);
}

/* ---- writing, and another program ---- */

static const struct sheet_column columns[] = {
	{"姓名", SHEET_TEXT}, {"电话", SHEET_TEXT}, {"次数", SHEET_NUMBER}, {"时间", SHEET_DATE},
	{"状态", SHEET_TEXT, .note = "选一个", .choices = (const char *const[]){"启用", "停用", NULL}},
};
#define WALL INT64_C(1763800200000) /* 2025-11-22 08:30:00 */

static void write_table(const char *path, enum sheet_format format)
{
	struct sheet_writer *w;

	assert_int_equal(sheet_writer_open(&w, path, format, "人员[1]", NULL, columns, ARRAY_LEN(columns)), 0);
	sheet_put_text(w, "=1+1");
	sheet_put_text(w, "+8613800138000");
	sheet_put_int(w, -5);
	sheet_put_wall(w, WALL);
	sheet_put_text(w, NULL);
	assert_int_equal(sheet_end_row(w), 0);
	sheet_put_text(w, "a,\"b\"\nc");
	sheet_put_text(w, "0086");
	sheet_put_int(w, 1234567890123456789);
	sheet_put_empty(w);
	sheet_put_text(w, "-x");
	assert_int_equal(sheet_end_row(w), 0);
	assert_int_equal(sheet_writer_close(w), 0);
}

static void expect_file(const char *path, const char *want)
{
	struct sheet_error e;
	struct seen v = {0};

	strb_init(&v.b, 1 << 20);
	assert_int_equal(sheet_read_file(path, &handler, &v, NULL, &e), 0);
	assert_string_equal(v.b.buf, want);
	strb_done(&v.b);
}

static void temp_name(char *path)
{
	(void)strcpy(path, "/tmp/sheet_test_XXXXXX");
	(void)close(mkstemp(path));
}

TEST(what_we_write_we_read)
{
	char path[40];

	temp_name(path);
	write_table(path, SHEET_XLSX);
	expect_file(path, "[人员_1_] 1:A=姓名|B=电话|C=次数|D=时间|E=状态| 2:A==1+1|B=+8613800138000|Cn=-5|D@=2025-11-22 08:30:00|"
			  " 3:A=a,\"b\"\nc|B=0086|C=1234567890123456789|E=-x|");
	write_table(path, SHEET_CSV);
	expect_file(path, "[] 1:A=姓名|B=电话|C=次数|D=时间|E=状态| 2:A==1+1|B=+8613800138000|C=-5|D=2025-11-22 08:30:00|"
			  " 3:A=a,\"b\"\nc|B=0086|C=1234567890123456789|E=-x|");
	(void)unlink(path);
}

TEST(csv_holds_no_formula)
{
	char path[40], text[4096];
	size_t n;
	FILE *f;

	temp_name(path);
	write_table(path, SHEET_CSV);
	f = fopen(path, "r");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	(void)fclose(f);
	(void)unlink(path);
	assert_string_equal(text, "\xef\xbb\xbf姓名,电话,次数,时间,状态\r\n'=1+1,'+8613800138000,-5,2025-11-22 08:30:00,\r\n"
				  "\"a,\"\"b\"\"\nc\",0086,1234567890123456789,,'-x\r\n");
}

TEST(text_longer_than_a_cell_is_cut_between_characters)
{
	static const struct sheet_column one[] = {{"x", SHEET_TEXT}};
	char path[40], *text = xcalloc(1, 40000 * 3 + 1);
	struct sheet_writer *w;
	struct sheet_error e;
	struct seen v = {0};

	for (size_t i = 0; i < 40000; i++)
		memcpy(text + i * 3, "中", 3);
	text[120000] = 0;
	temp_name(path);
	assert_int_equal(sheet_writer_open(&w, path, SHEET_XLSX, "", NULL, one, 1), 0);
	sheet_put_text(w, text);
	assert_int_equal(sheet_end_row(w), 0);
	assert_int_equal(sheet_writer_close(w), 0);
	strb_init(&v.b, 1 << 20);
	assert_int_equal(sheet_read_file(path, &handler, &v, NULL, &e), 0);
	assert_int_equal(v.b.len, strlen("[1] 1:A=x| 2:A=|") + 32767 * 3);
	strb_done(&v.b);
	free(text);
	(void)unlink(path);
}

/* Runs Python with openpyxl on @path; false when it is not there. */
static bool python(const char *code, const char *path, char *out, size_t size)
{
	char script[] = "/tmp/sheet_test_py_XXXXXX", *cmd;
	size_t n = 0;
	FILE *f;
	int fd = mkstemp(script), status;

	f = fdopen(fd, "w");
	(void)fprintf(f, "import sys, datetime\ntry:\n    import openpyxl\nexcept ImportError:\n    sys.exit(77)\npath = sys.argv[1]\n%s", code);
	(void)fclose(f);
	/* The distribution's own, which has the distribution's modules. */
	cmd = xasprintf("%s %s %s", access("/usr/bin/python3", X_OK) ? "python3" : "/usr/bin/python3", script, path);
	f = popen(cmd, "r");
	n = fread(out, 1, size - 1, f);
	out[n] = 0;
	status = pclose(f);
	(void)unlink(script);
	free(cmd);
	if (WEXITSTATUS(status) == 77)
		return false;
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

TEST(openpyxl_reads_what_we_write)
{
	char path[40], out[4096];

	temp_name(path);
	write_table(path, SHEET_XLSX);
	if (!python("ws = openpyxl.load_workbook(open(path, 'rb')).worksheets[0]\n"
		    "print(ws.title, ws.freeze_panes, ws.auto_filter.ref)\n"
		    "for row in ws.iter_rows():\n    print([(c.data_type, c.value if not isinstance(c.value, datetime.datetime) else c.value.isoformat()) for c in row])\n"
		    "print([(str(v.sqref), v.formula1, v.prompt) for v in ws.data_validations.dataValidation])\n",
		    path, out, sizeof(out)))
		skip();
	assert_string_equal(out, "人员_1_ A2 A1:E3\n"
				 "[('s', '姓名'), ('s', '电话'), ('s', '次数'), ('s', '时间'), ('s', '状态')]\n"
				 "[('s', '=1+1'), ('s', '+8613800138000'), ('n', -5), ('d', '2025-11-22T08:30:00'), ('n', None)]\n"
				 "[('s', 'a,\"b\"\\nc'), ('s', '0086'), ('s', '1234567890123456789'), ('n', None), ('s', '-x')]\n"
				 "[('E2:E1048576', '\"启用,停用\"', '选一个')]\n");
	(void)unlink(path);
}

TEST(we_read_what_openpyxl_writes)
{
	char path[40], out[64];

	temp_name(path);
	if (!python("wb = openpyxl.Workbook()\nws = wb.active\nws.title = '客户'\n"
		    "ws.append(['客户表', None, None])\nws.merge_cells('A1:C1')\n"
		    "ws.append(['姓名', '电话', '日期'])\n"
		    "ws.append(['张三', 13800138000, datetime.datetime(2025, 11, 22, 8, 30)])\n"
		    "ws.append(['李四', '013800138000', datetime.date(1999, 12, 31)])\n"
		    "ws.append([True, 0.1 + 0.2, datetime.time(9, 15)])\n"
		    "ws.append(['=SUM(1,2)', 123456789012345, None])\n"
		    "ws.row_dimensions[4].hidden = True\nws.column_dimensions['B'].hidden = True\n"
		    "wb.create_sheet('空').sheet_state = 'hidden'\nwb.save(path)\n",
		    path, out, sizeof(out)))
		skip();
	expect_file(path, "[客户] 1:A=客户表| 2:A=姓名|B^=电话|C=日期| 3:A=张三|B^n=13800138000|C@=2025-11-22 08:30:00|"
			  " 4!:A=李四|B^=013800138000|C@=1999-12-31| 5:Ab=TRUE|B^n=0.3|C@=09:15:00| 6:B^n=123456789012345| merge 1,0-1,2[空!]");
	(void)unlink(path);
}

/* Rows pass, they are not kept: what a writer and a reader hold does not grow with them. */
TEST(a_hundred_thousand_rows_go_through)
{
	static const struct sheet_column two[] = {{"n", SHEET_NUMBER}, {"text", SHEET_TEXT}};
	char path[40], text[40];
	struct sheet_writer *w;
	struct sheet_error e;
	struct seen v = {.stop_at = 100001};

	temp_name(path);
	assert_int_equal(sheet_writer_open(&w, path, SHEET_XLSX, "n", NULL, two, 2), 0);
	for (int i = 0; i < 100000; i++) {
		sheet_put_int(w, i);
		(void)snprintf(text, sizeof(text), "1380000%04d", i % 10000);
		sheet_put_text(w, text);
		assert_int_equal(sheet_end_row(w), 0);
	}
	assert_int_equal(sheet_writer_close(w), 0);
	strb_init(&v.b, 16 << 20);
	assert_int_equal(sheet_read_file(path, &handler, &v, NULL, &e), SHEET_STOP);
	assert_non_null(strstr(v.b.buf, " 100001:An=99999|B=13800009999|"));
	strb_done(&v.b);
	(void)unlink(path);
}
