/* Cells as anybody may fill them: pieces lie in the text, good numbers are read again as themselves, ID numbers stay what they are. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "number/entry.h"
#include "number/id_number.h"

static void check(const struct num_entry *e, size_t size, const char *area)
{
	struct num_entry again;
	struct num n;

	assert(e->why < NUM_ENTRY_WHYS && e->label < NUM_ENTRY_LABELS);
	assert(e->at + e->len <= size);
	assert(strspn(e->extension, "0123456789") == strlen(e->extension));
	if (e->why)
		return;
	assert(num_read(&n, e->num.text, area) && n.kind == e->num.kind && !strcmp(n.text, e->num.text));
	assert(num_entries(&again, 1, e->num.text, area) == 1 && !again.why && !strcmp(again.num.text, e->num.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const areas[] = {"", "10", "755", "951"};
	struct num_entry e[5];
	struct id_number id, same;
	size_t n;
	char *text;

	if (!size)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	n = num_entries(e, ARRAY_LEN(e), text, areas[data[0] & 3]);
	assert(n == num_entries(NULL, 0, text, areas[data[0] & 3]));
	for (size_t i = 0; i < n && i < ARRAY_LEN(e); i++)
		check(&e[i], strlen(text), areas[data[0] & 3]);
	if (!id_number_read(&id, text, 20261122))
		assert(!id_number_read(&same, id.text, 20261122) && !strcmp(id.text, same.text) && id_number_age(&id, 20261122) >= 0);
	free(text);
	return 0;
}
