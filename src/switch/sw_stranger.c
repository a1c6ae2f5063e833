/* Strangers as SIP counts them (sip/ban.h): bans become facts, are lifted, and outlive the process. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "switch/sw.h"

void sw_stranger_ban(const struct sip_ban *x, bool on, void *arg)
{
	struct ev e = {.kind = EV_SIP_BAN};
	char buf[2048];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "source", x->source);
	jw_str(&w, "user", x->user);
	jw_str(&w, "reason", on ? sip_offence_name(x->reason) : "");
	jw_int(&w, "count", x->count);
	jw_int(&w, "step", x->step);
	jw_int(&w, "since_ms", x->since_ms);
	jw_int(&w, "until_ms", x->until_ms);
	jw_bool(&w, "on", on);
	jw_end_obj(&w);
	sw_emit(arg, &e, &b);
}

static void restore(struct sw *sw, const char *body)
{
	json_t *o = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const char *source = NULL, *user = NULL, *reason = NULL;
	json_int_t count = 0, step = 0, since = 0, until = 0;
	struct sip_ban x = {0};

	if (o && !json_unpack(o, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "source", &source, "user", &user, "reason", &reason, "count", &count,
			      "step", &step, "since_ms", &since, "until_ms", &until)) {
		(void)str_copy(x.source, sizeof(x.source), source);
		(void)str_copy(x.user, sizeof(x.user), user);
		for (enum sip_offence i = 0; i < SIP_OFFENCE_COUNT; i++)
			if (!strcmp(sip_offence_name(i), reason))
				x.reason = i;
		x.count = (unsigned)count;
		x.step = (unsigned)step;
		x.since_ms = since;
		x.until_ms = until;
		sip_ban_restore(sw->sip, &x);
	}
	json_decref(o);
}

void sw_stranger_ask(struct sw *sw, const struct sw_stranger_ask *m)
{
	struct strb b;
	struct jw w;

	if (m->restore[0]) {
		restore(sw, m->restore);
		return;
	}
	if (m->lift) {
		bool found = sip_ban_lift(sw->sip, m->source, m->user);

		m->answer(found ? "{}" : NULL, m->arg);
		return;
	}
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	sip_strangers(sw->sip, &w);
	jw_end_obj(&w);
	m->answer(b.overflow ? NULL : b.buf, m->arg);
	strb_done(&b);
}
