/* huawu serve: opens what is on disk, starts the parts in order, waits for a signal, stops them in the opposite order. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "base/base.h"
#include "db/db.h"
#include "http/http.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "media/media.h"
#include "people/people.h"
#include "people/switch_conf.h"
#include "switch/switch.h"

#define CENTRE_ID 1
#define DRAIN_MS 100
#define WORKERS 4

struct server {
	struct app_conf conf;
	struct db *db; /* read-only, for the main thread */
	struct db_writer *writer;
	struct journal *journal;
	struct sw *sw;
	struct pool *pool;
	struct http *http;
	char **orphans;
	size_t orphan_n;
};

static int fail(const char *what, int r)
{
	log_error("cannot start: %s error=%s", what, strerror(-r));
	return r;
}

/* ---- the database, and who may log in first ---- */

static int open_database(struct server *s)
{
	struct db *db = NULL;
	int r = db_open(&db, s->conf.db, DB_RW);

	if (r)
		return fail("database cannot be opened", r);
	r = db_migrate(db);
	db_close(db);
	if (r)
		return fail("database cannot be brought to this version", r);
	r = db_writer_new(&s->writer, s->conf.db, 10000);
	if (r)
		return fail("database writer", r);
	r = db_open(&s->db, s->conf.db, DB_RO);
	return r ? fail("database cannot be read", r) : 0;
}

/* ---- the event log ---- */

static void on_orphan(int64_t leg_id, const char *dialog, void *arg)
{
	struct server *s = arg;

	s->orphans = xrealloc(s->orphans, (s->orphan_n + 1) * sizeof(*s->orphans));
	s->orphans[s->orphan_n++] = xstrdup(dialog);
}

static int64_t on_part(int64_t part_id, const char *path, int64_t *bytes, char hash_hex[65], void *arg)
{
	return med_rec_repair(path, bytes, hash_hex);
}

static int open_journal(struct server *s)
{
	char *spill = xasprintf("%s/spill.log", s->conf.data_dir);
	struct journal_conf jc = {.ring_path = s->conf.ring, .spill_path = spill, .centre_id = CENTRE_ID};
	struct journal_recovery rec = {.orphan = on_orphan, .part = on_part, .arg = s};
	int r = journal_open(&s->journal, &jc);

	free(spill);
	if (r == -EBUSY)
		return fail("another huawu uses this data folder", r);
	if (r)
		return fail("event ring cannot be opened", r);
	r = journal_recover(s->journal, s->writer, &rec);
	if (r)
		return fail("event log cannot be recovered", r);
	if (rec.calls || rec.events)
		log_warn("recovered from a sudden end events=%u calls_closed=%u legs_closed=%u recordings=%u", rec.events, rec.calls,
			 rec.legs, rec.parts);
	journal_attach(s->journal, s->writer, DRAIN_MS);
	return 0;
}

/* ---- the switch ---- */

static int start_switch(struct server *s)
{
	char *rec_dir = xasprintf("%s/recordings", s->conf.data_dir);
	struct sw_start st = {
		.sip_listen = s->conf.sip_listen, .external = s->conf.sip_external, .realm = s->conf.realm,
		.rtp_bind = s->conf.rtp_bind, .rtp_min = (uint16_t)s->conf.rtp_min, .rtp_max = (uint16_t)s->conf.rtp_max,
		.media_threads = (unsigned)s->conf.media_threads, .calls_max = (unsigned)s->conf.legs_max / 2,
		.invites_per_s = (unsigned)s->conf.invites_per_s, .record_dir = rec_dir, .centre_id = CENTRE_ID, .node = 1,
	};
	struct snap *conf = NULL;
	char local[64];
	int r;

	r = switch_conf_load(&conf, s->db, CENTRE_ID);
	if (!r)
		r = sw_new(&s->sw, &st, s->journal, conf);
	free(rec_dir);
	if (r)
		return fail("telephony", r);
	for (size_t i = 0; i < s->orphan_n; i++)
		(void)sw_orphan(s->sw, s->orphans[i]);
	sw_sip_local(s->sw, local, sizeof(local));
	log_info("telephony is up sip=%s orphans=%zu", local, s->orphan_n);
	printf("pid=%d\nsip=%s\n", (int)getpid(), local);
	(void)fflush(stdout);
	return 0;
}

/* ---- waiting and stopping ---- */

static void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	do
		(void)sigwait(&set, &sig);
	while (sig != SIGTERM && sig != SIGINT);
	log_info("signal received signal=%d", sig);
}

/* Before any thread is made, so that all of them leave these signals to the main thread. */
static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void stop(struct server *s)
{
	sw_stop(s->sw, (int)s->conf.stop_s * 1000);
	http_stop(s->http);
	pool_free(s->pool);
	db_writer_free(s->writer);
	journal_close(s->journal);
	db_close(s->db);
	for (size_t i = 0; i < s->orphan_n; i++)
		free(s->orphans[i]);
	free(s->orphans);
}

static int start(struct server *s)
{
	int r = loop_process_init();

	if (r)
		return fail("event loop", r);
	r = open_database(s);
	if (!r)
		r = open_journal(s);
	if (!r)
		r = start_switch(s);
	if (r)
		return r;
	r = pool_new(&s->pool, WORKERS, 10000);
	return r ? fail("workers", r) : 0;
}

int serve_main(int argc, char **argv)
{
	struct server s = {0};
	int r = app_conf_load(&s.conf, argc, argv);

	if (r) {
		app_conf_done(&s.conf);
		return r - 1;
	}
	block_signals();
	r = start(&s);
	if (!r && !s.conf.check)
		wait_for_signal();
	stop(&s);
	loop_process_done();
	app_conf_done(&s.conf);
	return r ? 1 : 0;
}
