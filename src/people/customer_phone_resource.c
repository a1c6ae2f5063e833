/*
 * A customer's telephones. A number is stored as number/ writes it, and belongs to one customer of the centre; the first by sort is the
 * customer's main number.
 */
#include "people/customer.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "number/entry.h"
#include "number/region.h"
#include "people/note.h"

static const struct res_option labels[] = {
	{"self", "本人", "Own"},
	{"family", "家人", "Family"},
	{"company", "公司", "Company"},
	{"other", "其他", "Other"},
	{NULL},
};

static const struct res_option states[] = {
	{"ok", "正常", "In use"},
	{"empty", "空号", "Does not exist"},
	{"suspended", "停机", "Suspended"},
	{"never", "勿用", "Do not use"},
	{NULL},
};

static const struct res_field fields[] = {
	{"customer_id", RES_REF, "客户", "Customer", RES_REQUIRED | RES_SEARCH | RES_CREATE_ONLY, .ref = "customers"},
	{"number", RES_TEXT, "号码", "Number", RES_MASKED | RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64,
	 .help_zh = "手机、带区号的固话、400、国际号码都可以，空格和横线会去掉。",
	 .help_en = "A mobile, a landline with its area code, 400, or a number abroad; blanks and hyphens are taken out."},
	{"label", RES_ENUM, "谁的", "Whose", 0, .fallback = "self", .options = labels},
	{"state", RES_ENUM, "状态", "State", 0, .fallback = "ok", .options = states},
	{"extension", RES_TEXT, "分机", "Extension", RES_HIDE_LIST, .max = 8},
	{"sort", RES_INT, "顺序", "Order", RES_HIDE_LIST, .min = 0, .max = 10000, .fallback = "100",
	 .help_zh = "最小的是主号码。", .help_en = "The lowest is the main number."},
	{"region", RES_TEXT, "归属地", "Region", RES_READONLY, .max = 64},
};

/* Says that a number is another's: with the customer, when who asks may see it. */
static int refuse_taken(struct res_ctx *c, int64_t customer_id)
{
	res_fail(c, 409, "taken", "number", NULL);
	return customer_seen(&c->error->current, c, customer_id);
}

/* "0571-88123456转801" in one field is a number, its extension and, when it says so, whose it is. */
static void take_entry(json_t *row, const struct num_entry *e)
{
	row_set(row, "number", json_string(e->num.text));
	if (e->extension[0] && !*row_text(row, "extension"))
		row_set(row, "extension", json_string(e->extension));
	if (e->label != NUM_L_NONE && !strcmp(row_text(row, "label"), "self"))
		row_set(row, "label", json_string(num_entry_label_name(e->label)));
}

static int check_number(struct res_ctx *c, json_t *row)
{
	const char *given = row_text(row, "number");
	struct num_entry e;
	int64_t other = 0;
	size_t n;
	int r;

	if (!*given)
		return 0; /* missing: said already */
	n = num_entries(&e, 1, given, "");
	if (n != 1 || e.why != NUM_E_OK) {
		res_fail(c, 422, "invalid", "number", "number");
		if (n)
			res_fail(c, 422, "invalid", NULL, n > 1 ? NULL : num_entry_sentence(e.why, c->who->lang ? c->who->lang : "zh"));
		return 0;
	}
	take_entry(row, &e);
	if (c->memo)
		return 0;
	r = db_get_i64(&other, c->db, "SELECT customer_id FROM customer_phones WHERE centre_id = $1 AND number = $2 AND id <> $3", "iti",
		       c->who->centre_id, e.num.text, row_id(row, "id"));
	if (!r && other != row_id(row, "customer_id"))
		return refuse_taken(c, other);
	return r == -ENOENT ? 0 : r; /* twice with one customer: the unique field says so */
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t gone = 0; /* a number there would be taken, and no customer's that anybody sees */
	int r = c->memo ? 0
			: db_get_i64(&gone, c->db, "SELECT CASE state WHEN 'erased' THEN 1 WHEN 'merged' THEN 2 ELSE 0 END FROM customers WHERE id = $1",
				     "i", row_id(row, "customer_id"));

	if (r && r != -ENOENT)
		return r;
	if (gone) {
		res_fail(c, 409, gone == 1 ? "erased" : "merged", NULL, NULL);
		return 1;
	}
	check_chars(c, row, "extension", "0123456789*#");
	return check_number(c, row);
}

json_t *customer_region(const char *number)
{
	struct num n;
	char region[64];

	return num_read(&n, number, "") && num_region(region, sizeof(region), &n, "zh") ? json_string(region) : NULL;
}

/* The region as text, and the main number beside the customer. */
static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	json_t *region = customer_region(row_text(row, "number"));
	int r = region ? db_run(c->db, "UPDATE customer_phones SET region = $1 WHERE id = $2", "ti", json_string_value(region), id) : 0;

	json_decref(region);
	if (!r) /* what was noted about calls with it before anybody knew whose it is */
		r = people_notes_adopt(c->db, c->who->centre_id, row_id(row, "customer_id"), row_text(row, "number"));
	if (!r)
		r = customer_main_phone(c->db, row_id(row, "customer_id"), 0);
	return r ? r : customer_index(c->db, c->who->centre_id, row_id(row, "customer_id"), 0);
}

/* A line beside the customer, too: afterwards nothing else says whose number it was. */
static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	json_t *before = json_pack("{s:O*}", "phone", json_object_get(old, "number"));
	int r = res_audit(c, "customers", row_id(old, "customer_id"), "phone_removed", before, NULL);

	json_decref(before);
	if (!r)
		r = customer_main_phone(c->db, row_id(old, "customer_id"), id);
	return r ? r : customer_index(c->db, c->who->centre_id, row_id(old, "customer_id"), id);
}

const struct res_def people_customer_phones = {
	.name = "customer_phones", .table = "customer_phones", .zh = "客户电话", .en = "Customers' telephones",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "number", .order = "sort",
	.group = "customers", .parent = "customer_id",
	.before_write = before_write, .after_write = after_write, .before_delete = before_delete, .many = &res_many_plain, /* the customer's does the rest */
	.no_import = true,
};
