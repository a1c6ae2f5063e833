/* The checks of `huawu doctor`, each on a machine that is well and on one that is not: real files, ports, certificates, databases. */
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"
#include "journal/ring.h"
#include "people/people.h"

#define NOW 1785000000000LL /* 2026-07-25 */

/* A machine of our own: a data folder, a root for /proc and /sys, a clock. */
struct bed {
	struct app_conf conf;
	struct doctor d;
	char dir[64];
};

static int64_t the_time = NOW;
static int ntp_says;

static int64_t fake_time(void)
{
	return the_time;
}

static int fake_ntp(int64_t *offset_us)
{
	*offset_us = 17;
	return ntp_says;
}

static void put(const struct bed *b, const char *path, const char *text)
{
	char *full = xasprintf("%s/root%s", b->dir, path);
	FILE *f;

	for (char *s = full + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			(void)mkdir(full, 0755);
			*s = '/';
		}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(full);
}

static void bed_up(struct bed *b)
{
	the_time = NOW;
	ntp_says = 0;
	memset(b, 0, sizeof(*b));
	strcpy(b->dir, "/tmp/huawu-doctor.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->conf = (struct app_conf){
		.data_dir = xasprintf("%s/data", b->dir), .ring = xasprintf("%s/shm/own.ring", b->dir), .sip_listen = xstrdup("127.0.0.1:0"),
		.http_listen = xstrdup("127.0.0.1:0"), .rtp_min = 20000, .rtp_max = 29999, .media_threads = 1,
	};
	b->conf.db = xasprintf("%s/huawu.db", b->conf.data_dir);
	assert_int_equal(mkdir(b->conf.data_dir, 0700), 0);
	put(b, "/../shm/.keep", "");
	b->d = (struct doctor){.conf = &b->conf, .read = {fake_time, fake_ntp}, .root = xasprintf("%s/root", b->dir), .en = true,
			       .uid = geteuid(), .now_ms = NOW, .trunk_wait_ms = 700};
	assert_int_equal(people_init("huawu"), 0);
}

static void bed_down(struct bed *b)
{
	char *command = xasprintf("rm -rf %s", b->dir);

	db_close(b->d.db);
	doctor_done(&b->d);
	free((char *)(uintptr_t)b->d.root);
	app_conf_done(&b->conf);
	assert_int_equal(system(command), 0);
	free(command);
}

/* A database with a centre, opened for reading. */
static void bed_db(struct bed *b, const char *sql)
{
	struct db *db;
	int64_t id;

	assert_int_equal(db_open(&db, b->conf.db, DB_RW), 0);
	assert_int_equal(db_migrate(db), 0);
	assert_int_equal(people_centre(&id, db, "centre", "Asia/Shanghai"), 0);
	if (sql)
		assert_int_equal(db_run(db, sql, NULL), 0);
	db_close(db);
	assert_int_equal(db_open(&b->d.db, b->conf.db, DB_RO), 0);
}

static void level_is(struct bed *b, const char *id, enum doc_level level, const char *words)
{
	const struct doc_finding *f = doctor_get(&b->d, id);

	if (!f)
		fail_msg("no finding %s", id);
	if (f->level != level || !strstr(f->found, words))
		fail_msg("%s: level %d, \"%s\"; expected %d, \"%s\"", id, f->level, f->found, level, words);
	/* Whoever is told of trouble is told what to do; who is not, is not. */
	assert_int_equal(f->todo != NULL, level != DOC_OK);
}

static void again(struct bed *b, void (*check)(struct doctor *))
{
	doctor_done(&b->d);
	b->d.now_ms = the_time;
	check(&b->d);
}

/* ---- place ---- */

TEST(a_sound_data_folder_is_found_sound)
{
	struct bed b;

	bed_up(&b);
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_OK, b.conf.data_dir);
	assert_non_null(doctor_get(&b.d, "data.space"));
	bed_down(&b);
}

TEST(a_missing_or_open_data_folder_is_told)
{
	struct bed b;

	bed_up(&b);
	assert_int_equal(chmod(b.conf.data_dir, 0755), 0);
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_WARN, "mode 755");
	assert_int_equal(rmdir(b.conf.data_dir), 0);
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_WARN, "No such file");
	put(&b, "/../data", "a file");
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_ERROR, "not a folder");
	assert_int_equal(unlink(b.conf.data_dir), 0);
	bed_down(&b);
}

TEST(a_folder_of_another_user_is_told)
{
	struct bed b;

	if (geteuid())
		skip();
	bed_up(&b);
	assert_int_equal(chmod(b.dir, 0755), 0);
	b.d.uid = 65534; /* nobody: the folder is root's */
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_ERROR, "Permission denied");
	assert_int_equal(chown(b.conf.data_dir, 65534, 65534), 0);
	again(&b, doc_place);
	level_is(&b, "data.dir", DOC_OK, "nobody");
	bed_down(&b);
}

/* In a mount namespace of this process: nobody else sees it. */
static void small_tmpfs(const char *path, const char *size)
{
	if (geteuid() || unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", path, "tmpfs", 0, size))
		skip();
}

TEST(a_full_memory_disk_is_told_as_both)
{
	char block[4096] = "x", *path;
	struct bed b;
	int fd;

	bed_up(&b);
	small_tmpfs(b.conf.data_dir, "size=2m,mode=700");
	path = xasprintf("%s/full", b.conf.data_dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	(void)close(fd);
	free(path);
	again(&b, doc_place);
	level_is(&b, "data.space", DOC_ERROR, "0 B free");
	level_is(&b, "data.fs", DOC_ERROR, "tmpfs");
	assert_int_equal(umount2(b.conf.data_dir, MNT_DETACH), 0);
	bed_down(&b);
}

TEST(days_left_are_free_space_by_the_recordings_of_a_week)
{
	char sql[512], days[64];
	struct bed b;
	long left;

	bed_up(&b);
	/* Two days ago a recording of 40 GB: 20 GB a day. */
	(void)snprintf(sql, sizeof(sql), "INSERT INTO recording_part (id, centre_id, call_id, path, start_ms, state, bytes) VALUES (1, 1, 1, 'a', %lld, 'closed', 40000000000)",
		       (long long)(NOW - 2 * 86400000LL));
	bed_db(&b, sql);
	again(&b, doc_place);
	assert_non_null(strstr(doctor_get(&b.d, "data.space")->found, "20 GB a day"));
	(void)str_copy(days, sizeof(days), strstr(doctor_get(&b.d, "data.space")->found, "a day: ") + 7);
	left = strtol(days, NULL, 10);
	assert_true(left >= 0 && left < 100000);
	assert_int_equal(doctor_get(&b.d, "data.space")->level != DOC_OK, left < 14 || doctor_get(&b.d, "data.space")->todo);
	bed_down(&b);
}

TEST(too_little_room_for_the_ring_is_told)
{
	struct bed b;
	char *shm;

	bed_up(&b);
	shm = xasprintf("%s/shm", b.dir);
	again(&b, doc_place);
	level_is(&b, "ring.room", DOC_WARN, "no tmpfs");
	small_tmpfs(shm, "size=4m");
	again(&b, doc_place);
	level_is(&b, "ring.room", DOC_ERROR, "4.2 MB"); /* 4 MiB */
	assert_int_equal(umount2(shm, MNT_DETACH), 0);
	assert_int_equal(mount("t", shm, "tmpfs", 0, "size=128m"), 0);
	again(&b, doc_place);
	level_is(&b, "ring.room", DOC_OK, "134 MB");
	assert_int_equal(umount2(shm, MNT_DETACH), 0);
	free(shm);
	bed_down(&b);
}

TEST(a_ring_that_a_crash_left_is_told_and_one_in_use_is_not)
{
	struct journal_conf jc = {.ring_bytes = 1 << 16};
	struct ev e = {.kind = (enum ev_kind)0, .at_ms = NOW};
	struct journal *j;
	struct bed b;
	char *other, locks[256];
	struct stat st;

	bed_up(&b);
	jc.ring_path = b.conf.ring;
	assert_int_equal(journal_open(&j, &jc), 0);
	(void)e;
	/* What /proc/locks says of our lock. */
	assert_int_equal(stat(b.conf.ring, &st), 0);
	(void)snprintf(locks, sizeof(locks), "1: FLOCK  ADVISORY  WRITE 4711 %02x:%02x:%llu 0 EOF\n", (unsigned)(st.st_dev >> 8 & 0xff), (unsigned)(st.st_dev & 0xff),
		       (unsigned long long)st.st_ino);
	put(&b, "/proc/locks", locks);
	assert_int_equal(doc_lock_holder(&b.d, b.conf.ring), 4711);
	again(&b, doc_place);
	assert_null(doctor_get(&b.d, "ring.left"));
	put(&b, "/proc/locks", "");
	journal_close(j);
	again(&b, doc_place);
	assert_null(doctor_get(&b.d, "ring.left")); /* empty: a clean end */

	put(&b, "/../shm/own.ring", "no ring at all");
	again(&b, doc_place);
	level_is(&b, "ring.left", DOC_WARN, "not a sound");
	other = xasprintf("%s/shm/huawu-other.ring", b.dir);
	jc.ring_path = other;
	assert_int_equal(journal_open(&j, &jc), 0);
	journal_close(j);
	again(&b, doc_place);
	level_is(&b, "ring.others", DOC_WARN, "1 are used by no server, 0 of them");
	free(other);
	bed_down(&b);
}

TEST(a_ring_with_events_is_told_with_their_bytes)
{
	struct bed b;
	struct ring r;

	bed_up(&b);
	assert_int_equal(ring_open(&r, b.conf.ring, 1 << 16), 0);
	atomic_store(&r.h->head, 4096);
	ring_close(&r);
	again(&b, doc_place);
	level_is(&b, "ring.left", DOC_WARN, "4096 bytes");
	bed_down(&b);
}

TEST(copies_of_the_database_are_missed_when_old)
{
	struct timespec old[2] = {{NOW / 1000 - 30 * 86400, 0}, {NOW / 1000 - 30 * 86400, 0}}, fresh[2] = {{NOW / 1000 - 3600, 0}, {NOW / 1000 - 3600, 0}};
	struct bed b;
	char *path;

	bed_up(&b);
	bed_db(&b, NULL);
	again(&b, doc_place);
	level_is(&b, "data.copies", DOC_WARN, "none");
	put(&b, "/../data/backup/x.db", "x");
	path = xasprintf("%s/backup/x.db", b.conf.data_dir);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	again(&b, doc_place);
	level_is(&b, "data.copies", DOC_WARN, "30 days");
	assert_int_equal(utimensat(AT_FDCWD, path, fresh, 0), 0);
	again(&b, doc_place);
	level_is(&b, "data.copies", DOC_OK, "0 days");
	free(path);
	bed_down(&b);
}

/* ---- database ---- */

TEST(a_sound_database_passes_every_check)
{
	static const char *const ids[] = {"db.open", "db.version", "db.whole", "db.write", "db.chain"};
	struct bed b;

	bed_up(&b);
	bed_db(&b, NULL);
	again(&b, doc_database);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		level_is(&b, ids[i], DOC_OK, "");
	bed_down(&b);
}

TEST(a_database_of_a_newer_program_is_told)
{
	struct bed b;

	bed_up(&b);
	bed_db(&b, "INSERT INTO schema_migration (version, name, applied_ms) VALUES (9999, '9999_future.sql', 1)");
	again(&b, doc_database);
	level_is(&b, "db.version", DOC_ERROR, "9999_future.sql");
	assert_non_null(strstr(doctor_get(&b.d, "db.version")->todo, "restore-db"));
	bed_down(&b);
}

TEST(a_missing_database_and_a_foreign_file_are_told)
{
	struct bed b;

	bed_up(&b);
	b.d.db_error = db_open(&b.d.db, b.conf.db, DB_RO);
	again(&b, doc_database);
	level_is(&b, "db.open", DOC_WARN, "not there yet");
	put(&b, "/../data/huawu.db", "this is a text, and long enough to be read as the head of a file of another kind, as it may happen ......");
	b.d.db_error = db_open(&b.d.db, b.conf.db, DB_RO);
	again(&b, doc_database);
	level_is(&b, "db.version", DOC_ERROR, "no database");
	db_close(b.d.db);
	b.d.db = NULL;
	b.d.db_error = -EACCES;
	again(&b, doc_database);
	level_is(&b, "db.open", DOC_ERROR, "does not open: Permission denied");
	bed_down(&b);
}

TEST(a_damaged_page_is_found)
{
	char zero[4096];
	struct stat st;
	struct bed b;
	int fd;

	bed_up(&b);
	bed_db(&b, NULL);
	db_close(b.d.db);
	b.d.db = NULL;
	fd = open(b.conf.db, O_RDWR);
	assert_true(fd >= 0 && !fstat(fd, &st) && st.st_size > 40 * 4096);
	memset(zero, 0xa5, sizeof(zero));
	for (off_t at = 30 * 4096; at < 40 * 4096; at += 4096)
		assert_int_equal(pwrite(fd, zero, sizeof(zero), at), sizeof(zero));
	(void)close(fd);
	assert_int_equal(db_open(&b.d.db, b.conf.db, DB_RO), 0);
	again(&b, doc_database);
	level_is(&b, "db.whole", DOC_ERROR, "damaged");
	bed_down(&b);
}

TEST(a_database_that_the_service_cannot_write_is_told)
{
	struct bed b;

	if (geteuid())
		skip();
	bed_up(&b);
	bed_db(&b, NULL);
	b.d.uid = 65534;
	again(&b, doc_database);
	level_is(&b, "db.write", DOC_ERROR, "Permission denied");
	bed_down(&b);
}

TEST(a_missing_or_open_key_of_passwords_is_told)
{
	struct bed b;
	char *path;

	bed_up(&b);
	bed_db(&b, NULL);
	path = xasprintf("%s/secrets.key", b.conf.data_dir);
	again(&b, doc_database);
	assert_null(doctor_get(&b.d, "data.key")); /* nothing is sealed */
	db_close(b.d.db);
	bed_db(&b, "INSERT INTO trunks (id, centre_id, rev, created_ms, updated_ms, name, host, port, calls_max, outbound, active, secret)"
		   " SELECT 1, id, 1, 0, 0, 'line', '127.0.0.1', 5060, 0, 1, 1, 'x' FROM centre");
	again(&b, doc_database);
	level_is(&b, "data.key", DOC_ERROR, "passwords of 1 trunks");
	put(&b, "/../data/secrets.key", "k");
	assert_int_equal(chmod(path, 0644), 0);
	again(&b, doc_database);
	level_is(&b, "data.key", DOC_ERROR, "mode 644");
	assert_int_equal(chmod(path, 0600), 0);
	again(&b, doc_database);
	level_is(&b, "data.key", DOC_OK, "only the service's user");
	free(path);
	bed_down(&b);
}

TEST(a_locked_database_is_told)
{
	struct db *other;
	struct bed b;

	bed_up(&b);
	bed_db(&b, NULL);
	assert_int_equal(db_open(&other, b.conf.db, DB_RW), 0);
	assert_int_equal(db_begin(other), 0);
	again(&b, doc_database);
	level_is(&b, "db.write", DOC_WARN, "2 s");
	db_rollback(other);
	db_close(other);
	bed_down(&b);
}

TEST(an_altered_event_is_found_in_the_last_part_of_the_log)
{
	struct ev e = {.kind = (enum ev_kind)0, .at_ms = NOW, .body = "{}", .body_len = 2};
	struct journal_import *im;
	int64_t epoch, n;
	struct db *db;
	struct bed b;

	bed_up(&b);
	bed_db(&b, NULL);
	assert_int_equal(db_open(&db, b.conf.db, DB_RW), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(journal_import_new(&im, db, 1), 0);
	assert_int_equal(ev_kind_parse(&e.kind, "agent.state"), 0);
	for (int i = 0; i < 20; i++)
		assert_true(journal_import_event(im, &e) <= 0);
	journal_import_free(im);
	assert_int_equal(db_commit(db), 0);
	again(&b, doc_database);
	level_is(&b, "db.chain", DOC_OK, "whole");
	assert_int_equal(db_run(db, "UPDATE event SET at_ms = at_ms + 1 WHERE n = 5", NULL), 0);
	/* The last 10 are whole, the last 19 are not. */
	assert_int_equal(journal_verify_last(db, 10, &epoch, &n), 0);
	assert_int_equal(journal_verify_last(db, 19, &epoch, &n), 1);
	assert_int_equal(n, 5);
	again(&b, doc_database);
	level_is(&b, "db.chain", DOC_ERROR, ".5 is altered");
	db_close(db);
	bed_down(&b);
}

/* ---- ports ---- */

static int listen_on(int type, uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

TEST(a_busy_port_is_told_with_who_holds_it_and_a_free_one_is_free)
{
	char me[32];
	struct bed b;
	uint16_t udp, tcp;
	int fds[2];

	bed_up(&b);
	free((char *)(uintptr_t)b.d.root);
	b.d.root = xstrdup("");
	fds[0] = listen_on(SOCK_DGRAM, &udp);
	fds[1] = listen_on(SOCK_STREAM, &tcp);
	free(b.conf.sip_listen);
	free(b.conf.http_listen);
	b.conf.sip_listen = xasprintf("127.0.0.1:%u", udp);
	b.conf.http_listen = xasprintf("127.0.0.1:%u", tcp);
	(void)snprintf(me, sizeof(me), "(pid %d)", (int)getpid());
	again(&b, doc_ports);
	level_is(&b, "port.sip.udp", DOC_ERROR, me);
	level_is(&b, "port.http", DOC_ERROR, me);
	b.d.server = getpid(); /* it is us */
	again(&b, doc_ports);
	level_is(&b, "port.sip.udp", DOC_OK, "our running server");
	level_is(&b, "port.http", DOC_OK, "our running server");
	(void)close(fds[0]);
	(void)close(fds[1]);
	again(&b, doc_ports);
	level_is(&b, "port.sip.udp", DOC_WARN, "does not listen");
	b.d.server = 0;
	again(&b, doc_ports);
	level_is(&b, "port.sip.udp", DOC_OK, "is free");
	level_is(&b, "port.http", DOC_OK, "is free");
	bed_down(&b);
}

TEST(privileged_ports_and_strange_addresses_are_told)
{
	struct bed b;

	bed_up(&b);
	b.d.uid = 65534;
	free(b.conf.http_listen);
	b.conf.http_listen = xstrdup("127.0.0.1:443");
	free(b.conf.sip_listen);
	b.conf.sip_listen = xstrdup("192.0.2.1:5060"); /* RFC 5737: nobody's */
	again(&b, doc_ports);
	level_is(&b, "port.http", DOC_ERROR, "privileged");
	level_is(&b, "port.sip.udp", DOC_ERROR, "no address of this machine");
	put(&b, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n");
	again(&b, doc_ports);
	if (!geteuid())
		level_is(&b, "port.http", DOC_OK, "free");
	bed_down(&b);
}

TEST(audio_ports_are_counted_against_people_and_lines)
{
	struct bed b;

	bed_up(&b);
	b.conf.rtp_min = 20000;
	b.conf.rtp_max = 20099; /* 50 legs */
	b.d.seats = 20;
	b.d.lines = 30;
	again(&b, doc_ports);
	level_is(&b, "port.rtp", DOC_OK, "50 legs");
	assert_null(doctor_get(&b.d, "port.rtp.range"));
	b.d.lines = 31;
	again(&b, doc_ports);
	level_is(&b, "port.rtp", DOC_WARN, "carry 50 legs, while 20 people and 31 lines want 51");
	b.d.lines = 1;
	put(&b, "/proc/sys/net/ipv4/ip_local_port_range", "20050\t60999\n");
	again(&b, doc_ports);
	level_is(&b, "port.rtp.range", DOC_WARN, "20050-60999");
	bed_down(&b);
}

/* ---- machine, clock ---- */

TEST(limits_of_the_machine_are_judged)
{
	struct bed b;

	bed_up(&b);
	put(&b, "/proc/meminfo", "MemTotal:        4000000 kB\nMemFree: 1 kB\nMemAvailable:    2000000 kB\n");
	put(&b, "/proc/sys/net/core/rmem_max", "4194304\n");
	put(&b, "/proc/4711/limits", "Limit                     Soft Limit           Hard Limit           Units\nMax open files            65536                65536                files\n");
	put(&b, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	b.d.server = 4711;
	again(&b, doc_machine);
	level_is(&b, "sys.memory", DOC_OK, "3906 MB, 1953 MB");
	level_is(&b, "net.buffers", DOC_OK, "4194304");
	level_is(&b, "sys.files", DOC_OK, "65536");
	level_is(&b, "sys.governor", DOC_OK, "performance");
	put(&b, "/proc/meminfo", "MemTotal:        4000000 kB\nMemAvailable:     100000 kB\n");
	put(&b, "/proc/sys/net/core/rmem_max", "212992\n");
	put(&b, "/proc/4711/limits", "Max open files            1024                65536                files\n");
	put(&b, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
	b.conf.media_threads = 64;
	again(&b, doc_machine);
	level_is(&b, "sys.memory", DOC_WARN, "97 MB");
	level_is(&b, "net.buffers", DOC_WARN, "212992");
	level_is(&b, "sys.files", DOC_WARN, "1024");
	level_is(&b, "sys.governor", DOC_WARN, "powersave");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		level_is(&b, "sys.cores", DOC_WARN, "64 media threads");
	bed_down(&b);
}

TEST(a_wrong_clock_and_a_missing_zone_are_told)
{
	struct bed b;

	bed_up(&b);
	bed_db(&b, "INSERT INTO epoch (epoch, centre_id, kind, taken_ms) VALUES (1, 1, 'run', 1784990000000)");
	put(&b, "/usr/share/zoneinfo/Asia/Shanghai", "TZif");
	again(&b, doc_clock);
	level_is(&b, "clock.year", DOC_OK, "");
	level_is(&b, "clock.ntp", DOC_OK, "17 us");
	level_is(&b, "clock.zone", DOC_OK, "Asia/Shanghai");
	the_time = 1784990000000LL - 7200000; /* two hours before the last start */
	ntp_says = 1;
	again(&b, doc_clock);
	level_is(&b, "clock.year", DOC_ERROR, "120 minutes before");
	level_is(&b, "clock.ntp", DOC_WARN, "not synchronised");
	the_time = 86400000; /* a dead battery: 1970 */
	ntp_says = -EPERM;
	again(&b, doc_clock);
	level_is(&b, "clock.year", DOC_ERROR, "1970");
	level_is(&b, "clock.ntp", DOC_OK, "cannot be seen");
	free((char *)(uintptr_t)b.d.root);
	b.d.root = xasprintf("%s/data", b.dir);
	again(&b, doc_clock);
	level_is(&b, "clock.zone", DOC_ERROR, "no data");
	bed_down(&b);
}

/* ---- certificates, made by openssl ---- */

static void openssl_makes(struct bed *b, const char *more, const char *san)
{
	char *command = xasprintf("cd %s && rm -f *.pem && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem"
				  " -subj /CN=t -addext subjectAltName=%s %s >/dev/null 2>&1 && chmod 600 key.pem",
				  b->dir, san, more);

	if (system(command))
		skip();
	free(command);
	free(b->conf.http_cert);
	free(b->conf.http_key);
	b->conf.http_cert = xasprintf("%s/cert.pem", b->dir);
	b->conf.http_key = xasprintf("%s/key.pem", b->dir);
}

static int64_t real_now_ms(void)
{
	return clock_utc_ms();
}

TEST(certificates_are_judged_by_time_name_chain_and_key)
{
	char host[200] = "", *san, *command;
	struct bed b;

	bed_up(&b);
	(void)gethostname(host, sizeof(host) - 1);
	san = xasprintf("DNS:%s", host);
	the_time = real_now_ms() + 3600000; /* not on the edge of a day */
	openssl_makes(&b, "-days 400", san);
	again(&b, doc_cert);
	level_is(&b, "cert.days", DOC_OK, "399 days left");
	level_is(&b, "cert.names", DOC_OK, "fit");
	level_is(&b, "cert.key", DOC_OK, "belongs");
	level_is(&b, "cert.chain", DOC_WARN, "self-signed");
	level_is(&b, "browser", DOC_OK, "https");
	the_time = real_now_ms() + 390 * 86400000LL;
	again(&b, doc_cert);
	level_is(&b, "cert.days", DOC_WARN, "days left");
	the_time = real_now_ms() + 410 * 86400000LL;
	again(&b, doc_cert);
	level_is(&b, "cert.days", DOC_ERROR, "expired");
	the_time = real_now_ms() - 86400000;
	again(&b, doc_cert);
	level_is(&b, "cert.days", DOC_ERROR, "not valid yet");
	the_time = real_now_ms() + 3600000;
	assert_int_equal(chmod(b.conf.http_key, 0644), 0);
	again(&b, doc_cert);
	level_is(&b, "cert.key", DOC_WARN, "mode 644");
	openssl_makes(&b, "-days 1", "DNS:pbx.example.org");
	again(&b, doc_cert);
	level_is(&b, "cert.names", DOC_WARN, "pbx.example.org");
	level_is(&b, "cert.days", DOC_WARN, "0 days left");
	openssl_makes(&b, "-days 1", "DNS:localhost");
	again(&b, doc_cert);
	level_is(&b, "cert.names", DOC_ERROR, "none of this machine's addresses");
	command = xasprintf("openssl ecparam -genkey -name prime256v1 -noout -out %s 2>/dev/null", b.conf.http_key);
	assert_int_equal(system(command), 0);
	again(&b, doc_cert);
	level_is(&b, "cert.key", DOC_ERROR, "does not belong");
	free(command);
	put(&b, "/../cert.pem", "nothing");
	again(&b, doc_cert);
	level_is(&b, "cert", DOC_ERROR, "no certificate");
	free(san);
	bed_down(&b);
}

TEST(a_certificate_of_the_centres_own_ca_is_a_whole_chain)
{
	char *command;
	struct bed b;

	bed_up(&b);
	openssl_makes(&b, "-days 30", "DNS:localhost");
	the_time = real_now_ms();
	command = xasprintf("mkdir %s/tls && cp %s %s/tls/ca.pem", b.conf.data_dir, b.conf.http_cert, b.conf.data_dir);
	assert_int_equal(system(command), 0);
	again(&b, doc_cert);
	level_is(&b, "cert.chain", DOC_OK, "centre's CA");
	free(command);
	bed_down(&b);
}

TEST(a_page_without_https_for_others_is_told)
{
	struct bed b;

	bed_up(&b);
	again(&b, doc_cert);
	level_is(&b, "browser", DOC_OK, "this machine only");
	free(b.conf.http_listen);
	b.conf.http_listen = xstrdup("0.0.0.0:8080");
	again(&b, doc_cert);
	level_is(&b, "browser", DOC_WARN, "no microphone");
	bed_down(&b);
}

/* ---- trunks: a carrier that answers as it is told ---- */

struct carrier {
	int fd;
	uint16_t port;
	const char *via_more;  /* ";received=..." */
	const char *via_host;  /* a SIP ALG's idea of our address; NULL: as it came */
	pthread_t thread;
};

static void *carrier_main(void *arg)
{
	struct carrier *c = arg;
	struct sockaddr_in from;
	char in[2048], out[4096], via[256], id[256];
	socklen_t n = sizeof(from);
	ssize_t got = recvfrom(c->fd, in, sizeof(in) - 1, 0, (struct sockaddr *)&from, &n);
	const char *v, *i;

	if (got <= 0)
		return NULL;
	in[got] = '\0';
	v = strstr(in, "\r\nVia: ") + 7;
	i = strstr(in, "\r\nCall-ID: ") + 11;
	(void)snprintf(via, sizeof(via), "%.*s", (int)strcspn(v, "\r"), v);
	(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(i, "\r"), i);
	if (c->via_host)
		(void)snprintf(via, sizeof(via), "SIP/2.0/UDP %s;branch=z9hG4bK1", c->via_host);
	got = snprintf(out, sizeof(out), "SIP/2.0 200 OK\r\nv: %s%s\r\ni: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", via, c->via_more, id);
	(void)sendto(c->fd, out, (size_t)got, 0, (struct sockaddr *)&from, n);
	return NULL;
}

static void carrier_up(struct carrier *c, const char *via_more, const char *via_host)
{
	*c = (struct carrier){.via_more = via_more, .via_host = via_host};
	c->fd = listen_on(SOCK_DGRAM, &c->port);
	assert_int_equal(pthread_create(&c->thread, NULL, carrier_main, c), 0);
}

static void carrier_down(struct carrier *c)
{
	(void)shutdown(c->fd, SHUT_RDWR);
	(void)pthread_join(c->thread, NULL);
	(void)close(c->fd);
}

static void one_trunk_by(struct bed *b, uint16_t port, const char *transport, const char *host, const char *proxy)
{
	struct db *db;

	assert_int_equal(db_open(&db, b->conf.db, DB_RW), 0);
	assert_int_equal(db_run(db, "DELETE FROM trunks", NULL), 0);
	assert_int_equal(db_run(db,
				"INSERT INTO trunks (id, centre_id, rev, created_ms, updated_ms, name, host, port, calls_max, outbound, active, transport, proxy)"
				" SELECT 1, id, 1, 0, 0, 'line', $2, $1, 30, 1, 1, $3, $4 FROM centre",
				"ittt", (int64_t)port, host, transport, proxy),
			 0);
	db_close(db);
}

static void one_trunk(struct bed *b, uint16_t port)
{
	one_trunk_by(b, port, "udp", "127.0.0.1", NULL);
}

static void meet(struct bed *b, const char *via_more, const char *via_host)
{
	struct carrier c;

	carrier_up(&c, via_more, via_host);
	one_trunk(b, c.port);
	again(b, doc_trunks);
	carrier_down(&c);
}

TEST(trunks_are_asked_and_their_answers_read)
{
	struct bed b;
	uint16_t port;
	int fd;

	bed_up(&b);
	bed_db(&b, NULL);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_OK, "no trunk");
	meet(&b, "", NULL);
	level_is(&b, "trunk", DOC_OK, "line answers 200");
	level_is(&b, "nat", DOC_OK, "none");
	meet(&b, ";received=203.0.113.9", NULL); /* RFC 3261 18.2.1 */
	level_is(&b, "nat", DOC_WARN, "203.0.113.9");
	assert_non_null(strstr(doctor_get(&b.d, "nat")->todo, "external = 203.0.113.9"));
	b.conf.sip_external = xstrdup("203.0.113.9");
	meet(&b, ";received=203.0.113.9", NULL);
	level_is(&b, "nat", DOC_OK, "203.0.113.9");
	free(b.conf.sip_external);
	b.conf.sip_external = xstrdup("203.0.113.8");
	meet(&b, ";received=203.0.113.9", NULL);
	level_is(&b, "nat", DOC_ERROR, "wrong address");
	meet(&b, "", "203.0.113.9:5060");
	level_is(&b, "trunk", DOC_WARN, "SIP ALG");
	fd = listen_on(SOCK_DGRAM, &port); /* nobody reads there */
	one_trunk(&b, port);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_ERROR, "waited");
	(void)close(fd);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_ERROR, "refused");
	bed_down(&b);
}

/* Takes one connection and answers what comes over it, in two pieces. */
static void *stream_main(void *arg)
{
	struct carrier *c = arg;
	char in[2048], out[4096];
	int fd = accept(c->fd, NULL, NULL);
	ssize_t got = fd < 0 ? -1 : read(fd, in, sizeof(in) - 1);
	const char *v, *i;

	if (got > 0) {
		in[got] = '\0';
		v = strstr(in, "\r\nVia: ") + 7;
		i = strstr(in, "\r\nCall-ID: ") + 11;
		got = snprintf(out, sizeof(out), "SIP/2.0 405 Method Not Allowed\r\nVia: %.*s\r\nCall-ID: %.*s\r\nContent-Length: 0\r\n\r\n",
			       (int)strcspn(v, "\r"), v, (int)strcspn(i, "\r"), i);
		assert_int_equal(write(fd, out, 20), 20);
		assert_int_equal(write(fd, out + 20, (size_t)got - 20), got - 20);
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

TEST(trunks_over_tcp_and_tls_and_by_proxy_or_name_are_asked_there)
{
	struct carrier c = {0};
	char proxy[64];
	struct bed b;

	bed_up(&b);
	bed_db(&b, NULL);
	c.fd = listen_on(SOCK_STREAM, &c.port);
	assert_int_equal(pthread_create(&c.thread, NULL, stream_main, &c), 0);
	one_trunk_by(&b, c.port, "tcp", "127.0.0.1", NULL);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_OK, "answers 405");
	(void)pthread_join(c.thread, NULL);
	one_trunk_by(&b, c.port, "tls", "127.0.0.1", NULL);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_OK, "takes connections");
	(void)close(c.fd);
	one_trunk_by(&b, c.port, "tcp", "127.0.0.1", NULL);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_ERROR, "refused");
	/* RFC 6761: .invalid is never found, and a proxy stands in for it. */
	one_trunk_by(&b, 5060, "udp", "carrier.invalid", NULL);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_ERROR, "is not found");
	carrier_up(&c, "", NULL);
	(void)snprintf(proxy, sizeof(proxy), "127.0.0.1:%u", c.port);
	one_trunk_by(&b, 5060, "udp", "carrier.invalid", proxy);
	again(&b, doc_trunks);
	level_is(&b, "trunk", DOC_OK, "answers 200");
	carrier_down(&c);
	bed_down(&b);
}

TEST(registrations_are_what_the_running_server_wrote_last)
{
	static const struct {
		const char *body, *words;
		enum doc_level level;
	} said[] = {
		{"{\"trunk\":\"1\",\"state\":\"up\",\"registration\":\"registered\"}", "is registered", DOC_OK},
		{"{\"trunk\":\"1\",\"state\":\"down\",\"registration\":\"refused\",\"code\":403,\"reason\":\"Forbidden\"}", "403 Forbidden", DOC_ERROR},
		{"{\"trunk\":\"1\",\"state\":\"down\",\"registration\":\"unreachable\"}", "does not answer", DOC_ERROR},
		{"{\"trunk\":\"2\",\"registration\":\"registered\"}", "does not answer", DOC_ERROR}, /* another's */
	};
	struct journal_import *im;
	struct db *db;
	struct bed b;

	bed_up(&b);
	bed_db(&b, NULL);
	b.d.trunk_wait_ms = 60;
	one_trunk(&b, 9);
	assert_int_equal(db_open(&db, b.conf.db, DB_RW), 0);
	assert_int_equal(db_run(db, "UPDATE trunks SET kind = 'register'", NULL), 0);
	again(&b, doc_trunks);
	assert_null(doctor_get(&b.d, "trunk.registration")); /* no server runs that could know */
	b.d.server = 4711;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(journal_import_new(&im, db, 1), 0);
	assert_int_equal(db_run(db, "UPDATE epoch SET kind = 'run'", NULL), 0);
	assert_int_equal(db_commit(db), 0);
	again(&b, doc_trunks);
	level_is(&b, "trunk.registration", DOC_WARN, "not registered yet");
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct ev e = {.at_ms = NOW, .body = said[i].body, .body_len = strlen(said[i].body)};

		assert_int_equal(ev_kind_parse(&e.kind, "trunk.state"), 0);
		assert_int_equal(db_begin(db), 0);
		assert_int_equal(journal_import_event(im, &e), 0);
		assert_int_equal(db_commit(db), 0);
		again(&b, doc_trunks);
		level_is(&b, "trunk.registration", said[i].level, said[i].words);
	}
	journal_import_free(im);
	db_close(db);
	bed_down(&b);
}

TEST(private_addresses_are_those_of_rfc_1918_and_6598)
{
	static const char *const yes[] = {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.0.1", "127.0.0.1", "169.254.1.1"};
	static const char *const no[] = {"172.32.0.1", "172.15.0.1", "192.167.0.1", "100.128.0.1", "100.63.0.1", "8.8.8.8", "sip.example.org", "::1"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(doc_is_private(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(doc_is_private(no[i]));
}

/* ---- the whole ---- */

TEST(every_finding_exists_in_both_languages_and_as_json)
{
	struct bed b;
	json_t *j;
	char *text;
	size_t n;

	bed_up(&b);
	bed_db(&b, NULL);
	doctor_run(&b.d);
	n = b.d.n;
	doctor_done(&b.d);
	b.d.en = false;
	doctor_run(&b.d);
	assert_int_equal(b.d.n, n);
	text = doctor_json(&b.d);
	j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "checks")), n);
	for (size_t i = 0; i < n; i++) {
		bool chinese = false;

		for (const char *s = b.d.v[i].title; *s; s++)
			chinese |= (unsigned char)*s >= 0xe4;
		assert_true(chinese);
	}
	json_decref(j);
	free(text);
	bed_down(&b);
}
