/* Sound files that an administrator uploads. */
#include <stdlib.h>

#include "media/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out;
	size_t n;

	if (!mprompt_wav(&out, &n, data, size))
		free(out);
	return 0;
}
