/*
 * Parts of workbooks. First byte: 0 to 3 the part that the rest is (sheet, sharedStrings, styles, workbook) in an archive that is else
 * sound; anything else: the rest is the whole archive.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "sheet/sheet.h"

#define REL(id, type, target) "<Relationship Id=\"" id "\" Type=\"x/" type "\" Target=\"" target "\"/>"

static const struct {
	const char *name, *sound;
} parts[] = {
	{"xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\" s=\"1\"><v>0</v></c><c s=\"1\"><v>45000.5</v></c></row>"
				     "</sheetData></worksheet>"},
	{"xl/sharedStrings.xml", "<sst><si><t>a</t></si></sst>"},
	{"xl/styles.xml", "<styleSheet><cellXfs><xf/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"},
	{"xl/workbook.xml", "<workbook><sheets><sheet name=\"a\" r:id=\"a\"/></sheets></workbook>"},
	{"_rels/.rels", "<r>" REL("r", "officeDocument", "xl/workbook.xml") "</r>"},
	{"xl/_rels/workbook.xml.rels", "<r>" REL("a", "worksheet", "worksheets/sheet1.xml") REL("b", "sharedStrings", "sharedStrings.xml")
				       REL("c", "styles", "styles.xml") "</r>"},
};

static int row(void *arg, const struct sheet_row *r)
{
	assert(r->n && r->n <= 50 && r->cells[r->n - 1].kind != SHEET_EMPTY);
	for (size_t i = 0; i < r->n; i++)
		assert(r->cells[i].len <= 1000 && !r->cells[i].text[r->cells[i].len]);
	return 0;
}

static void judge(const void *data, size_t size)
{
	const struct sheet_limits limits = {.bytes = 1 << 20, .strings = 65536, .columns = 50, .text = 1000, .entries = 100};
	struct sheet_error e;
	int r = sheet_read(data, size, &(struct sheet_handler){.row = row}, NULL, &limits, &e);

	assert(r == 0 || (r == SHEET_BAD && e.code));
}

static void in_archive(unsigned which, const uint8_t *data, size_t size)
{
	zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, NULL);
	zip_t *z = zip_open_from_source(out, ZIP_TRUNCATE, NULL);
	zip_stat_t st;
	char *bytes;

	zip_source_keep(out);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		zip_source_t *s = i == which ? zip_source_buffer(z, data, size, 0) : zip_source_buffer(z, parts[i].sound, strlen(parts[i].sound), 0);
		zip_int64_t at = zip_file_add(z, parts[i].name, s, 0);

		(void)zip_set_file_compression(z, (zip_uint64_t)at, ZIP_CM_STORE, 0);
	}
	assert(!zip_close(z));
	assert(!zip_source_open(out) && !zip_source_stat(out, &st));
	bytes = malloc(st.size);
	assert(zip_source_read(out, bytes, st.size) == (zip_int64_t)st.size);
	(void)zip_source_close(out);
	zip_source_free(out);
	judge(bytes, st.size);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] < 4)
		in_archive(data[0], data + 1, size - 1);
	else
		judge(data + 1, size - 1);
	return 0;
}
