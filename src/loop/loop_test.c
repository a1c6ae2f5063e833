#include <pthread.h>
#include <string.h>

#include <re.h>

#include "base/base.h"
#include "base/test.h"
#include "loop/loop.h"
#include "loop/tmr.h"

static char order[64];

static void note(void *arg)
{
	(void)strncat(order, arg, sizeof(order) - strlen(order) - 1);
}

static void stop(void *arg)
{
	loop_stop();
}

TEST(timers_fire_by_deadline_and_ties_in_order_of_setting)
{
	struct ltimer t[5];

	memset(t, 0, sizeof(t));
	order[0] = '\0';
	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(loop_thread_init(), 0);
	ltimer_set(&t[0], 20, stop, NULL);
	ltimer_set(&t[1], 5, note, "c");
	ltimer_set(&t[2], 0, note, "a");
	ltimer_set(&t[3], 0, note, "b");
	ltimer_set(&t[4], 1, note, "x");
	ltimer_cancel(&t[4]);
	assert_false(ltimer_running(&t[4]));
	assert_int_equal(loop_run(), 0);
	assert_string_equal(order, "abc");
	loop_process_done();
}

/* A TCP keep-alive or a SIP timer inside libre must land in our heap: count it there. */
TEST(libre_itself_uses_our_timers)
{
	struct sip *sip = NULL;
	struct sa laddr;
	uint64_t before;

	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(sip_alloc(&sip, NULL, 16, 16, 16, "test", NULL, NULL), 0);
	assert_int_equal(sa_set_str(&laddr, "127.0.0.1", 0), 0);
	assert_int_equal(sip_transp_add(sip, SIP_TRANSP_UDP, &laddr), 0);
	before = tmr_ours_calls;
	struct sip_request *req = NULL;
	struct sip_dialog *dlg = NULL;

	assert_int_equal(sip_dialog_alloc(&dlg, "sip:x@127.0.0.1:9", "sip:x@127.0.0.1:9", NULL, "sip:y@127.0.0.1", NULL, 0),
			 0);
	assert_int_equal(sip_drequestf(&req, sip, true, "OPTIONS", dlg, 0, NULL, NULL, NULL, NULL,
				       "Content-Length: 0\r\n\r\n"),
			 0);
	assert_true(tmr_ours_calls > before);
	mem_deref(req);
	mem_deref(dlg);
	mem_deref(sip);
	loop_process_done();
}

static int got, bad_order;

static void on_msg(int type, void *data, size_t len, void *arg)
{
	static int last[4];
	int v;

	memcpy(&v, data, sizeof(v));
	if (v <= last[type])
		bad_order++;
	last[type] = v;
	if (++got == 4 * 500)
		loop_stop();
}

struct sender {
	struct mbox *m;
	int type;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (int i = 1; i <= 500; i++)
		assert_int_equal(mbox_post(s->m, s->type, &i, sizeof(i)), 0);
	return NULL;
}

TEST(mailbox_delivers_all_messages_of_each_sender_in_order)
{
	struct mbox *m;
	pthread_t th[4];
	struct sender s[4];

	assert_int_equal(loop_process_init(), 0);
	assert_int_equal(mbox_new(&m, 100000), 0);
	assert_int_equal(mbox_attach(m, on_msg, NULL), 0);
	for (int i = 0; i < 4; i++) {
		s[i] = (struct sender){m, i};
		assert_int_equal(pthread_create(&th[i], NULL, send_all, &s[i]), 0);
	}
	assert_int_equal(loop_run(), 0);
	for (int i = 0; i < 4; i++)
		(void)pthread_join(th[i], NULL);
	assert_int_equal(got, 2000);
	assert_int_equal(bad_order, 0);
	mbox_detach(m);
	mbox_free(m);
	loop_process_done();
}

TEST(full_mailbox_refuses)
{
	struct mbox *m;
	int v = 1;

	assert_int_equal(mbox_new(&m, 2), 0);
	assert_int_equal(mbox_post(m, 0, &v, sizeof(v)), 0);
	assert_int_equal(mbox_post(m, 0, &v, sizeof(v)), 0);
	assert_int_equal(mbox_post(m, 0, &v, sizeof(v)), -EAGAIN);
	mbox_free(m);
}

static void add(void *arg)
{
	(void)__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
}

TEST(pool_runs_all_jobs_before_it_ends)
{
	struct pool *p;
	int n = 0;

	assert_int_equal(pool_new(&p, 3, 1000), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(pool_submit(p, i % 2 ? POOL_LONG : POOL_INTERACTIVE, add, &n), 0);
	pool_free(p);
	assert_int_equal(n, 300);
}

static void add_up(int type, void *data, size_t len, void *arg)
{
	*(int *)arg += type * 100 + *(int *)data;
}

TEST(messages_that_came_too_late_can_be_taken_back)
{
	struct mbox *m;
	int sum = 0;

	assert_int_equal(mbox_new(&m, 10), 0);
	assert_int_equal(mbox_post(m, 1, &(int){3}, sizeof(int)), 0);
	assert_int_equal(mbox_post(m, 2, &(int){4}, sizeof(int)), 0);
	mbox_leftover(m, add_up, &sum);
	assert_int_equal(sum, 103 + 204);
	mbox_leftover(m, add_up, &sum);
	assert_int_equal(sum, 103 + 204);
	mbox_free(m);
}
