/*
 * Intrusive doubly linked list. A link lives in the object; the head is a link too, so an empty
 * list points at itself and no operation has a special case. Linking never allocates or fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ilink {
	struct ilink *next, *prev; /* both NULL: not in any list */
};

#define ILIST_INIT(head) {&(head), &(head)}

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void ilist_init(struct ilink *head)
{
	head->next = head->prev = head;
}

static inline bool ilist_empty(const struct ilink *head)
{
	return head->next == head;
}

static inline bool ilink_linked(const struct ilink *l)
{
	return l->next != NULL;
}

static inline void ilink_insert_after(struct ilink *pos, struct ilink *l)
{
	l->prev = pos;
	l->next = pos->next;
	pos->next->prev = l;
	pos->next = l;
}

static inline void ilist_push_front(struct ilink *head, struct ilink *l)
{
	ilink_insert_after(head, l);
}

static inline void ilist_push_back(struct ilink *head, struct ilink *l)
{
	ilink_insert_after(head->prev, l);
}

/** Unlinking what is in no list is a no-op, so destructors may always call it. */
static inline void ilink_unlink(struct ilink *l)
{
	if (!l->next)
		return;
	l->next->prev = l->prev;
	l->prev->next = l->next;
	l->next = l->prev = NULL;
}

static inline struct ilink *ilist_pop_front(struct ilink *head)
{
	struct ilink *l = head->next;

	if (l == head)
		return NULL;
	ilink_unlink(l);
	return l;
}

/** Walks a list; the current entry may be unlinked by the body. */
#define ilist_each(head, l) \
	for (struct ilink *l = (head)->next, *l##_next = l->next; l != (head); l = l##_next, l##_next = l->next)

#define ilist_each_entry(head, var, type, member)                                                          \
	for (type *var = container_of((head)->next, type, member),                                         \
		  *var##_next = container_of(var->member.next, type, member);                              \
	     &var->member != (head);                                                                       \
	     var = var##_next, var##_next = container_of(var->member.next, type, member))
