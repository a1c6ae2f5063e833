/* See sw_number.h. */
#include "switch/sw_number.h"

#include <stdio.h>
#include <string.h>

const char *sw_gate_name(enum sw_gate g)
{
	static const char *const names[SW_GATE_COUNT] = {"ok", "bad", "class", "country", "barred", "minutes", "costly"};

	return names[g];
}

static const struct num_table *table_of(const struct sw_trunk *t)
{
	return t && t->numbers ? t->numbers : &num_table_none;
}

static const struct num_rights *rights_or(const struct num_rights *r, const struct num_rights *fallback)
{
	return r ? r : fallback ? fallback : &num_rights_default;
}

/* ---- may it? ---- */

static bool is_costly(enum num_class c)
{
	return c == NUM_C_ABROAD || c == NUM_C_PREMIUM || c == NUM_C_OTHER;
}

static bool used_up(int64_t ms, int32_t minutes)
{
	return minutes > 0 && ms >= minutes * 60000LL;
}

static enum sw_gate judge(const struct sw_verdict *o, const struct num_rights *r, const struct sw_used *used, const char *dialled)
{
	static const enum sw_gate of_why[NUM_WHYS] = {
		[NUM_OK] = SW_GATE_OK, [NUM_W_BAD] = SW_GATE_BAD, [NUM_W_CLASS] = SW_GATE_CLASS, [NUM_W_COUNTRY] = SW_GATE_COUNTRY,
		[NUM_W_BARRED] = SW_GATE_BARRED,
	};
	enum sw_gate g = of_why[num_may(r, &o->num, o->class, dialled)];

	if (g || o->class == NUM_C_EMERGENCY)
		return g;
	if (used_up(used->ms, r->minutes_day))
		return SW_GATE_MINUTES;
	return is_costly(o->class) && used_up(used->costly_ms, r->abroad_minutes_day) ? SW_GATE_COSTLY : SW_GATE_OK;
}

static int32_t smaller_limit(int32_t a, int32_t b)
{
	return !a || (b && b < a) ? b : a;
}

static void judge_both(struct sw_verdict *o, const struct sw_plan_ask *ask)
{
	const struct num_rights *trunk = rights_or(ask->trunk->rights, NULL);
	const struct num_rights *person = rights_or(ask->user ? ask->user->rights : ask->nobody, NULL);

	o->gate = judge(o, trunk, &ask->trunk_used, ask->dialled);
	o->by_trunk = o->gate != SW_GATE_OK;
	o->rights_id = trunk->id;
	if (!o->gate) {
		o->gate = judge(o, person, &ask->user_used, ask->dialled);
		o->rights_id = person->id;
	}
	if (!o->gate)
		o->rights_id = 0;
	o->call_max_min = o->class == NUM_C_EMERGENCY ? 0 : smaller_limit(trunk->call_max_min, person->call_max_min);
}

/* ---- what is sent ---- */

/*
 * What it costs by what the carrier is sent. A rule may uncover another number than was read; and a carrier that reads numbers without plus
 * as international ones takes seven digits of a local line for an island (+683 4000).
 */
static void read_cost(struct sw_verdict *ret, const struct num_table *table, const char *dialled)
{
	struct num inner;

	if (num_uncovered(&inner, table, &ret->num, dialled, ret->city)) {
		ret->num = inner;
		ret->class = num_class_of(&inner, table->area);
	} else if (ret->num.kind == NUM_LOCAL && table->called == NUM_F_BARE) {
		ret->class = NUM_C_OTHER;
	}
}

void sw_plan(struct sw_verdict *ret, const struct sw_plan_ask *ask, struct num_trace *tr)
{
	const struct num_table *table = table_of(ask->trunk);
	const char *caller = ask->shown && ask->shown[0] ? ask->shown
			     : ask->trunk->caller_id && ask->trunk->caller_id[0] ? ask->trunk->caller_id : ask->caller_id;

	*ret = (struct sw_verdict){0};
	(void)num_read(&ret->num, ask->dialled, table->area);
	num_trace_add(tr, "read", 0, ask->dialled, ret->num.text);
	ret->class = num_class_of(&ret->num, table->area);
	if (table->called == NUM_F_LOCAL)
		ret->city = num_city_of(&ret->num, table->area);
	num_outbound(ret->called, table, false, &ret->num, ask->dialled, ret->city, tr);
	read_cost(ret, table, ask->dialled);
	judge_both(ret, ask);
	num_identify(&ret->id, table, caller && *caller ? caller : "huawu", ask->trunk->username, ask->trunk->host, &ret->num, NULL);
	num_identity_lines(ret->lines, sizeof(ret->lines), &ret->id);
}

void sw_verdict_dial(const struct sw_verdict *v, struct sip_dial *d)
{
	d->from_user = v->id.from_user;
	d->from_name = v->id.from_name[0] ? v->id.from_name : NULL;
	if (v->id.from_domain[0])
		d->from_host = v->id.from_domain;
	d->headers = v->lines[0] ? v->lines : NULL;
}

enum sw_refusal sw_gate_refusal(const struct sw_verdict *o)
{
	switch (o->gate) {
	case SW_GATE_OK:
		return SW_OK;
	case SW_GATE_BAD:
		return SW_R_NUMBER;
	case SW_GATE_CLASS:
	case SW_GATE_COUNTRY:
		return o->class == NUM_C_ABROAD ? SW_R_ABROAD : o->class == NUM_C_PREMIUM ? SW_R_PREMIUM : SW_R_CLASS;
	case SW_GATE_BARRED:
		return SW_R_BARRED;
	default:
		return SW_R_MINUTES;
	}
}

const char *sw_gate_phrase(const struct sw_verdict *o)
{
	switch (sw_gate_refusal(o)) {
	case SW_R_ABROAD:
		return "Calls abroad are not allowed";
	case SW_R_PREMIUM:
		return "Premium numbers are not allowed";
	case SW_R_CLASS:
		return "Such numbers are not allowed";
	case SW_R_BARRED:
		return "This number is barred";
	case SW_R_MINUTES:
		return "Today's minutes are used up";
	default:
		return "This is no number";
	}
}

/* ---- inbound ---- */

void sw_caller(char *buf, size_t size, const struct sw_trunk *t, const struct sip_invite *inv)
{
	const struct num_table *table = table_of(t);
	const char *text = table->id && inv->asserted_user && inv->asserted_user[0] ? inv->asserted_user : inv->from_user;
	struct num n;

	if (num_is_hidden(inv->from_user, inv->from_host, inv->privacy))
		(void)str_copy(buf, size, "anonymous");
	else if (table->id && num_inbound(&n, table, true, text, NULL))
		(void)str_copy(buf, size, n.text);
	else
		(void)str_copy(buf, size, inv->from_user);
}

bool sw_name_is_number(const char *name, const char *user)
{
	char digits[NUM_MAX];

	return !name || !strcmp(name, user) || num_clean(digits, name);
}

const struct sw_number *sw_called(const struct sw *sw, const struct sw_trunk *t, const char *dialled, char *canonical, size_t size)
{
	const struct num_table *table = table_of(t);
	const struct sw_number *n = sw_number_of(sw, t->id, dialled);
	struct num called;

	if (!num_inbound(&called, table, false, dialled, NULL)) {
		(void)str_copy(canonical, size, dialled);
		return n;
	}
	(void)str_copy(canonical, size, table->id ? called.text : dialled);
	return n ? n : sw_number_of(sw, t->id, called.text);
}

void sw_dialled(char *buf, size_t size, const struct sw *sw, const char *dialled)
{
	const struct num_table *table = table_of(sw_trunk_out(sw));
	struct num n;

	if (table->called != NUM_F_RAW && num_read(&n, dialled, table->area))
		(void)str_copy(buf, size, n.text);
	else
		(void)str_copy(buf, size, dialled);
}
