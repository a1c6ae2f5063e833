/* Notes (小结) of calls and customers. See note.h. */
#include "people/declared.h"
#include "people/customer.h"
#include "people/note.h"
#include "people/sales.h"

#include <errno.h>
#include <string.h>

#include "db/db.h"
#include "find/find.h"
#include "journal/journal.h"
#include "journal/zone.h"
#include "number/number.h"

#define YEAR_MS (366 * 86400000LL)
#define MERGES_MAX 16 /* one into the next */
#define LATE_MS 60000 /* "in a moment" may be just over when it is saved */

static const struct res_field fields[] = {
	{"at_ms", RES_TIME, "时间", "Time", RES_READONLY},
	{"customer_id", RES_REF, "客户", "Customer", RES_SEARCH, .ref = "customers"},
	{"call_id", RES_ID, "通话", "Call", RES_CREATE_ONLY | RES_HIDE_LIST},
	{"user_id", RES_REF, "填写人", "By", RES_READONLY | RES_SEARCH, .ref = "users"},
	{"team_id", RES_REF, "团队", "Team", RES_READONLY | RES_HIDE_LIST, .ref = "teams"},
	{"template_id", RES_REF, "小结模板", "Template", RES_HIDE_LIST, .ref = "note_templates"},
	{"reason_id", RES_REF, "业务类型", "Reason", 0, .ref = "contact_reasons"},
	{"result_id", RES_REF, "结果", "Result", 0, .ref = "contact_results"},
	{"text", RES_TEXT, "沟通内容", "What was said", RES_SEARCH | RES_MULTILINE, .max = 4000},
	{"form", RES_JSON, "填写项", "Form", RES_HIDE_LIST, .max = 60000,
	 .help_zh = "写入时按模板的 key 给值：{\"f1\":\"...\"}；读出时带有当时的名称和类型。",
	 .help_en = "Written by the template's keys, {\"f1\":\"...\"}; read with the labels and types of that time."},
	{"next_ms", RES_TIME, "下次联系", "Next contact"},
	{"done", RES_BOOL, "已联系", "Contact made", RES_HIDE_LIST, .fallback = "false"},
};

/* ---- the day ---- */

bool people_same_day(struct db *db, int64_t at_ms, int64_t now_ms)
{
	struct people_centre_info centre = {.zone = ""};
	struct zone *z = NULL;
	bool same;

	if (people_centre_get(&centre, db) || zone_open(&z, *centre.zone ? centre.zone : JOURNAL_ZONE))
		return at_ms / 86400000 == now_ms / 86400000;
	same = zone_day(z, at_ms) == zone_day(z, now_ms);
	zone_free(z);
	return same;
}

/* ---- what belongs to it ---- */

struct about {
	int64_t queue_id;
	bool own;
	char number[NUM_MAX]; /* the customer's, canonical; "" */
};

static void canonical(char ret[NUM_MAX], const char *text)
{
	struct num n;

	(void)str_copy(ret, NUM_MAX, text && num_read(&n, text, "") ? n.text : "");
}

/* 0, -ENOENT or negative. Who was rung or dialled out has a leg. */
static int call_about(struct about *ret, struct res_ctx *c, int64_t call_id)
{
	struct db_stmt *st;
	int r;

	*ret = (struct about){0};
	r = db_prepare(&st, c->db,
		       "SELECT c.queue_id, CASE WHEN c.agent_id = $3 OR c.first_agent_id = $3"
		       " OR EXISTS (SELECT 1 FROM segment s WHERE s.call_id = c.id AND s.agent_id = $3)"
		       " OR EXISTS (SELECT 1 FROM leg l WHERE l.call_id = c.id AND l.agent_id = $3) THEN 1 ELSE 0 END,"
		       " CASE WHEN c.dir = 'out' THEN p.to_number ELSE p.from_number END"
		       " FROM call c LEFT JOIN call_pii p ON p.call_id = c.id WHERE c.id = $1 AND c.centre_id = $2");
	if (r)
		return r;
	db_bind_i64(st, 1, call_id);
	db_bind_i64(st, 2, c->who->centre_id);
	db_bind_i64(st, 3, c->who->user_id);
	r = db_step(st);
	if (r == DB_ROW) {
		ret->queue_id = db_i64(st, 0);
		ret->own = db_i64(st, 1) != 0;
		canonical(ret->number, db_text(st, 2));
	}
	db_done(st);
	return r == DB_ROW ? 0 : r ? r : -ENOENT;
}

static void set_id(json_t *row, const char *name, int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	row_set(row, name, id ? json_string(text) : json_null());
}

static int customer_by_number(int64_t *ret, struct res_ctx *c, const char *number)
{
	int r = db_get_i64(ret, c->db, "SELECT customer_id FROM customer_phones WHERE centre_id = $1 AND number = $2", "it",
			   c->who->centre_id, number);

	if (r == -ENOENT)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

static bool may_correct_all(const struct res_ctx *c)
{
	return people_may(c->who, RIGHT_NOTES);
}

/* The template that a call of this queue about this reason has, when none was named: the most specific one. */
static int template_for(int64_t *ret, struct res_ctx *c, int64_t queue_id, int64_t reason_id)
{
	int r = db_get_i64(ret, c->db,
			   "SELECT t.id FROM note_templates t WHERE t.centre_id = $1 AND t.active = 1 AND (t.queue_id IS NULL OR t.queue_id = $2)"
			   " AND (t.reason_id IS NULL OR t.reason_id = $3 OR t.reason_id ="
			   " (SELECT parent_id FROM contact_reasons WHERE id = $3))"
			   " ORDER BY CASE WHEN t.reason_id = $3 THEN 0 WHEN t.reason_id IS NOT NULL THEN 1 ELSE 2 END,"
			   " CASE WHEN t.queue_id IS NULL THEN 1 ELSE 0 END, t.name, t.id LIMIT 1",
			   "iii", c->who->centre_id, queue_id, reason_id);

	if (r == -ENOENT)
		*ret = 0;
	return r == -ENOENT ? 0 : r;
}

static int template_fields(json_t **ret, struct res_ctx *c, int64_t id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, c->db, "SELECT fields FROM note_templates WHERE id = $1 AND centre_id = $2");

	*ret = NULL;
	if (r)
		return r;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, c->who->centre_id);
	r = db_step(st);
	if (r == DB_ROW)
		*ret = json_loads(db_text(st, 0), 0, NULL);
	db_done(st);
	return r == DB_ROW ? 0 : r;
}

/* The form is taken anew when it was sent, or when another template asks other things. */
static int take_form(struct res_ctx *c, json_t *row, const json_t *old)
{
	bool sent = c->body && json_object_get(c->body, "form");
	int64_t id = row_id(row, "template_id");
	json_t *wanted;
	int r;

	if (old && !sent && id == row_id(old, "template_id"))
		return 0;
	r = template_fields(&wanted, c, id);
	if (r)
		return r;
	if (old && json_is_array(json_object_get(c->body, "form")) && json_equal(json_object_get(c->body, "form"), json_object_get(old, "form"))) {
		json_decref(wanted); /* sent back as it was */
		return 0;
	}
	row_set(row, "form", note_form_take(c, wanted, sent ? json_object_get(c->body, "form") : NULL));
	json_decref(wanted);
	return 0;
}

/* ---- the hooks ---- */

/* Who was merged is noted about where he went. */
static int follow_merged(struct res_ctx *c, json_t *row)
{
	int64_t id = row_id(row, "customer_id"), into;
	int r = 0;

	for (int i = 0; !r && id && i < MERGES_MAX; i++) {
		r = db_get_i64(&into, c->db, "SELECT merged_id FROM customers WHERE id = $1 AND state = 'merged'", "i", id);
		if (!r) {
			id = into;
			set_id(row, "customer_id", id);
		}
	}
	return r == -ENOENT ? 0 : r;
}

/* Named by who writes: a customer that he sees, or whose call it was that he had. */
static int check_customer(struct res_ctx *c, json_t *row, const json_t *old)
{
	int64_t id = row_id(row, "customer_id"), call_id = row_id(row, "call_id"), of_call = 0;
	struct about about = {0};
	bool within = false;
	int r;

	if (!id || c->who->system || (old && id == row_id(old, "customer_id")))
		return 0;
	r = follow_merged(c, row);
	id = row_id(row, "customer_id");
	if (!r)
		r = customer_within(&within, c, id, false);
	if (!r && !within && call_id)
		r = call_about(&about, c, call_id);
	if (!r && !within && (about.own || may_correct_all(c)) && about.number[0])
		r = customer_by_number(&of_call, c, about.number);
	if (r && r != -ENOENT)
		return r;
	if (!within && of_call != id)
		res_fail(c, 422, "invalid", "customer_id", "ref");
	return 0;
}

static bool says_nothing(const json_t *row)
{
	return !*row_text(row, "text") && !row_id(row, "reason_id") && !row_id(row, "result_id") &&
	       !json_array_size(json_object_get(row, "form"));
}

static int begin(struct res_ctx *c, json_t *row, struct about *about)
{
	int64_t call_id = row_id(row, "call_id"), customer_id = row_id(row, "customer_id"), team_id = 0;
	bool system = c->who->system;
	int r;

	if (!c->who->user_id && !(system && c->prepared)) {
		res_fail(c, 403, "forbidden", NULL, NULL); /* programs have no voice */
		return 1;
	}
	if (call_id) {
		r = call_about(about, c, call_id);
		if (r == -ENOENT || (!r && !about->own && !may_correct_all(c)))
			res_fail(c, 422, "invalid", "call_id", "ref");
		if (r && r != -ENOENT)
			return r;
		if (!customer_id && about->number[0]) {
			r = customer_by_number(&customer_id, c, about->number);
			if (r)
				return r;
			set_id(row, "customer_id", customer_id);
		}
	}
	if (!call_id && !customer_id && json_object_get(row, "customer_id"))
		res_fail(c, 422, "invalid", "customer_id", "required");
	r = db_get_i64(&team_id, c->db, "SELECT COALESCE(team_id, 0) FROM users WHERE id = $1", "i", c->who->user_id);
	set_id(row, "user_id", c->who->user_id);
	set_id(row, "team_id", team_id);
	row_set(row, "at_ms", json_integer(c->now_ms));
	if (system && c->prepared)
		(void)json_object_update(row, c->prepared);
	return r == -ENOENT ? 0 : r;
}

static int correct(struct res_ctx *c, const json_t *old)
{
	if (may_correct_all(c))
		return 0;
	if (row_id(old, "user_id") != c->who->user_id)
		res_fail(c, 403, "forbidden", NULL, NULL);
	else if (!people_same_day(c->db, json_integer_value(json_object_get(old, "at_ms")), c->now_ms))
		res_fail(c, 409, "note_closed", NULL, NULL);
	else
		return 0;
	return 1;
}

static void check_next(struct res_ctx *c, const json_t *row, const json_t *old)
{
	const json_t *next = json_object_get(row, "next_ms");

	if (!json_is_integer(next) || (old && json_equal(next, json_object_get(old, "next_ms"))) || c->who->system)
		return;
	if (json_integer_value(next) < c->now_ms - LATE_MS || json_integer_value(next) > c->now_ms + 5 * YEAR_MS)
		res_fail(c, 422, "invalid", "next_ms", "range");
}

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	struct about about = {0};
	int64_t template_id;
	int r = old ? correct(c, old) : begin(c, row, &about);

	if (r)
		return r;
	if (!old && !row_id(row, "template_id") && json_object_get(row, "template_id")) {
		r = template_for(&template_id, c, about.queue_id, row_id(row, "reason_id"));
		if (r)
			return r;
		set_id(row, "template_id", template_id);
	}
	r = take_form(c, row, old);
	if (!r)
		r = check_customer(c, row, old);
	if (r)
		return r;
	check_next(c, row, old);
	if (says_nothing(row) && json_object_get(row, "text"))
		res_fail(c, 422, "invalid", "text", "required");
	return 0;
}

/* The call's number, canonical; "" for none. */
static int call_number(char ret[NUM_MAX], struct res_ctx *c, int64_t call_id)
{
	struct about about;
	int r;

	ret[0] = '\0';
	if (!call_id)
		return 0;
	r = call_about(&about, c, call_id);
	if (!r)
		(void)str_copy(ret, NUM_MAX, about.number);
	return r == -ENOENT ? 0 : r;
}

/* The beginning of what was said: what the call-back is about. */
static void first_words(char *ret, size_t size, const char *text)
{
	size_t n;

	(void)str_copy(ret, size, text);
	ret[strcspn(ret, "\n")] = '\0';
	for (n = strlen(ret); n && !str_is_utf8(ret, n); n--)
		;
	ret[n] = '\0';
}

/* What was arranged is done with the next talk after it; a new arrangement takes its place. */
static int appointments(struct res_ctx *c, int64_t id, const json_t *row, int64_t next_ms)
{
	struct sales_noted n = {.customer_id = row_id(row, "customer_id"), .call_id = row_id(row, "call_id"), .user_id = row_id(row, "user_id"), .next_ms = next_ms};
	char number[NUM_MAX], about[200];
	int r = 0;

	if (n.customer_id)
		r = db_run(c->db,
			   "UPDATE notes SET done = 1 WHERE customer_id = $1 AND id <> $2 AND done = 0 AND next_ms IS NOT NULL AND (next_ms <= $3 OR $4 > 0)",
			   "iiii", n.customer_id, id, c->now_ms, next_ms);
	if (!r)
		r = call_number(number, c, n.call_id);
	if (r)
		return r;
	first_words(about, sizeof(about), row_text(row, "text"));
	n.phone = number;
	n.reason = about;
	r = sales_noted(c, &n);
	return r ? r : campaign_noted(c, n.call_id, n.user_id, row_id(row, "result_id"), next_ms);
}

static int drop_draft(struct res_ctx *c, int64_t call_id, int64_t customer_id)
{
	char subject[40];

	(void)snprintf(subject, sizeof(subject), "%s:%lld", call_id ? "call" : "customer", (long long)(call_id ? call_id : customer_id));
	return db_run(c->db, "DELETE FROM note_drafts WHERE user_id = $1 AND subject = $2", "it", c->who->user_id, subject);
}

/* Words in the text and in what was filled in. */
static int index_note(struct db *db, int64_t centre_id, int64_t id, const char *text, const json_t *form)
{
	const json_t *f;
	struct strb b;
	size_t i;
	int r;

	strb_init(&b, 1 << 18);
	strb_puts(&b, text);
	json_array_foreach(form, i, f)
		strb_printf(&b, "\n%s", row_text(f, "value"));
	r = find_put(db, centre_id, "notes", id, &(struct find_text){.text = b.buf});
	strb_done(&b);
	return r;
}

static int index_words(struct res_ctx *c, int64_t id, const json_t *row)
{
	return index_note(c->db, c->who->centre_id, id, row_text(row, "text"), json_object_get(row, "form"));
}

#define INDEX_PIECE 50

struct old_note {
	int64_t id;
	char *text;
	json_t *form;
};

static int old_notes(struct old_note *list, size_t *n, struct db *db, int64_t centre_id, int64_t from)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT id, COALESCE(text, ''), form FROM notes WHERE id > $1 AND centre_id = $2 ORDER BY id LIMIT $3");

	if (r)
		return r;
	db_bind_i64(st, 1, from);
	db_bind_i64(st, 2, centre_id);
	db_bind_i64(st, 3, INDEX_PIECE);
	while (*n < INDEX_PIECE && (r = db_step(st)) == DB_ROW)
		list[(*n)++] = (struct old_note){db_i64(st, 0), xstrdup(db_text(st, 1)), db_text(st, 2) ? json_loads(db_text(st, 2), 0, NULL) : NULL};
	db_done(st);
	return r < 0 ? r : 0;
}

int people_notes_index_step(bool *more, struct db *db, int64_t centre_id)
{
	struct old_note list[INDEX_PIECE];
	int64_t from = -1;
	size_t n = 0;
	int r = find_notes_old(&from, db, centre_id);

	if (r || from < 0)
		return r;
	r = old_notes(list, &n, db, centre_id, from);
	for (size_t i = 0; i < n; i++) {
		r = r ? r : index_note(db, centre_id, list[i].id, list[i].text, list[i].form);
		free(list[i].text);
		json_decref(list[i].form);
	}
	*more = n > 0;
	return r ? r : find_notes_done(db, centre_id, n ? list[n - 1].id : 0);
}

/* A call is one contact, however many notes it has. */
static int count_contact(struct res_ctx *c, int64_t id, int64_t call_id, int64_t customer_id, int64_t at_ms)
{
	int64_t others = 0;
	int r = call_id ? db_get_i64(&others, c->db, "SELECT COUNT(*) FROM notes WHERE call_id = $1 AND id <> $2", "ii", call_id, id) : 0;

	return r || others ? r : people_customer_contact(c->db, customer_id, at_ms);
}

static int after_write(struct res_ctx *c, int64_t id, json_t *row)
{
	int64_t customer_id = row_id(row, "customer_id"), at_ms = json_integer_value(json_object_get(row, "at_ms"));
	const json_t *sent = json_object_get(c->body, "next_ms");
	bool created = !json_object_get(row, "rev");
	int r = index_words(c, id, row);

	if (!r && customer_id && created)
		r = count_contact(c, id, row_id(row, "call_id"), customer_id, at_ms);
	if (!r && (created || sent) && !c->who->system)
		r = appointments(c, id, row, json_integer_value(json_object_get(row, "next_ms")));
	if (!r && created)
		r = drop_draft(c, row_id(row, "call_id"), customer_id);
	return r;
}

/* What was said was said. */
static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	if (c->who->system)
		return 0;
	res_fail(c, 403, "forbidden", NULL, NULL);
	return 1;
}

const struct res_def people_notes = {
	.name = "notes", .table = "notes", .zh = "小结", .en = "Notes",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "text", .order = "-at_ms", .sorts = "at_ms", .find_kind = "notes",
	.group = "notes", .owner = "user_id", .team = "team_id", .parent = "customer_id", .mask_words = true,
	.before_write = before_write, .after_write = after_write, .before_delete = before_delete,
	.no_import = true,
};

/* ---- for others ---- */

int people_notes_adopt(struct db *db, int64_t centre_id, int64_t customer_id, const char *number)
{
	char national[NUM_MAX] = "";
	struct num n;
	int r;

	if (!num_read(&n, number, ""))
		return 0;
	num_write(national, &n, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	/* call_pii_from and call_pii_to serve it, then notes_call */
	r = db_run(db,
		   "UPDATE notes SET customer_id = $1 WHERE centre_id = $2 AND customer_id IS NULL AND call_id IN"
		   " (SELECT p.call_id FROM call_pii p JOIN call c ON c.id = p.call_id WHERE p.from_number IN ($3, $4) AND c.dir <> 'out'"
		   " UNION SELECT p.call_id FROM call_pii p JOIN call c ON c.id = p.call_id WHERE p.to_number IN ($3, $4) AND c.dir = 'out')",
		   "iitt", customer_id, centre_id, n.text, national);
	return r ? r : sales_adopt(db, centre_id, customer_id, n.text);
}

/* ---- many at once ---- */

#define ASKED 64 /* numbers in one statement, each in two forms */

/* Which of the numbers @column of @table has, into @found; the index on it serves it, which may be one of the rows that @also leaves. */
static int numbers_known(json_t *found, struct db *db, const char *table, const char *column, const char *also, const char forms[2 * ASKED][NUM_MAX])
{
	struct db_stmt *st;
	struct strb b;
	int r;

	strb_init(&b, 4096);
	strb_printf(&b, "SELECT DISTINCT %s FROM %s WHERE %s IN ($1", column, table, column);
	for (int i = 2; i <= 2 * ASKED; i++)
		strb_printf(&b, ", $%d", i);
	strb_printf(&b, ")%s", also);
	r = db_prepare(&st, db, b.buf);
	strb_done(&b);
	if (r)
		return r;
	for (int i = 0; i < 2 * ASKED; i++)
		db_bind_text(st, i + 1, forms[i]);
	while ((r = db_step(st)) == DB_ROW)
		(void)json_object_set_new(found, db_text(st, 0), json_true());
	db_done(st);
	return r;
}

static int adopt_some(struct db *db, int64_t centre_id, struct people_number_of *list, size_t n)
{
	char (*forms)[NUM_MAX] = xcalloc(2 * ASKED, sizeof(*forms));
	json_t *found = json_object();
	struct num num;
	int r;

	for (size_t i = 0; i < ASKED; i++) {
		const char *number = list[i < n ? i : n - 1].number;

		(void)str_copy(forms[2 * i], NUM_MAX, number);
		if (num_read(&num, number, ""))
			num_write(forms[2 * i + 1], &num, NUM_F_NATIONAL, NULL, NUM_CITY_UNKNOWN);
	}
	r = numbers_known(found, db, "call_pii", "from_number", "", forms);
	if (!r)
		r = numbers_known(found, db, "call_pii", "to_number", "", forms);
	if (!r)
		r = numbers_known(found, db, "callbacks", "phone", " AND customer_id IS NULL", forms);
	for (size_t i = 0; !r && i < n; i++) {
		list[i].known = json_object_get(found, forms[2 * i]) || json_object_get(found, forms[2 * i + 1]);
		if (list[i].known)
			r = people_notes_adopt(db, centre_id, list[i].customer_id, list[i].number);
	}
	json_decref(found);
	free(forms);
	return r;
}

int people_notes_adopt_many(struct db *db, int64_t centre_id, struct people_number_of *list, size_t n)
{
	int r = 0;

	for (size_t at = 0; !r && at < n; at += ASKED)
		r = adopt_some(db, centre_id, list + at, n - at < ASKED ? n - at : ASKED);
	return r;
}

int people_note_import(struct res_ctx *c, const json_t *body, int64_t user_id, int64_t at_ms)
{
	struct res_who who = *c->who;
	struct res_ctx own = *c;
	json_t *row = NULL;
	char user[24];
	int r;

	(void)snprintf(user, sizeof(user), "%lld", (long long)user_id);
	who.system = true;
	own.who = &who;
	own.once = NULL;
	own.prepared = json_pack("{s:s, s:I}", "user_id", user, "at_ms", (json_int_t)at_ms);
	r = res_create(&row, &own, &people_notes, body);
	res_ctx_done(&own);
	json_decref(row);
	return r;
}
