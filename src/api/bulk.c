/*
 * One change, or deletion, of many rows. The rows are known when it begins (their number was confirmed); they are written on the writer
 * in pieces of bounded time, each by res_update with everything it does for one row, in a savepoint of its own. How far it is and what
 * would put it back is written with each piece (bulk_kept.c), so what the end of the process interrupts goes on at the next start. An hour
 * after its end it is forgotten; the audit has each row.
 *
 *     running -> done | cancelled | interrupted -> undoing -> undone
 *
 * A job is read and changed under the lock, but for what only its own run touches (ids, at, before, items).
 */
#include "api/bulk_int.h"

#include "api/sheet.h"
#include "sheet/sheet.h"

#define ROWS_MAX 100000
#define PIECE 25           /* rows that are prepared together */
#define PIECE_MS 15        /* on the writer at once */
#define SHOWN_MAX 20

const char *const bulk_states[] = {"running", "done", "cancelled", "interrupted", "undoing", "undone"};

/* ---- why a row was refused, in words ---- */

static const struct {
	const char *code, *zh, *en;
} words[] = {
	{"required", "必填", "must not be empty"}, {"without_phone", "没有电话时必填", "must not be empty without a telephone"}, {"type", "格式不对", "is not of the right kind"}, {"range", "超出范围", "is out of range"},
	{"format", "格式不对", "has not the right form"}, {"number", "不是号码", "is no number"}, {"enum", "不在可选范围内", "is none of the choices"},
	{"ref", "选的这一项不存在", "refers to nothing"}, {"unique", "已经有同样的了", "is there already"}, {"readonly", "不能修改", "cannot be changed"},
	{"create_only", "建好以后不能改", "cannot be changed later"},
};

static const char *word(const char *code, bool en)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].code, code))
			return en ? words[i].en : words[i].zh;
	return code;
}

static char *why_text(const struct bulk *j, const struct res_error *e)
{
	bool en = j->lang[0] == 'e';
	const char *key;
	struct strb b;
	json_t *v;

	strb_init(&b, 2000);
	strb_puts(&b, "");
	json_object_foreach(e->fields, key, v) {
		int i = res_field_find(j->d, key);

		strb_printf(&b, "%s%s%s%s", b.len ? (en ? "; " : "；") : "", i >= 0 ? res_field_label(&j->d->fields[i], j->lang) : key, en ? " " : "：",
			    word(json_string_value(v) ? json_string_value(v) : "", en));
	}
	if (!b.len)
		strb_printf(&b, "%s%s%s", api_sentence(e->code ? e->code : "conflict", j->lang), e->detail[0] ? " " : "", e->detail);
	return strb_take(&b);
}

/* ---- a piece ---- */

struct item {
	int64_t id, rev; /* rev: as undoing expects it; RES_REV_ANY */
	const json_t *patch;
	json_t *own;     /* a patch of this item alone */
	struct res_ctx ctx;
	struct res_error error;
	enum { SAME, CHANGED, BAD } outcome;
	struct bulk_row note; /* place is there from the beginning */
};

struct piece {
	struct bulk *j;
	bool undo;
	struct db *db;
	struct item items[PIECE];
	size_t n, did;
};

static void item_done(struct item *it)
{
	json_decref(it->own);
	bulk_row_done(&it->note);
	res_error_done(&it->error);
	res_ctx_done(&it->ctx);
	memset(it, 0, sizeof(*it));
}

static int write_item(struct piece *p, struct item *it)
{
	const struct bulk *j = p->j;
	json_t *row = NULL;
	int r;

	if (j->remove)
		r = res_delete(&it->ctx, j->d, it->id, RES_REV_ANY);
	else
		r = res_update(&row, &it->ctx, j->d, it->id, it->patch, it->rev);
	it->note.rev = json_integer_value(json_object_get(row, "rev"));
	it->outcome = r ? BAD : j->remove || it->ctx.undo ? CHANGED : SAME;
	json_decref(row);
	return r;
}

static const char *name_of(struct db *db, const struct bulk *j, int64_t id, json_t **row)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->who, .error = &e, .now_ms = clock_utc_ms()};
	int r = res_get(row, &c, j->d, id);

	res_error_done(&e);
	return !r && j->d->label ? json_string_value(json_object_get(*row, j->d->label)) : NULL;
}

/* What is written of it: how to put it back, or why it was refused. */
static int note_item(struct db *db, struct piece *p, struct item *it)
{
	json_t *row = NULL, *undo = it->ctx.undo;
	const char *name;

	it->note.id = it->id;
	if (it->outcome == BAD) {
		name = name_of(db, p->j, it->id, &row);
		it->note.why = why_text(p->j, &it->error);
		it->note.name = name ? xstrdup(name) : NULL;
		json_decref(row);
	} else if (it->outcome == CHANGED && !p->undo && !p->j->remove && json_object_size(undo)) {
		it->note.patch = json_dumps(undo, JSON_COMPACT);
	} else {
		return 0;
	}
	return p->undo ? bulk_keep_kept(db, p->j, &it->note) : bulk_keep_row(db, p->j, &it->note);
}

/* What the piece counts, into @j. */
static void count_items(struct bulk *j, const struct piece *p)
{
	for (size_t i = 0; i < p->did; i++) {
		const struct item *it = &p->items[i];

		if (p->undo) {
			j->undone += it->outcome != BAD;
			j->undo_bad += it->outcome == BAD;
			continue;
		}
		j->done++;
		j->changed += it->outcome == CHANGED;
		j->same += it->outcome == SAME;
		j->bad += it->outcome == BAD;
	}
}

static int try_item(struct db *db, struct piece *p, struct item *it)
{
	int r;

	it->ctx.db = db;
	it->ctx.now_ms = clock_utc_ms();
	r = db_run(db, "SAVEPOINT bulk_row", "");
	if (!r)
		r = write_item(p, it);
	if (r > 0)
		r = db_run(db, "ROLLBACK TO SAVEPOINT bulk_row", "");
	return r ? r : db_run(db, "RELEASE SAVEPOINT bulk_row", "");
}

/* As many as fit into its time; at least one. */
static int piece_job(struct db *db, void *arg)
{
	struct piece *p = arg;
	int64_t end_ms = clock_mono_ms() + PIECE_MS;
	struct bulk told;
	int r = 0;

	for (p->did = 0; !r && p->did < p->n && (!p->did || clock_mono_ms() < end_ms); p->did++) {
		struct item *it = &p->items[p->did];

		if (it->error.code) /* what preparing said */
			it->outcome = BAD;
		else
			r = try_item(db, p, it);
		if (!r)
			r = note_item(db, p, it);
	}
	if (r)
		return r;
	told = *p->j;
	count_items(&told, p);
	return bulk_keep_counts(db, &told);
}

static void piece_fill(struct piece *p)
{
	struct bulk *j = p->j;

	while (p->n < PIECE && (p->undo ? j->undo_at > p->n : j->at + p->n < j->n)) {
		struct item *it = &p->items[p->n];
		int r;

		*it = (struct item){.rev = RES_REV_ANY, .patch = j->patch};
		it->ctx = (struct res_ctx){.db = p->db, .who = &j->who, .error = &it->error, .now_ms = clock_utc_ms(), .want_undo = true};
		if (p->undo) {
			const struct bulk_row *b = &j->before[j->undo_at - 1 - p->n];

			it->id = b->id;
			it->rev = b->rev;
			it->own = json_loads(b->patch, 0, NULL);
			it->patch = it->own;
			it->note.place = b->place;
		} else {
			it->id = j->ids[j->at + p->n];
			it->note.place = (int64_t)(j->at + p->n);
		}
		r = j->remove ? 0 : res_prepare(&it->ctx, j->d, it->id, it->patch);
		if (r < 0)
			res_fail(&it->ctx, 500, "internal", NULL, NULL);
		p->n++;
	}
}

void bulk_refused_add(struct bulk *j, const struct bulk_row *row)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)row->id);
	if (json_array_size(j->refused) < BULK_REFUSED_MAX)
		(void)json_array_append_new(j->refused, json_pack("{s:s, s:s?, s:s}", "id", id, "name", row->name, "why", row->why));
}

static void piece_tell(struct piece *p)
{
	struct bulk *j = p->j;

	pthread_mutex_lock(&j->api->bulks->lock);
	count_items(j, p);
	for (size_t i = 0; i < p->did; i++) {
		struct bulk_row *row = &p->items[i].note;

		if (row->why)
			bulk_refused_add(j, row);
		if (row->patch) {
			j->before[j->before_n++] = *row;
			*row = (struct bulk_row){0};
		}
	}
	if (p->undo)
		j->undo_at -= p->did;
	else
		j->at += p->did;
	pthread_mutex_unlock(&j->api->bulks->lock);
	for (size_t i = 0; i < p->did; i++)
		if (p->items[i].outcome == CHANGED)
			objects_cut_off(j->api, j->d, p->items[i].id, j->remove ? NULL : p->items[i].patch, j->who.user_id);
}

static int piece_run(struct bulk *j, bool undo, struct db *db)
{
	struct piece *p = xcalloc(1, sizeof(*p));
	int r;

	*p = (struct piece){.j = j, .undo = undo, .db = db};
	piece_fill(p);
	r = db_writer_call(j->api->conf.writer, DB_BUSINESS, piece_job, p);
	if (!r)
		piece_tell(p);
	for (size_t i = 0; i < p->n; i++)
		item_done(&p->items[i]);
	free(p);
	return r > 0 ? -EIO : r;
}

/* ---- a run ---- */

static int end_job(struct db *db, void *arg)
{
	struct bulk *j = arg;
	struct res_error e = {0};
	struct res_ctx c = {.db = db, .who = &j->who, .error = &e, .now_ms = clock_utc_ms()};
	json_t *after = json_pack("{s:s, s:s, s:O, s:I, s:I, s:I, s:I}", "action", j->remove ? "delete" : "change", "state", bulk_states[j->state], "asked",
				  j->asked, "count", (json_int_t)j->n, "changed", (json_int_t)j->changed, "refused", (json_int_t)j->bad, "undone",
				  (json_int_t)j->undone);
	int r = res_audit(&c, j->d->name, 0, "bulk", NULL, after);

	if (!r)
		r = bulk_keep_end(db, j, c.now_ms);
	json_decref(after);
	res_error_done(&e);
	return r;
}

/* To who started it, wherever he looks. */
static void tell_end(const struct bulk *j)
{
	struct strb b;
	struct jw w;

	strb_init(&b, 400);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_id(&w, "id", j->id);
	jw_str(&w, "resource", j->d->name);
	jw_str(&w, "state", bulk_states[j->state]);
	jw_end_obj(&w);
	live_notice(j->api->live, 0, j->who.user_id, "bulk", b.buf, b.len);
	strb_done(&b);
}

static void run_end(struct bulk *j, enum bulk_state state)
{
	struct db *db = api_db(j->api);
	struct bulk told;

	pthread_mutex_lock(&j->api->bulks->lock);
	told = *j;
	pthread_mutex_unlock(&j->api->bulks->lock);
	told.state = state;
	if (db_writer_call(j->api->conf.writer, DB_BUSINESS, end_job, &told))
		log_warn("the end of a bulk change is not written resource=%s", j->d->name);
	if (db && !strcmp(j->d->name, "custom_fields"))
		custom_publish(j->api, db);
	if (db && (j->d->configures_switch || !strcmp(j->d->name, "teams")))
		api_conf_changed(j->api, db);
	log_info("bulk change ended resource=%s state=%s changed=%lld refused=%lld undone=%lld", j->d->name, bulk_states[state],
		 (long long)j->changed, (long long)j->bad, (long long)j->undone);
	pthread_mutex_lock(&j->api->bulks->lock);
	j->state = state;
	j->until_ms = clock_utc_ms() + BULK_KEPT_MS;
	pthread_mutex_unlock(&j->api->bulks->lock);
	tell_end(&told);
}

static void run(struct bulk *j, bool undo)
{
	struct db *db = api_db(j->api);
	int r = !db ? -EIO : j->nobody ? -EPERM : 0;
	bool more = false;

	while (!r && (more = undo ? j->undo_at > 0 : j->at < j->n) && !j->cancel && !j->api->stopping)
		r = piece_run(j, undo, db);
	if (r)
		log_error("bulk change failed resource=%s error=%d", j->d->name, r);
	if (!r && more && !j->cancel)
		log_info("bulk change goes on at the next start resource=%s done=%zu of=%zu", j->d->name, j->at, j->n);
	else
		run_end(j, r ? BULK_INTERRUPTED : more ? BULK_CANCELLED : undo ? BULK_UNDONE : BULK_DONE);
}

static void run_change(void *arg)
{
	run(arg, false);
}

static void run_undo(void *arg)
{
	run(arg, true);
}

/* ---- jobs ---- */

static bool busy(const struct bulk *j)
{
	return j->state == BULK_RUNNING || j->state == BULK_UNDOING;
}

/* Caller holds the lock: what has been kept long enough goes, and when all places are taken one's own that are over. */
static bool make_room(struct bulks *bs, int64_t user_id)
{
	int64_t now = clock_utc_ms();
	bool again;

	do {
		again = false;
		ilist_each_entry(&bs->jobs, j, struct bulk, link)
			if (!busy(j) && (j->until_ms < now || (bs->n >= BULK_JOBS_MAX && j->who.user_id == user_id))) {
				bulk_free(bs, j);
				again = true;
				break;
			}
	} while (again);
	ilist_each_entry(&bs->jobs, j, struct bulk, link)
		if (busy(j) && j->who.user_id == user_id)
			return false;
	return bs->n < BULK_JOBS_MAX;
}

static json_t *job_json(const struct bulk *j)
{
	json_t *shown = json_array();
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)j->id);
	for (size_t i = 0; i < json_array_size(j->refused) && i < SHOWN_MAX; i++)
		(void)json_array_append(shown, json_array_get(j->refused, i));
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}", "id", id, "resource", j->d->name, "action",
			 j->remove ? "delete" : "change", "state", bulk_states[j->state], "count", (json_int_t)j->n, "done", (json_int_t)j->done,
			 "changed", (json_int_t)j->changed, "unchanged", (json_int_t)j->same, "bad", (json_int_t)j->bad, "undone", (json_int_t)j->undone,
			 "undo_bad", (json_int_t)j->undo_bad, "can_undo", !busy(j) && j->state != BULK_UNDONE && j->before_n > 0, "continued", j->continued, "refused", shown);
}

/* Caller holds the lock. Only one's own. */
static struct bulk *find(struct ask *k)
{
	int64_t id;

	if (str_to_i64(&id, http_param(k->rq, "id"), 1, INT64_MAX))
		ilist_each_entry(&k->api->bulks->jobs, j, struct bulk, link)
			if (j->id == id && j->who.user_id == k->who.user_id)
				return j;
	return NULL;
}

/* Releases the lock. */
static void answer(struct ask *k, const struct bulk *j, int status)
{
	json_t *out = j ? job_json(j) : NULL;

	pthread_mutex_unlock(&k->api->bulks->lock);
	if (out)
		api_ok(k, status, out);
	else
		api_refuse(k, "not_found", NULL, NULL);
}

static void refuse(struct ask *k, const char *code)
{
	pthread_mutex_unlock(&k->api->bulks->lock);
	api_refuse(k, code, NULL, NULL);
}

/* ---- which rows ---- */

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The ids of the body, each once. False: one is none. */
static bool take_ids(int64_t **ids, size_t *n, const json_t *list)
{
	size_t i, kept = 0;
	json_t *v;

	*ids = xcalloc(json_array_size(list) + 1, sizeof(**ids));
	*n = 0;
	json_array_foreach(list, i, v)
		if (!json_is_string(v) || !str_to_i64(&(*ids)[(*n)++], json_string_value(v), 1, INT64_MAX))
			return false;
	qsort(*ids, *n, sizeof(**ids), by_id);
	for (i = 0; i < *n; i++)
		if (!i || (*ids)[i] != (*ids)[i - 1])
			(*ids)[kept++] = (*ids)[i];
	*n = kept;
	return true;
}

/* False after refusing. */
bool bulk_take_rows(struct ask *k, const struct res_def *d, int64_t **ids, size_t *n)
{
	const json_t *list = json_object_get(k->body, "ids"), *filters = json_object_get(k->body, "filters"), *q = json_object_get(k->body, "q");
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int r;

	*ids = NULL;
	if (list && (!json_is_array(list) || filters || q || !take_ids(ids, n, list))) {
		api_refuse(k, "invalid", json_pack("{s:s}", "ids", "type"), NULL);
		return false;
	}
	if (list)
		return true;
	if (!json_is_object(filters) || (q && !json_is_string(q))) {
		api_refuse(k, "invalid", json_pack("{s:s}", filters ? "q" : "filters", filters ? "type" : "required"), NULL);
		return false;
	}
	r = res_ids(ids, n, &c, d, json_string_value(q), filters, ROWS_MAX);
	if (r)
		api_refuse_res(k, r, d->name, &e);
	return !r;
}

/* What was confirmed must still be so. */
bool bulk_count_fits(struct ask *k, size_t n)
{
	const json_t *count = json_object_get(k->body, "count");
	json_t *now;

	if (n > ROWS_MAX || !json_is_integer(count)) {
		api_refuse(k, "invalid", json_pack("{s:s}", "count", json_is_integer(count) ? "range" : "required"), NULL);
		return false;
	}
	if (n && json_integer_value(count) == (json_int_t)n)
		return true;
	now = json_pack("{s:I}", "count", (json_int_t)n);
	api_refuse_status(k, 409, "count_changed", NULL, NULL, now);
	json_decref(now);
	return false;
}

static int new_job(struct db *db, void *arg)
{
	return bulk_keep_new(db, arg, clock_utc_ms());
}

static int drop_job(struct db *db, void *arg)
{
	const struct bulk *j = arg;

	return db_run(db, "DELETE FROM bulks WHERE id = $1", "i", j->id);
}

/* It has its place first, then it is written down, then it runs. */
static void begin(struct ask *k, struct bulk *j)
{
	struct bulks *bs = k->api->bulks;
	bool taken;
	int r;

	pthread_mutex_lock(&bs->lock);
	taken = make_room(bs, k->who.user_id) && bs->pool;
	ilist_push_back(&bs->jobs, &j->link);
	bs->n++;
	pthread_mutex_unlock(&bs->lock);
	r = taken ? db_writer_call(k->api->conf.writer, DB_BUSINESS, new_job, j) : 0;
	pthread_mutex_lock(&bs->lock);
	if (taken && !r && bs->pool && !pool_submit(bs->pool, POOL_LONG, run_change, j)) {
		answer(k, j, 202);
		return;
	}
	pthread_mutex_unlock(&bs->lock);
	if (taken && !r)
		(void)db_writer_call(k->api->conf.writer, DB_BUSINESS, drop_job, j);
	pthread_mutex_lock(&bs->lock);
	bulk_free(bs, j);
	pthread_mutex_unlock(&bs->lock);
	if (r)
		api_failed(k, "bulk", r);
	else
		api_refuse(k, "busy", NULL, NULL);
}

void bulk_start(struct ask *k)
{
	const struct res_def *d = res_named(http_param(k->rq, "resource"), k->who.centre_id);
	json_t *patch = json_object_get(k->body, "patch");
	bool remove = json_is_true(json_object_get(k->body, "delete"));
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t *ids = NULL;
	struct bulk *j;
	size_t n = 0;
	int r;

	if (!d || (patch != NULL) == remove) {
		api_refuse(k, d ? "invalid" : "not_found", d ? json_pack("{s:s}", "patch", "required") : NULL, NULL);
		return;
	}
	r = res_bulk_check(&c, d, remove ? NULL : patch);
	if (r) {
		api_refuse_res(k, r, d->name, &e);
		return;
	}
	if (!bulk_take_rows(k, d, &ids, &n) || !bulk_count_fits(k, n)) {
		free(ids);
		return;
	}
	j = xcalloc(1, sizeof(*j));
	*j = (struct bulk){.api = k->api, .id = res_next_id(), .d = d, .who = k->who, .remove = remove, .ids = ids, .n = n};
	(void)str_copy(j->lang, sizeof(j->lang), k->lang);
	j->who.lang = j->lang;
	j->patch = patch ? json_deep_copy(patch) : NULL;
	j->asked = json_deep_copy(k->body);
	(void)json_object_del(j->asked, "ids");
	j->refused = json_array();
	j->before = remove ? NULL : xcalloc(n, sizeof(*j->before));
	begin(k, j);
}

void bulk_get(struct ask *k)
{
	pthread_mutex_lock(&k->api->bulks->lock);
	answer(k, find(k), 200);
}

void bulk_cancel(struct ask *k)
{
	struct bulk *j;

	pthread_mutex_lock(&k->api->bulks->lock);
	j = find(k);
	if (j)
		j->cancel = true;
	answer(k, j, 200);
}

/* The newest first. */
void bulk_list(struct ask *k)
{
	json_t *items = json_array();

	pthread_mutex_lock(&k->api->bulks->lock);
	ilist_each_entry(&k->api->bulks->jobs, j, struct bulk, link)
		if (j->who.user_id == k->who.user_id)
			(void)json_array_insert_new(items, 0, job_json(j));
	pthread_mutex_unlock(&k->api->bulks->lock);
	api_ok(k, 200, json_pack("{s:o}", "items", items));
}

static int undo_job(struct db *db, void *arg)
{
	return bulk_keep_undo(db, arg);
}

/* One that was stopped or interrupted goes on. */
void bulk_undo(struct ask *k)
{
	struct bulks *bs = k->api->bulks;
	enum bulk_state was;
	struct bulk *j;
	int r;

	pthread_mutex_lock(&bs->lock);
	j = find(k);
	if (!j || busy(j) || j->state == BULK_UNDONE || !j->before_n) {
		refuse(k, j ? "wrong_state" : "not_found");
		return;
	}
	was = j->state;
	j->state = BULK_UNDOING; /* nobody else takes or frees it */
	j->undo_at = j->undo_at ? j->undo_at : j->before_n;
	j->who.rights = k->who.rights; /* which may be fewer by now */
	j->nobody = false;
	j->cancel = false;
	json_array_clear(j->refused);
	pthread_mutex_unlock(&bs->lock);
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, undo_job, j);
	pthread_mutex_lock(&bs->lock);
	if (!r && bs->pool && !pool_submit(bs->pool, POOL_LONG, run_undo, j)) {
		answer(k, j, 202);
		return;
	}
	j->state = was;
	if (r) {
		pthread_mutex_unlock(&bs->lock);
		api_failed(k, "bulk", r);
	} else {
		refuse(k, "busy");
	}
}

void bulk_refused(struct ask *k)
{
	bool en = (sheet_take_lang(k), k->lang[0] == 'e');
	const struct sheet_column cols[] = {{en ? "Number" : "编号"}, {en ? "Name" : "名称"}, {en ? "Why it was refused" : "退回原因"}};
	static const char *const keys[] = {"id", "name", "why"};
	struct sheet_writer *w;
	char *text = NULL;
	size_t n = 0, i;
	struct bulk *j;
	json_t *row;
	FILE *f;

	pthread_mutex_lock(&k->api->bulks->lock);
	j = find(k);
	if (!j || busy(j)) {
		refuse(k, "not_found");
		return;
	}
	f = open_memstream(&text, &n);
	(void)sheet_writer_stream(&w, f, cols, ARRAY_LEN(cols));
	json_array_foreach(j->refused, i, row) {
		for (size_t c = 0; c < ARRAY_LEN(keys); c++)
			sheet_put_text(w, json_string_value(json_object_get(row, keys[c])));
		(void)sheet_end_row(w);
	}
	pthread_mutex_unlock(&k->api->bulks->lock);
	(void)sheet_writer_close(w);
	(void)fclose(f);
	http_set_header(k->rq, "Cache-Control", "no-store");
	http_set_header(k->rq, "Content-Disposition", "attachment; filename=\"refused.csv\"");
	http_reply(k->rq, 200, "text/csv; charset=utf-8", text, n);
	free(text);
}

/* ---- start and stop ---- */

/* Caller holds the lock. */
static void go_on(struct bulks *bs, struct bulk *j)
{
	bool undo = j->state == BULK_UNDOING;

	j->continued = true;
	log_info("bulk change goes on resource=%s done=%zu of=%zu", j->d->name, undo ? j->before_n - j->undo_at : j->at, j->n);
	if (!bs->pool || pool_submit(bs->pool, POOL_LONG, undo ? run_undo : run_change, j))
		log_warn("bulk change waits for the next start resource=%s", j->d->name);
}

void bulks_tick(struct api *a, struct db *db)
{
	struct bulks *bs = a->bulks;

	if (!a->conf.writer)
		return;
	pthread_mutex_lock(&bs->lock);
	if (!bs->loaded && !bulk_kept_load(a, db)) {
		bs->loaded = true;
		ilist_each_entry(&bs->jobs, j, struct bulk, link)
			if (busy(j))
				go_on(bs, j);
	}
	pthread_mutex_unlock(&bs->lock);
	bulk_kept_sweep(a);
}

int bulks_new(struct bulks **ret)
{
	struct bulks *bs = xcalloc(1, sizeof(*bs));
	int r;

	(void)pthread_mutex_init(&bs->lock, NULL);
	ilist_init(&bs->jobs);
	r = pool_new(&bs->pool, 1, BULK_JOBS_MAX);
	if (r) {
		bulks_free(bs);
		return r;
	}
	*ret = bs;
	return 0;
}

bool bulks_run(struct bulks *bs, void (*fn)(void *arg), void *arg)
{
	bool taken;

	pthread_mutex_lock(&bs->lock);
	taken = bs->pool && !pool_submit(bs->pool, POOL_LONG, fn, arg);
	pthread_mutex_unlock(&bs->lock);
	return taken;
}

void bulks_stop(struct bulks *bs)
{
	struct pool *pool;

	if (!bs)
		return;
	pthread_mutex_lock(&bs->lock);
	pool = bs->pool;
	bs->pool = NULL;
	pthread_mutex_unlock(&bs->lock);
	if (pool)
		pool_free(pool);
}

void bulks_free(struct bulks *bs)
{
	if (!bs)
		return;
	bulks_stop(bs);
	while (!ilist_empty(&bs->jobs))
		bulk_free(bs, container_of(bs->jobs.next, struct bulk, link));
	(void)pthread_mutex_destroy(&bs->lock);
	free(bs);
}
