/* For probes: is it alive, and is anything about to run out. For administrators: all that `huawu doctor` looks at. */
#include "api/api_int.h"

#include <sys/statvfs.h>

#include "journal/journal.h"

#define DISK_FREE_MIN_PCT 2

void health_get(struct ask *k)
{
	const struct api_conf *c = &k->api->conf;
	bool pressed = c->journal && journal_pressed(c->journal), disk_ok = true;
	struct statvfs vfs;
	int free_pct = -1;

	if (c->data_dir && !statvfs(c->data_dir, &vfs) && vfs.f_blocks) {
		free_pct = (int)(vfs.f_bavail * 100 / vfs.f_blocks);
		disk_ok = free_pct >= DISK_FREE_MIN_PCT;
	}
	api_ok(k, pressed || !disk_ok ? 503 : 200,
	       json_pack("{s:b, s:I, s:s, s:b, s:{s:b, s:i}}", "ok", !pressed && disk_ok, "uptime_ms",
			 (json_int_t)(clock_mono_ms() - k->api->started_ms), "version", c->version, "journal_pressed", pressed, "disk",
			 "ok", disk_ok, "free_pct", free_pct));
}

/* One at a time: it asks every trunk and reads through the database. */
void doctor_report(struct ask *k)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct strb text;
	char *json;

	if (!k->api->conf.doctor) {
		api_refuse(k, "not_found", NULL, NULL);
		return;
	}
	if (pthread_mutex_trylock(&one)) {
		api_refuse(k, "busy", NULL, NULL);
		return;
	}
	json = k->api->conf.doctor(k->api->conf.doctor_arg, k->db, !strcmp(k->lang, "en"));
	(void)pthread_mutex_unlock(&one);
	strb_init(&text, 1 << 20);
	strb_puts(&text, json);
	api_ok_text(k, &text);
	strb_done(&text);
	free(json);
}
