#include "app/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "campaign/campaign.h"
#include "db/db.h"
#include "journal/journal.h"
#include "people/people.h"
#include "people/switch_conf.h"
#include "sim/day.h"
#include "switch/switch.h"

#define HOST "127.0.0.3" /* the simulated carrier and telephones */
#define FIRST_PORT 25060 /* the carrier's; the telephones' is 20 above. Where another demo has these, the next ones */
#define PORTS_MAX 18
#define DAYS 3
#define CALLS_A_DAY 420
#define CALLS_AN_HOUR "700" /* a little more than twelve agents can take, so that somebody always waits */
#define DAY_MS 86400000LL
#define ZONE_MS (8 * 3600000LL)

const struct api_demo_user demo_cards[] = {
	{"agent", "王芳(示例)", "agent", "接听来电：点“签入并就绪”，半分钟内电话就会响", "Take calls: press “Sign in, ready” and the phone rings within half a minute"},
	{"lead", "李建国(示例)", "supervisor", "看现场：谁在通话、谁在等待、通话记录与录音", "Watch the floor: who talks, who waits, history and recordings"},
	{"admin", "赵敏(示例)", "admin", "设置人员、队列、号码和中继", "Set up people, queues, numbers and trunks"},
	/* Named by their post: the page shows them below the others. */
	{"telesales", "罗丹(示例)", "telesales", "电销专员", "Tele-sales agent"},
	{"saleslead", "高明(示例)", "lead", "组长", "Team lead"},
	{"quality", "林悦(示例)", "qa_service", "质检客服", "QA and service"},
	{"crm", "许晴(示例)", "crm", "CRM 主管", "CRM supervisor"},
	{"manager", "何静(示例)", "manager", "运营经理", "Operations manager"},
	{"director", "方正(示例)", "director", "总监", "Director"},
};
const size_t demo_card_n = ARRAY_LEN(demo_cards);

struct history {
	int64_t centre_id;
	struct snap *conf;
	struct journal_import *im;
	int64_t open_ms, close_ms;
	uint64_t seed;
};

static struct people_demo places = {.carrier_host = HOST, .carrier_port = FIRST_PORT, .phone_host = HOST, .phone_port = FIRST_PORT + 20};

static bool is_free(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return false;
	(void)inet_pton(AF_INET, HOST, &at.sin_addr);
	r = bind(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
	return !r;
}

static void find_places(void)
{
	for (uint16_t i = 0; i < PORTS_MAX; i++) {
		places.carrier_port = FIRST_PORT + i;
		places.phone_port = places.carrier_port + 20;
		if (is_free(places.carrier_port) && is_free(places.phone_port))
			return;
	}
}

static int make_people(struct db *db, void *arg)
{
	int r = people_demo_seed(db, *(int64_t *)arg, &places);

	if (!r)
		r = people_demo_move(db, *(int64_t *)arg, &places);
	if (!r)
		r = people_demo_customers(db, *(int64_t *)arg, clock_utc_ms());
	return r ? r : people_demo_sales(db, *(int64_t *)arg, clock_utc_ms());
}

static int make_projects(struct db *db, void *arg)
{
	return campaign_demo(db, *(int64_t *)arg, clock_utc_ms());
}

static int take(struct ev *e, void *arg)
{
	struct history *h = arg;

	return journal_import_event(h->im, e);
}

/* Invented callers: a number of a range that is given to nobody (1380013xxxx shown as an example), seldom a name. */
static void invent_caller(struct sim_caller *ret, uint64_t nth, const struct sim_load *load, struct rng *r, void *arg)
{
	static const char *const names[] = {"周先生(示例)", "吴女士(示例)", "郑先生(示例)", "冯女士(示例)"};
	struct history *h = arg;
	const struct sw_conf *conf = snap_data(h->conf);

	(void)snprintf(ret->from, sizeof(ret->from), "1380013%04u", (unsigned)rng_below(r, 600));
	(void)snprintf(ret->name, sizeof(ret->name), "%s", rng_below(r, 4) ? "" : names[rng_below(r, ARRAY_LEN(names))]);
	for (size_t i = 0; i < conf->number_n; i++)
		if (conf->numbers[i].id == load->number_id)
			(void)str_copy(ret->to, sizeof(ret->to), conf->numbers[i].number);
}

/* One day: some ten thousand events. The same each time it is run. */
static int run_day(struct db *db, void *arg)
{
	static const double profile[] = {3, 6, 8, 7, 4, 5, 8, 9, 7, 4, 3, 2}; /* hours from 8 to 20 */
	struct history *h = arg;
	const struct sw_conf *conf = snap_data(h->conf);
	struct sim_load loads[8];
	struct sim_day_result res;
	struct sim_day_conf c = {
		.seed = h->seed, .open_ms = h->open_ms, .close_ms = h->close_ms, .acd = &conf->acd, .loads = loads,
		.answer_s = 4, .noanswer_p = 0.02, .refuse_p = 0.01, .late_s = 600, .between_breaks_s = 5400, .break_s = 600,
		.centre_id = h->centre_id, .node = 2, .emit = take, .caller = invent_caller, .arg = h,
	};
	int r = journal_import_new(&h->im, db, h->centre_id);

	if (r)
		return r;
	for (size_t i = 0; i < conf->number_n && c.load_n < ARRAY_LEN(loads); i++) {
		static const double share[] = {0.5, 0.4, 0.1};

		if (conf->numbers[i].dest != SW_DEST_QUEUE)
			continue;
		loads[c.load_n] = (struct sim_load){
			.queue_id = conf->numbers[i].target_id, .number_id = conf->numbers[i].id, .trunk_id = conf->numbers[i].trunk_id,
			.calls = CALLS_A_DAY * share[c.load_n % ARRAY_LEN(share)], .profile = profile, .profile_n = ARRAY_LEN(profile),
			.patience_s = 90, .talk_s = 150, .talk_cv = 1.1, .wrap_s = 12, .answer_first = true,
		};
		c.load_n++;
	}
	r = sim_day_run(&c, &res);
	journal_import_free(h->im);
	if (!r)
		log_info("demo day made calls=%llu answered=%llu events=%llu", (unsigned long long)res.calls,
			 (unsigned long long)res.answered, (unsigned long long)res.events);
	return r;
}

/* On the writer; nobody waits for it yet. */
static int make_day(struct db *db, void *arg)
{
	return db_batch(db, run_day, arg);
}

static int load_conf(struct db *db, void *arg)
{
	struct history *h = arg;

	return switch_conf_load(&h->conf, db, h->centre_id);
}

static int count_calls(struct db *db, void *arg)
{
	return db_get_i64(arg, db, "SELECT count(*) FROM call", "");
}

struct was_cleared {
	int64_t centre_id;
	bool *ret;
};

/* Somebody administrates it, and nothing of the demo is left. */
static int was_cleared(struct db *db, void *arg)
{
	const struct was_cleared *w = arg;
	bool demo = false, admin = false;
	int r = people_demo_present(&demo, db, w->centre_id);

	if (!r)
		r = people_has_admin(&admin, db, w->centre_id);
	*w->ret = admin && !demo;
	return r;
}

static int make_history(struct db_writer *w, struct history *h, int64_t today)
{
	int r = db_writer_call(w, DB_BUSINESS, load_conf, h);

	for (int d = DAYS; !r && d >= 1; d--) {
		h->open_ms = today - d * DAY_MS + 8 * 3600000LL;
		h->close_ms = h->open_ms + 12 * 3600000LL;
		h->seed = (uint64_t)d;
		r = db_writer_call(w, DB_BUSINESS, make_day, h);
	}
	snap_unref(h->conf);
	return r;
}

int demo_prepare(struct db_writer *w, int64_t centre_id)
{
	struct history h = {.centre_id = centre_id};
	int64_t today = (clock_utc_ms() + ZONE_MS) / DAY_MS * DAY_MS - ZONE_MS, calls = 0;
	bool cleared = false;
	int r;

	r = db_writer_call(w, DB_BUSINESS, was_cleared, &(struct was_cleared){centre_id, &cleared});
	if (r || cleared) {
		if (cleared)
			log_info("the demo was cleared: this is a centre of its own, and --demo does nothing any more");
		return r ? r : 1;
	}
	find_places();
	r = db_writer_call(w, DB_BUSINESS, make_people, &centre_id);
	if (!r)
		r = db_writer_call(w, DB_BUSINESS, count_calls, &calls);
	if (!r && !calls)
		r = make_history(w, &h, today);
	return r ? r : db_writer_call(w, DB_BUSINESS, make_projects, &centre_id);
}

pid_t demo_network(const char *sip)
{
	char exe[4096], carrier[64], phones[64];
	pid_t parent = getpid(), pid;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0)
		return -errno;
	exe[n] = '\0';
	(void)snprintf(carrier, sizeof(carrier), HOST ":%u", places.carrier_port);
	(void)snprintf(phones, sizeof(phones), HOST ":%u", places.phone_port);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		sigset_t none;

		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
		execl(exe, "huawu", "sim", "net", "--server", sip, "--carrier", carrier, "--phones-at", phones, "--any-phone",
		      "--per-hour", CALLS_AN_HOUR, "--number", "057188880101", "--number", "057188880101", "--number", "057188880102",
		      "--number", "057188880103", "--talk", "50", "--patience", "60",
		      "--city", "0.45", "--hour", "10", "--city-shown", "057188880104", "--city-shown", "057188880105", "--with-parent", "--quiet", (char *)NULL);
		_exit(127);
	}
	return pid;
}
