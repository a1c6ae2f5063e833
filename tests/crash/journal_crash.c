/*
 * kill -9 at seeded moments. A child appends made-up calls while its writer drains; what it has appended it also says
 * on a pipe: the truth. It is killed by the clock, or by itself at its k-th disk call (in commit, checkpoint, spill,
 * recovery), half-way through that call; in some rounds the database's disk is full for a while. Then the next child
 * takes over what is left, and every few rounds the log and the records are held against the truth.
 *
 * With HW_TEST_DB it is a PostgreSQL server's connection that is the disk: the child dies before or half-way through what it sends, and a
 * full disk is a connection that breaks.
 *
 *   HW_KILLS=2000 HW_SEED=5 build/test_journal_crash
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/test.h"
#include "db/db.h"
#include "db/db_fixture.h"
#include "journal/journal_priv.h"
#include "journal/made_calls.h"

#define CHECK_EVERY 20

/* ---- the disk: our own calls come before libc's, also for SQLite ---- */

static atomic_long disk_calls, die_at, fail_from, fail_to; /* 0: never */

/* Where the child was, told through shared memory, so that we know what the kills hit. */
static struct seen {
	_Atomic bool serves;        /* recovery is over */
	_Atomic unsigned in_call;   /* died by itself in a disk call */
	_Atomic unsigned recovering; /* died before it served */
	_Atomic unsigned full;      /* disk calls refused */
	_Atomic unsigned spilled;   /* writes to the spill file */
} *seen;

static void count_call(void)
{
	long n = atomic_fetch_add(&disk_calls, 1) + 1;

	if (n != atomic_load(&die_at))
		return;
	seen->in_call++;
	(void)raise(SIGKILL);
}

static ssize_t counted_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (atomic_load(&disk_calls) + 1 == atomic_load(&die_at))
		(void)syscall(SYS_pwrite64, fd, p, n / 2, at); /* torn */
	count_call();
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) /* the spill's */
{
	if (seen)
		seen->spilled++;
	return counted_pwrite(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) /* SQLite's */
{
	long now = atomic_load(&disk_calls);

	if (now >= atomic_load(&fail_from) && now < atomic_load(&fail_to)) {
		count_call();
		seen->full++;
		errno = ENOSPC;
		return -1;
	}
	return counted_pwrite(fd, p, n, at);
}

ssize_t send(int fd, const void *p, size_t n, int flags);
ssize_t send(int fd, const void *p, size_t n, int flags) /* libpq's */
{
	long now = atomic_load(&disk_calls);

	if (now + 1 == atomic_load(&die_at))
		(void)syscall(SYS_sendto, fd, p, n / 2, flags, NULL, 0);
	count_call();
	if (seen && now >= atomic_load(&fail_from) && now < atomic_load(&fail_to)) {
		seen->full++;
		(void)shutdown(fd, SHUT_RDWR);
		errno = ECONNRESET;
		return -1;
	}
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	count_call();
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd);
int fsync(int fd)
{
	count_call();
	return (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t n);
int ftruncate(int fd, off_t n)
{
	count_call();
	return (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off_t n);
int ftruncate64(int fd, off_t n)
{
	return ftruncate(fd, n);
}

/* ---- places ---- */

static char dir[64], shm[64], db_path[512], ring_path[96], spill_path[96];
static struct journal_conf conf;

static void make_places(void)
{
	strcpy(dir, "/tmp/hw_crash.XXXXXX");
	strcpy(shm, "/dev/shm/hw_crash.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(shm));
	snprintf(db_path, sizeof(db_path), "%s/t.db", dir);
	test_db_new_empty(db_path, sizeof(db_path), strdupa(db_path));
	snprintf(spill_path, sizeof(spill_path), "%s/spill", dir);
	snprintf(ring_path, sizeof(ring_path), "%s/ring", shm);
	conf = (struct journal_conf){.ring_path = ring_path, .ring_bytes = 64 << 10, .spill_path = spill_path, .centre_id = 1};
}

static void drop_places(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf %s %s", dir, shm);
	assert_int_equal(system(cmd), 0);
	test_db_gone(db_path);
}

/* ---- the truth ---- */

struct said {
	int64_t epoch, n;
	uint32_t crc, zero;
};

/* Of what the log keeps in the clear or in event_pii: not the dialog. */
static uint32_t digest(const struct ev *e)
{
	char buf[4096];
	int len = snprintf(buf, sizeof(buf), "%lld %d %lld %lld %lld %lld %.*s", (long long)e->at_ms, e->kind, (long long)e->call_id,
			   (long long)e->leg_id, (long long)e->agent_id, (long long)e->queue_id, (int)e->body_len, e->body);
	uint32_t texts = 0;

	for (unsigned i = 0; i < e->pii_n; i++)
		if (strcmp(e->pii[i].key, "dialog"))
			texts += crc32c(e->pii[i].key, strlen(e->pii[i].key)) * 31 + crc32c(e->pii[i].text, strlen(e->pii[i].text));
	assert_true(len < (int)sizeof(buf));
	return crc32c(buf, (size_t)len) + texts;
}

static struct said *truth;
static size_t truth_n, truth_cap, truth_checked;

/* ---- the child ---- */

struct child {
	struct journal *j;
	int pipe;
};

static int append_and_say(struct ev *e, void *arg)
{
	struct child *c = arg;
	struct said s;
	int r;

	while ((r = journal_append(c->j, e)) == -ENOSPC)
		(void)usleep(200); /* the stream waits instead of losing: what is appended is what counts */
	if (r)
		_exit(3);
	s = (struct said){.epoch = e->epoch, .n = e->n, .crc = digest(e)};
	if (write(c->pipe, &s, sizeof(s)) != sizeof(s))
		_exit(4);
	return 0;
}

/* And the dead one's server process has ended: it may be writing still. */
static int checkpoint_often(struct db *db, void *arg)
{
	return test_db_is_postgres() ? db_own(db) : db_run(db, "PRAGMA wal_autocheckpoint=30", NULL);
}

static int64_t repair(int64_t part_id, const char *path, int64_t *bytes, char hash_hex[65], void *arg)
{
	*bytes = 1;
	strcpy(hash_hex, "00");
	return 1;
}

static int start(struct journal **j, struct db_writer **w)
{
	struct journal_recovery rec = {.part = repair};
	struct db *db;
	int r;

	r = db_open(&db, db_path, DB_RW);
	if (r)
		return r;
	r = db_own(db);
	if (!r)
		r = db_migrate(db);
	db_close(db);
	if (!r)
		r = db_writer_new(w, db_path, 10);
	if (!r)
		r = journal_open(j, &conf);
	if (!r)
		r = db_writer_call(*w, DB_TELEPHONY, checkpoint_often, NULL);
	return r ? r : journal_recover(*j, *w, &rec);
}

/* How a child dies: of its k-th disk call, in the start or later; else by the clock, so long after its start. */
struct death {
	long die_at_start, die_later;
	int64_t ms;
	long full_after, full_for; /* disk calls */
};

static struct death choose(struct rng *rng)
{
	struct death d = {.ms = 250};

	switch (rng_below(rng, 5)) {
	case 0:
		d.die_at_start = 1 + (long)rng_below(rng, 60);
		break;
	case 1:
	case 2:
		d.die_later = 1 + (long)rng_below(rng, 10 + rng_below(rng, 300));
		break;
	case 3:
		d.ms = (int64_t)rng_below(rng, 30); /* perhaps in the start */
		break;
	default:
		d.ms = 20 + (int64_t)rng_below(rng, 100);
	}
	if (!rng_below(rng, test_db_is_postgres() ? 6 : 3)) {
		d.full_after = (long)rng_below(rng, 60);
		d.full_for = 1 + (long)rng_below(rng, 60);
	}
	if (d.full_for && test_db_is_postgres()) { /* the server stays away: long enough to spill */
		d.die_at_start = d.die_later = 0;
		d.full_for = 1000000;
		d.ms = 1800;
	}
	return d;
}

static void child_main(int round, const struct death *how, struct rng *rng, int pipe)
{
	struct child c = {.pipe = pipe};
	struct db_writer *w;
	struct made m;
	int r;

	log_set_level(LOG_L_ERROR);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(2);
	if (how->die_at_start)
		atomic_store(&die_at, how->die_at_start);
	r = start(&c.j, &w);
	if (r)
		_exit(r == -ENOSPC || r == -EIO || r == -ENOTCONN ? 5 : 6); /* recovery on a full disk says so; the next start does it */
	if (how->die_later)
		atomic_store(&die_at, atomic_load(&disk_calls) + how->die_later);
	if (how->full_for) {
		atomic_store(&fail_to, atomic_load(&disk_calls) + how->full_after + how->full_for);
		atomic_store(&fail_from, atomic_load(&disk_calls) + how->full_after);
	}
	seen->serves = true;
	journal_attach(c.j, w, 1 + (int)rng_below(rng, 8));
	made_init(&m, rng_u64(rng), clock_utc_ms(), append_and_say, &c);
	idgen_init(&m.ids, (unsigned)round % 1000);
	for (;;) {
		made_step(&m, clock_utc_ms());
		if (!rng_below(rng, 4))
			(void)usleep((useconds_t)rng_below(rng, 2000));
	}
}

/* ---- the parent ---- */

/* Takes in what the child says until @ms have passed; then kills it and reads the rest. */
static void listen_and_kill(pid_t pid, int fd, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	bool killed = false;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_mono_ms();
		ssize_t n;

		if (left <= 0 && !killed) {
			assert_int_equal(kill(pid, SIGKILL), 0);
			killed = true;
		}
		if (poll(&p, 1, killed ? -1 : (int)left) <= 0)
			continue;
		if (truth_n + 256 > truth_cap) {
			truth_cap = truth_cap * 2 + 1024;
			truth = xrealloc(truth, truth_cap * sizeof(*truth));
		}
		n = read(fd, truth + truth_n, 256 * sizeof(*truth));
		assert_true(n >= 0 && (size_t)n % sizeof(*truth) == 0); /* writes below PIPE_BUF are whole */
		if (!n)
			return;
		truth_n += (size_t)n / sizeof(*truth);
	}
}

static unsigned kills_done, refused;

static void one_round(int round, struct rng *rng)
{
	struct death how = choose(rng);
	struct rng child_rng;
	int fds[2], status;
	pid_t pid;

	seen->serves = false;
	rng_init(&child_rng, rng_u64(rng));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		child_main(round, &how, &child_rng, fds[1]);
	}
	close(fds[1]);
	listen_and_kill(pid, fds[0], how.ms);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) != 5)
			fail_msg("round %d: child ended with %d", round, WEXITSTATUS(status));
		refused++;
		return;
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	kills_done++;
	seen->recovering += !seen->serves;
}

struct walk {
	size_t next;     /* of the truth */
	int64_t epoch;   /* last epoch that the truth knows, and its last n */
	int64_t n;
	unsigned unsaid; /* appended, but killed before saying so */
};

static int hold_against_truth(const struct ev *e, void *arg)
{
	struct walk *w = arg;

	if (w->next < truth_n && truth[w->next].epoch == e->epoch && truth[w->next].n == e->n) {
		if (truth[w->next].crc != digest(e))
			fail_msg("event %lld.%lld is not what was appended", (long long)e->epoch, (long long)e->n);
		w->epoch = e->epoch;
		w->n = e->n;
		w->next++;
		return 0;
	}
	if (e->kind == EV_SYS_RECOVER)
		w->epoch = -e->epoch; /* an epoch of recovery */
	if (e->epoch == -w->epoch)
		return 0;
	/* One event may be in the ring whose author died before he could say so. */
	if (e->epoch == w->epoch ? e->n != w->n + 1 : e->n != 1)
		fail_msg("event %lld.%lld was never appended, or the one before is missing", (long long)e->epoch, (long long)e->n);
	w->epoch = e->epoch;
	w->n = e->n + 1000000; /* no second one */
	w->unsaid++;
	return 0;
}

/* Each answers how many rows break its claim. */
static const struct {
	const char *claim, *sql;
} claims[] = {
	{"no call is open", "SELECT count(*) FROM call WHERE end_ms IS NULL"},
	{"no leg is open", "SELECT count(*) FROM leg WHERE end_ms IS NULL"},
	{"no segment is open", "SELECT count(*) FROM segment WHERE end_ms IS NULL"},
	{"no activity is open", "SELECT count(*) FROM activity WHERE end_ms IS NULL"},
	{"no offer is open", "SELECT count(*) FROM offer WHERE end_ms IS NULL"},
	{"no recording is open", "SELECT count(*) FROM recording_part WHERE end_ms IS NULL"},
	{"no dialog is left", "SELECT count(*) FROM leg_dialog"},
	{"each call is folded once", "SELECT abs((SELECT count(*) FROM event WHERE kind = 'call.new') - (SELECT count(*) FROM call))"},
	{"each leg is folded once", "SELECT abs((SELECT count(*) FROM event WHERE kind = 'leg.new') - (SELECT count(*) FROM leg))"},
	{"each segment is folded once",
	 "SELECT abs((SELECT count(*) FROM event WHERE kind = 'seg.open') - (SELECT count(*) FROM segment))"},
	{"each offer is folded once", "SELECT abs((SELECT count(*) FROM event WHERE kind = 'offer.new') - (SELECT count(*) FROM offer))"},
	{"each state is folded once",
	 "SELECT abs((SELECT count(*) FROM event WHERE kind = 'agent.state' AND body NOT LIKE '%\"state\":\"offline\"%')"
	 " - (SELECT count(*) FROM activity))"},
	{"each call ends once", "SELECT count(*) FROM (SELECT call_id FROM event WHERE kind = 'call.end' GROUP BY call_id HAVING count(*) <> 1) AS x"},
	{"an answered call has an agent and a talk segment",
	 "SELECT count(*) FROM call c WHERE answer_ms IS NOT NULL AND (agent_id IS NULL"
	 " OR (talk_ms > 0) <> (coalesce((SELECT sum(end_ms - start_ms) FROM segment WHERE call_id = c.id AND type = 'talk'), 0) > 0))"},
	{"segments touch and do not overlap",
	 "SELECT count(*) FROM (SELECT start_ms, lag(end_ms) OVER (PARTITION BY call_id ORDER BY id) AS before FROM segment) AS x"
	 " WHERE before IS NOT NULL AND before <> start_ms"},
	{"a call's last segment ends with it",
	 "SELECT count(*) FROM call c WHERE EXISTS (SELECT 1 FROM segment WHERE call_id = c.id)"
	 " AND end_ms <> (SELECT max(end_ms) FROM segment WHERE call_id = c.id)"},
	{"activities do not overlap",
	 "SELECT count(*) FROM (SELECT start_ms, lag(end_ms) OVER (PARTITION BY agent_id ORDER BY id) AS before FROM activity) AS x"
	 " WHERE before IS NOT NULL AND before > start_ms"},
	{"activities touch, but for log-outs",
	 "SELECT count(*) FROM (SELECT id, agent_id, start_ms, lag(end_ms) OVER (PARTITION BY agent_id ORDER BY id) AS before FROM activity) a"
	 " WHERE before IS NOT NULL AND before <> start_ms AND NOT EXISTS (SELECT 1 FROM event e WHERE e.epoch = a.id >> 40"
	 " AND e.n = a.id & 1099511627775 AND e.body LIKE '%\"prev\":\"offline\"%')"},
	{"nobody is in two calls", "SELECT count(*) FROM (SELECT end_ms, lead(start_ms) OVER (PARTITION BY agent_id ORDER BY id) AS next"
				   " FROM segment WHERE type = 'talk') AS x WHERE next < end_ms"},
};

static void check_records(struct db *db, int round)
{
	char what[256];
	int64_t n, e;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		assert_int_equal(db_get_i64(&n, db, claims[i].sql, NULL), 0);
		if (n)
			fail_msg("round %d: not so: %s (%lld)", round, claims[i].claim, (long long)n);
	}
	r = journal_verify(db, &e, &n);
	if (r)
		fail_msg("round %d: chain is broken at %lld.%lld (%d)", round, (long long)e, (long long)n, r);
	if (journal_rollup_check(db, NULL, what))
		fail_msg("round %d: %s", round, what);
}

static void check(int round)
{
	struct walk walk = {.next = truth_checked};
	struct db_writer *w;
	struct journal *j;
	struct db *db;
	int r = start(&j, &w);

	assert_int_equal(r, 0);
	assert_int_equal(db_open(&db, db_path, DB_RO), 0);
	if (truth_checked < truth_n)
		assert_int_equal(journal_read(db, truth[truth_checked].epoch, 1, hold_against_truth, &walk), 0);
	if (walk.next != truth_n)
		fail_msg("round %d: event %lld.%lld is missing", round, (long long)truth[walk.next].epoch, (long long)truth[walk.next].n);
	truth_checked = truth_n;
	check_records(db, round);
	db_close(db);
	db_writer_free(w);
	journal_close(j);
}

static int64_t setting(const char *name, int64_t fallback)
{
	const char *s = getenv(name);

	return s ? atoll(s) : fallback;
}

TEST(killed_at_any_moment_nothing_is_lost_or_counted_twice)
{
	int kills = (int)setting("HW_KILLS", test_db_is_postgres() ? 25 : 200);
	uint64_t seed = (uint64_t)setting("HW_SEED", 1);
	struct rng rng;

	log_set_level(LOG_L_ERROR);
	rng_init(&rng, seed);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(seen != MAP_FAILED);
	make_places();
	for (int round = 1; (int)kills_done < kills; round++) {
		one_round(round, &rng);
		if (round % CHECK_EVERY == 0)
			check(round);
	}
	check(0);
	printf("%u kills: %u in a disk call, %u in recovery; %u writes found the disk full, %u spilled; %u starts refused by it;"
	       " %zu events\n",
	       kills_done, seen->in_call, seen->recovering, seen->full, seen->spilled, refused, truth_n);
	assert_true(seen->in_call > 0 && seen->recovering > 0 && seen->full > 0 && seen->spilled > 0);
	free(truth);
	drop_places();
}
