/* See call.h for the states. A leg lives from claim or dial until `gone`; the table holds one reference, its owner another. */
#include "call/call.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct call_env {
	struct sip_stack *sip;
	struct media *media;
	struct hmap legs; /* id -> struct call_leg; until gone */
};

struct call_leg {
	int64_t id;
	struct call_env *env;
	struct sip_leg *sip;
	med_leg media;
	enum call_leg_state state;
	bool opus_auto;
	bool incoming, answered, late_offer, held, audible;
	char *sdp; /* incoming: our answer, waiting for 183 or 200 */
	struct call_leg_close close;
	const struct call_leg_handlers *h;
	void *arg;
};

static void leg_destroy(void *p)
{
	struct call_leg *leg = p;

	assert(!leg->media);
	(void)obj_unref(leg->sip);
	free(leg->sdp);
}

int call_env_new(struct call_env **ret, struct sip_stack *sip, struct media *media)
{
	struct call_env *env = xcalloc(1, sizeof(*env));

	env->sip = sip;
	env->media = media;
	hmap_init(&env->legs, false);
	*ret = env;
	return 0;
}

unsigned call_env_legs(const struct call_env *env)
{
	return (unsigned)env->legs.count;
}

static void leg_gone(struct call_leg *leg, const struct med_stats *stats)
{
	(void)hmap_del(&leg->env->legs, (uint64_t)leg->id);
	leg->h->gone(leg, &leg->close, stats, leg->arg);
	(void)obj_unref(leg);
}

void call_env_free(struct call_env *env)
{
	static const struct med_stats none = {.rtt_ms = -1, .tx_loss_pct = -1};
	struct call_leg *leg;
	size_t pos = 0;

	if (!env)
		return;
	while ((leg = hmap_next(&env->legs, &pos))) {
		assert(leg->state == CALL_LEG_CLOSED);
		leg_gone(leg, &none);
	}
	hmap_done(&env->legs);
	free(env);
}

/* The line is poor: Opus with its FEC, if the other side has it; else all stays as it was. */
static void to_opus(struct call_leg *leg)
{
	char sdp[MED_SDP_MAX];

	if (!leg->opus_auto || leg->state != CALL_LEG_UP)
		return;
	leg->opus_auto = false;
	med_leg_prefer(leg->env->media, leg->media, MED_OPUS);
	if (!med_leg_offer(leg->env->media, leg->media, sdp, sizeof(sdp)) && !sip_leg_reinvite(leg->sip, sdp))
		log_info("line is poor, asking for Opus leg=%lld", (long long)leg->id);
}

void call_env_media(struct call_env *env, const struct med_event *ev)
{
	struct call_leg *leg = hmap_get(&env->legs, (uint64_t)ev->cookie);

	if (!leg)
		return;
	if (ev->type == MED_EV_STATS) {
		leg_gone(leg, &ev->stats);
		return;
	}
	if (ev->type == MED_EV_HEARD) {
		if (leg->h->heard)
			leg->h->heard(leg, &ev->heard, leg->arg);
		return;
	}
	if (leg->state == CALL_LEG_CLOSED || ev->leg != leg->media)
		return;
	switch (ev->type) {
	case MED_EV_FIRST_RTP:
		leg->audible = true;
		if (leg->h->audible)
			leg->h->audible(leg, leg->arg);
		break;
	case MED_EV_DIGIT:
		leg->h->digit(leg, ev->digit, true, leg->arg);
		break;
	case MED_EV_PLAYED:
		leg->h->played(leg, leg->arg);
		break;
	case MED_EV_SILENT:
	case MED_EV_AUDIO_BACK:
		leg->h->silent(leg, ev->type == MED_EV_SILENT, leg->arg);
		break;
	case MED_EV_TROUBLE:
		if (leg->h->trouble)
			leg->h->trouble(leg, ev->trouble, leg->arg);
		break;
	case MED_EV_POOR:
		to_opus(leg);
		break;
	case MED_EV_SECURE_FAILED:
		call_leg_hangup(leg, 488, 0, "media security failed");
		break;
	default:
		break;
	}
}

/* ---- from SIP ---- */

static void on_progress(int code, const char *sdp, size_t len, void *arg)
{
	struct call_leg *leg = arg;
	bool early = sdp && len && !med_leg_answered(leg->env->media, leg->media, sdp, len);

	if (leg->state >= CALL_LEG_UP)
		return;
	if (early)
		leg->state = CALL_LEG_EARLY;
	else if (leg->state < CALL_LEG_RINGING)
		leg->state = CALL_LEG_RINGING;
	leg->h->ring(leg, code, early, leg->arg);
}

static void on_established(const char *sdp, size_t len, void *arg)
{
	struct call_leg *leg = arg;
	int r = 0;

	if (leg->state >= CALL_LEG_UP)
		return;
	if (sdp && len)
		r = med_leg_answered(leg->env->media, leg->media, sdp, len);
	else if (leg->late_offer || (!leg->incoming && leg->state != CALL_LEG_EARLY))
		r = MED_E_SDP;
	if (r) {
		call_leg_hangup(leg, 488, 79, "no usable media");
		return;
	}
	leg->state = CALL_LEG_UP;
	med_leg_up(leg->env->media, leg->media);
	leg->h->up(leg, leg->arg);
}

static void note_hold(struct call_leg *leg)
{
	bool held = med_leg_held_by_remote(leg->env->media, leg->media);

	if (held == leg->held)
		return;
	leg->held = held;
	leg->h->held(leg, held, leg->arg);
}

static int on_reoffer(const char *sdp, size_t len, char *answer, size_t size, void *arg)
{
	struct call_leg *leg = arg;
	int r;

	if (!leg->media)
		return 481;
	if (!sdp || !len)
		return med_leg_offer(leg->env->media, leg->media, answer, size) ? 488 : 0;
	r = med_leg_answer(leg->env->media, leg->media, sdp, len, answer, size);
	if (r)
		return r == MED_E_SDP ? 400 : 488;
	if (!leg->incoming && leg->state < CALL_LEG_EARLY)
		leg->state = CALL_LEG_EARLY; /* by UPDATE: it needs no description with its answer */
	note_hold(leg);
	return 0;
}

static void on_reanswer(int code, const char *sdp, size_t len, void *arg)
{
	struct call_leg *leg = arg;

	if (leg->state < CALL_LEG_UP && leg->late_offer) { /* their answer to the offer in our reliable 18x */
		if (!sdp || !len || med_leg_answered(leg->env->media, leg->media, sdp, len))
			call_leg_hangup(leg, 488, 79, "no usable media");
		leg->late_offer = false;
		return;
	}
	if (code < 300 && sdp && len && leg->media && !med_leg_answered(leg->env->media, leg->media, sdp, len))
		note_hold(leg);
}

static void on_info_digit(char digit, int duration_ms, void *arg)
{
	struct call_leg *leg = arg;

	leg->h->digit(leg, digit, false, leg->arg);
}

static int on_refer(const struct sip_refer *r, void *arg)
{
	struct call_leg *leg = arg;

	return leg->h->refer ? leg->h->refer(leg, r->target, r->replaces ? call_leg_of(r->replaces) : NULL, leg->arg) : 603;
}

static void on_closed(const struct sip_close *c, void *arg)
{
	struct call_leg *leg = arg;

	assert(leg->state != CALL_LEG_CLOSED);
	leg->state = CALL_LEG_CLOSED;
	leg->close = (struct call_leg_close){
		.by = c->by, .code = c->code, .q850 = c->q850, .silent = c->silent, .retry_after_s = c->retry_after_s};
	(void)str_copy(leg->close.reason, sizeof(leg->close.reason), c->reason);
	med_leg_close(leg->env->media, leg->media);
	leg->media = 0;
	leg->h->closed(leg, &leg->close, leg->arg);
}

static void on_trying(void *arg)
{
	struct call_leg *leg = arg;

	if (leg->state == CALL_LEG_NEW && leg->h->trying)
		leg->h->trying(leg, leg->arg);
}

static const struct sip_leg_handlers sip_handlers = {
	.trying = on_trying,
	.progress = on_progress,
	.established = on_established,
	.reoffer = on_reoffer,
	.reanswer = on_reanswer,
	.info_digit = on_info_digit,
	.closed = on_closed,
	.refer = on_refer,
};

/* ---- making legs ---- */

static struct call_leg *leg_new(struct call_env *env, int64_t id, const struct call_leg_handlers *h, void *arg)
{
	struct call_leg *leg = obj_new(sizeof(*leg), leg_destroy);

	if (!leg)
		return NULL;
	leg->id = id;
	leg->env = env;
	leg->h = h;
	leg->arg = arg;
	return leg;
}

static void leg_audio(struct call_leg *leg, const struct call_leg_audio *a)
{
	if (!a)
		return;
	med_leg_configure(leg->env->media, leg->media, &a->conf);
	if (a->like)
		med_leg_like(leg->env->media, leg->media, a->like);
	leg->opus_auto = a->opus_auto;
}

static void leg_drop(struct call_leg *leg)
{
	if (leg->media)
		med_leg_close(leg->env->media, leg->media);
	leg->media = 0;
	(void)obj_unref(leg);
}

static void leg_enlist(struct call_leg *leg)
{
	(void)hmap_set(&leg->env->legs, (uint64_t)leg->id, obj_ref(leg));
}

int call_leg_incoming(struct call_leg **ret, struct call_env *env, int64_t id, struct sip_leg *sip, const struct sip_invite *inv,
		      const struct call_leg_audio *audio, const struct call_leg_handlers *h, void *arg)
{
	char sdp[MED_SDP_MAX];
	struct call_leg *leg;
	int r;

	leg = leg_new(env, id, h, arg);
	if (!leg)
		return 500;
	leg->incoming = true;
	leg->late_offer = !inv->sdp || !inv->sdp_len;
	if (med_leg_open(env->media, &leg->media, MED_PLAIN, id)) {
		leg_drop(leg);
		return 503;
	}
	(void)med_leg_peer(env->media, leg->media, inv->source.host);
	leg_audio(leg, audio);
	if (leg->late_offer)
		r = med_leg_offer(env->media, leg->media, sdp, sizeof(sdp));
	else
		r = med_leg_answer(env->media, leg->media, inv->sdp, inv->sdp_len, sdp, sizeof(sdp));
	if (r) {
		leg_drop(leg);
		return r == MED_E_SDP ? 400 : r > 0 ? 488 : 500;
	}
	leg->sdp = xstrdup(sdp);
	leg_enlist(leg);
	leg->sip = sip_leg_claim(sip, &sip_handlers, leg);
	*ret = leg;
	return 0;
}

int call_leg_outgoing(struct call_leg **ret, struct call_env *env, int64_t id, enum med_profile profile, const struct sip_dial *d,
		      const struct call_leg_audio *audio, const struct call_leg_handlers *h, void *arg)
{
	struct sip_dial dial = *d;
	char sdp[MED_SDP_MAX], host[64];
	struct call_leg *leg;
	int r;

	leg = leg_new(env, id, h, arg);
	if (!leg)
		return -ENOMEM;
	r = med_leg_open(env->media, &leg->media, profile, id);
	if (!r)
		leg_audio(leg, audio);
	/* A browser is offered every address of ours; a telephone the one on its side. */
	if (!r && profile == MED_PLAIN && !sip_dial_host(env->sip, d, host, sizeof(host))) {
		(void)med_leg_towards(env->media, leg->media, host);
		(void)med_leg_peer(env->media, leg->media, host);
	}
	if (!r)
		r = med_leg_offer(env->media, leg->media, sdp, sizeof(sdp));
	if (r)
		goto fail;
	dial.sdp = sdp;
	r = sip_dial(&leg->sip, env->sip, &dial, &sip_handlers, leg);
	if (r)
		goto fail;
	leg_enlist(leg);
	*ret = leg;
	return 0;

fail:
	leg_drop(leg);
	return r > 0 ? -EPROTO : r;
}

/* ---- commands ---- */

int call_leg_ring(struct call_leg *leg)
{
	if (leg->state >= CALL_LEG_RINGING)
		return 0;
	leg->state = CALL_LEG_RINGING;
	/* RFC 3262 5: who asked for reliable answers without an offer gets ours in the first of them. */
	return sip_leg_progress(leg->sip, 180, "Ringing", leg->late_offer && sip_leg_is_reliable(leg->sip) ? leg->sdp : NULL);
}

int call_leg_early(struct call_leg *leg)
{
	if (leg->late_offer && !sip_leg_is_reliable(leg->sip))
		return call_leg_ring(leg); /* no SDP to give before the answer without PRACK */
	if (leg->state >= CALL_LEG_EARLY)
		return 0;
	leg->state = CALL_LEG_EARLY;
	return sip_leg_progress(leg->sip, 183, "Session Progress", leg->sdp);
}

int call_leg_answer(struct call_leg *leg)
{
	if (!leg->incoming || leg->answered || leg->state == CALL_LEG_CLOSED)
		return 0;
	leg->answered = true;
	return sip_leg_answer(leg->sip, leg->sdp);
}

void call_leg_hangup(struct call_leg *leg, int code, int q850, const char *reason)
{
	if (leg->state != CALL_LEG_CLOSED)
		sip_leg_hangup(leg->sip, code, q850, reason);
}

void call_leg_refer_result(struct call_leg *leg, int code)
{
	if (leg->state != CALL_LEG_CLOSED)
		sip_leg_refer_result(leg->sip, code, NULL);
}

struct call_leg *call_leg_of(const struct sip_leg *sip)
{
	return sip_leg_owner(sip); /* nobody else has legs */
}

void *call_leg_owner(const struct call_leg *leg)
{
	return leg->arg;
}

bool call_leg_audible(const struct call_leg *leg)
{
	return leg->audible;
}

int64_t call_leg_id(const struct call_leg *leg)
{
	return leg->id;
}

enum call_leg_state call_leg_get_state(const struct call_leg *leg)
{
	return leg->state;
}

med_leg call_leg_media(const struct call_leg *leg)
{
	return leg->media;
}

struct sip_leg *call_leg_sip(const struct call_leg *leg)
{
	return leg->sip;
}
