/* What others ask of customers: whose number is it, and what a contact changes. */
#include "people/customer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "number/entry.h"

int people_customer_of(struct db *db, int64_t centre_id, const char *number, struct people_customer *ret)
{
	struct db_stmt *st;
	int r;

	/* customer_phones_number (centre_id, number), then primary keys. */
	r = db_prepare(&st, db,
		       "SELECT c.id, COALESCE(c.owner_id, 0), COALESCE(c.team_id, 0), COALESCE(c.type_id, 0), c.name, y.name, p.state"
		       " FROM customer_phones p JOIN customers c ON c.id = p.customer_id LEFT JOIN customer_types y ON y.id = c.type_id"
		       " WHERE p.centre_id = $1 AND p.number = $2 AND c.state = 'active'");
	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_text(st, 2, number);
	r = db_step(st);
	if (r == DB_ROW) {
		*ret = (struct people_customer){.id = db_i64(st, 0), .owner_id = db_i64(st, 1), .team_id = db_i64(st, 2), .type_id = db_i64(st, 3)};
		(void)str_copy(ret->name, sizeof(ret->name), db_text(st, 4) ? db_text(st, 4) : "");
		(void)str_copy(ret->type, sizeof(ret->type), db_text(st, 5) ? db_text(st, 5) : "");
		ret->blocked = !strcmp(db_text(st, 6), "never");
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

int customer_number_normal(char *ret, size_t size, const char **what, struct res_ctx *c, const char *text)
{
	struct num_entry e = {0};

	if (num_entries(&e, 1, text, "") != 1 || e.why != NUM_E_OK) {
		*what = e.why == NUM_E_SHORT ? "few_digits" : "number";
		return 1;
	}
	return str_copy(ret, size, e.num.text) ? 0 : -ENAMETOOLONG;
}

int customer_main_phone(struct db *db, int64_t customer_id, int64_t except)
{
	int r = db_run(db,
		       "UPDATE customers SET phone = (SELECT p.number FROM customer_phones p WHERE p.customer_id = $1 AND p.id <> $2"
		       " ORDER BY p.sort, p.id LIMIT 1) WHERE id = $1",
		       "ii", customer_id, except);

	/* The last four digits are shown to everybody. */
	return r ? r : db_run(db, "UPDATE customers SET name = '客户' || substr(phone, length(phone) - 3) WHERE id = $1 AND name IS NULL", "i",
			      customer_id);
}

int people_customer_contact(struct db *db, int64_t customer_id, int64_t at_ms)
{
	int r = db_run(db,
		       "UPDATE customers SET contact_n = contact_n + 1, last_ms = CASE WHEN last_ms > $2 THEN last_ms ELSE $2 END WHERE id = $1",
		       "ii", customer_id, at_ms);

	return r ? r : customer_back_set(db, customer_id);
}

int customer_within(bool *ret, struct res_ctx *c, int64_t customer_id, bool write)
{
	struct res_error e = {0};
	struct res_ctx quiet = *c;
	int r;

	quiet.error = &e; /* that he may not is an answer */
	r = res_may_row(&quiet, &people_customers, customer_id, write ? RES_WRITE : RES_READ);
	res_error_done(&e);
	*ret = !r;
	return r < 0 ? r : 0;
}

int customer_seen(json_t **ret, struct res_ctx *c, int64_t customer_id)
{
	static const char *const shown[] = {"id", "rev", "name", "phone", "company", "owner_id", "owner_id_label", "type_id_label", "state"};
	json_t *row = NULL;
	bool within = false;
	int r = customer_within(&within, c, customer_id, false);

	if (!r && within)
		r = res_get(&row, c, &people_customers, customer_id);
	if (r || !row)
		return r;
	*ret = json_object();
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (json_object_get(row, shown[i]))
			(void)json_object_set(*ret, shown[i], json_object_get(row, shown[i]));
	json_decref(row);
	return 0;
}

int customer_change(struct res_ctx *c, int64_t id, json_t *patch, json_t *set)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *row = NULL;
	int r;

	who.system = true; /* who asks stays in the audit */
	own.who = &who;
	own.once = NULL;
	own.prepared = set ? json_pack("{s:o}", "set", set) : NULL;
	r = res_update(&row, &own, &people_customers, id, patch, RES_REV_ANY);
	res_ctx_done(&own);
	json_decref(row);
	json_decref(patch);
	return r;
}

int customer_row(json_t **ret, struct res_ctx *c, int64_t id)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;

	who.system = true;
	own.who = &who;
	return res_get(ret, &own, &people_customers, id);
}

int customer_shown(json_t **ret, struct res_ctx *c, int64_t id)
{
	bool within = false;
	int r = customer_within(&within, c, id, false);

	if (r)
		return r;
	if (within)
		return res_get(ret, c, &people_customers, id);
	*ret = json_null();
	return 0;
}

json_t *customer_number_shown(const struct res_who *who, const char *number)
{
	char *masked;
	json_t *v;

	if (!number)
		return json_null();
	if (res_unmasked(who))
		return json_string(number);
	masked = res_mask(number);
	v = json_string(masked);
	free(masked);
	return v;
}
