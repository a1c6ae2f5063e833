/*
 * How legs speak: codecs and keys by the settings of trunk, telephone or person; one-way audio as a fact and an alarm; the figures
 * of a leg.
 */
#include <stdio.h>
#include <string.h>

#include "switch/sw.h"

#define DEAF_CALLS 3 /* so many calls in a row with nothing to hear from a trunk: that is the trunk */

static void take(struct call_leg_audio *a, const struct sw_audio *conf, bool tls)
{
	static const enum med_sdes sdes[] = {
		[SW_SRTP_OFF] = MED_SDES_OFF, [SW_SRTP_OPTIONAL] = MED_SDES_OPTIONAL, [SW_SRTP_REQUIRED] = MED_SDES_REQUIRED,
	};

	if (conf->codecs)
		(void)med_codecs_parse(&a->conf, conf->codecs);
	/* Required stays required: then there is no call rather than one whose keys anybody reads. */
	if (tls || conf->srtp_any || conf->srtp == SW_SRTP_REQUIRED)
		a->conf.sdes = sdes[conf->srtp];
}

static void take_browser(struct call_leg_audio *a, enum sw_browser_codec codec)
{
	(void)med_codecs_parse(&a->conf, codec == SW_BROWSER_OPUS ? "opus,pcma,pcmu" : "pcma,pcmu");
	a->opus_auto = codec == SW_BROWSER_AUTO;
}

/* "w17" is the browser of user 17. */
static const struct sw_user *browser_of(const struct sw *sw, const char *device)
{
	int64_t id;

	return device[0] == 'w' && str_to_i64(&id, device + 1, 1, INT64_MAX) ? sw_user_of(sw, id) : NULL;
}

struct call_leg_audio sw_audio_of(const struct sw *sw, const struct sw_trunk *t, const char *device, bool incoming, const struct sw_leg *like)
{
	const struct sw_device *d = device ? sw_device_of(sw, device) : NULL;
	const struct sw_reg *reg = device ? hmap_get_str(&sw->regs, device) : NULL;
	const struct sw_user *u = device && !d ? browser_of(sw, device) : NULL;
	struct call_leg_audio a = {.like = like ? call_leg_media(like->leg) : 0};

	/* What comes in with keys has shown them already: only our own offers are a question. */
	if (t)
		take(&a, &t->audio, incoming || t->transport == SW_TLS);
	else if (d)
		take(&a, &d->audio, incoming || (reg && !strcmp(reg->transport, "tls")));
	else if (u)
		take_browser(&a, u->browser_codec);
	if (u && u->browser_codec == SW_BROWSER_OPUS)
		a.like = 0; /* his line is why, whatever the other side speaks */
	return a;
}

static const char *role_name(enum sw_role r)
{
	return r == ROLE_CUSTOMER ? "customer" : r == ROLE_AGENT_LEG ? "agent" : "third";
}

void sw_audio_trouble(struct sw_leg *l, enum med_trouble t)
{
	struct ev e = {.kind = EV_LEG_AUDIO, .call_id = l->call ? l->call->id : 0, .leg_id = l->id, .agent_id = l->agent_id};
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "trouble", med_trouble_name(t));
	jw_str(&w, "role", role_name(l->role));
	if (l->trunk_id)
		jw_id(&w, "trunk", l->trunk_id);
	jw_end_obj(&w);
	if (t)
		log_warn("one side is not heard call=%lld leg=%lld role=%s cause=%s", (long long)e.call_id, (long long)l->id,
			 role_name(l->role), med_trouble_name(t));
	sw_emit(l->sw, &e, &b);
}

/* One alarm for all trunks; it says which. Over when a call through that trunk is heard. */
static void count_deaf(struct sw_leg *l, const struct med_stats *st)
{
	uintptr_t n = (uintptr_t)hmap_get(&l->sw->trunk_deaf, (uint64_t)l->trunk_id);
	const struct sw_trunk *t = sw_trunk_of(l->sw, l->trunk_id);
	char detail[200];

	if (!l->trunk_id || !l->answer_logged || (!st->rx_packets && !st->trouble))
		return; /* too short to tell */
	if (st->trouble) {
		(void)hmap_set(&l->sw->trunk_deaf, (uint64_t)l->trunk_id, (void *)(n + 1));
		if (n + 1 != DEAF_CALLS)
			return;
		(void)snprintf(detail, sizeof(detail), "trunk %s: %d calls in a row with one-way audio, the last because of %s",
			       t ? t->name : "?", DEAF_CALLS, med_trouble_name(st->trouble));
		sw_alarm(l->sw, "audio", detail, true);
	} else if (n) {
		(void)hmap_del(&l->sw->trunk_deaf, (uint64_t)l->trunk_id);
		if (n >= DEAF_CALLS)
			sw_alarm(l->sw, "audio", "", false);
	}
}

void sw_audio_quality(struct sw_leg *l, struct jw *w, const struct med_stats *st)
{
	jw_obj(w, "quality");
	jw_int(w, "rx", st->rx_packets);
	jw_int(w, "tx", st->tx_packets);
	jw_int(w, "lost", st->rx_lost);
	jw_int(w, "dropped", st->rx_dropped);
	strb_printf(w->b, ",\"jitter_ms\":%.1f,\"mos\":%.2f", (double)st->rx_jitter_ms, (double)st->mos);
	if (st->rtt_ms >= 0)
		strb_printf(w->b, ",\"rtt_ms\":%.1f", (double)st->rtt_ms);
	if (st->codec && st->codec[0])
		jw_str(w, "codec", st->codec);
	if (st->encrypted && st->encrypted[0])
		jw_str(w, "encrypted", st->encrypted);
	if (st->source && st->source[0])
		jw_str(w, "source", st->source);
	if (st->trouble)
		jw_str(w, "trouble", med_trouble_name(st->trouble));
	jw_end_obj(w);
	count_deaf(l, st);
}
