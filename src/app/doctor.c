/* The command, its output, and what the checks share. */
#include "app/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "db/db.h"

/* ---- findings ---- */

void doc_found(struct doctor *d, const char *id, const char *title, enum doc_level level, const char *fmt, ...)
{
	struct doc_finding *f;
	va_list ap;

	d->v = xrealloc(d->v, (d->n + 1) * sizeof(*d->v));
	f = &d->v[d->n++];
	*f = (struct doc_finding){.id = id, .title = title, .level = level};
	va_start(ap, fmt);
	if (vasprintf(&f->found, fmt, ap) < 0)
		f->found = xstrdup("");
	va_end(ap);
}

void doc_todo(struct doctor *d, const char *fmt, ...)
{
	struct doc_finding *f = &d->v[d->n - 1];
	va_list ap;

	free(f->todo);
	va_start(ap, fmt);
	if (vasprintf(&f->todo, fmt, ap) < 0)
		f->todo = NULL;
	va_end(ap);
}

const struct doc_finding *doctor_get(const struct doctor *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->v[i].id, id))
			return &d->v[i];
	return NULL;
}

static unsigned count(const struct doctor *d, enum doc_level level)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->v[i].level == level;
	return n;
}

enum doc_level doctor_worst(const struct doctor *d)
{
	return count(d, DOC_ERROR) ? DOC_ERROR : count(d, DOC_WARN) ? DOC_WARN : DOC_OK;
}

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].found);
		free(d->v[i].todo);
	}
	free(d->v);
	d->v = NULL;
	d->n = 0;
}

/* ---- helpers ---- */

ssize_t doc_read(const struct doctor *d, const char *path, char *buf, size_t size)
{
	char *full = xasprintf("%s%s", d->root, path);
	int fd = open(full, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t r = fd < 0 ? -errno : 0;

	free(full);
	if (fd < 0)
		return r;
	while (n + 1 < size && (r = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)r;
	if (r < 0)
		r = -errno;
	(void)close(fd);
	buf[n] = '\0';
	return r < 0 ? r : (ssize_t)n;
}

static int access_as(uid_t uid, const char *path, int mode)
{
	const struct passwd *pw = getpwuid(uid);
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		if (pw ? initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) : setgroups(0, NULL))
			_exit(EPERM);
		if (setuid(uid))
			_exit(EPERM);
		_exit(access(path, mode) ? errno : 0);
	}
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

int doc_access(const struct doctor *d, const char *path, int mode)
{
	if (!d->inside && !geteuid() && d->uid)
		return access_as(d->uid, path, mode);
	return access(path, mode) ? -errno : 0;
}

pid_t doc_lock_holder(const struct doctor *d, const char *path)
{
	char *text, *line, *save = NULL;
	struct stat st;
	pid_t holder = 0;

	if (stat(path, &st))
		return 0;
	text = xcalloc(1, 1 << 18);
	if (doc_read(d, "/proc/locks", text, 1 << 18) > 0)
		for (line = strtok_r(text, "\n", &save); line && !holder; line = strtok_r(NULL, "\n", &save)) {
			unsigned maj, min;
			unsigned long long inode;
			int pid;

			/* "3: FLOCK  ADVISORY  WRITE 1234 00:19:5678 0 EOF" */
			if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &maj, &min, &inode) == 4 && inode == st.st_ino &&
			    maj == major(st.st_dev) && min == minor(st.st_dev))
				holder = pid;
		}
	free(text);
	return holder;
}

const char *doc_why(const struct doctor *d, int error)
{
	static const struct {
		int error;
		const char *zh;
	} why[] = {
		{EACCES, "没有权限"}, {EPERM, "不允许"}, {ENOENT, "不存在"}, {ENOSPC, "空间已满"}, {EROFS, "文件系统只读"}, {EIO, "读写出错"},
		{ECONNREFUSED, "对方没有程序在听这个端口"}, {EHOSTUNREACH, "地址找不到或到不了"}, {ENETUNREACH, "没有到那里的网络"},
		{EBADMSG, "内容已损坏"}, {ETIMEDOUT, "没有应答"}, {EINVAL, "内容不对"}, {ENOTDIR, "不是目录"}, {ENOTCONN, "连不上数据库服务器"},
	};

	for (size_t i = 0; !d->en && i < ARRAY_LEN(why); i++)
		if (why[i].error == error)
			return why[i].zh;
	return strerror(error);
}

const char *doc_bytes(char buf[32], double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t i = 0;

	while (bytes >= 1000 && i + 1 < ARRAY_LEN(units)) {
		bytes /= 1000;
		i++;
	}
	(void)snprintf(buf, 32, bytes < 10 && i ? "%.1f %s" : "%.0f %s", bytes, units[i]);
	return buf;
}

const char *doc_user(char buf[64], uid_t uid)
{
	struct passwd pw, *got = NULL;
	char room[1024];

	if (!getpwuid_r(uid, &pw, room, sizeof(room), &got) && got)
		(void)str_copy(buf, 64, got->pw_name);
	else
		(void)snprintf(buf, 64, "%u", (unsigned)uid);
	return buf;
}

/* ---- running ---- */

static int64_t real_utc_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int real_ntp(int64_t *offset_us)
{
	struct timex tx = {0};
	int r = adjtimex(&tx);

	/* A service without the right to ask the kernel can still see what systemd-timesyncd says. */
	if (r < 0)
		return access("/run/systemd/timesync/synchronized", F_OK) ? -errno : 0;
	*offset_us = tx.status & STA_NANO ? tx.offset / 1000 : tx.offset;
	return r == TIME_ERROR || tx.status & STA_UNSYNC;
}

static void check_config_file(struct doctor *d)
{
	const char *title = T("配置文件", "Configuration file");
	const char *path = d->conf->config;
	int r;

	if (!path) {
		doc_found(d, "conf.file", title, DOC_OK, T("没有使用配置文件：命令行选项与默认值", "none is used: options and defaults"));
		return;
	}
	r = doc_access(d, path, R_OK);
	if (!r) {
		doc_found(d, "conf.file", title, DOC_OK, T("%s 可读，各项都认识", "%s is readable and every key is known"), path);
		return;
	}
	doc_found(d, "conf.file", title, DOC_ERROR, T("%s 服务用户读不了：%s", "%s cannot be read by the service's user: %s"), path,
		  doc_why(d, -r));
	doc_todo(d, T("chgrp 到服务用户的组并 chmod 640 %s", "give it to the service's group and chmod 640 %s"), path);
}

void doctor_run(struct doctor *d)
{
	if (!d->read.utc_ms)
		d->read.utc_ms = real_utc_ms;
	if (!d->read.ntp)
		d->read.ntp = real_ntp;
	if (!d->root)
		d->root = "";
	d->now_ms = d->read.utc_ms();
	check_config_file(d);
	doc_place(d);
	doc_database(d);
	doc_ports(d);
	doc_machine(d);
	doc_clock(d);
	doc_cert(d);
	doc_trunks(d);
}

/* ---- output ---- */

static const char *level_name(enum doc_level l)
{
	return (const char *[]){"ok", "warn", "error"}[l];
}

char *doctor_json(const struct doctor *d)
{
	struct strb b;
	struct jw w;

	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "version", HUAWU_VERSION);
	jw_int(&w, "at_ms", d->now_ms);
	jw_str(&w, "worst", level_name(doctor_worst(d)));
	jw_int(&w, "errors", count(d, DOC_ERROR));
	jw_int(&w, "warnings", count(d, DOC_WARN));
	jw_arr(&w, "checks");
	for (size_t i = 0; i < d->n; i++) {
		const struct doc_finding *f = &d->v[i];

		jw_obj(&w, NULL);
		jw_str(&w, "id", f->id);
		jw_str(&w, "title", f->title);
		jw_str(&w, "level", level_name(f->level));
		jw_str(&w, "found", f->found);
		jw_str(&w, "todo", f->todo);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
	return strb_take(&b);
}

static void print(const struct doctor *d)
{
	static const char *const zh[] = {"正常", "警告", "错误"}, *const en[] = {" ok  ", "WARN ", "ERROR"},
				 *const colour[] = {"\033[32m", "\033[33m", "\033[31m"};
	bool tty = isatty(STDOUT_FILENO);
	char when[32];
	time_t t = d->now_ms / 1000;
	struct tm tm;

	(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
	printf("%s huawu %s  %s\n\n", T("话务体检", "huawu doctor"), HUAWU_VERSION, when);
	for (size_t i = 0; i < d->n; i++) {
		const struct doc_finding *f = &d->v[i];

		printf("[%s%s%s] %s%s%s\n", tty ? colour[f->level] : "", d->en ? en[f->level] : zh[f->level], tty ? "\033[0m" : "", f->title,
		       T("：", ": "), f->found);
		if (f->todo)
			printf("       → %s\n", f->todo);
	}
	if (doctor_worst(d) == DOC_OK)
		printf("\n%s\n", T("一切正常。", "All is well."));
	else
		printf(T("\n%u 个错误，%u 个警告。\n", "\n%u errors, %u warnings.\n"), count(d, DOC_ERROR), count(d, DOC_WARN));
}

char *doctor_inside(const struct app_conf *c, struct db *db, bool en)
{
	struct doctor d = {.conf = c, .en = en, .inside = true, .uid = geteuid(), .db = db};
	char *text;

	doctor_run(&d);
	text = doctor_json(&d);
	doctor_done(&d);
	return text;
}

/* ---- the command ---- */

static const char usage[] =
	"huawu doctor [--lang zh|en] [--json] [options of `huawu serve`]\n\n"
	"Looks at configuration, data, database, ports, machine, clock, certificate, trunks and NAT, and says what it found and what\n"
	"to do. Changes nothing; beside a running server or without one, as root or as the service's user. Without --config and\n"
	"--data, /etc/huawu/huawu.ini is read if it is there. Exit status: 0 all well, 1 warnings, 2 errors.\n";

struct opts {
	bool json;
	const char *lang;
	int argc;
	char **argv; /* what is left is the server's */
};

static int parse(struct opts *o, int argc, char **argv)
{
	bool placed = false;

	o->argv = xcalloc((size_t)argc + 3, sizeof(*o->argv));
	o->argv[o->argc++] = argv[0];
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			o->json = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			return 1;
		} else if (!strncmp(argv[i], "--lang=", 7)) {
			o->lang = argv[i] + 7;
		} else if (!strcmp(argv[i], "--lang") && i + 1 < argc) {
			o->lang = argv[++i];
		} else {
			placed |= !strncmp(argv[i], "--config", 8) || !strncmp(argv[i], "--data", 6) || !strcmp(argv[i], "--demo");
			o->argv[o->argc++] = argv[i];
		}
	}
	if (!placed && !access("/etc/huawu/huawu.ini", F_OK)) {
		o->argv[o->argc++] = (char *)(uintptr_t) "--config";
		o->argv[o->argc++] = (char *)(uintptr_t) "/etc/huawu/huawu.ini";
	}
	return o->lang && strcmp(o->lang, "zh") != 0 && strcmp(o->lang, "en") != 0 ? 2 : 0;
}

/* The data folder's owner runs the server; before the first start, the package's user, or who asks. */
static uid_t service_uid(const struct app_conf *c)
{
	const struct passwd *pw;
	struct stat st;

	if (!stat(c->data_dir, &st))
		return st.st_uid;
	pw = getuid() ? NULL : getpwnam("huawu");
	return pw ? pw->pw_uid : getuid();
}

/* Each line that the configuration's reader wrote becomes a finding. */
static void bad_config(struct doctor *d, char *lines)
{
	char *save = NULL;

	for (char *l = strtok_r(lines, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(l, "huawu: ", 7))
			l += 7;
		doc_found(d, "conf.file", T("配置", "Configuration"), DOC_ERROR, "%s", l);
		doc_todo(d, T("改正 %s；每项的说明见 `huawu serve --help`。服务在改正前启动不了", "mend %s; `huawu serve --help` explains each key. Until then the server does not start"),
			 d->conf->config ? d->conf->config : T("选项", "the options"));
	}
}

static void examine(struct doctor *d, struct app_conf *c)
{
	char *wal;
	struct db *last = NULL;
	bool clean;

	(void)umask(077);
	d->uid = service_uid(c);
	app_conf_derive(c, d->uid);
	d->server = doc_lock_holder(d, c->ring);
	wal = xasprintf("%s-wal", c->db);
	clean = access(wal, F_OK) != 0;
	free(wal);
	d->db_error = db_open(&d->db, c->db, DB_RO);
	if (d->db_error)
		d->db = NULL;
	doctor_run(d);
	/* SQLite: the last one to close, if he may write, takes the files away that opening made; he would also write what waits in them. */
	if (d->db && clean && !d->server && !access(c->db, W_OK) && db_open(&last, c->db, DB_RW))
		last = NULL;
	db_close(d->db);
	db_close(last);
}

int doctor_main(int argc, char **argv)
{
	struct opts o = {.lang = NULL};
	struct app_conf c = {0};
	struct doctor d = {.conf = &c, .root = ""};
	char *said = NULL;
	size_t said_n = 0;
	int r = parse(&o, argc, argv);

	if (r) {
		free(o.argv);
		fputs(usage, r == 1 ? stdout : stderr);
		return r == 1 ? 0 : 2;
	}
	log_set_level(LOG_L_ERROR);
	d.en = o.lang && !strcmp(o.lang, "en");
	c.told = open_memstream(&said, &said_n);
	r = app_conf_read(&c, o.argc, o.argv);
	(void)fclose(c.told);
	c.told = NULL;
	if (r) {
		d.now_ms = real_utc_ms();
		bad_config(&d, said);
	} else {
		examine(&d, &c);
	}
	if (o.json) {
		char *text = doctor_json(&d);

		puts(text);
		free(text);
	} else {
		print(&d);
	}
	r = (int)doctor_worst(&d);
	doctor_done(&d);
	app_conf_done(&c);
	free(o.argv);
	free(said);
	return r;
}
