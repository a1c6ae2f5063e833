/* Where the data lies: folder, rights, space, kind of file system, room for the ring, rings that are left, copies. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"

#define WEEK_MS (7 * 86400000LL)
#define FREE_ERROR_PCT 2  /* /health says 503 there */
#define FREE_WARN_PCT 10
#define DAYS_WARN 14
#define RING_BYTES (64LL << 20)
#define COPY_OLD_DAYS 7

/* ---- the folder ---- */

static bool check_folder(struct doctor *d)
{
	const char *title = T("数据目录", "Data folder"), *dir = d->conf->data_dir;
	char user[64], owner[64];
	struct stat st;
	int r;

	doc_user(user, d->uid);
	if (stat(dir, &st)) {
		bool absent = errno == ENOENT;

		doc_found(d, "data.dir", title, absent ? DOC_WARN : DOC_ERROR, T("%s：%s", "%s: %s"), dir, doc_why(d, errno));
		doc_todo(d, T("首次启动会建立它（上级目录须可写）；或执行 install -d -m 700 -o %s %s",
			      "the first start makes it, if it may write above it; or: install -d -m 700 -o %s %s"), user, dir);
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		doc_found(d, "data.dir", title, DOC_ERROR, T("%s 不是目录", "%s is not a folder"), dir);
		doc_todo(d, T("在配置 [data] dir 中写一个目录", "name a folder in [data] dir"));
		return false;
	}
	r = doc_access(d, dir, R_OK | W_OK | X_OK);
	if (r) {
		doc_found(d, "data.dir", title, DOC_ERROR, T("用户 %s 不能在 %s 中读写：%s", "%s may not read and write in %s: %s"), user, dir,
			  doc_why(d, -r));
		doc_todo(d, T("以 root 执行 chown -R %s %s && chmod 700 %s", "as root: chown -R %s %s && chmod 700 %s"), user, dir, dir);
		return true;
	}
	if (st.st_mode & 027) {
		doc_found(d, "data.dir", title, DOC_WARN, T("%s 的权限是 %03o：这台机器上的其他用户也能进入，里面有录音和客户号码",
							   "%s has mode %03o: other users of this machine get at recordings and numbers"), dir,
			  (unsigned)st.st_mode & 0777);
		doc_todo(d, "chmod 700 %s", dir);
		return true;
	}
	doc_found(d, "data.dir", title, DOC_OK, T("%s，属于 %s，可读写", "%s, owned by %s, may be written"), dir, doc_user(owner, st.st_uid));
	return true;
}

/* What the recordings of the last week, or since the first of them, took a day. */
static double bytes_a_day(struct doctor *d)
{
	int64_t from = d->now_ms - WEEK_MS, bytes, first;

	if (!d->db || db_get_i64(&bytes, d->db, "SELECT coalesce(sum(bytes), 0) FROM recording_part WHERE start_ms >= $1", "i", from) ||
	    db_get_i64(&first, d->db, "SELECT coalesce(min(start_ms), 0) FROM recording_part WHERE start_ms >= $1", "i", from) || !bytes)
		return 0;
	/* Less than a day is no rate. */
	return (double)bytes * 86400000.0 / (double)(d->now_ms - first < 86400000 ? 86400000 : d->now_ms - first);
}

static void check_space(struct doctor *d)
{
	const char *title = T("磁盘空间", "Disk space");
	double rate = bytes_a_day(d), days = -1, room;
	char free_text[32], rate_text[32];
	enum doc_level level = DOC_OK;
	struct statvfs v;
	int pct;

	if (statvfs(d->conf->data_dir, &v) || !v.f_blocks)
		return;
	room = (double)v.f_bavail * (double)v.f_frsize;
	pct = (int)(v.f_bavail * 100 / v.f_blocks);
	if (rate > 0)
		days = room / rate;
	if (pct < FREE_ERROR_PCT || room < 64e6 || (days >= 0 && days < 2))
		level = DOC_ERROR;
	else if (pct < FREE_WARN_PCT || (days >= 0 && days < DAYS_WARN))
		level = DOC_WARN;
	doc_bytes(free_text, room);
	doc_bytes(rate_text, rate);
	if (days >= 0)
		doc_found(d, "data.space", title, level,
			  T("剩余 %s（%d%%）；录音每天约 %s，还够 %.0f 天", "%s free (%d %%); recordings take about %s a day: %.0f days left"), free_text,
			  pct, rate_text, days);
	else
		doc_found(d, "data.space", title, level, T("剩余 %s（%d%%）；近七天没有录音，无法估计天数",
							    "%s free (%d %%); no recordings in the last week, so no estimate in days"), free_text, pct);
	if (level != DOC_OK)
		doc_todo(d, T("扩大磁盘，或把旧录音移走（%s/recordings 下按日期分目录）", "enlarge the disk, or move old recordings away (%s/recordings, a folder a day)"),
			 d->conf->data_dir);
}

static void check_file_system(struct doctor *d)
{
	static const struct {
		long magic;
		const char *name;
		enum doc_level level;
	} kinds[] = {
		{0x01021994, "tmpfs", DOC_ERROR}, {0x858458f6, "ramfs", DOC_ERROR}, {0x6969, "NFS", DOC_WARN}, {0xff534d42, "CIFS", DOC_WARN},
		{0xfe534d42, "SMB2", DOC_WARN}, {0x65735546, "FUSE", DOC_WARN}, {0xef53, "ext4", DOC_OK}, {0x58465342, "XFS", DOC_OK},
		{0x9123683e, "btrfs", DOC_OK}, {0x794c7630, "overlayfs", DOC_OK}, {0x2fc12fc1, "ZFS", DOC_OK},
	};
	const char *title = T("文件系统", "File system"), *name = NULL;
	enum doc_level level = DOC_OK;
	struct statfs fs;

	if (statfs(d->conf->data_dir, &fs))
		return;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((unsigned long)kinds[i].magic == (unsigned long)fs.f_type) {
			name = kinds[i].name;
			level = kinds[i].level;
		}
	if (level == DOC_ERROR) {
		doc_found(d, "data.fs", title, d->conf->demo ? DOC_WARN : level, T("%s 在内存里（%s），断电或重启后什么都不剩", "%s is in memory (%s): nothing of it outlives a restart"),
			  d->conf->data_dir, name);
		doc_todo(d, T("把 [data] dir 改到真正的磁盘上", "put [data] dir on a real disk"));
	} else if (level == DOC_WARN) {
		doc_found(d, "data.fs", title, level, T("%s 在网络或用户态文件系统上（%s），SQLite 的锁和落盘在那里不可靠",
							 "%s is on a network or user-space file system (%s), where SQLite's locks and syncs are not to be relied on"),
			  d->conf->data_dir, name);
		doc_todo(d, T("数据库放本地磁盘（[data] db），或改用 PostgreSQL", "keep the database on a local disk ([data] db), or use PostgreSQL"));
	} else if (name) {
		doc_found(d, "data.fs", title, DOC_OK, "%s", name);
	} else {
		doc_found(d, "data.fs", title, DOC_OK, T("类型 0x%lx", "type 0x%lx"), (unsigned long)fs.f_type);
	}
}

/* ---- the ring ---- */

static void check_shm(struct doctor *d)
{
	const char *title = T("事件环", "Event ring");
	char *dir = xstrdup(d->conf->ring), *slash = strrchr(dir, '/'), text[32];
	struct stat there;
	struct statfs fs;
	double room;

	if (slash)
		*slash = '\0';
	if (statfs(slash ? dir : ".", &fs)) {
		doc_found(d, "ring.room", title, DOC_ERROR, T("%s：%s", "%s: %s"), dir, doc_why(d, errno));
		doc_todo(d, T("挂载 tmpfs 到 /dev/shm", "mount a tmpfs at /dev/shm"));
		free(dir);
		return;
	}
	room = (double)fs.f_bavail * (double)fs.f_bsize;
	if (!stat(d->conf->ring, &there))
		room += (double)there.st_blocks * 512;
	doc_bytes(text, room);
	if (room < (double)RING_BYTES) {
		doc_found(d, "ring.room", title, DOC_ERROR, T("%s 只有 %s 可用，事件环要 64 MiB", "%s has room for %s only; the event ring takes 64 MiB"), dir, text);
		doc_todo(d, "mount -o remount,size=256M %s", dir);
	} else if ((unsigned long)fs.f_type != 0x01021994) {
		doc_found(d, "ring.room", title, DOC_WARN, T("%s 不是 tmpfs，每个事件都会写盘", "%s is no tmpfs: every event is written to a disk"), dir);
		doc_todo(d, T("不设 [data] ring，使用 /dev/shm", "leave [data] ring out, so that /dev/shm is used"));
	} else {
		doc_found(d, "ring.room", title, DOC_OK, T("%s 有 %s 可用", "%s has room for %s"), dir, text);
	}
	free(dir);
}

static void own_ring(struct doctor *d)
{
	const char *title = T("遗留的事件环", "Left-over ring"), *path = d->conf->ring;
	struct journal_ring_look look;
	int r = d->inside || doc_lock_holder(d, path) ? -ENOENT : journal_ring_look(&look, path);

	if (r == -EBADMSG) {
		doc_found(d, "ring.left", title, DOC_WARN, T("%s 不是完好的事件环", "%s is not a sound event ring"), path);
		doc_todo(d, T("下次启动会把它改名保留，并建一个新的", "the next start keeps it under another name and makes a new one"));
	} else if (!r && look.used) {
		doc_found(d, "ring.left", title, DOC_WARN, T("服务没有在运行，而 %s 里还有 %llu 字节事件没有进数据库：上次是突然结束的",
							      "no server runs, and %s holds %llu bytes of events that are not in the database: the last run ended suddenly"),
			  path, (unsigned long long)look.used);
		doc_todo(d, T("启动服务即自动补入；之前不要删除它，也不要重启机器", "starting the server takes them over; until then neither remove it nor restart the machine"));
	}
}

struct others {
	unsigned empty, full;
	char *one; /* a full one, or the last */
};

static void other_ring(struct doctor *d, const char *path, struct others *o)
{
	struct journal_ring_look look;

	if (!strcmp(path, d->conf->ring) || doc_lock_holder(d, path) || journal_ring_look(&look, path))
		return; /* in use; or another user's, or no ring */
	if (o->full && !look.used) {
		o->empty++;
		return;
	}
	free(o->one);
	o->one = xstrdup(path);
	*(look.used ? &o->full : &o->empty) += 1;
}

static void other_rings(struct doctor *d)
{
	char *dir = xstrdup(d->conf->ring), *slash = strrchr(dir, '/');
	struct others o = {0};
	struct dirent *e;
	DIR *list;

	if (slash)
		*slash = '\0';
	list = opendir(slash ? dir : ".");
	while (list && (e = readdir(list))) {
		size_t n = strlen(e->d_name);
		char *path;

		if (strncmp(e->d_name, "huawu-", 6) != 0 || strcmp(e->d_name + n - 5, ".ring") != 0)
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		other_ring(d, path, &o);
		free(path);
	}
	if (list)
		(void)closedir(list);
	if (o.one) {
		doc_found(d, "ring.others", T("别处的事件环", "Other rings"), DOC_WARN, T("%u 个没有服务在用，其中 %u 个有未入库的事件，例如 %s",
											"%u are used by no server, %u of them hold events that no database has; %s for one"),
			  o.empty + o.full, o.full, o.one);
		doc_todo(d, T("它们属于别的数据目录：启动那个服务，或确认不再需要后删除（空的可直接删除）",
			      "they are other data folders': start those servers, or remove what nobody needs (empty ones at once)"));
	}
	free(o.one);
	free(dir);
}

/* ---- copies ---- */

static void check_copies(struct doctor *d)
{
	const char *title = T("数据库副本", "Copies of the database");
	char *dir = xasprintf("%s/backup", d->conf->data_dir);
	DIR *list = opendir(dir);
	time_t newest = 0;
	struct dirent *e;
	int64_t days;

	while (list && (e = readdir(list))) {
		char *path = xasprintf("%s/%s", dir, e->d_name);
		struct stat st;

		if (e->d_name[0] != '.' && !stat(path, &st) && S_ISREG(st.st_mode) && st.st_mtime > newest)
			newest = st.st_mtime;
		free(path);
	}
	if (list)
		(void)closedir(list);
	days = newest ? (d->now_ms / 1000 - newest) / 86400 : 0;
	if (strncmp(d->conf->db, "postgres", 8) == 0)
		doc_found(d, "data.copies", title, DOC_OK, T("PostgreSQL：备份由数据库管理员负责（pg_dump 或 pg_basebackup）", "PostgreSQL: its administrator's (pg_dump, pg_basebackup)"));
	else if (!newest && d->db && !d->conf->demo) {
		doc_found(d, "data.copies", title, DOC_WARN, T("%s 里还没有副本", "there is none in %s"), dir);
		doc_todo(d, T("每天执行一次 huawu backup-db --data %s，并把副本和录音存到另一台机器", "run `huawu backup-db --data %s` every day, and keep copies and recordings on another machine"),
			 d->conf->data_dir);
	} else if (newest && days > COPY_OLD_DAYS) {
		doc_found(d, "data.copies", title, DOC_WARN, T("最近一份是 %lld 天前的", "the last one is %lld days old"), (long long)days);
		doc_todo(d, T("每天执行一次 huawu backup-db --data %s，并把副本和录音存到另一台机器", "run `huawu backup-db --data %s` every day, and keep copies and recordings on another machine"),
			 d->conf->data_dir);
	} else if (newest) {
		doc_found(d, "data.copies", title, DOC_OK, T("最近一份是 %lld 天前的", "the last one is %lld days old"), (long long)days);
	}
	free(dir);
}

void doc_place(struct doctor *d)
{
	if (check_folder(d)) {
		check_space(d);
		check_file_system(d);
		check_copies(d);
	}
	check_shm(d);
	own_ring(d);
	other_rings(d);
}
