/*
 * A campaign's day: how many answered, were abandoned and might have been, slot by slot, with the price of a dial; and as a sheet, each dial with
 * the numbers it was decided by. Both from the records of attempts.
 */
#include "api/campaigns.h"

#include "api/sheet.h"
#include "campaign/retry.h"
#include "dialer/sheet.h"
#include "people/sales.h"

#include <unistd.h>

#define DAY_MS 86400000ll
#define SLOT_MS 900000ll
#define CALL_MAX_MS (4 * 3600000ll) /* an attempt of the day may end so long after it */

struct day {
	struct ask *k;
	struct zone *zone;
	int64_t id, day, from_ms, to_ms;
	int32_t limit_permille;
};

/* Rows of the day in the order of their dials. attempt_campaign serves it. */
#define ATTEMPTS \
	"SELECT a.begin_ms, COALESCE(a.answer_ms, 0), COALESCE(a.connect_ms, 0), COALESCE(a.end_ms, 0), COALESCE(a.ring_ms, 0), COALESCE(a.result, ''), a.nth, COALESCE(a.mode, '')," \
	" COALESCE(a.why, ''), COALESCE(u.name, ''), a.abandoned FROM attempt a LEFT JOIN users u ON u.id = a.agent_id WHERE a.campaign_id = $1 AND a.end_ms >= $2 AND a.end_ms < $4" \
	" AND a.begin_ms >= $2 AND a.begin_ms < $3 AND a.result <> 'returned' ORDER BY a.begin_ms, a.claim_id"

/* Today, or the day that is asked for (20261122); within what who asks sees. False after refusing. */
static bool take_day(struct day *d, struct ask *k)
{
	struct res_error e = {0};
	struct res_ctx c = {.db = k->db, .who = &k->who, .error = &e, .now_ms = k->now_ms};
	int64_t wall, limit = 30;
	const char *text = http_query(k->rq, "day");
	char day[11];
	int r;

	*d = (struct day){.k = k};
	if (!api_path_id(k, &d->id))
		return false;
	r = res_may_row(&c, &campaign_campaigns, d->id, RES_READ);
	if (!r)
		r = sales_zone(&d->zone, k->db);
	if (!r)
		r = db_get_i64(&limit, k->db, "SELECT limit_permille FROM campaigns WHERE id = $1", "i", d->id);
	if (r) {
		zone_free(d->zone);
		api_refuse_res(k, r, "day", &e);
		return false;
	}
	d->limit_permille = (int32_t)limit;
	d->day = zone_day(d->zone, k->now_ms);
	if (text && (!str_to_i64(&d->day, text, 20000101, 99991231) || snprintf(day, sizeof(day), "%04d-%02d-%02d", (int)(d->day / 10000), (int)(d->day / 100 % 100), (int)(d->day % 100)) != 10 ||
		     !campaign_day_of(day))) {
		zone_free(d->zone);
		api_refuse(k, "bad_query", json_pack("{s:s}", "day", "format"), NULL);
		return false;
	}
	wall = campaign_day_number(d->day) * DAY_MS;
	d->from_ms = zone_utc_ms(d->zone, wall);
	d->to_ms = zone_utc_ms(d->zone, wall + DAY_MS);
	return true;
}

static int each(struct day *d, int (*fn)(struct day *d, struct db_stmt *st, void *arg), void *arg)
{
	struct db_stmt *st;
	int r = db_prepare(&st, d->k->db, ATTEMPTS), failed = 0;

	if (r)
		return r;
	db_bind_i64(st, 1, d->id);
	db_bind_i64(st, 2, d->from_ms);
	db_bind_i64(st, 3, d->to_ms);
	db_bind_i64(st, 4, d->to_ms + CALL_MAX_MS);
	while (!failed && (r = db_step(st)) == DB_ROW)
		failed = fn(d, st, arg);
	db_done(st);
	return failed ? failed : r;
}

static int put_slot(struct day *d, struct db_stmt *st, void *arg)
{
	struct pace_sheet *s = arg;
	json_t *why = json_loads(db_text(st, 8), 0, NULL);

	pace_sheet_dial(s, db_i64(st, 0), (int32_t)json_integer_value(json_object_get(why, "price_ppm")));
	json_decref(why);
	if (db_i64(st, 1))
		pace_sheet_answer(s, db_i64(st, 1), db_i64(st, 10) != 0);
	return 0;
}

void campaigns_day(struct ask *k)
{
	struct pace_sheet *s = xcalloc(1, sizeof(*s));
	struct strb b;
	struct jw w;
	struct day d;
	int r;

	if (!take_day(&d, k)) {
		free(s);
		return;
	}
	pace_sheet_init(s, d.from_ms, d.to_ms, SLOT_MS, d.limit_permille);
	r = each(&d, put_slot, s);
	zone_free(d.zone);
	if (r) {
		api_failed(k, "day", r);
	} else {
		strb_init(&b, 65536);
		jw_init(&w, &b);
		jw_obj(&w, NULL);
		jw_int(&w, "day", d.day);
		pace_sheet_encode(s, &w, "sheet");
		jw_end_obj(&w);
		api_ok_text(k, &b);
		strb_done(&b);
	}
	free(s);
}

/* ---- as a file ---- */

static void put_milli(struct sheet_writer *w, const json_t *why, const char *key, int div)
{
	const json_t *v = json_object_get(why, key);
	char text[32];

	if (!json_is_integer(v)) {
		sheet_put_empty(w);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.2f", (double)json_integer_value(v) / div);
	sheet_put_text(w, text);
}

static void put_count(struct sheet_writer *w, const json_t *why, const char *key)
{
	const json_t *v = json_object_get(why, key);

	if (json_is_integer(v))
		sheet_put_int(w, json_integer_value(v));
	else
		sheet_put_empty(w);
}

static void put_seconds(struct sheet_writer *w, int64_t from_ms, int64_t to_ms)
{
	if (from_ms && to_ms > from_ms)
		sheet_put_int(w, (to_ms - from_ms + 500) / 1000);
	else
		sheet_put_empty(w);
}

static int put_row(struct day *d, struct db_stmt *st, void *arg)
{
	struct sheet_writer *w = arg;
	int64_t answer = db_i64(st, 1), connect = db_i64(st, 2), end = db_i64(st, 3), ring = db_i64(st, 4);
	json_t *why = json_loads(db_text(st, 8), 0, NULL);

	sheet_put_wall(w, zone_wall_ms(d->zone, db_i64(st, 0)));
	sheet_put_int(w, db_i64(st, 6));
	sheet_put_text(w, dial_result_text(dial_result_of(db_text(st, 5)), d->k->lang));
	put_seconds(w, ring, answer ? answer : end);
	put_seconds(w, connect, end);
	sheet_put_text(w, db_text(st, 9));
	put_count(w, why, "idle");
	put_count(w, why, "ringing");
	put_milli(w, why, "free_milli", 1000);
	put_milli(w, why, "answers_milli", 1000);
	put_milli(w, why, "risk_ppm", 10000);
	put_milli(w, why, "price_ppm", 10000);
	put_milli(w, why, "slack_milli", 1000);
	json_decref(why);
	return sheet_end_row(w);
}

void campaigns_day_xlsx(struct ask *k)
{
	struct sheet_writer *w;
	struct day d;
	char *path;
	int r, closed;

	sheet_take_lang(k);
	if (!take_day(&d, k))
		return;
	path = sheet_temp(k);
	if (path) {
		bool en = k->lang[0] == 'e';
		const struct sheet_column cols[] = {
			{en ? "Dialled" : "拨出时间", SHEET_DATE, 20}, {en ? "Attempt" : "第几次", SHEET_NUMBER}, {en ? "Result" : "结果", SHEET_TEXT, 16},
			{en ? "Rang (s)" : "振铃（秒）", SHEET_NUMBER}, {en ? "Talk (s)" : "通话（秒）", SHEET_NUMBER}, {en ? "Agent" : "坐席", SHEET_TEXT, 16},
			{en ? "Idle agents" : "空闲坐席", SHEET_NUMBER}, {en ? "Ringing" : "振铃中", SHEET_NUMBER},
			{en ? "Expected free" : "预计空闲", SHEET_TEXT, 10, .note = en ? "Agents expected to become free within 12 s." : "12 秒内预计空闲的坐席。"},
			{en ? "Expected answers" : "预计接起", SHEET_TEXT, 10, .note = en ? "Customers expected to answer within 12 s." : "12 秒内预计接起的客户。"},
			{en ? "Risk (%)" : "风险（%）", SHEET_TEXT, 10, .note = en ? "How likely this call's answer would have found nobody." : "这一通接起时没有坐席的可能。"},
			{en ? "Price (%)" : "价格（%）", SHEET_TEXT, 10, .note = en ? "Up to this risk a call is dialled." : "风险不超过它才拨。"},
			{en ? "Slack" : "余量", SHEET_TEXT, 10, .note = en ? "How many might still be abandoned." : "还可以有多少呼损。"},
		};

		r = sheet_writer_open(&w, path, SHEET_XLSX, en ? "Dials" : "拨打明细", sheet_dir(k->api), cols, ARRAY_LEN(cols));
		if (!r) {
			r = each(&d, put_row, w);
			closed = sheet_writer_close(w);
			r = r ? r : closed;
		}
		if (r)
			api_failed(k, "day", r);
		else
			sheet_send(k, path, SHEET_XLSX, en ? "Dials of the day" : "当日拨打明细");
		(void)unlink(path); /* what is being sent is open */
	}
	zone_free(d.zone);
}
