/* A datagram from anywhere: checks, libre's parser, transactions, dialogs. The first byte says who sent it. */
#include "sip/sip_priv.h"

#include <stdlib.h>
#include <string.h>

static struct sip_stack *stack;
static struct sip_leg *leg;

static void closed(const struct sip_close *c, void *arg)
{
	leg = obj_unref(leg);
}

static int reoffer(const char *sdp, size_t len, char *answer, size_t size, void *arg)
{
	return str_copy(answer, size, "v=0\r\n") ? 0 : 488;
}

static int invite(struct sip_leg *l, const struct sip_invite *inv, void *arg)
{
	static const struct sip_leg_handlers h = {.closed = closed, .reoffer = reoffer};

	if (leg)
		return 486;
	leg = sip_leg_claim(l, &h, NULL);
	return sip_leg_answer(leg, "v=0\r\n");
}

static bool credentials(struct sip_ha1 *ret, const char *device, void *arg)
{
	memset(ret->md5, '0', 32);
	return true;
}

static int64_t trunk_of(const struct sip_addr *a, const char *user, bool *by_token, void *arg)
{
	return a->port == 1;
}

static void start(void)
{
	struct sip_conf conf = {.listen = "127.0.0.1:0", .realm = "x"};
	struct sip_handlers h = {.credentials = credentials, .trunk_of = trunk_of, .invite = invite};

	if (!sip_start(&stack, &conf, &h))
		return;
	abort();
}

/* "#T" stands for our tag of the dialog that is up, which no fuzzer would guess. */
static void receive(const struct flow *f, const uint8_t *data, size_t size)
{
	struct strb b;
	const char *tag = "none";

	for (size_t i = 0; i < stack->dialogs.cap && leg; i++)
		if (stack->dialogs.slots[i].value == leg)
			tag = strchr((const char *)(uintptr_t)stack->dialogs.slots[i].key, '|') + 1;
	strb_init(&b, 2 * SIPM_BYTES_MAX);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '#' && i + 1 < size && data[i + 1] == 'T') {
			strb_puts(&b, tag);
			i++;
		} else {
			strb_putc(&b, (char)data[i]);
		}
	}
	if (b.len)
		sipnet_receive(stack, f, NULL, b.buf, b.len);
	strb_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char ok[] = "OPTIONS sip:x SIP/2.0\r\n";
	static unsigned runs;
	struct flow f = {.ws = 0};
	size_t half;

	if (!runs++) {
		log_set_level(LOG_L_ERROR);
		if (loop_process_init() || loop_thread_init())
			abort();
	}
	if (size < 2 || size > SIPM_BYTES_MAX)
		return 0;
	start();
	/* Nobody listens at port 1 or 2 of this address. */
	(void)sa_set_str(&f.peer, "127.0.0.77", 1 + (data[0] & 1));
	half = data[0] & 2 ? size / 2 : 1;
	receive(&f, data + 1, half - 1);
	receive(&f, data + half, size - half);
	sipnet_receive(stack, &f, NULL, ok, sizeof(ok) - 1);
	sip_stop(stack);
	leg = obj_unref(leg);
	return 0;
}
