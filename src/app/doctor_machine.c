/* The machine: open files, memory, cores, buffers, clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"
#include "db/db.h"

#define RMEM_WANTED (1 << 20)
#define FILES_WANTED 16384
#define MEMORY_MIN_MB 900

/* The first number behind @name in the text of a /proc file. */
static int64_t number_behind(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

/* The server's own limit, ours when we are it; who asks by hand has another. */
static int64_t files_limit(struct doctor *d)
{
	char path[64], text[4096];
	struct rlimit rl;

	if (d->server) {
		(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)d->server);
		return doc_read(d, path, text, sizeof(text)) > 0 ? number_behind(text, "Max open files") : -1;
	}
	if (!d->inside || getrlimit(RLIMIT_NOFILE, &rl))
		return -1;
	return rl.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)rl.rlim_cur;
}

static void check_files(struct doctor *d)
{
	const char *title = T("打开文件数", "Open files");
	int64_t limit = files_limit(d), need = 2 * (d->seats + d->lines) * 2 + 1000;

	if (limit < 0) {
		doc_found(d, "sys.files", title, DOC_OK, T("服务没有在运行，看不到它的上限（随附的 systemd 单元给 65536）", "the server does not run, so that its limit cannot be seen (our systemd unit gives 65536)"));
		return;
	}
	if (need < FILES_WANTED)
		need = FILES_WANTED;
	if (limit >= need) {
		doc_found(d, "sys.files", title, DOC_OK, T("上限 %lld", "up to %lld"), (long long)limit);
		return;
	}
	doc_found(d, "sys.files", title, DOC_WARN, T("上限 %lld；每路声音、每个浏览器都要用，建议 %lld 以上", "up to %lld; each leg and each browser takes some: %lld or more is better"), (long long)limit,
		  (long long)need);
	doc_todo(d, T("systemctl edit huawu，写 [Service] LimitNOFILE=65536；手工启动前先 ulimit -n 65536", "`systemctl edit huawu`: below [Service], LimitNOFILE=65536; by hand, `ulimit -n 65536` before the start"));
}

static void check_memory(struct doctor *d)
{
	const char *title = T("内存", "Memory");
	int64_t total, avail;
	char text[8192];

	if (doc_read(d, "/proc/meminfo", text, sizeof(text)) <= 0)
		return; /* hidden from the service by its unit */
	total = number_behind(text, "MemTotal:") / 1024;
	avail = number_behind(text, "MemAvailable:") / 1024;
	if (total < MEMORY_MIN_MB || avail < 200) {
		doc_found(d, "sys.memory", title, DOC_WARN, T("共 %lld MB，可用 %lld MB", "%lld MB, %lld MB available"), (long long)total, (long long)avail);
		doc_todo(d, T("至少 1 GB，并留 200 MB 可用：内存不够时系统会直接杀掉服务", "have 1 GB or more with 200 MB available: short of memory, the system kills the server"));
	} else {
		doc_found(d, "sys.memory", title, DOC_OK, T("共 %lld MB，可用 %lld MB", "%lld MB, %lld MB available"), (long long)total, (long long)avail);
	}
}

static void check_cores(struct doctor *d)
{
	const char *title = T("处理器", "Processor");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	char text[64];

	if (d->conf->media_threads >= cores && cores > 1) {
		doc_found(d, "sys.cores", title, DOC_WARN, T("%ld 个核，却配置了 %lld 个媒体线程", "%ld cores, but %lld media threads"), cores, (long long)d->conf->media_threads);
		doc_todo(d, T("[media] threads 应小于核数", "have fewer [media] threads than cores"));
	} else if (cores < 2) {
		doc_found(d, "sys.cores", title, DOC_WARN, T("只有 1 个核：录音落盘、报表会和通话声音抢时间", "one core only: disk and reports compete with the calls' audio"));
		doc_todo(d, T("给这台机器 2 个核以上", "give this machine two cores or more"));
	} else {
		doc_found(d, "sys.cores", title, DOC_OK, T("%ld 个核", "%ld cores"), cores);
	}
	if (doc_read(d, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text, sizeof(text)) <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "powersave") != 0) {
		doc_found(d, "sys.governor", T("处理器调频", "CPU governor"), DOC_OK, "%s", text);
		return;
	}
	doc_found(d, "sys.governor", T("处理器调频", "CPU governor"), DOC_WARN, T("powersave：声音包可能晚发", "powersave: audio may be sent late"));
	doc_todo(d, "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
}

static void check_buffers(struct doctor *d)
{
	const char *title = T("UDP 缓冲区", "UDP buffers");
	int64_t max = 0;
	char text[32];

	if (doc_read(d, "/proc/sys/net/core/rmem_max", text, sizeof(text)) <= 0)
		return; /* not shown to the service, or in a container */
	text[strcspn(text, "\n")] = '\0';
	(void)str_to_i64(&max, text, 0, INT64_MAX);
	if (max >= RMEM_WANTED) {
		doc_found(d, "net.buffers", title, DOC_OK, "net.core.rmem_max = %lld", (long long)max);
		return;
	}
	doc_found(d, "net.buffers", title, DOC_WARN, T("net.core.rmem_max = %lld：呼叫突然增多时 SIP 包会丢", "net.core.rmem_max = %lld: SIP is lost when calls come in bursts"), (long long)max);
	doc_todo(d, T("echo net.core.rmem_max=4194304 > /etc/sysctl.d/60-huawu.conf && sysctl --system，然后重启服务", "echo net.core.rmem_max=4194304 > /etc/sysctl.d/60-huawu.conf && sysctl --system, then restart the server"));
}

void doc_machine(struct doctor *d)
{
	check_files(d);
	check_memory(d);
	check_cores(d);
	check_buffers(d);
}

/* ---- clock ---- */

#define YEAR_MS(y) (((y) - 1970LL) * 31556952000LL)

static void check_year(struct doctor *d)
{
	const char *title = T("时钟", "Clock");
	int64_t last = 0;

	if (d->db)
		(void)db_get_i64(&last, d->db, "SELECT coalesce(max(taken_ms), 0) FROM epoch", NULL);
	if (d->now_ms < YEAR_MS(2025) || d->now_ms > YEAR_MS(2060)) {
		doc_found(d, "clock.year", title, DOC_ERROR, T("时间是 %lld 年，不可能", "it is the year %lld here, which cannot be"), (long long)(1970 + d->now_ms / 31556952000LL));
		doc_todo(d, T("先校时再启动：记录的时间和证书都靠它。timedatectl set-ntp true", "set the clock before the server starts: records and certificates depend on it. timedatectl set-ntp true"));
	} else if (last > d->now_ms + 60000) {
		doc_found(d, "clock.year", title, DOC_ERROR, T("时钟比数据库里最近一次启动还早 %lld 分钟：它被往回拨了", "the clock is %lld minutes before the last start in the database: it was set back"),
			  (long long)((last - d->now_ms) / 60000));
		doc_todo(d, "timedatectl set-ntp true");
	} else {
		doc_found(d, "clock.year", title, DOC_OK, T("年份合理", "the year is sane"));
	}
}

static void check_ntp(struct doctor *d)
{
	const char *title = T("时间同步", "Time synchronisation");
	int64_t offset_us = 0;
	int r = d->read.ntp(&offset_us);

	if (r < 0) {
		doc_found(d, "clock.ntp", title, DOC_OK, T("这里看不到；请在命令行以 root 运行 huawu doctor", "cannot be seen from here; run `huawu doctor` as root on the command line"));
	} else if (r) {
		doc_found(d, "clock.ntp", title, DOC_WARN, T("没有与时间服务器同步", "not synchronised with a time server"));
		doc_todo(d, T("apt-get install systemd-timesyncd && timedatectl set-ntp true；内网请在 /etc/systemd/timesyncd.conf 写本单位的时间服务器",
			      "apt-get install systemd-timesyncd && timedatectl set-ntp true; without internet, name your own time server in /etc/systemd/timesyncd.conf"));
	} else {
		doc_found(d, "clock.ntp", title, DOC_OK, T("已同步，偏差 %lld 微秒", "synchronised, offset %lld us"), (long long)offset_us);
	}
}

static void check_zone(struct doctor *d)
{
	const char *title = T("时区", "Time zone");
	char zone[64] = "Asia/Shanghai";
	struct db_stmt *st;
	struct stat sb;
	char *path;

	if (d->db && !db_prepare(&st, d->db, "SELECT zone FROM centre ORDER BY id LIMIT 1")) {
		if (db_step(st) == DB_ROW && db_text(st, 0))
			(void)str_copy(zone, sizeof(zone), db_text(st, 0));
		db_done(st);
	}
	path = xasprintf("%s/usr/share/zoneinfo/%s", d->root, zone);
	if (strstr(zone, "..") || stat(path, &sb)) {
		doc_found(d, "clock.zone", title, DOC_ERROR, T("找不到时区 %s 的数据", "there are no data of the time zone %s"), zone);
		doc_todo(d, "apt-get install tzdata");
	} else {
		doc_found(d, "clock.zone", title, DOC_OK, T("中心时区 %s；本机 %s", "the centre's is %s; this machine's %s"), zone, (tzset(), tzname[0]));
	}
	free(path);
}

void doc_clock(struct doctor *d)
{
	check_year(d);
	check_ntp(d);
	check_zone(d);
}
