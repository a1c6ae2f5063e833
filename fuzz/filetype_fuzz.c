/* What a stranger hands in as a file: found to be something or nothing, and its name is always fit to be kept. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/filetype.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct filetype *t = filetype_find(data, size);
	char name[512], *given;

	if (!t)
		t = filetype_of_mime("image/png");
	assert(filetype_of_mime(t->mime) == t);
	given = xstrndup((const char *)data, size);
	filetype_name(name, sizeof(name), given, t);
	assert(name[0] && name[0] != '.' && !strchr(name, '/') && !strchr(name, '\\') && str_is_utf8(name, strlen(name)));
	free(given);
	return 0;
}
