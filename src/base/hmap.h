/*
 * Hash map from a 64-bit key or a string to a pointer. Open addressing, grows by itself. The map does not own
 * its values; string keys are borrowed from the value and must live as long as the entry. Strings are hashed
 * with a per-process secret, since strangers choose them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmap_entry {
	uint64_t hash;
	uint64_t key;     /* for string maps: the pointer */
	void *value;      /* NULL: empty; HMAP_GONE: deleted */
};

struct hmap {
	struct hmap_entry *slots;
	size_t cap, count, used; /* used counts deleted slots too */
	bool strings;
};

void hmap_init(struct hmap *m, bool string_keys);
void hmap_done(struct hmap *m);
void *hmap_get(const struct hmap *m, uint64_t key);
void *hmap_get_str(const struct hmap *m, const char *key);
/** Sets or replaces; @value is not NULL. Answers what was there before. */
void *hmap_set(struct hmap *m, uint64_t key, void *value);
void *hmap_set_str(struct hmap *m, const char *key, void *value);
/** Removes; answers what was there, or NULL. */
void *hmap_del(struct hmap *m, uint64_t key);
void *hmap_del_str(struct hmap *m, const char *key);
/** Walks in no particular order: start with *pos = 0, NULL at the end. The current entry may be deleted. */
void *hmap_next(const struct hmap *m, size_t *pos);
