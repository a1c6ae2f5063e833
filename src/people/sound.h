/* Announcements that people have taught: what is more than plain rows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct db;
struct res_ctx;
struct json_t;

struct people_sound {
	const char *name, *class, *note, *source; /* note may be NULL */
	int64_t length_ms;
	const void *print, *alaw;
	size_t print_n, alaw_n;
};
/** Makes the row with its sound; as res_create. On the writer, in its transaction. */
int people_sound_new(struct json_t **ret, struct res_ctx *c, const struct people_sound *s);
