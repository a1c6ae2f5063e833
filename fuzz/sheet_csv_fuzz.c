/* Text of strangers as CSV, with tight limits: it is read or refused with a code; cells are whole texts within the limits. */
#include <assert.h>
#include <string.h>

#include "sheet/sheet.h"

static int row(void *arg, const struct sheet_row *r)
{
	unsigned *last = arg;

	assert(r->number > *last && r->n && r->n <= 50 && r->cells[r->n - 1].kind != SHEET_EMPTY);
	*last = r->number;
	for (size_t i = 0; i < r->n; i++)
		assert(strlen(r->cells[i].text) == r->cells[i].len && r->cells[i].len <= 1000);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sheet_limits limits = {.columns = 50, .rows = 1000, .text = 1000};
	struct sheet_error e;
	unsigned last = 0;
	int r = sheet_read(data, size, &(struct sheet_handler){.row = row}, &last, &limits, &e);

	assert(r == 0 || (r == SHEET_BAD && e.code));
	return 0;
}
