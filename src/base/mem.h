/*
 * Memory. Objects carry a destructor and a reference count that is *not* atomic: an object belongs to one
 * thread. What crosses threads is a value, a handle, or a `struct snap` (atomic count, immutable).
 * Names differ from libre's mem_* on purpose: an executable's symbols would replace the library's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef void(obj_destroy_fn)(void *);

/** Zeroed memory with one reference; NULL when memory is out. @destroy may be NULL and survives half-built objects. */
void *obj_new(size_t size, obj_destroy_fn *destroy);
void *obj_ref(void *p);
/** Drops one reference, NULL is fine. Always answers NULL: `p = obj_unref(p);` */
void *obj_unref(void *p);

/* Plain allocation that aborts when memory is out: for start-up and for small things. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Arena: many small pieces, freed together. One thread at a time. */
struct arena;
struct arena *arena_new(size_t chunk_bytes);
void arena_free(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, 16-byte aligned; aborts when memory is out */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Immutable snapshot shared between threads; the last holder frees it, from any thread. */
struct snap;
struct snap *snap_new(void *data, void (*free_data)(void *));
struct snap *snap_ref(struct snap *s);
void snap_unref(struct snap *s);
const void *snap_data(const struct snap *s);
