/* The database: does it open, is it this program's, is it whole, does it take writes, is the event log what was written? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"
#include "db/db.h"
#include "journal/journal.h"

#define CHAIN_ROWS 5000
#define QUICK_CHECK_MAX (2LL << 30) /* a larger file takes minutes: only outside the server */

static bool check_open(struct doctor *d)
{
	const char *title = T("数据库", "Database");
	int r = d->db_error;

	if (d->db) {
		doc_found(d, "db.open", title, DOC_OK, T("可以打开（%s）", "opens (%s)"), db_engine_name(d->db));
		return true;
	}
	if (r == -ENOENT) {
		doc_found(d, "db.open", title, DOC_WARN, T("%s 还不存在", "%s is not there yet"), d->conf->db);
		doc_todo(d, T("首次启动会建立它；如果以前有过数据，请检查 [data] dir 与 db 是否指对了地方",
			      "the first start makes it; if there was data before, see whether [data] dir and db point to it"));
		return false;
	}
	doc_found(d, "db.open", title, DOC_ERROR, T("打不开：%s", "does not open: %s"), doc_why(d, -r));
	doc_todo(d, r == -EACCES ? T("以服务用户或 root 运行；文件应属于服务用户", "run this as the service's user or root; the file should be his")
				 : T("检查 [data] db 与数据库服务是否在运行", "see whether [data] db is right and the database server runs"));
	return false;
}

static void check_version(struct doctor *d)
{
	const char *title = T("数据库版本", "Database version");
	char newer[128];
	int64_t missing;
	int r = db_migration_state(d->db, &missing, newer, sizeof(newer));

	if (r == -EBADMSG) {
		doc_found(d, "db.version", title, DOC_ERROR, T("文件已损坏，或不是数据库", "the file is damaged, or no database"));
		doc_todo(d, T("停止服务，用 huawu restore-db 恢复最近的副本", "stop the server and bring back the last copy with huawu restore-db"));
	} else if (r < 0) {
		doc_found(d, "db.version", title, DOC_ERROR, T("里面没有话务的表：%s", "it holds no tables of Huawu: %s"), doc_why(d, -r));
		doc_todo(d, T("检查 [data] db 是否指对了数据库", "see whether [data] db names the right database"));
	} else if (*newer) {
		doc_found(d, "db.version", title, DOC_ERROR, T("它被更新的程序升级过（%s），本程序不会打开它", "a newer program has been here (%s), and this one will not open it"), newer);
		doc_todo(d, T("装回较新的程序，或用 `huawu restore-db` 恢复升级前的副本（之后的数据会丢失）",
			      "install the newer program, or bring back the copy made before its upgrade with `huawu restore-db` (what came later is lost)"));
	} else if (missing) {
		doc_found(d, "db.version", title, DOC_OK, T("下次启动会升级它（%lld 步），并先留一份副本", "the next start upgrades it (%lld steps), after keeping a copy"),
			  (long long)missing);
	} else {
		doc_found(d, "db.version", title, DOC_OK, T("与本程序一致", "is this program's"));
	}
}

static void check_whole(struct doctor *d)
{
	const char *title = T("数据库完整性", "Database integrity");
	int64_t begin = clock_mono_ms();
	char what[256] = "";
	struct stat st;
	int r;

	if (strcmp(db_engine_name(d->db), "sqlite") != 0) {
		doc_found(d, "db.whole", title, DOC_OK, T("由数据库服务器自己负责", "its server looks after it"));
		return;
	}
	if (d->inside && !stat(d->conf->db, &st) && st.st_size > QUICK_CHECK_MAX) {
		doc_found(d, "db.whole", title, DOC_OK, T("文件较大，这里不查；在命令行运行 huawu doctor", "the file is large and not read here; run `huawu doctor` on the command line"));
		return;
	}
	r = db_quick_check(d->db, what, sizeof(what));
	if (!r) {
		doc_found(d, "db.whole", title, DOC_OK, T("检查通过（%lld 毫秒）", "checked (%lld ms)"), (long long)(clock_mono_ms() - begin));
		return;
	}
	doc_found(d, "db.whole", title, DOC_ERROR, T("检查不通过：%s", "is damaged: %s"), r < 0 ? doc_why(d, -r) : what);
	doc_todo(d, T("停止服务，另存整个数据目录，再用 huawu restore-db 恢复最近的副本；并检查磁盘（smartctl）",
		      "stop the server, keep the whole data folder aside, bring back the last copy with huawu restore-db; and look at the disk (smartctl)"));
}

/* A transaction that changes nothing, taken back. */
static int try_write(struct doctor *d)
{
	struct db *db = NULL;
	int r = strncmp(d->conf->db, "postgres", 8) ? doc_access(d, d->conf->db, R_OK | W_OK) : 0;

	if (!r)
		r = db_open(&db, d->conf->db, DB_RW);
	if (r)
		return r;
	r = db_begin(db);
	if (!r)
		r = db_run(db, "UPDATE schema_migration SET applied_ms = applied_ms WHERE version = 0", NULL);
	db_rollback(db);
	db_close(db);
	return r;
}

static void check_write(struct doctor *d)
{
	const char *title = T("数据库写入", "Database takes writes");
	int r = try_write(d);

	if (!r) {
		doc_found(d, "db.write", title, DOC_OK, T("可以写入", "it does"));
	} else if (r == -EBUSY) {
		doc_found(d, "db.write", title, DOC_WARN, T("写锁 2 秒内没有空出来", "its lock was not free within 2 s"));
		doc_todo(d, T("有别的程序长时间占着数据库（sqlite3、备份？）；fuser %s 可以看到是谁", "another program holds it for long (sqlite3, a backup?): fuser %s tells who"), d->conf->db);
	} else {
		doc_found(d, "db.write", title, DOC_ERROR, T("不能写入：%s", "it does not: %s"), r < 0 ? doc_why(d, -r) : "constraint");
		doc_todo(d, r == -ENOSPC ? T("磁盘满了：腾出空间", "the disk is full: make room")
					 : T("检查文件的属主和权限，以及文件系统是否只读", "see owner and rights of the file, and whether the file system is read-only"));
	}
}

static void check_chain(struct doctor *d)
{
	const char *title = T("事件日志", "Event log");
	int64_t epoch, n;
	int r = journal_verify_last(d->db, CHAIN_ROWS, &epoch, &n);

	if (!r) {
		doc_found(d, "db.chain", title, DOC_OK, T("最近的 %d 条哈希链完整", "the chain of the last %d events is whole"), CHAIN_ROWS);
		return;
	}
	if (r < 0) {
		doc_found(d, "db.chain", title, DOC_ERROR, T("读不出来：%s", "cannot be read: %s"), doc_why(d, -r));
		doc_todo(d, "huawu verify --data %s", d->conf->data_dir);
		return;
	}
	doc_found(d, "db.chain", title, DOC_ERROR, T("事件 %lld.%lld 被改动、缺失或次序不对", "event %lld.%lld is altered, missing or out of order"), (long long)epoch,
		  (long long)n);
	doc_todo(d, T("有人或磁盘改动了记录：保全现场，运行 huawu verify，与备份比较", "somebody, or a disk, changed records: keep everything as it is, run `huawu verify`, compare with a backup"));
}

/* What carriers' passwords are sealed with lies beside the database, not in it. */
static void check_key(struct doctor *d)
{
	const char *title = T("密码密钥", "Key of passwords");
	char *path = xasprintf("%s/secrets.key", d->conf->data_dir);
	int64_t sealed = 0;
	struct stat st;

	(void)db_get_i64(&sealed, d->db, "SELECT count(*) FROM trunks WHERE secret IS NOT NULL", NULL);
	if (stat(path, &st)) {
		if (sealed) {
			doc_found(d, "data.key", title, DOC_ERROR, T("%s 不在，%lld 条中继的密码解不开", "%s is missing: the passwords of %lld trunks cannot be read"), path, (long long)sealed);
			doc_todo(d, T("从备份找回它（它不在数据库里，要和数据库一起备份），或在中继里重新填写密码", "bring it back from a backup (it is not in the database: back both up), or enter the trunks' passwords again"));
		}
	} else if (st.st_mode & 077 || doc_access(d, path, R_OK)) {
		doc_found(d, "data.key", title, DOC_ERROR, T("%s 的权限是 %03o，应只有服务用户可读", "%s has mode %03o; only the service's user should read it"), path, (unsigned)st.st_mode & 0777);
		doc_todo(d, T("chown 给服务用户，chmod 600 %s", "give it to the service's user, chmod 600 %s"), path);
	} else {
		doc_found(d, "data.key", title, DOC_OK, T("%s 只有服务用户可读；请与数据库一起备份", "only the service's user reads %s; back it up with the database"), path);
	}
	free(path);
}

static void count_people(struct doctor *d)
{
	int64_t unlimited = 0;

	(void)db_get_i64(&d->seats, d->db, "SELECT count(*) FROM users WHERE active = 1", NULL);
	(void)db_get_i64(&d->trunks, d->db, "SELECT count(*) FROM trunks WHERE active = 1", NULL);
	(void)db_get_i64(&d->lines, d->db, "SELECT coalesce(sum(calls_max), 0) FROM trunks WHERE active = 1", NULL);
	(void)db_get_i64(&unlimited, d->db, "SELECT count(*) FROM trunks WHERE active = 1 AND calls_max = 0", NULL);
	if (unlimited && d->lines < 2 * d->seats)
		d->lines = 2 * d->seats;
}

/* Information: the centre works without. */
static void check_regions(struct doctor *d)
{
	const char *title = T("号码归属地", "Number regions");
	int64_t rows;

	if (db_get_i64(&rows, d->db, "SELECT COUNT(*) FROM number_prefixes", ""))
		return; /* an older database, before its upgrade */
	if (rows)
		doc_found(d, "db.regions", title, DOC_OK, T("导入了 %lld 个号段", "%lld prefixes were imported"), (long long)rows);
	else
		doc_found(d, "db.regions", title, DOC_OK,
			  T("没有导入号段表，用系统自带的资料；较新的手机号段会被当作外地号码。可用 huawu import-prefixes 导入",
			    "no table was imported, so what comes with the program is used: newer mobile ranges count as another city's. `huawu import-prefixes` brings one"));
}

void doc_database(struct doctor *d)
{
	if (!check_open(d))
		return;
	check_version(d);
	if (d->v[d->n - 1].level == DOC_ERROR)
		return;
	check_whole(d);
	check_write(d);
	check_chain(d);
	check_key(d);
	check_regions(d);
	count_people(d);
}
