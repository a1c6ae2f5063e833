/* The switch's thread: start and stop, what comes in by mailbox, the one-second tick. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>

#include "base/netmap.h"
#include "switch/sw.h"
#include "switch/sw_campaign.h"
#include "switch/sw_hear.h"
#include "switch/sw_kept.h"
#include "switch/sw_number.h"

enum { MSG_CONF, MSG_COMMAND, MSG_ORPHAN, MSG_ALARM, MSG_TRIAL, MSG_STRANGERS, MSG_CUSTOMER, MSG_TURN, MSG_CLAIMS, MSG_BOOK, MSG_TRUNK, MSG_STOP };

struct alarm_msg {
	char what[32], name[128], detail[256];
	int64_t object;
	bool on;
};

struct command_msg {
	struct sw_cmd cmd;
	void (*answer)(enum sw_refusal r, int64_t call_id, void *arg);
	void *arg;
};

struct turn_msg {
	struct sw_turn turn;
	void (*answer)(int64_t agent_id, bool free, bool owed, void *arg);
	void *arg;
};

struct trial_msg {
	struct sw_trial trial;
	void (*answer)(const char *json, void *arg);
	void *arg;
};

const char *sw_refusal_name(enum sw_refusal r)
{
	static const char *const names[] = {
		[SW_OK] = "ok",               [SW_R_UNKNOWN] = "unknown",     [SW_R_STATE] = "wrong_state",
		[SW_R_NO_DEVICE] = "no_device", [SW_R_NO_TRUNK] = "no_trunk", [SW_R_NUMBER] = "bad_number",
		[SW_R_NO_CALL] = "no_call",   [SW_R_FULL] = "full",           [SW_R_STOPPING] = "stopping",
		[SW_R_CLASS] = "class_off",   [SW_R_ABROAD] = "abroad_off",   [SW_R_PREMIUM] = "premium_off",
		[SW_R_BARRED] = "barred",     [SW_R_MINUTES] = "minutes_used", [SW_R_EMERGENCY] = "emergency_test",
		[SW_R_TARGET_BUSY] = "target_busy", [SW_R_TARGET_AWAY] = "target_away",
	};

	return r >= 0 && r < SW_R_COUNT ? names[r] : "unknown";
}

/* ---- dialogs of a dead process ---- */

#define ORPHANS_MAX 10000

/* A browser's dialog can only be ended when that browser is back: kept until it registers. */
static void end_orphan(struct sw *sw, const char *dialog)
{
	if (sip_orphan_bye(sw->sip, dialog) != -ENOENT || sw->orphan_n == ORPHANS_MAX)
		return;
	sw->orphans = xrealloc(sw->orphans, (sw->orphan_n + 1) * sizeof(*sw->orphans));
	sw->orphans[sw->orphan_n++] = xstrdup(dialog);
}

static void retry_orphans(struct sw *sw)
{
	size_t kept = 0;

	for (size_t i = 0; i < sw->orphan_n; i++)
		if (sip_orphan_bye(sw->sip, sw->orphans[i]) == -ENOENT)
			sw->orphans[kept++] = sw->orphans[i];
		else
			free(sw->orphans[i]);
	sw->orphan_n = kept;
}

/* ---- what SIP asks ---- */

static bool on_credentials(struct sip_ha1 *ret, const char *device, void *arg)
{
	struct sw *sw = arg;
	const struct sw_device *d = sw_device_of(sw, device);
	const struct sw_cred *c = hmap_get_str(&sw->creds, device);

	if (c && c->until_ms > clock_utc_ms()) {
		(void)str_copy(ret->md5, sizeof(ret->md5), c->ha1_md5);
		(void)str_copy(ret->sha256, sizeof(ret->sha256), c->ha1_sha256);
		ret->socket_only = true;
		return true;
	}
	if (!d)
		return sw_line_credentials(sw, ret, device);
	if (!d->ha1_md5 || !d->ha1_md5[0])
		return false;
	(void)str_copy(ret->md5, sizeof(ret->md5), d->ha1_md5);
	(void)str_copy(ret->sha256, sizeof(ret->sha256), d->ha1_sha256 ? d->ha1_sha256 : "");
	return true;
}

static int64_t on_trunk_of(const struct sip_addr *source, const char *user, bool *by_token, void *arg)
{
	return sw_line_of_source(arg, source, user, by_token);
}

static int64_t on_trunk_account(const char *user, void *arg)
{
	return sw_line_of_account(arg, user);
}

static void on_registered(const struct sip_binding *b, bool up, void *arg)
{
	struct sw *sw = arg;
	struct sw_reg *r = hmap_get_str(&sw->regs, b->device);
	char host[64];
	bool moved = r && (strcmp(r->source.host, b->source.host) != 0 || r->source.port != b->source.port);

	if (!up) {
		(void)hmap_del_str(&sw->regs, b->device);
		log_info("device gone device=%s", b->device);
		sw_device_event(sw, b->device, false);
		sw_agent_device(sw, b->device, r && r->browser, false);
		free(r);
		return;
	}
	if (r && !moved)
		return;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		(void)str_copy(r->name, sizeof(r->name), b->device);
	}
	(void)str_copy(r->transport, sizeof(r->transport), b->transport);
	r->browser = !strncmp(b->transport, "ws", 2); /* wss too */
	r->source = b->source;
	(void)hmap_set_str(&sw->regs, r->name, r);
	net_uri_host(host, sizeof(host), b->source.host);
	log_info("device registered device=%s transport=%s source=%s:%u agent=%s", b->device, b->transport, host, b->source.port,
		 b->user_agent ? b->user_agent : "-");
	retry_orphans(sw);
	sw_device_event(sw, b->device, true);
	sw_agent_device(sw, b->device, r->browser, true);
}

static void on_media(const struct med_event *ev, void *arg)
{
	struct sw *sw = arg;

	if (ev->type == MED_EV_REC_CLOSED || ev->type == MED_EV_REC_FAILED)
		sw_call_rec_event(sw, ev);
	else
		call_env_media(sw->env, ev);
}

/* ---- stopping ---- */

static void end_all(void *arg)
{
	struct sw *sw = arg;
	struct sw_call *c;
	size_t pos = 0;

	while ((c = hmap_next(&sw->calls, &pos)))
		if (c->phase != CALL_ENDED) {
			sw_call_end(c, "system", 480, 41, "shutting down");
			pos = 0; /* the map may have changed under the walk */
		}
}

static bool goes_through(const struct sw_call *c, int64_t trunk_id)
{
	return c->trunk_id == trunk_id || (c->cust && c->cust->trunk_id == trunk_id) || (c->ag && c->ag->trunk_id == trunk_id);
}

static void end_trunk(struct sw *sw, int64_t trunk_id)
{
	struct sw_call *c;
	size_t pos = 0;

	while ((c = hmap_next(&sw->calls, &pos)))
		if (c->phase != CALL_ENDED && goes_through(c, trunk_id)) {
			sw_call_end(c, "system", 480, 41, "its trunk is taken away");
			pos = 0; /* the map may have changed under the walk */
		}
}

static void log_out_all(struct sw *sw)
{
	struct sw_agent *a;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos)))
		if (a->state != ACD_OFFLINE) {
			struct acd_in in = {.kind = ACD_IN_LOGOUT, .agent_id = a->id, .force = true};

			(void)sw_acd(sw, &in);
		}
}

static void try_finish(struct sw *sw, bool late)
{
	if (sw->calls.count || ((sw->recs.count || sw->kept_legs) && !late))
		return;
	log_out_all(sw);
	loop_stop();
}

static void finish(void *arg)
{
	try_finish(arg, false);
}

void sw_finish_soon(struct sw *sw)
{
	if (sw->stopping)
		ltimer_set(&sw->finishing, 0, finish, sw);
}

static void too_late(void *arg)
{
	struct sw *sw = arg;

	log_warn("stopping with legs not closed by the other side calls=%zu", sw->calls.count);
	log_out_all(sw);
	loop_stop();
}

static void past_deadline(void *arg)
{
	struct sw *sw = arg;

	if (sw->calls.count)
		log_warn("calls are ended by the deadline calls=%zu", sw->calls.count);
	end_all(sw);
	ltimer_set(&sw->deadline, 2000, too_late, sw);
}

/* ---- once a second ---- */

static void watch_clock(struct sw *sw)
{
	int64_t dev = clock_deviation_ms();
	struct ev e = {.kind = EV_SYS_CLOCK};
	char buf[64];
	struct strb b;

	if (dev - sw->deviation_ms < 1000 && sw->deviation_ms - dev < 1000)
		return;
	sw->deviation_ms = dev;
	strb_init_fixed(&b, buf, sizeof(buf));
	strb_printf(&b, "{\"deviation_ms\":%lld}", (long long)dev);
	sw_emit(sw, &e, &b);
	sw_alarm(sw, "clock", "the machine's clock was stepped; events keep the time of before", dev > 1000 || dev < -1000);
}

static void refuse_new(struct sw *sw)
{
	sip_refuse_new(sw->sip, sw->pressed || sw->overload || sw->stopping ? 503 : 0);
}

/* New calls are refused before those that run are harmed. With few calls the load is not ours, and refusing would not help. */
bool sw_overloaded(struct sw *sw)
{
	bool over = sw->calls.count >= SW_LOAD_CALLS && media_load_pct(sw->media) > (sw->overload ? SW_LOAD_PCT - 10 : SW_LOAD_PCT);

	if (over == sw->overload)
		return over;
	sw->overload = over;
	refuse_new(sw);
	sw_alarm(sw, "overload", "the machine has enough to do with the calls that run; new ones are refused", over);
	return over;
}

static void watch_ring(struct sw *sw)
{
	static const char *const troubles[] = {
		"", "the database is away; calls go on, and their records wait in a file",
		"neither database nor disk take records: is the disk full? Calls go on, their records wait in memory",
	};
	int trouble = journal_is_stuck(sw->journal) ? 2 : journal_spills(sw->journal) ? 1 : 0;
	bool pressed = journal_pressed(sw->journal);

	if (trouble != sw->db_trouble) {
		sw->db_trouble = trouble;
		sw_alarm(sw, "database", troubles[trouble], trouble != 0);
	}

	if (pressed == sw->pressed)
		return;
	sw->pressed = pressed;
	refuse_new(sw);
	sw_alarm(sw, "journal", "the database does not take events; new calls are refused", pressed);
}

static void snapshot(struct sw *sw)
{
	struct ev e = {.kind = EV_ACD_SNAP};
	struct strb b;

	strb_init(&b, EV_BODY_MAX);
	acd_snap_encode(sw->acd, &b);
	if (b.overflow)
		log_error("state of the routing core is too large for the log bytes_max=%d", EV_BODY_MAX);
	else
		sw_emit(sw, &e, &b);
	strb_done(&b);
}

/* The centre's midnight: China has one zone and no summer time. */
static int64_t day_of(int64_t utc_ms)
{
	return (utc_ms + 8 * 3600000LL) / 86400000LL;
}

static void forget_creds(struct sw *sw)
{
	struct sw_cred *c;
	size_t pos = 0;

	while ((c = hmap_next(&sw->creds, &pos)))
		if (c->until_ms < clock_utc_ms()) {
			(void)hmap_del_str(&sw->creds, c->name);
			free(c);
		}
}

/* What is found is told once, mended where that is safe (sw_check.c), and over when nothing is found any more. */
static void watch_invariants(struct sw *sw)
{
	const char *broken = acd_invariant(sw->acd);

	if (!broken)
		broken = sw_check(sw);
	if (broken && broken != sw->broken)
		sw_alarm(sw, "invariant", broken, true);
	else if (!broken && sw->broken)
		sw_alarm(sw, "invariant", sw->broken, false);
	sw->broken = broken;
}

static void on_tick(void *arg)
{
	struct sw *sw = arg;
	int64_t day = day_of(clock_utc_ms());

	ltimer_set(&sw->tick, SW_TICK_MS, on_tick, sw);
	sw_acd_step(sw);
	watch_invariants(sw);
	watch_clock(sw);
	watch_ring(sw);
	(void)sw_overloaded(sw);
	forget_creds(sw);
	sw_campaigns_soon(sw);
	sw_toll_tick(sw, day != sw->day);
	if (day != sw->day) {
		sw->day = day;
		snapshot(sw);
	}
	sw_finish_soon(sw);
}

/* ---- mailbox ---- */

static void set_credential(struct sw *sw, const struct sw_cmd *cmd)
{
	struct sw_cred *c = hmap_get_str(&sw->creds, cmd->device);

	if (cmd->kind == SW_CREDENTIAL_GONE) {
		(void)hmap_del_str(&sw->creds, cmd->device);
		free(c);
		return;
	}
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		(void)str_copy(c->name, sizeof(c->name), cmd->device);
		(void)hmap_set_str(&sw->creds, c->name, c);
	}
	c->user_id = cmd->user_id;
	c->until_ms = clock_utc_ms() + cmd->ms;
	(void)str_copy(c->ha1_md5, sizeof(c->ha1_md5), cmd->ha1_md5);
	(void)str_copy(c->ha1_sha256, sizeof(c->ha1_sha256), cmd->ha1_sha256);
}

static void on_command(struct sw *sw, const struct command_msg *m)
{
	enum sw_refusal r = SW_OK;
	int64_t call_id = 0;

	if (m->cmd.kind == SW_CREDENTIAL || m->cmd.kind == SW_CREDENTIAL_GONE)
		set_credential(sw, &m->cmd);
	else if (m->cmd.kind == SW_TEST_CALL)
		r = sw_test_begin(sw, &m->cmd, &call_id);
	else if (m->cmd.kind == SW_TEST_END)
		r = sw_test_end(sw, m->cmd.call_id);
	else
		r = sw_agent_command(sw, &m->cmd, &call_id);
	if (m->answer)
		m->answer(r, call_id, m->arg);
}

static void on_trial(struct sw *sw, struct trial_msg *m)
{
	struct strb b;
	bool found;

	strb_init(&b, 65536);
	found = sw_trial(sw, &m->trial, &b);
	m->answer(found ? b.buf : NULL, m->arg);
	strb_done(&b);
}

static void on_turn(struct sw *sw, const struct turn_msg *m)
{
	bool is_free = false, owed = false;
	int64_t agent_id = sw_turn_draw(sw, &m->turn, &is_free, &owed);

	if (m->answer)
		m->answer(agent_id, is_free, owed, m->arg);
}

static void hang_up_kept(struct sw *sw)
{
	struct sw_agent *a;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos)))
		sw_kept_drop(a, "shutting down");
}

static void on_stop(struct sw *sw, int deadline_ms)
{
	sw->stopping = true;
	refuse_new(sw);
	log_info("stopping: no new calls calls=%zu deadline_ms=%d", sw->calls.count, deadline_ms);
	ltimer_set(&sw->deadline, deadline_ms, past_deadline, sw);
	sw_campaigns_stop(sw);
	hang_up_kept(sw);
	try_finish(sw, false);
}

static void on_alarm(struct sw *sw, const struct alarm_msg *m)
{
	sw_alarm_about(sw, m->what, m->object, m->name, m->detail, m->on);
}

static void on_msg(int type, void *data, size_t len, void *arg)
{
	struct sw *sw = arg;

	switch (type) {
	case MSG_CONF:
		sw_apply_conf(sw, *(struct snap **)data);
		break;
	case MSG_COMMAND:
		on_command(sw, data);
		break;
	case MSG_ORPHAN:
		end_orphan(sw, data);
		break;
	case MSG_ALARM:
		on_alarm(sw, data);
		break;
	case MSG_TRIAL:
		on_trial(sw, data);
		break;
	case MSG_STRANGERS:
		sw_stranger_ask(sw, data);
		break;
	case MSG_CUSTOMER:
		sw_customer_said(sw, data);
		break;
	case MSG_TURN:
		on_turn(sw, data);
		break;
	case MSG_CLAIMS:
		sw_campaign_claims(sw, data);
		break;
	case MSG_BOOK:
		sw_hear_book_set(sw, *(struct snap **)data);
		break;
	case MSG_TRUNK:
		end_trunk(sw, *(int64_t *)data);
		break;
	case MSG_STOP:
		on_stop(sw, *(int *)data);
		break;
	}
}

int sw_hang_up_trunk(struct sw *sw, int64_t trunk_id)
{
	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_TRUNK, &trunk_id, sizeof(trunk_id));
}

int sw_hear_book(struct sw *sw, struct snap *book)
{
	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_BOOK, &book, sizeof(book));
}

int sw_configure(struct sw *sw, struct snap *conf)
{
	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_CONF, &conf, sizeof(conf));
}

int sw_command(struct sw *sw, const struct sw_cmd *cmd, void (*answer)(enum sw_refusal r, int64_t call_id, void *arg), void *arg)
{
	struct command_msg m = {*cmd, answer, arg};

	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_COMMAND, &m, sizeof(m));
}

int sw_raise(struct sw *sw, const char *what, int64_t object, const char *name, const char *detail, bool on)
{
	struct alarm_msg m = {.object = object, .on = on};

	if (sw->stopped)
		return -ESHUTDOWN;
	(void)str_copy(m.what, sizeof(m.what), what);
	(void)str_copy(m.name, sizeof(m.name), name);
	(void)str_copy(m.detail, sizeof(m.detail), detail);
	return mbox_post(sw->mbox, MSG_ALARM, &m, sizeof(m));
}

int sw_try_number(struct sw *sw, const struct sw_trial *t, void (*answer)(const char *json, void *arg), void *arg)
{
	struct trial_msg m = {*t, answer, arg};

	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_TRIAL, &m, sizeof(m));
}

int sw_strangers(struct sw *sw, const struct sw_stranger_ask *q)
{
	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_STRANGERS, q, sizeof(*q));
}

int sw_customer(struct sw *sw, const struct sw_customer *c)
{
	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_CUSTOMER, c, sizeof(*c));
}

int sw_turn(struct sw *sw, const struct sw_turn *t, void (*answer)(int64_t agent_id, bool free, bool owed, void *arg), void *arg)
{
	struct turn_msg m = {*t, answer, arg};

	if (sw->stopped)
		return -ESHUTDOWN;
	return mbox_post(sw->mbox, MSG_TURN, &m, sizeof(m));
}

int sw_claims(struct sw *sw, int64_t campaign_id, const struct sw_claim *claims, size_t n, int64_t more_at_ms, const char *why)
{
	struct sw_claims_msg *m;
	size_t size = sizeof(*m) + n * sizeof(*claims);
	int r;

	assert(n <= SW_CLAIMS_MAX);
	if (sw->stopped)
		return -ESHUTDOWN;
	m = xcalloc(1, size);
	m->campaign_id = campaign_id;
	m->more_at_ms = more_at_ms;
	m->n = n;
	(void)str_copy(m->why, sizeof(m->why), why ? why : "");
	if (n)
		memcpy(m->claims, claims, n * sizeof(*claims));
	r = mbox_post(sw->mbox, MSG_CLAIMS, m, size);
	free(m);
	return r;
}

int sw_orphan(struct sw *sw, const char *dialog)
{
	return mbox_post(sw->mbox, MSG_ORPHAN, dialog, strlen(dialog) + 1);
}

/* ---- the thread ---- */

static int start_parts(struct sw *sw)
{
	struct sip_conf sc = {
		.listen = sw->start.sip_listen, .external = sw->start.external, .tls_cert = sw->start.tls_cert, .tls_key = sw->start.tls_key,
		.ws_secure = sw->start.tls_cert != NULL, .realm = sw->start.realm, .user_agent = "Huawu",
		.legs_max = sw->start.calls_max * 2, .invites_per_s = sw->start.invites_per_s, .trace = sw->start.trace,
		.session_s = sw->start.session_s, .session_min_s = sw->start.session_min_s,
	};
	struct sip_handlers sh = {.credentials = on_credentials, .trunk_of = on_trunk_of, .trunk_account = on_trunk_account,
				  .invite = sw_call_invite, .registered = on_registered, .banned = sw_stranger_ban, .arg = sw};
	struct media_conf mc = {
		.bind = sw->start.rtp_bind, .external = sw->start.external, .port_min = sw->start.rtp_min, .port_max = sw->start.rtp_max,
		.threads = sw->start.media_threads, .silence_ms = sw->start.dead_ms / 6, .due_ms = sw->start.dead_ms / 24,
	};
	int r;

	r = media_start(&sw->media, &mc, on_media, sw);
	if (r)
		return r;
	r = sip_start(&sw->sip, &sc, &sh);
	if (r)
		return r;
	r = sip_edge_start(&sw->edge, sw->sip);
	if (r)
		return r;
	sip_local(sw->sip, sw->local, sizeof(sw->local));
	sip_local_all(sw->sip, sw->local_all, sizeof(sw->local_all));
	r = call_env_new(&sw->env, sw->sip, sw->media);
	if (r)
		return r;
	return mbox_attach(sw->mbox, on_msg, sw);
}

static void begin(struct sw *sw)
{
	struct ev e = {.kind = EV_SYS_START};
	char buf[128];
	struct strb b;

	strb_init_fixed(&b, buf, sizeof(buf));
	strb_printf(&b, "{\"version\":\"%s\",\"pid\":%d}", HUAWU_VERSION, (int)getpid());
	sw_emit(sw, &e, &b);
	sw->day = day_of(e.at_ms);
	sw->deviation_ms = clock_deviation_ms();
	sw_apply_conf(sw, sw->conf_snap);
	snapshot(sw);
	sw_static_agents(sw);
	ltimer_set(&sw->tick, SW_TICK_MS, on_tick, sw);
}

static void stop_parts(struct sw *sw)
{
	struct sip_edge *edge;

	(void)pthread_mutex_lock(&sw->edge_lock);
	edge = sw->edge;
	sw->edge = NULL;
	(void)pthread_mutex_unlock(&sw->edge_lock);
	ltimer_cancel(&sw->tick);
	ltimer_cancel(&sw->deadline);
	ltimer_cancel(&sw->finishing);
	ltimer_cancel(&sw->acd_timer);
	sw_campaigns_stop(sw);
	if (edge)
		sip_edge_stop(edge);
	sw_lines_free(sw); /* takes our registrations back */
	if (sw->sip)
		sip_stop(sw->sip);
	if (sw->media)
		media_stop(sw->media);
	call_env_free(sw->env);
}

static void *run(void *arg)
{
	struct sw *sw = arg;

	(void)pthread_setname_np(pthread_self(), "switch");
	sw->start_error = loop_thread_init();
	if (!sw->start_error)
		sw->start_error = start_parts(sw);
	if (!sw->start_error)
		begin(sw);
	(void)sem_post(&sw->started);
	if (!sw->start_error)
		(void)loop_run();
	mbox_detach(sw->mbox);
	stop_parts(sw);
	if (!sw->start_error)
		sw_emit(sw, &(struct ev){.kind = EV_SYS_STOP}, NULL); /* behind the last recording and the last leg */
	loop_thread_done();
	return NULL;
}

static void free_values(struct hmap *m)
{
	size_t pos = 0;
	void *p;

	while ((p = hmap_next(m, &pos)))
		free(p);
	hmap_done(m);
}

static void came_too_late(int type, void *data, size_t len, void *arg)
{
	if (type == MSG_CONF || type == MSG_BOOK)
		snap_unref(*(struct snap **)data);
}

void sw_free(struct sw *sw)
{
	if (!sw)
		return;
	free_values(&sw->agents);
	free_values(&sw->regs);
	free_values(&sw->creds);
	free_values(&sw->recs);
	hmap_done(&sw->calls);
	hmap_done(&sw->trunk_calls);
	hmap_done(&sw->trunk_deaf);
	sw_toll_done(sw);
	sw_turn_done(sw);
	sw_rest_done(sw);
	sw_campaigns_done(sw);
	hmap_done(&sw->lines);
	if (sw->index.keys)
		sw_index_done(&sw->index);
	snap_unref(sw->conf_snap);
	acd_free(sw->acd);
	if (sw->mbox)
		mbox_leftover(sw->mbox, came_too_late, sw);
	mbox_free(sw->mbox);
	for (size_t i = 0; i < sw->orphan_n; i++)
		free(sw->orphans[i]);
	free(sw->orphans);
	free(sw->outs);
	free((void *)sw->start.sip_listen);
	free((void *)sw->start.external);
	free((void *)sw->start.tls_cert);
	free((void *)sw->start.tls_key);
	free((void *)sw->start.realm);
	free((void *)sw->start.dns);
	free((void *)sw->start.rtp_bind);
	free((void *)sw->start.record_dir);
	free((void *)sw->start.heard_dir);
	(void)sem_destroy(&sw->started);
	(void)pthread_mutex_destroy(&sw->edge_lock);
	free(sw);
}

static const char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int sw_new(struct sw **ret, const struct sw_start *start, struct journal *j, struct snap *conf)
{
	struct sw *sw = xcalloc(1, sizeof(*sw));
	int r;

	sw->start = *start;
	if (!sw->start.dead_ms)
		sw->start.dead_ms = SW_DEAD_MS;
	sw->start.sip_listen = copy(start->sip_listen);
	sw->start.external = copy(start->external);
	sw->start.tls_cert = copy(start->tls_cert);
	sw->start.tls_key = copy(start->tls_key);
	sw->start.realm = copy(start->realm);
	sw->start.dns = copy(start->dns);
	sw->start.rtp_bind = copy(start->rtp_bind);
	sw->start.record_dir = copy(start->record_dir);
	sw->start.heard_dir = copy(start->heard_dir);
	if (!sw->start.resume_ms)
		sw->start.resume_ms = SW_RESUME_MS;
	sw->journal = j;
	sw->conf_snap = conf;
	sw->conf = snap_data(conf);
	idgen_init(&sw->ids, start->node);
	hmap_init(&sw->calls, false);
	hmap_init(&sw->agents, false);
	hmap_init(&sw->recs, false);
	hmap_init(&sw->trunk_calls, false);
	hmap_init(&sw->trunk_deaf, false);
	sw_toll_init(sw, start->used, start->used_n);
	sw_turn_init(sw, start->turns, start->turn_n);
	sw_rest_init(sw);
	sw_campaigns_init(sw, start);
	if (!sw->start.ask_ms)
		sw->start.ask_ms = SW_ASK_MS;
	hmap_init(&sw->lines, false);
	hmap_init(&sw->regs, true);
	hmap_init(&sw->creds, true);
	(void)sem_init(&sw->started, 0, 0);
	(void)pthread_mutex_init(&sw->edge_lock, NULL);
	r = acd_new(&sw->acd, sw_acd_emit, sw);
	if (!r)
		r = mbox_new(&sw->mbox, 100000);
	if (!r)
		r = -pthread_create(&sw->thread, NULL, run, sw);
	if (r) {
		sw_free(sw);
		return r;
	}
	while (sem_wait(&sw->started) && errno == EINTR)
		;
	if (sw->start_error) {
		r = sw->start_error;
		(void)pthread_join(sw->thread, NULL);
		sw_free(sw);
		return r;
	}
	*ret = sw;
	return 0;
}

void sw_stop(struct sw *sw, int deadline_ms)
{
	if (!sw)
		return;
	(void)mbox_post(sw->mbox, MSG_STOP, &deadline_ms, sizeof(deadline_ms));
	(void)pthread_join(sw->thread, NULL);
	sw->stopped = true;
}

void sw_sip_local(const struct sw *sw, char *buf, size_t size)
{
	(void)str_copy(buf, size, sw->local);
}

void sw_sip_local_all(const struct sw *sw, char *buf, size_t size)
{
	(void)str_copy(buf, size, sw->local_all);
}

int sw_phone_add(struct sw *sw, int fd, const char *peer_host, uint16_t peer_port, const char *device, const void *extra,
		 size_t extra_len, void (*closed)(void *arg), void *arg)
{
	struct sip_addr peer = {.port = peer_port};
	int r = -ESHUTDOWN;

	(void)str_copy(peer.host, sizeof(peer.host), peer_host);
	(void)pthread_mutex_lock(&sw->edge_lock);
	if (sw->edge)
		r = sip_edge_add(sw->edge, fd, &peer, device, extra, extra_len, closed, arg);
	(void)pthread_mutex_unlock(&sw->edge_lock);
	return r;
}

void sw_phone_cut(struct sw *sw, const char *device)
{
	(void)pthread_mutex_lock(&sw->edge_lock);
	if (sw->edge)
		sip_edge_cut(sw->edge, device);
	(void)pthread_mutex_unlock(&sw->edge_lock);
}
