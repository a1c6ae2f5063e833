#include "app/rec_check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "media/media.h"

#define TAIL 5 /* YYYY/MM/DD/HH/id.wav: what of a path stays when recordings are moved */

struct checker {
	struct rec_check *ret;
	struct db *db;
	const char *dir;
	struct hmap paths; /* by part: where it was written, until it closes */
};

static const char *tail_of(const char *path)
{
	const char *p = path + strlen(path);

	for (int n = 0; p > path; p--)
		if (p[-1] == '/' && ++n == TAIL)
			break;
	return p;
}

static int64_t part_of(const json_t *body)
{
	int64_t part = 0;

	return str_to_i64(&part, json_string_value(json_object_get(body, "part")) ?: "", 1, INT64_MAX) ? part : 0;
}

/* What a person's erasing took away is no damage. */
static bool was_erased(struct db *db, int64_t part)
{
	int64_t n = 0;

	return !db_get_i64(&n, db, "SELECT COUNT(*) FROM recording_part WHERE id = $1 AND state = 'erased'", "i", part) && n;
}

static int wrong(struct checker *c, const struct ev *e, int64_t part, const char *path, const char *what)
{
	if (was_erased(c->db, part)) {
		c->ret->erased++;
		return 0;
	}
	c->ret->part = part;
	c->ret->call_id = e->call_id;
	c->ret->epoch = e->epoch;
	c->ret->n = e->n;
	c->ret->wrong = what;
	(void)str_copy(c->ret->path, sizeof(c->ret->path), path);
	return 1;
}

static int closed(struct checker *c, const struct ev *e, const json_t *body)
{
	const char *hash = json_string_value(json_object_get(body, "hash"));
	int64_t part = part_of(body);
	char *written = hmap_del(&c->paths, (uint64_t)part), *path, is[65];
	int r;

	if (!hash || !*hash) {
		c->ret->unheard++;
		free(written);
		return 0;
	}
	if (!written)
		return wrong(c, e, part, "", "missing");
	path = c->dir ? xasprintf("%s/%s", c->dir, tail_of(written)) : xstrdup(written);
	r = med_rec_hash(path, is);
	if (r)
		r = wrong(c, e, part, path, "missing");
	else if (strcmp(is, hash) != 0)
		r = wrong(c, e, part, path, "altered");
	else
		c->ret->whole++;
	free(path);
	free(written);
	return r;
}

static int look(const struct ev *e, void *arg)
{
	struct checker *c = arg;
	json_t *body;
	int r = 0;

	if (e->kind != EV_REC_OPEN && e->kind != EV_REC_CLOSE)
		return 0;
	body = json_loadb(e->body, e->body_len, 0, NULL);
	if (e->kind == EV_REC_CLOSE)
		r = closed(c, e, body);
	else
		free(hmap_set(&c->paths, (uint64_t)part_of(body), xstrdup(json_string_value(json_object_get(body, "path")) ?: "")));
	json_decref(body);
	return r;
}

int rec_check(struct rec_check *ret, struct db *db, const char *dir)
{
	struct checker c = {.ret = ret, .db = db, .dir = dir};
	size_t pos = 0;
	int r;

	*ret = (struct rec_check){0};
	hmap_init(&c.paths, false);
	r = journal_read(db, 0, 0, look, &c);
	for (char *p; (p = hmap_next(&c.paths, &pos));) /* those that are being recorded */
		free(p);
	hmap_done(&c.paths);
	return r;
}
