/* Do the declarations and the tables agree? Asked once at start, and by a test. */
#include "resource/engine.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 128

struct column {
	char name[64], type[32];
	bool required; /* NOT NULL without a default */
};

static const struct res_field base_fields[] = {
	{"id", RES_REF}, {"centre_id", RES_REF}, {"rev", RES_INT}, {"created_ms", RES_TIME}, {"updated_ms", RES_TIME},
};

static const char *type_wanted(enum res_type t)
{
	switch (t) {
	case RES_INT:
	case RES_BOOL:
	case RES_REF:
	case RES_ID:
	case RES_TIME:
		return "BIGINT";
	default:
		return "TEXT";
	}
}

/* Number of columns; 0: no such table; negative. */
static int columns_read(struct column *cols, struct db *db, const char *table)
{
	struct db_stmt *st;
	int n = 0, r;

	r = db_prepare(&st, db, db_columns_sql(db));
	if (r)
		return r;
	db_bind_text(st, 1, table);
	while ((r = db_step(st)) == DB_ROW && n < COLUMNS_MAX) {
		(void)str_copy(cols[n].name, sizeof(cols[n].name), db_text(st, 0));
		(void)str_copy(cols[n].type, sizeof(cols[n].type), db_text(st, 1));
		cols[n++].required = db_i64(st, 2);
	}
	db_done(st);
	return r < 0 ? r : n;
}

static char *check_field(const struct column *cols, int n, const char *table, const struct res_field *f)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(cols[i].name, res_column(f)) != 0)
			continue;
		if (strcmp(cols[i].type, type_wanted(f->type)) != 0)
			return xasprintf("%s.%s is %s, the declaration wants %s", table, res_column(f), cols[i].type,
					 type_wanted(f->type));
		return NULL;
	}
	return xasprintf("%s has no column %s", table, res_column(f));
}

/* A column that must be given and that no declaration gives would refuse every row. */
static char *check_column(const struct res_def *d, const struct column *col)
{
	for (size_t i = 0; i < ARRAY_LEN(base_fields); i++)
		if (!strcmp(base_fields[i].name, col->name))
			return NULL;
	if (!col->required || res_field_find(d, col->name) >= 0)
		return NULL;
	return xasprintf("%s.%s must be given, and no declaration knows it", d->table, col->name);
}

/* The columns that custom fields claim. */
static char *check_spare(const struct column *cols, int n, const char *table)
{
	char name[8], *wrong = NULL;
	struct res_field f = {.name = name};

	for (int i = 1; !wrong && i <= RES_SLOTS_TEXT; i++) {
		(void)snprintf(name, sizeof(name), "x%d", i);
		wrong = check_field(cols, n, table, &f);
	}
	f.type = RES_INT;
	for (int i = 1; !wrong && i <= RES_SLOTS_NUMBER; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		wrong = check_field(cols, n, table, &f);
	}
	return wrong;
}

static char *check_def(struct db *db, const struct res_def *d)
{
	struct column cols[COLUMNS_MAX];
	char *wrong = NULL;
	int n;

	n = columns_read(cols, db, d->table);
	if (n < 0)
		return xasprintf("table %s cannot be read: %s", d->table, db_error(db));
	if (!n)
		return xasprintf("there is no table %s", d->table);
	for (size_t i = 0; !wrong && i < ARRAY_LEN(base_fields); i++)
		wrong = check_field(cols, n, d->table, &base_fields[i]);
	for (size_t i = 0; !wrong && i < d->field_n; i++)
		wrong = check_field(cols, n, d->table, &d->fields[i]);
	for (int i = 0; !wrong && i < n; i++)
		wrong = check_column(d, &cols[i]);
	if (!wrong && d->custom)
		wrong = check_spare(cols, n, d->table);
	return wrong;
}

char *res_check_schema(struct db *db)
{
	char *wrong = NULL;

	for (size_t i = 0; !wrong && res_all[i]; i++)
		wrong = check_def(db, res_all[i]);
	return wrong;
}
