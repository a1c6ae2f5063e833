/* huawu serve: opens what is on disk, starts the parts in order, waits for a signal, stops them in the opposite order. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "app/app.h"
#include "app/demo.h"
#include "app/ready_sounds.h"
#include "app/paces.h"
#include "base/base.h"
#include "db/db.h"
#include "http/http.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "media/media.h"
#include "people/people.h"
#include "people/prefix.h"
#include "people/switch_conf.h"
#include "switch/switch.h"
#include "trace/trace.h"

#define DRAIN_MS 100
#define WORKERS 4
#define CONNECTIONS_MAX 8000
#define CONNECTIONS_PER_IP 2000 /* a whole centre may come from one address: NAT, or a proxy */
#define BODY_MAX (128 * 1024) /* strangers may send one on each of their connections */
#define ZONE "Asia/Shanghai"

struct server {
	struct app_conf conf;
	struct people_centre_info centre;
	struct db *db; /* read-only, the main thread's */
	struct db_writer *writer;
	struct journal *journal;
	struct trace *trace;
	struct sw *sw;
	struct pool *pool;
	struct http *http;
	struct api *api;
	char *rec_dir, *heard_dir, *trace_dir, *ca;
	char sip[64], sip_all[SW_LISTEN_MAX];
	char **orphans;
	size_t orphan_n;
	_Atomic bool demo_cleared;
	pid_t network; /* the demo's simulated telephone network; 0: none */
};

static int fail(const char *what, int r)
{
	log_error("cannot start: %s error=%s", what, strerror(-r));
	return r;
}

/* ---- the database, and who may log in first ---- */

/* A production start makes an administrator with a random password and shows it this once. */
static int first_admin(struct db *db, void *arg)
{
	struct server *s = arg;
	char password[64];
	bool there;
	int r = people_has_admin(&there, db, s->centre.id);

	if (r || there || s->conf.demo)
		return r;
	people_password_random(password, sizeof(password), 3);
	r = people_create_admin(db, "admin", password);
	if (!r)
		printf("\nThe first administrator / 首个管理员 (shown once / 仅显示一次):\n  login / 账号: admin\n  password / 密码: %s\n\n",
		       password);
	return r;
}

static int first_start(struct db *db, void *arg)
{
	struct server *s = arg;
	int64_t id;
	int r = people_centre(&id, db, s->conf.demo ? "示例中心" : "话务中心", ZONE);

	if (!r)
		r = people_centre_get(&s->centre, db);
	return r ? r : first_admin(db, s);
}

static int own(struct db *db, void *arg)
{
	return db_own(db);
}

static int open_database(struct server *s)
{
	struct db *db = NULL;
	int r = db_open(&db, s->conf.db, DB_RW);

	if (r)
		return fail("database cannot be opened", r);
	r = db_own(db);
	if (!r)
		r = copies_before_migration(db, s->conf.data_dir);
	if (!r)
		r = db_migrate(db);
	if (r == -EPROTO)
		copies_tell_newer(s->conf.data_dir);
	db_close(db);
	if (r)
		return fail("database cannot be brought to this version", r);
	r = db_writer_new(&s->writer, s->conf.db, 10000);
	if (!r)
		r = db_writer_call(s->writer, DB_TELEPHONY, own, NULL);
	if (r)
		return fail("database writer", r);
	r = db_writer_call(s->writer, DB_BUSINESS, first_start, s);
	if (!r && s->conf.demo)
		r = demo_prepare(s->writer, s->centre.id);
	if (r == 1) {
		s->conf.demo = false;
		r = 0;
	}
	if (r)
		return fail("first start", r < 0 ? r : -EIO);
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
	struct journal_conf jc = {.ring_path = s->conf.ring, .spill_path = spill, .centre_id = s->centre.id};
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

/* ---- telephony, API ---- */

/* Without it everything else works. */
static void open_trace(struct server *s)
{
	struct trace_conf tc = {.dir = s->trace_dir, .bytes_max = s->conf.trace_mb << 20, .days = (int)s->conf.trace_days};
	int r = s->conf.trace_mb ? trace_open(&s->trace, &tc) : 0;

	if (r)
		log_error("SIP messages are not kept: folder=%s error=%s", s->trace_dir, strerror(-r));
}

/* Of the centre; China has one zone. */
static int64_t midnight_ms(void)
{
	int64_t now = clock_utc_ms(), local = now + 8 * 3600000LL;

	return now - local % 86400000LL;
}

/* Whom telephony did not listen to when it stopped. */
static void restore_bans(struct server *s)
{
	struct db_stmt *st;
	unsigned n = 0;

	if (db_prepare(&st, s->db, "SELECT body FROM sip_ban WHERE centre_id = $1 AND until_ms > $2")) /* few: scanned */
		return;
	db_bind_i64(st, 1, s->centre.id);
	db_bind_i64(st, 2, clock_utc_ms());
	while (db_step(st) == DB_ROW) {
		struct sw_stranger_ask q = {0};

		n += str_copy(q.restore, sizeof(q.restore), db_text(st, 0)) && !sw_strangers(s->sw, &q);
	}
	db_done(st);
	if (n)
		log_info("strangers stay unheard bans=%u", n);
}

/* Where the teams' turns stood. */
static size_t load_turns(struct sw_turn_state **ret, struct server *s)
{
	struct sw_turn_state *t = NULL;
	struct db_stmt *st;
	size_t n = 0;

	*ret = NULL;
	/* turn_draw_team */
	if (db_prepare(&st, s->db, "SELECT team_id, body FROM turn_draw WHERE id IN (SELECT MAX(id) FROM turn_draw GROUP BY team_id)"))
		return 0;
	while (db_step(st) == DB_ROW) {
		t = xrealloc(t, (n + 1) * sizeof(*t));
		t[n++] = (struct sw_turn_state){db_i64(st, 0), xstrdup(db_text(st, 1))};
	}
	db_done(st);
	*ret = t;
	return n;
}

static void free_turns(struct sw_turn_state *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)t[i].body);
	free(t);
}

static int start_switch(struct server *s)
{
	struct sw_start st = {
		.sip_listen = s->conf.sip_listen, .external = s->conf.sip_external, .tls_cert = s->conf.http_cert, .tls_key = s->conf.http_key,
		.realm = s->conf.realm, .dns = s->conf.dns,
		.rtp_bind = s->conf.rtp_bind, .rtp_min = (uint16_t)s->conf.rtp_min, .rtp_max = (uint16_t)s->conf.rtp_max,
		.media_threads = (unsigned)s->conf.media_threads, .calls_max = (unsigned)s->conf.legs_max / 2,
		.invites_per_s = (unsigned)s->conf.invites_per_s, .record_dir = s->rec_dir, .heard_dir = s->heard_dir, .centre_id = s->centre.id, .node = 1,
		.trace = s->trace, .session_s = (unsigned)s->conf.session_s, .session_min_s = (unsigned)s->conf.session_min_s,
		.ask_customer = api_ask_customer, .ask_arg = s->api, .ask_leads = api_ask_leads, .leads_arg = s->api,
	};
	struct snap *conf = NULL;
	struct sw_used *used = NULL;
	struct sw_turn_state *turns;
	struct paces paces;
	int r = switch_conf_load(&conf, s->db, s->centre.id);

	(void)people_prefixes_refresh(s->db, s->centre.id, 0); /* without it libphonenumber says where numbers are at home */
	if (!r)
		r = people_used_since(&used, &st.used_n, s->db, s->centre.id, midnight_ms());
	st.used = used;
	st.turn_n = load_turns(&turns, s);
	st.turns = turns;
	paces_load(&paces, s->db, s->centre.id, midnight_ms());
	st.paces = paces.states;
	st.pace_n = paces.state_n;
	st.past = paces.past;
	st.past_n = paces.past_n;
	if (!r)
		r = sw_new(&s->sw, &st, s->journal, conf);
	free(used);
	free_turns(turns, st.turn_n);
	paces_free(&paces);
	if (r)
		return fail("telephony (are the SIP ports free?)", r);
	for (size_t i = 0; i < s->orphan_n; i++)
		(void)sw_orphan(s->sw, s->orphans[i]);
	restore_bans(s);
	sw_sip_local(s->sw, s->sip, sizeof(s->sip));
	sw_sip_local_all(s->sw, s->sip_all, sizeof(s->sip_all));
	log_info("telephony is up sip=\"%s\" orphans=%zu", s->sip_all, s->orphan_n);
	return 0;
}

/* Nobody calls a centre that is no demo any more. The main thread notices that the child has ended. */
static void demo_cleared(void *arg)
{
	struct server *s = arg;

	s->demo_cleared = true;
	if (s->network > 0)
		(void)kill(s->network, SIGTERM);
}

static char *doctor(void *arg, struct db *db, bool en)
{
	const struct server *s = arg;

	return doctor_inside(&s->conf, db, en);
}

static int make_api(struct server *s)
{
	struct api_conf ac = {
		.db_url = s->conf.db, .writer = s->writer, .journal = s->journal, .centre_id = s->centre.id,
		.centre_name = s->centre.name, .zone = s->centre.zone, .version = HUAWU_VERSION, .realm = s->conf.realm, .record_dir = s->rec_dir, .heard_dir = s->heard_dir,
		.turn = s->conf.turn, .turn_secret = s->conf.turn_secret,
		.data_dir = s->conf.data_dir, .trace = s->trace, .trace_dir = s->trace_dir, .ca_pem = access(s->ca, R_OK) ? NULL : s->ca, .secure = s->conf.http_cert != NULL,
		.demo_users = s->conf.demo ? demo_cards : NULL, .demo_user_n = s->conf.demo ? demo_card_n : 0,
		.demo_cleared = demo_cleared, .demo_arg = s,
		.doctor = doctor, .doctor_arg = s,
	};
	int r;

	ac.ready_n = ready_sounds(&ac.ready, &ac.ready_names);
	r = api_new(&s->api, &ac);

	return r ? fail("API", r) : 0;
}

static int start_http(struct server *s)
{
	struct http_conf hc = {
		.listen = s->conf.http_listen, .cert_pem = s->conf.http_cert, .key_pem = s->conf.http_key, .pool = s->pool,
		.body_max = BODY_MAX, .connections_max = CONNECTIONS_MAX, .connections_per_ip = CONNECTIONS_PER_IP,
	};
	int r = http_start(&s->http, &hc);

	if (r)
		return fail("HTTP (is the port free, are certificate and key readable?)", r);
	r = api_serve(s->api, s->http, s->sw);
	return r ? fail("API", r) : 0;
}

static void tell(struct server *s)
{
	const char *colon = strrchr(s->conf.http_listen, ':');
	bool any = !strncmp(s->conf.http_listen, "0.0.0.0", 7) || !strncmp(s->conf.http_listen, "[::]", 4);
	int host = colon ? (int)(colon - s->conf.http_listen) : 0;

	if (s->conf.demo && strncmp(s->conf.http_listen, "127.", 4) != 0 && strncmp(s->conf.http_listen, "[::1]", 5) != 0)
		log_warn("the demo is open to the network listen=%s: whoever reaches it is its administrator without a password",
			 s->conf.http_listen);
	if (s->conf.demo)
		printf("\n  示例中心已启动 / the demo centre is up:  %s://%.*s:%u/\n  Ctrl-C 停止 / stops it\n\n", s->conf.http_cert ? "https" : "http",
		       any ? 9 : host, any ? "localhost" : s->conf.http_listen, http_port(s->http));
	printf("pid=%d\nsip=%s\nsip_listen=%s\nhttp=%u\n", (int)getpid(), s->sip, s->sip_all, http_port(s->http));
	(void)fflush(stdout);
}

/* ---- waiting and stopping ---- */

static void set_of_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGCHLD);
}

static void network_ended(struct server *s)
{
	if (s->network <= 0 || waitpid(s->network, NULL, WNOHANG) != s->network)
		return;
	s->network = 0;
	if (s->demo_cleared)
		return;
	log_error("the simulated telephone network has ended: nobody calls the demo (is another demo running on this machine?)");
}

static void wait_for_signal(struct server *s)
{
	sigset_t set;
	int sig;

	set_of_signals(&set);
	for (;;) {
		if (sigwait(&set, &sig))
			continue;
		if (sig != SIGCHLD)
			break;
		network_ended(s);
	}
	log_info("signal received signal=%d, a second one ends at once", sig);
	/* Who asks twice does not want to wait for calls: the process ends as in a crash, and the next start recovers. */
	(void)sigdelset(&set, SIGCHLD);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void stop_network(struct server *s)
{
	if (s->network <= 0)
		return;
	(void)kill(s->network, SIGTERM);
	(void)waitpid(s->network, NULL, 0);
}

static void stop(struct server *s)
{
	stop_network(s);
	if (s->sw) /* while calls finish, their agents have desk and telephone */
		sw_stop(s->sw, s->conf.demo ? 1000 : (int)s->conf.stop_s * 1000);
	if (s->api)
		api_stop(s->api);
	if (s->http)
		http_stop(s->http);
	pool_free(s->pool);
	if (s->api)
		api_free(s->api);
	sw_free(s->sw);
	trace_close(s->trace);
	db_close(s->db); /* before the writer, who then leaves one whole file behind (SQLite) */
	if (s->writer)
		db_writer_free(s->writer);
	if (s->journal)
		journal_close(s->journal);
	for (size_t i = 0; i < s->orphan_n; i++)
		free(s->orphans[i]);
	free(s->orphans);
	free(s->rec_dir);
	free(s->heard_dir);
	free(s->trace_dir);
	free(s->ca);
}

static int open_secrets(struct server *s)
{
	char *path = xasprintf("%s/secrets.key", s->conf.data_dir);
	int r = people_secrets_open(path);

	free(path);
	return r ? fail("secrets.key in the data folder", r) : 0;
}

static int start(struct server *s)
{
	int r;

	(void)mallopt(M_ARENA_MAX, 2);
	s->rec_dir = xasprintf("%s/recordings", s->conf.data_dir);
	s->heard_dir = xasprintf("%s/heard", s->conf.data_dir);
	s->trace_dir = xasprintf("%s/trace", s->conf.data_dir);
	s->ca = xasprintf("%s/tls/ca.pem", s->conf.data_dir);
	r = people_init(s->conf.realm);
	if (!r)
		r = loop_process_init();
	if (r)
		return fail("libraries", r);
	r = open_secrets(s);
	if (r)
		return r;
	r = open_database(s);
	if (!r)
		r = open_journal(s);
	if (!r && !s->conf.check)
		open_trace(s);
	if (!r)
		r = make_api(s);
	if (!r)
		r = start_switch(s);
	if (!r)
		r = pool_new(&s->pool, WORKERS, 10000);
	if (!r)
		r = start_http(s);
	if (r || s->conf.check)
		return r;
	if (s->conf.demo)
		s->network = demo_network(s->sip);
	tell(s);
	return 0;
}

int serve_main(int argc, char **argv)
{
	struct server s = {0};
	sigset_t set;
	int r = app_conf_load(&s.conf, argc, argv);

	if (r) {
		app_conf_done(&s.conf);
		return r - 1;
	}
	/* Before any thread is made, so that all of them leave these signals to the main thread. */
	set_of_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	r = start(&s);
	if (!r && !s.conf.check)
		wait_for_signal(&s);
	stop(&s);
	loop_process_done();
	app_conf_done(&s.conf);
	return r ? 1 : 0;
}
