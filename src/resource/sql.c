/*
 * The SQL of a declaration. Identifiers come from declarations only; every value is bound. Texts are made once per
 * declaration, so that a connection's cache of prepared statements finds them again.
 */
#include "resource/engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct res_sql *all;
static size_t all_n;
static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct res_def *res_find(const char *name)
{
	for (size_t i = 0; res_all[i]; i++)
		if (!strcmp(res_all[i]->name, name))
			return res_all[i];
	return NULL;
}

int res_field_find(const struct res_def *d, const char *name)
{
	for (size_t i = 0; i < d->field_n; i++)
		if (!strcmp(d->fields[i].name, name))
			return (int)i;
	return -1;
}

static const struct res_def *must_find(const struct res_def *from, const char *name)
{
	const struct res_def *d = res_find(name);

	if (!d)
		log_error("resource=%s refers to resource=%s, which nobody declares", from->name, name);
	assert(d);
	return d;
}

/* "SELECT t.id, ..., t.<fields>, <labels>" and "FROM <table> t LEFT JOIN ...". */
static void make_select(struct res_sql *s)
{
	const struct res_def *d = s->d;
	struct strb cols, from;

	strb_init(&cols, 65536);
	strb_init(&from, 65536);
	strb_puts(&cols, "SELECT t.id, t.rev, t.created_ms, t.updated_ms");
	strb_printf(&from, " FROM %s t", d->table);
	for (size_t i = 0; i < d->field_n; i++)
		strb_printf(&cols, ", t.%s", res_column(&d->fields[i]));
	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];
		const struct res_def *r;

		if (!res_field_refers(f))
			continue;
		r = must_find(d, f->ref);
		strb_printf(&cols, ", r%zu.%s, r%zu.%s", i, res_label_column(r), i, r->label_en ? r->label_en : res_label_column(r));
		if (f->type == RES_KEY)
			strb_printf(&from, " LEFT JOIN %s r%zu ON r%zu.%s = t.%s AND r%zu.centre_id = t.centre_id", r->table, i, i, r->key, res_column(f), i);
		else
			strb_printf(&from, " LEFT JOIN %s r%zu ON r%zu.id = t.%s", r->table, i, i, res_column(f));
	}
	s->cols = strb_take(&cols);
	s->from = strb_take(&from);
	s->get = xasprintf("%s%s WHERE t.centre_id = $1 AND t.id = $2", s->cols, s->from);
}

static void make_writes(struct res_sql *s)
{
	const struct res_def *d = s->d;
	struct strb ins, val, upd;

	strb_init(&ins, 65536);
	strb_init(&val, 65536);
	strb_init(&upd, 65536);
	strb_printf(&ins, "INSERT INTO %s (id, centre_id, rev, created_ms, updated_ms", d->table);
	strb_puts(&val, "$1, $2, $3, $4, $5");
	strb_printf(&upd, "UPDATE %s SET rev = rev + 1, updated_ms = $4", d->table);
	for (size_t i = 0; i < d->field_n; i++) {
		strb_printf(&ins, ", %s", res_column(&d->fields[i]));
		strb_printf(&val, ", $%zu", i + 6);
		strb_printf(&upd, ", %s = $%zu", res_column(&d->fields[i]), i + 5);
	}
	s->insert = xasprintf("%s) VALUES (%s)", ins.buf, val.buf);
	s->update = xasprintf("%s WHERE id = $1 AND centre_id = $2 AND rev = $3", upd.buf);
	s->remove = xasprintf("DELETE FROM %s WHERE id = $1 AND centre_id = $2", d->table);
	for (size_t i = 0; d->many && d->many->columns && d->many->columns[i]; i++) {
		strb_printf(&ins, ", %s", d->many->columns[i]);
		strb_printf(&val, ", $%zu", d->field_n + i + 6);
		if (!d->many->columns[i + 1])
			s->insert_many = xasprintf("%s) VALUES (%s)", ins.buf, val.buf);
	}
	strb_done(&ins);
	strb_done(&val);
	strb_done(&upd);
}

/* @names: "a,b". The row's own id is left out of the search. */
static void add_unique(struct res_sql *s, const char *names)
{
	struct res_unique *u;
	struct strb b;
	char part[64];

	s->unique = xrealloc(s->unique, (s->unique_n + 1) * sizeof(*s->unique));
	u = &s->unique[s->unique_n++];
	*u = (struct res_unique){0};
	strb_init(&b, 4096);
	strb_printf(&b, "SELECT 1 FROM %s WHERE centre_id = $1 AND id <> $2", s->d->table);
	while (*names) {
		size_t len = strcspn(names, ",");
		int f;

		assert(u->n < ARRAY_LEN(u->field) && len < sizeof(part));
		memcpy(part, names, len);
		part[len] = 0;
		f = res_field_find(s->d, part);
		assert(f >= 0);
		strb_printf(&b, " AND %s IS NOT DISTINCT FROM $%zu", res_column(&s->d->fields[f]), u->n + 3);
		u->field[u->n++] = (size_t)f;
		names += len + (names[len] == ',');
	}
	strb_puts(&b, " LIMIT 1");
	u->sql = strb_take(&b);
}

static void add_use(struct res_sql *s, const struct res_def *by, const struct res_field *f)
{
	s->uses = xrealloc(s->uses, (s->use_n + 1) * sizeof(*s->uses));
	s->uses[s->use_n++] = (struct res_use){
		.by = by,
		.column = f->type == RES_KEY ? NULL : res_column(f),
		/* An id is one centre's, so the centre is not asked for: SQLite would rather walk an index of the whole centre. */
		.sql = f->type == RES_KEY ? xasprintf("SELECT COUNT(*) FROM %s b JOIN %s k ON k.centre_id = b.centre_id AND k.%s = b.%s WHERE k.id = $1",
						      by->table, s->d->table, s->d->key, res_column(f))
					  : xasprintf("SELECT COUNT(*) FROM %s WHERE %s = $1 AND id <> $1", by->table, res_column(f)),
	};
}

static void make_checks(struct res_sql *s)
{
	const struct res_def *d = s->d;

	for (size_t i = 0; i < d->field_n; i++) {
		const struct res_field *f = &d->fields[i];

		if (f->flags & RES_UNIQUE)
			add_unique(s, f->name);
		if (res_field_refers(f))
			s->ref[i] = xasprintf("SELECT 1 FROM %s WHERE centre_id = $1 AND %s = $2", must_find(d, f->ref)->table,
					      f->type == RES_KEY ? must_find(d, f->ref)->key : "id");
	}
	for (size_t i = 0; d->unique && d->unique[i]; i++)
		add_unique(s, d->unique[i]);
	for (size_t i = 0; res_all[i]; i++)
		for (size_t k = 0; k < res_all[i]->field_n; k++)
			if (res_field_refers(&res_all[i]->fields[k]) && !strcmp(res_all[i]->fields[k].ref, d->name))
				add_use(s, res_all[i], &res_all[i]->fields[k]);
}

void res_sql_make(struct res_sql *s, const struct res_def *d)
{
	assert(d->field_n <= RES_FIELDS_MAX);
	s->d = d;
	make_select(s);
	make_writes(s);
	make_checks(s);
}

void res_sql_done(struct res_sql *s)
{
	for (size_t i = 0; i < s->unique_n; i++)
		free(s->unique[i].sql);
	for (size_t i = 0; i < s->use_n; i++)
		free(s->uses[i].sql);
	for (size_t i = 0; i < ARRAY_LEN(s->ref); i++)
		free(s->ref[i]);
	free(s->unique);
	free(s->uses);
	free(s->cols);
	free(s->from);
	free(s->get);
	free(s->insert);
	free(s->insert_many);
	free(s->update);
	free(s->remove);
}

static void make_all(void)
{
	while (res_all[all_n])
		all_n++;
	all = xcalloc(all_n, sizeof(*all));
	for (size_t i = 0; i < all_n; i++)
		res_sql_make(&all[i], res_all[i]);
}

void res_put_places(struct strb *b, int from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strb_printf(b, "%s$%zu", i ? ", " : "", (size_t)from + i);
}

size_t res_places(size_t n)
{
	static const size_t sizes[] = {8, 32, RES_PLACES_MAX};
	size_t i = 0;

	while (i < ARRAY_LEN(sizes) - 1 && n > sizes[i])
		i++;
	return sizes[i];
}

const struct res_sql *res_sql_of(const struct res_def *d)
{
	if (d->base)
		return res_custom_sql(d);
	(void)pthread_once(&once, make_all);
	for (size_t i = 0; i < all_n; i++)
		if (all[i].d == d)
			return &all[i];
	assert(!"a declaration that is not in res_all");
	return NULL;
}
