/*
 * The ring: a file on tmpfs, mapped, with one writer (the switch thread) and one reader (the store thread). Its data
 * is mapped twice, one copy behind the other, so that a record that crosses the end is still one piece.
 *
 *   page 0: head and tail count bytes since the file was made; head is moved only when a record is whole
 *   then:   @bytes of records
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ring_head {
	char magic[8];
	uint32_t version, zero;
	uint64_t bytes;           /* of data */
	_Atomic int64_t epoch;    /* whose records are at the head */
	_Atomic int64_t alive_ms; /* when that process was last known to live */
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t tail;
};

struct ring {
	int fd;
	struct ring_head *h;
	uint8_t *data;
	uint64_t bytes;
	uint64_t warm, cool; /* store thread: mapped up to, let go up to */
};

/**
 * Opens or makes the file. A ring that holds records keeps its size; a file that is no ring is moved aside.
 * -EBUSY: another process has it. -ENOSPC: tmpfs is too small (all of it is taken now, never by SIGBUS later).
 */
int ring_open(struct ring *r, const char *path, size_t bytes);
void ring_close(struct ring *r);
/**
 * Store thread, now and then: maps the pages ahead of the head, so that the switch thread takes no page fault, and lets
 * go of those behind the tail, so that the process stays small.
 */
void ring_warm(struct ring *r);

static inline uint8_t *ring_at(const struct ring *r, uint64_t pos)
{
	return r->data + pos % r->bytes;
}

static inline uint64_t ring_used(const struct ring *r)
{
	return atomic_load_explicit(&r->h->head, memory_order_acquire) -
	       atomic_load_explicit(&r->h->tail, memory_order_acquire);
}
