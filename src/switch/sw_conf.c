/* Lookups into a configuration version, and how a new one is applied. */
#include <stdlib.h>
#include <string.h>

#include "switch/sw.h"
#include "switch/sw_campaign.h"

#define STAFF_NO_MAX 6 /* longer ones are telephone numbers */

static void number_key(char *buf, size_t size, int64_t trunk_id, const char *number)
{
	struct strb b;

	strb_init_fixed(&b, buf, size);
	strb_i64(&b, trunk_id);
	strb_putc(&b, '/');
	strb_puts(&b, number);
}

/* Found under its canonical form too, unless another number is written so. */
static void index_canonical(struct sw_index *x, const struct sw_number *number)
{
	const struct sw_trunk *t = hmap_get(&x->trunks, (uint64_t)number->trunk_id);
	char key[128];
	struct num n;

	if (!num_read(&n, number->number, t && t->numbers ? t->numbers->area : ""))
		return;
	number_key(key, sizeof(key), number->trunk_id, n.text);
	if (!hmap_get_str(&x->numbers, key))
		(void)hmap_set_str(&x->numbers, arena_strdup(x->keys, key), (void *)number);
}

void sw_index_build(struct sw_index *x, const struct sw_conf *conf)
{
	char key[128];

	hmap_init(&x->queues, false);
	hmap_init(&x->users, false);
	hmap_init(&x->trunks, false);
	hmap_init(&x->campaigns, false);
	hmap_init(&x->devices, true);
	hmap_init(&x->numbers, true);
	hmap_init(&x->extensions, true);
	x->keys = arena_new(16384);
	for (size_t i = 0; i < conf->queue_n; i++)
		(void)hmap_set(&x->queues, (uint64_t)conf->queues[i].id, &conf->queues[i]);
	for (size_t i = 0; i < conf->user_n; i++) {
		(void)hmap_set(&x->users, (uint64_t)conf->users[i].id, &conf->users[i]);
		if (conf->users[i].extension && conf->users[i].extension[0])
			(void)hmap_set_str(&x->extensions, conf->users[i].extension, &conf->users[i]);
	}
	for (size_t i = 0; i < conf->user_n; i++) { /* extensions go first */
		const char *no = conf->users[i].staff_no;
		size_t len = no ? strlen(no) : 0;

		if (len && len <= STAFF_NO_MAX && strspn(no, "0123456789") == len && !hmap_get_str(&x->extensions, no))
			(void)hmap_set_str(&x->extensions, no, &conf->users[i]);
	}
	for (size_t i = 0; i < conf->trunk_n; i++)
		(void)hmap_set(&x->trunks, (uint64_t)conf->trunks[i].id, &conf->trunks[i]);
	for (size_t i = 0; i < conf->campaign_n; i++)
		(void)hmap_set(&x->campaigns, (uint64_t)conf->campaigns[i].id, &conf->campaigns[i]);
	for (size_t i = 0; i < conf->device_n; i++)
		(void)hmap_set_str(&x->devices, conf->devices[i].name, &conf->devices[i]);
	for (size_t i = 0; i < conf->number_n; i++) {
		number_key(key, sizeof(key), conf->numbers[i].trunk_id, conf->numbers[i].number);
		(void)hmap_set_str(&x->numbers, arena_strdup(x->keys, key), &conf->numbers[i]);
	}
	for (size_t i = 0; i < conf->number_n; i++)
		index_canonical(x, &conf->numbers[i]);
}

void sw_index_done(struct sw_index *x)
{
	hmap_done(&x->queues);
	hmap_done(&x->users);
	hmap_done(&x->trunks);
	hmap_done(&x->campaigns);
	hmap_done(&x->devices);
	hmap_done(&x->numbers);
	hmap_done(&x->extensions);
	arena_free(x->keys);
	x->keys = NULL;
}

const struct sw_queue *sw_queue_of(const struct sw *sw, int64_t id)
{
	return hmap_get(&sw->index.queues, (uint64_t)id);
}

const struct sw_user *sw_user_of(const struct sw *sw, int64_t id)
{
	return hmap_get(&sw->index.users, (uint64_t)id);
}

const struct sw_trunk *sw_trunk_of(const struct sw *sw, int64_t id)
{
	return hmap_get(&sw->index.trunks, (uint64_t)id);
}

const struct sw_device *sw_device_of(const struct sw *sw, const char *name)
{
	return hmap_get_str(&sw->index.devices, name);
}

const struct sw_user *sw_user_by_extension(const struct sw *sw, const char *extension)
{
	struct num n;

	/* Whoever dials 110 wants the police, not the colleague who was given that extension. */
	return num_read(&n, extension, NULL) && n.kind == NUM_EMERGENCY ? NULL : hmap_get_str(&sw->index.extensions, extension);
}

const struct sw_number *sw_number_of(const struct sw *sw, int64_t trunk_id, const char *number)
{
	const struct sw_number *n;
	char key[128];

	number_key(key, sizeof(key), trunk_id, number);
	n = hmap_get_str(&sw->index.numbers, key);
	if (n || !trunk_id)
		return n;
	number_key(key, sizeof(key), 0, number);
	return hmap_get_str(&sw->index.numbers, key);
}

const struct sw_trunk *sw_trunk_out(const struct sw *sw)
{
	for (size_t i = 0; i < sw->conf->trunk_n; i++)
		if (sw->conf->trunks[i].outbound)
			return &sw->conf->trunks[i];
	return NULL;
}

/* Agents whose user is gone from the configuration are logged out at once; the core lets them go when they are idle. */
static void drop_leavers(struct sw *sw)
{
	struct sw_agent *a;
	size_t pos = 0;

	while ((a = hmap_next(&sw->agents, &pos)))
		if (!sw_user_of(sw, a->id) && a->state != ACD_OFFLINE) {
			struct acd_in in = {.kind = ACD_IN_LOGOUT, .agent_id = a->id, .force = true};

			if (a->call)
				sw_call_agent_leaves(a->call, a, "agent is no longer a user");
			(void)sw_acd(sw, &in);
			a->device[0] = '\0';
		}
}

void sw_apply_conf(struct sw *sw, struct snap *conf)
{
	struct snap *old = sw->conf_snap == conf ? NULL : sw->conf_snap; /* the same one: at start */
	struct ev e = {.kind = EV_ACD_CONF};
	struct strb b;

	sw->conf_snap = conf;
	sw->conf = snap_data(conf);
	if (old)
		sw_index_done(&sw->index);
	sw_index_build(&sw->index, sw->conf);
	if (old)
		drop_leavers(sw);
	strb_init(&b, EV_BODY_MAX);
	acd_conf_encode(&sw->conf->acd, &b);
	if (b.overflow)
		log_error("configuration is too large for the log, days cannot be replayed bytes_max=%d", EV_BODY_MAX);
	e.at_ms = clock_utc_ms();
	if (!b.overflow)
		sw_emit(sw, &e, &b);
	if (acd_configure(sw->acd, &sw->conf->acd, e.at_ms))
		log_error("configuration is refused by the routing core, it keeps the one before version=%lld",
			  (long long)sw->conf->version);
	strb_done(&b);
	sw_acd_step(sw);
	sw_static_agents(sw);
	sw_lines_apply(sw);
	sip_allow(sw->sip, sw->conf->allowed);
	sw_campaigns_soon(sw);
	log_info("configuration applied version=%lld users=%zu queues=%zu trunks=%zu", (long long)sw->conf->version,
		 sw->conf->user_n, sw->conf->queue_n, sw->conf->trunk_n);
	snap_unref(old);
}
