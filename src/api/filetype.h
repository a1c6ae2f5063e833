/* What a file is, by its bytes: only kinds that a browser shows without running anything of them. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct filetype {
	const char *mime;
	const char *ext;   /* ".png"; what a name of it ends in */
	const char *other; /* another ending it may have; NULL */
	char kind;         /* 'i' picture, 'a' sound, 'p' PDF, 'd' a document that is only downloaded */
};

/** @data: the whole file. NULL: none of the kinds that are taken. Pages (HTML, SVG, XML), macros, archives and films are none. */
const struct filetype *filetype_find(const uint8_t *data, size_t n);
/** By what filetype_find said once; NULL for anything else. */
const struct filetype *filetype_of_mime(const char *mime);

/**
 * A name fit to be kept and shown: no folders, no control characters or marks that turn the direction of writing, at most 120
 * characters, and with an ending that says what @t is. @ret holds at least 512 bytes.
 */
void filetype_name(char *ret, size_t size, const char *name, const struct filetype *t);
