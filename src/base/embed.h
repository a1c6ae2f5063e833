/* Files embedded in the program (see hw_embed in cmake/modules.cmake). Sorted by name; data is followed by a NUL. */
#pragma once

#include <stddef.h>
#include <string.h>

struct embed_file {
	const char *name;
	const unsigned char *data;
	size_t size;
};

static inline const struct embed_file *embed_find(const struct embed_file *files, size_t n, const char *name)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;
		int c = strcmp(files[mid].name, name);

		if (!c)
			return &files[mid];
		if (c < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return NULL;
}
