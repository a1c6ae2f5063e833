/* Lines from a program of others to the pacing core, one after the other: refused as a whole, or answered within what may be answered. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "sim/pacing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pace_conf conf = PACE_CONF_DEFAULT;
	struct pacing_line *l = pacing_line_new(&conf, 8 * 3600000);
	char *text = xcalloc(1, size + 1), *at = text, *line;

	memcpy(text, data, size);
	while ((line = strsep(&at, "\n"))) {
		struct pace_out out;

		if (!pacing_line_read(l, line, &out))
			assert(out.launch >= 0 && out.hangup >= 0);
	}
	free(text);
	pacing_line_free(l);
	return 0;
}
