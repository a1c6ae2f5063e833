/* The INI file and the flags: one table for both, so that every key has its flag, its default and its line of help. */
#include <arpa/inet.h>
#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "base/base.h"
#include "base/netmap.h"
#include "sip/sip.h"

enum type { TEXT, NUMBER, FLAG };

struct key {
	const char *section, *name, *flag;
	enum type type;
	size_t offset;
	int64_t min, max;
	const char *help;
};

#define F(f) offsetof(struct app_conf, f)
static const struct key keys[] = {
	{NULL, NULL, "config", TEXT, F(config), 0, 0, "INI file to read first (see deploy/huawu.ini)"},
	{"data", "dir", "data", TEXT, F(data_dir), 0, 0, "folder of database, recordings and certificates"},
	{"data", "db", "db", TEXT, F(db), 0, 0, "database (default: huawu.db in the data folder)"},
	{"data", "ring", "ring", TEXT, F(ring), 0, 0, "event ring, on tmpfs (default: below /dev/shm)"},
	{"sip", "listen", "sip", TEXT, F(sip_listen), 0, 0, "where SIP is spoken: a list of [udp:|tcp:|tls:]address:port (default: udp and tcp 5060, tls 5061 with a certificate)"},
	{"sip", "external", "external", TEXT, F(sip_external), 0, 0, "addresses by which others reach us, for SIP and audio: ADDRESS or a list of NETWORK=ADDRESS|local"},
	{"sip", "realm", "realm", TEXT, F(realm), 0, 0, "domain of SIP passwords"},
	{"sip", "dns", "dns", TEXT, F(dns), 0, 0, "name servers for carriers' names, \"192.0.2.1 192.0.2.2:5353\" (default: the system's)"},
	{"sip", "session_s", "session-s", NUMBER, F(session_s), 90, 86400, "seconds after which a call that is not refreshed ends (session timers)"},
	{"sip", "session_min_s", "session-min-s", NUMBER, F(session_min_s), 90, 86400, "the least that others may ask for"},
	{"http", "listen", "http", TEXT, F(http_listen), 0, 0, "address:port of page, API and SIP over WebSocket"},
	{"http", "cert", "cert", TEXT, F(http_cert), 0, 0, "certificate (PEM); with it, https"},
	{"http", "key", "key", TEXT, F(http_key), 0, 0, "its private key (PEM)"},
	{"media", "bind", "rtp-bind", TEXT, F(rtp_bind), 0, 0, "address of the audio ports (default: all, of both families)"},
	{"media", "turn", "turn", TEXT, F(turn), 0, 0, "TURN and STUN servers for browsers, a list: turn:HOST:3478, turns:HOST:5349"},
	{"media", "turn_secret", "turn-secret", TEXT, F(turn_secret), 0, 0, "what coturn's configuration calls static-auth-secret"},
	{"media", "rtp_min", "rtp-min", NUMBER, F(rtp_min), 1024, 65534, "first audio port"},
	{"media", "rtp_max", "rtp-max", NUMBER, F(rtp_max), 1025, 65535, "last audio port"},
	{"media", "threads", "media-threads", NUMBER, F(media_threads), 1, 64, "media threads"},
	{"limits", "legs_max", "legs-max", NUMBER, F(legs_max), 2, 100000, "call legs at once; 503 beyond"},
	{"limits", "invites_per_s", "invites-per-s", NUMBER, F(invites_per_s), 1, 100000, "new calls a second; 503 beyond"},
	{"limits", "stop_s", "stop-s", NUMBER, F(stop_s), 0, 86400, "seconds that calls may go on after SIGTERM"},
	{"trace", "megabytes", "trace-mb", NUMBER, F(trace_mb), 0, 1000000, "SIP messages kept, secrets blanked, in megabytes of disk; 0: none"},
	{"trace", "days", "trace-days", NUMBER, F(trace_days), 1, 365, "and for how many days"},
	{"log", "level", "log", TEXT, F(log_level), 0, 0, "error, warn, info or debug"},
	{NULL, NULL, "demo", FLAG, F(demo), 0, 0, "the demo centre: invented people, simulated callers, log-in by one click"},
	{NULL, NULL, "check", FLAG, F(check), 0, 0, "check configuration and database, then leave"},
};
#undef F

static int set(struct app_conf *c, const struct key *k, const char *value)
{
	void *p = (char *)c + k->offset;

	if (k->type == TEXT) {
		free(*(char **)p);
		*(char **)p = xstrdup(value);
		return 0;
	}
	if (k->type == NUMBER)
		return str_to_i64(p, value, k->min, k->max) ? 0 : -EINVAL;
	*(bool *)p = true;
	return 0;
}

/* Where complaints go: to stderr, or to who asked for them. */
static FILE *told(const struct app_conf *c)
{
	return c->told ? c->told : stderr;
}

static void complain(const struct app_conf *c, const char *where, const struct key *k, const char *value)
{
	fprintf(told(c), "huawu: %s: '%s' is not a number from %lld to %lld\n", where, value, (long long)k->min, (long long)k->max);
}

struct ini_state {
	struct app_conf *c;
	int errors;
};

static int on_ini(void *arg, const char *section, const char *name, const char *value)
{
	struct ini_state *st = arg;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!keys[i].section || strcmp(keys[i].section, section) != 0 || strcmp(keys[i].name, name) != 0)
			continue;
		if (set(st->c, &keys[i], value)) {
			complain(st->c, name, &keys[i], value);
			st->errors++;
		}
		return 1;
	}
	fprintf(told(st->c), "huawu: unknown key '%s' in section [%s]\n", name, section);
	st->errors++;
	return 1;
}

static void usage(void)
{
	printf("huawu serve [options]\n\nRuns the call centre. Options win over the INI file.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		printf("  --%-14s %s\n", keys[i].flag, keys[i].help);
	printf("  --%-14s %s\n", "help", "this list");
}

static const struct key *find_flag(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i].flag) == len && !strncmp(keys[i].flag, name, len))
			return &keys[i];
	return NULL;
}

/* --flag value, --flag=value. @only_config: the first pass looks for --config, --demo and --help. */
static int read_flags(struct app_conf *c, int argc, char **argv, bool only_config)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *value;
		const struct key *k;
		size_t len;

		if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			usage();
			return 1;
		}
		if (strncmp(arg, "--", 2) != 0 || !(k = find_flag(arg + 2, len = strcspn(arg + 2, "=")))) {
			fprintf(told(c), "huawu serve: unknown option '%s'; see --help\n", arg);
			return 3;
		}
		value = arg[2 + len] == '=' ? arg + 3 + len : NULL;
		if (k->type != FLAG && !value) {
			if (i + 1 == argc) {
				fprintf(told(c), "huawu serve: '%s' wants a value\n", arg);
				return 3;
			}
			value = argv[++i];
		}
		if (only_config != (!strcmp(k->flag, "config") || !strcmp(k->flag, "demo")))
			continue;
		if (set(c, k, value ? value : "1")) {
			complain(c, arg, k, value);
			return 3;
		}
	}
	return 0;
}

static int read_ini(struct app_conf *c)
{
	struct ini_state st = {c, 0};
	int r;

	if (!c->config)
		return 0;
	r = ini_parse(c->config, on_ini, &st);
	if (r < 0) {
		fprintf(told(c), "huawu: cannot read %s: %s\n", c->config, strerror(errno));
		return 3;
	}
	if (r > 0) {
		fprintf(told(c), "huawu: %s: line %d is not understood\n", c->config, r);
		return 3;
	}
	return st.errors ? 3 : 0;
}

static void defaults(struct app_conf *c)
{
	*c = (struct app_conf){
		.told = c->told,
		.realm = xstrdup("huawu"), .http_listen = xstrdup("0.0.0.0:8443"),
		.rtp_min = 20000, .rtp_max = 29999, .media_threads = 1, .legs_max = 20000,
		.invites_per_s = 1500, .session_s = 1800, .session_min_s = 90, .trace_mb = 512, .trace_days = 7, .stop_s = 30, .log_level = xstrdup("info"),
	};
}

/* The demo is for a look around: it speaks to this machine only, but for the audio of a browser, which never trusts loopback. */
static void demo_defaults(struct app_conf *c)
{
	free(c->http_listen);
	free(c->data_dir);
	c->sip_listen = xstrdup("udp:127.0.0.1:5060, tcp:127.0.0.1:5060");
	c->http_listen = xstrdup("127.0.0.1:8080");
	c->data_dir = xstrdup("run/demo");
}

static bool machine_has_ipv6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(any));

	if (fd >= 0)
		(void)close(fd);
	return has;
}

/* Where SIP is spoken when nobody says: everywhere, in every way there is. */
static char *default_sip_listen(const struct app_conf *c)
{
	bool v6 = machine_has_ipv6(), tls = c->http_cert != NULL;

	return xasprintf("udp:0.0.0.0:5060, tcp:0.0.0.0:5060%s%s%s", v6 ? ", udp:[::]:5060, tcp:[::]:5060" : "", tls ? ", tls:0.0.0.0:5061" : "",
			 tls && v6 ? ", tls:[::]:5061" : "");
}

/* What depends on other values. The ring's name is stable for a data folder, so that a restart finds it. */
void app_conf_derive(struct app_conf *c, unsigned uid)
{
	char real[4096];

	if (!c->sip_listen)
		c->sip_listen = default_sip_listen(c);
	if (!c->db)
		c->db = xasprintf("%s/huawu.db", c->data_dir);
	if (!c->ring) {
		uint64_t h = 1469598103934665603u; /* FNV-1a */

		if (!realpath(c->data_dir, real))
			(void)str_copy(real, sizeof(real), c->data_dir);
		for (const char *p = real; *p; p++)
			h = (h ^ (unsigned char)*p) * 1099511628211u;
		c->ring = xasprintf("/dev/shm/huawu-%u-%016llx.ring", uid, (unsigned long long)h);
	}
}

static int make_dirs(const char *path)
{
	char *p = xstrdup(path);

	for (char *s = p + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			(void)mkdir(p, 0750);
			*s = '/';
		}
	(void)mkdir(p, 0750);
	free(p);
	return access(path, W_OK | X_OK) ? -errno : 0;
}

/* ---- values that must fit ---- */

static bool is_address(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

static bool is_listen(const char *s)
{
	const char *colon = strrchr(s, ':');
	int64_t port;

	return colon && colon > s && str_to_i64(&port, colon + 1, 0, 65535);
}

static bool is_netmap(const char *s)
{
	struct netmap *m;

	if (netmap_parse(&m, s, NULL, 0))
		return false;
	netmap_free(m);
	return true;
}

static bool is_sip_listen(const char *s)
{
	return !sip_listen_check(s, NULL, 0, NULL);
}

static bool is_readable(const char *s)
{
	return !access(s, R_OK);
}

/* "turn:turn.example.com:3478?transport=tcp, stun:192.0.2.1" */
static bool is_turn(const char *s)
{
	static const char *const schemes[] = {"turn:", "turns:", "stun:"};

	for (; *s; s += strspn(s, ", ")) {
		size_t n = strcspn(s, ", "), k = 0;

		while (k < ARRAY_LEN(schemes) && strncmp(s, schemes[k], strlen(schemes[k])))
			k++;
		if (k == ARRAY_LEN(schemes) || n == strlen(schemes[k]))
			return false;
		s += n;
	}
	return true;
}

static int check_values(const struct app_conf *c)
{
	const struct {
		const char *key, *value;
		bool (*good)(const char *);
		const char *what;
	} rules[] = {
		{"[sip] listen", c->sip_listen, is_sip_listen, "a list of [udp:|tcp:|tls:]address:port"},
		{"[sip] external", c->sip_external, is_netmap, "an address or a list of NETWORK=ADDRESS"},
		{"[http] listen", c->http_listen, is_listen, "address:port"},
		{"[http] cert", c->http_cert, is_readable, "a readable file"},
		{"[http] key", c->http_key, is_readable, "a readable file"},
		{"[media] turn", c->turn, is_turn, "a list of turn:, turns: or stun: and HOST:PORT"},
		{"[media] bind", c->rtp_bind, is_address, "an IPv4 or IPv6 address"},
	};

	bool tls = false;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].value && !rules[i].good(rules[i].value)) {
			fprintf(told(c), "huawu: %s: '%s' is not %s\n", rules[i].key, rules[i].value, rules[i].what);
			return 3;
		}
	if (!c->http_cert != !c->http_key) {
		fprintf(told(c), "huawu: [http] cert and key are given together or not at all\n");
		return 3;
	}
	if (c->sip_listen && !sip_listen_check(c->sip_listen, NULL, 0, &tls) && tls && !c->http_cert) {
		fprintf(told(c), "huawu: [sip] listen: tls wants a certificate, [http] cert and key\n");
		return 3;
	}
	if (c->rtp_min >= c->rtp_max) {
		fprintf(told(c), "huawu: rtp_min must be below rtp_max\n");
		return 3;
	}
	return 0;
}

int app_conf_read(struct app_conf *c, int argc, char **argv)
{
	enum log_level level;
	int r;

	defaults(c);
	r = read_flags(c, argc, argv, true);
	if (!r && c->demo)
		demo_defaults(c);
	if (!r)
		r = read_ini(c);
	if (!r)
		r = read_flags(c, argc, argv, false);
	if (!c->data_dir)
		c->data_dir = xstrdup("/var/lib/huawu");
	if (r)
		return r;
	if (log_level_parse(&level, c->log_level)) {
		fprintf(told(c), "huawu: log level '%s' is none of error, warn, info, debug\n", c->log_level);
		return 3;
	}
	return check_values(c);
}

int app_conf_load(struct app_conf *c, int argc, char **argv)
{
	enum log_level level;
	int r = app_conf_read(c, argc, argv);

	if (r)
		return r;
	if (!log_level_parse(&level, c->log_level))
		log_set_level(level);
	r = make_dirs(c->data_dir);
	if (r) {
		fprintf(told(c), "huawu: cannot use the data folder %s: %s\n", c->data_dir, strerror(-r));
		return 3;
	}
	app_conf_derive(c, (unsigned)getuid());
	return 0;
}

void app_conf_done(struct app_conf *c)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].type == TEXT)
			free(*(char **)((char *)c + keys[i].offset));
	*c = (struct app_conf){0};
}
