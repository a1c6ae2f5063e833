/* Numbers as anybody may write them: read, written, shown and read again; nothing overflows and nothing changes twice. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "number/guard.h"
#include "number/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const areas[] = {"", "10", "755", "951"};
	struct num_rule rule = {.id = 1, .begins = "0", .strip = 1, .put = "99"};
	struct num_table t = {.id = 1, .rules = &rule, .rule_n = 1, .numbers = "1 2", .pai = true, .rpid = true, .domain = "d"};
	struct num n, again;
	struct num_trace tr = {0};
	struct num_identity id;
	char *text, out[NUM_TEXT_MAX], show[NUM_MAX + 8], lines[600];
	const char *area;

	if (size < 2)
		return 0;
	area = areas[data[0] & 3];
	rule.in = data[0] & 4;
	rule.calling = data[0] & 8;
	rule.len = data[0] & 16 ? 11 : 0;
	rule.strip = data[1] % 40;
	t.called = t.shown = (enum num_form)(data[1] % NUM_FORMS);
	(void)str_copy(t.area, sizeof(t.area), area);
	text = xstrndup((const char *)data + 2, size - 2);
	if (num_read(&n, text, area)) {
		assert(num_read(&again, n.text, area) && again.kind == n.kind && !strcmp(again.text, n.text));
		num_outbound(out, &t, data[0] & 32, &n, text, (enum num_city)(data[0] >> 6 & 1), &tr);
		num_show(show, sizeof(show), &n);
		num_identify(&id, &t, text, "a", "h", &n, &tr);
		num_identity_lines(lines, sizeof(lines), &id);
		assert(!strpbrk(id.number, "\r\n<>\""));
		assert(num_class_of(&n, area) < NUM_CLASSES);
		(void)num_may(&num_rights_default, &n, num_class_of(&n, area), n.text);
	}
	(void)num_inbound(&n, &t, true, text, &tr);
	(void)num_bars(text, "0085212345678");
	(void)num_is_hidden(text, text, text);
	free(text);
	return 0;
}
