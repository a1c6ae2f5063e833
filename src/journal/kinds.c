/* Names, versions and classes of the kinds of event. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "journal/journal.h"

static const struct {
	const char *name;
	enum ev_class class;
	int v;
} kinds[] = {
#define ROW(id, name, class, v) [id] = {name, EV_CLASS_##class, v},
	EV_KINDS(ROW)
#undef ROW
};

const char *ev_kind_name(enum ev_kind k)
{
	return kinds[k].name;
}

int ev_kind_version(enum ev_kind k)
{
	return kinds[k].v;
}

enum ev_class ev_kind_class(enum ev_kind k)
{
	return kinds[k].class;
}

const char *ev_class_name(enum ev_class c)
{
	static const char *const names[] = {"in", "out", "cfg", "snap", "fact"};

	return names[c];
}

int ev_kind_parse(enum ev_kind *ret, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name)) {
			*ret = (enum ev_kind)i;
			return 0;
		}
	return -EINVAL;
}
