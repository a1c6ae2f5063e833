#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct obj_head {
	obj_destroy_fn *destroy;
	uint32_t refs;
	uint32_t magic; /* catches a pointer that obj_new never made, and a second free */
};

#define OBJ_MAGIC 0x4f424a31u
static_assert(sizeof(struct obj_head) == 16, "objects stay 16-byte aligned");

static struct obj_head *obj_head(void *p)
{
	struct obj_head *h = (struct obj_head *)p - 1;

	assert(h->magic == OBJ_MAGIC);
	return h;
}

void *obj_new(size_t size, obj_destroy_fn *destroy)
{
	struct obj_head *h = calloc(1, sizeof(*h) + size);

	if (!h)
		return NULL;
	h->destroy = destroy;
	h->refs = 1;
	h->magic = OBJ_MAGIC;
	return h + 1;
}

void *obj_ref(void *p)
{
	if (p)
		obj_head(p)->refs++;
	return p;
}

void *obj_unref(void *p)
{
	struct obj_head *h;

	if (!p)
		return NULL;
	h = obj_head(p);
	if (h->refs > 1) {
		h->refs--;
		return NULL;
	}
	/* The count stays at one while the destructor runs, so that a ref/unref pair in it is harmless. */
	if (h->destroy)
		h->destroy(p);
	h->magic = 0;
	free(h);
	return NULL;
}

static void *must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return must(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return must(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s);
}

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct arena {
	struct chunk *chunks; /* the first one is being filled */
	size_t chunk_bytes;
};

struct arena *arena_new(size_t chunk_bytes)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->chunk_bytes = chunk_bytes ? chunk_bytes : 4096;
	return a;
}

static void chunks_free(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	chunks_free(a->chunks);
	free(a);
}

void arena_reset(struct arena *a)
{
	if (!a->chunks)
		return;
	chunks_free(a->chunks->next);
	a->chunks->next = NULL;
	a->chunks->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t bytes = size > a->chunk_bytes ? size : a->chunk_bytes;

		c = must(malloc(sizeof(*c) + bytes));
		c->next = a->chunks;
		c->used = 0;
		c->size = bytes;
		a->chunks = c;
	}
	p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p;

	n = strnlen(s, n);
	p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

struct snap {
	atomic_uint refs;
	void *data;
	void (*free_data)(void *);
};

struct snap *snap_new(void *data, void (*free_data)(void *))
{
	struct snap *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	s->data = data;
	s->free_data = free_data;
	return s;
}

struct snap *snap_ref(struct snap *s)
{
	if (s)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void snap_unref(struct snap *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (s->free_data)
		s->free_data(s->data);
	free(s);
}

const void *snap_data(const struct snap *s)
{
	return s->data;
}
