/*
 * The try-it box: runs a number through what real calls run (sw_plan, sw_route, sw_verdict_dial, num_inbound) and writes down each step.
 * It dials nothing, counts nothing and logs nothing.
 */
#include "switch/sw_number.h"
#include "switch/sw_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_steps(struct jw *w, const struct num_trace *tr)
{
	jw_arr(w, "steps");
	for (size_t i = 0; i < tr->n; i++) {
		jw_obj(w, NULL);
		jw_str(w, "what", tr->steps[i].what);
		jw_id(w, "rule_id", tr->steps[i].rule_id);
		jw_str(w, "before", tr->steps[i].before);
		jw_str(w, "after", tr->steps[i].after);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void put_num(struct jw *w, const struct num *n, const char *area)
{
	char show[NUM_MAX + 8] = "";

	if (n->kind)
		num_show(show, sizeof(show), n);
	jw_str(w, "canonical", n->text);
	jw_str(w, "shown", show);
	jw_str(w, "kind", num_kind_name(n->kind));
	jw_str(w, "class", num_class_name(num_class_of(n, area)));
	jw_int(w, "country", n->cc);
	jw_str(w, "area", n->area);
}

/* ---- out ---- */

static void put_header(struct jw *w, const char *key, const char *value)
{
	if (value && *value)
		jw_str(w, key, value);
	else
		jw_null(w, key);
}

static void put_sent(struct sw *sw, struct jw *w, const struct sw_trunk *t, const struct sw_verdict *v)
{
	struct sip_dial d = {0};
	char uri[400] = "", from[300];

	sw_line_dial(sw, &(struct sw_try){.trunk_id = t->id}, v->called, &d, uri, sizeof(uri));
	sw_verdict_dial(v, &d);
	(void)snprintf(from, sizeof(from), d.from_name ? "\"%s\" <sip:%s@%s>" : "%s<sip:%s@%s>", d.from_name ? d.from_name : "",
		       d.from_user && *d.from_user ? d.from_user : "anonymous", d.from_host ? d.from_host : sw->start.realm);
	jw_obj(w, "sent");
	jw_str(w, "uri", uri);
	jw_str(w, "from", from);
	put_header(w, "pai", v->id.pai);
	put_header(w, "ppi", v->id.ppi);
	put_header(w, "rpid", v->id.rpid);
	put_header(w, "privacy", v->id.hidden ? "id" : "");
	jw_end_obj(w);
}

/* Which trunk a call of this person to this number would take, and why not the others. */
static void put_trunks(struct sw *sw, struct jw *w, const struct sw_user *u, const char *dialled)
{
	size_t n = sw->conf->trunk_n, tried;
	struct sw_trunk_now *now = xcalloc(n + 1, sizeof(*now));
	struct sw_choice *choices = xcalloc(n + 1, sizeof(*choices));
	const struct sw_route_ask ask = {.number = dialled, .user = u, .trunks = now, .trunk_n = n, .seed = 1};

	for (size_t i = 0; i < n; i++)
		sw_line_now(sw, &sw->conf->trunks[i], dialled, u, &now[i]);
	tried = sw_route(choices, &ask);
	if (tried)
		jw_id(w, "chosen", choices[0].trunk_id);
	else
		jw_null(w, "chosen");
	jw_arr(w, "trunks");
	for (size_t i = 0; i < n; i++) {
		const struct sw_trunk *t = sw_trunk_of(sw, choices[i].trunk_id);

		jw_obj(w, NULL);
		jw_id(w, "id", choices[i].trunk_id);
		jw_str(w, "name", t ? t->name : "");
		jw_str(w, "why", sw_why_name(choices[i].why));
		jw_end_obj(w);
	}
	jw_end_arr(w);
	free(now);
	free(choices);
}

static void put_gate(struct jw *w, const struct sw_verdict *v)
{
	jw_bool(w, "allowed", v->gate == SW_GATE_OK);
	jw_str(w, "gate", sw_gate_name(v->gate));
	jw_str(w, "by", v->gate ? v->by_trunk ? "trunk" : "person" : "");
	jw_str(w, "refusal", v->gate ? sw_refusal_name(sw_gate_refusal(v)) : "");
	if (v->rights_id)
		jw_id(w, "rights_id", v->rights_id);
	else
		jw_null(w, "rights_id");
}

static void outbound(struct sw *sw, struct jw *w, const struct sw_trunk *t, const struct sw_user *u, const char *dialled)
{
	struct sw_plan_ask ask = sw_plan_ask(sw, t, u, dialled);
	struct num_trace tr = {0};
	struct sw_verdict v;

	sw_plan(&v, &ask, &tr);
	put_num(w, &v.num, t->numbers ? t->numbers->area : "");
	jw_str(w, "city", v.city == NUM_CITY_HOME ? "home" : v.city == NUM_CITY_OTHER ? "other" : "unknown");
	put_steps(w, &tr);
	put_gate(w, &v);
	jw_bool(w, "extension", sw_user_by_extension(sw, dialled) != NULL);
	put_trunks(sw, w, u, dialled);
	put_sent(sw, w, t, &v);
}

/* ---- in ---- */

static void inbound(struct sw *sw, struct jw *w, const struct sw_trunk *t, bool calling, const char *text)
{
	const struct num_table *table = t->numbers ? t->numbers : &num_table_none;
	const struct sw_number *number = NULL;
	struct num_trace tr = {0};
	char canonical[64];
	struct num n;

	(void)num_inbound(&n, table, calling, text, &tr);
	put_num(w, &n, table->area);
	put_steps(w, &tr);
	jw_bool(w, "hidden", calling && num_is_hidden(text, NULL, NULL));
	if (!calling)
		number = sw_called(sw, t, text, canonical, sizeof(canonical));
	if (number)
		jw_id(w, "number_id", number->id);
	else
		jw_null(w, "number_id");
}

bool sw_trial(struct sw *sw, struct sw_trial *t, struct strb *b)
{
	const struct sw_trunk *conf = sw_trunk_of(sw, t->trunk_id);
	struct sw_trunk trunk;
	struct jw w;

	if (!conf)
		return false;
	trunk = *conf;
	if (t->has_form) {
		t->form.domain = t->domain[0] ? t->domain : NULL;
		t->form.numbers = t->numbers[0] ? t->numbers : NULL;
		t->form.rules = conf->numbers ? conf->numbers->rules : NULL;
		t->form.rule_n = conf->numbers ? conf->numbers->rule_n : 0;
		t->form.id = conf->id;
		trunk.numbers = &t->form;
	}
	jw_init(&w, b);
	jw_obj(&w, NULL);
	jw_str(&w, "dir", t->in ? "in" : "out");
	jw_str(&w, "number", t->number);
	if (t->in)
		inbound(sw, &w, &trunk, t->calling, t->number);
	else
		outbound(sw, &w, &trunk, t->user_id ? sw_user_of(sw, t->user_id) : NULL, t->number);
	jw_end_obj(&w);
	return true;
}
