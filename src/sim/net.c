/* The simulated telephone network's command: options, the 20 ms tick, the figures at the end. */
#include "sim/net.h"

#include "sim/net_priv.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TICK_MS 20
#define VOICES 10
#define FAREWELL_MS 700 /* BYE and un-REGISTER on their way */

/* ---- options ---- */

enum kind { TEXT, LIST, INT, NUM, FLAG };

struct option_row {
	const char *name, *arg, *help;
	enum kind kind;
	size_t at;
	double min, max;
};

#define AT(field) offsetof(struct net_conf, field)
static const struct option_row options[] = {
	{"--server", "ADDR:PORT", "the SIP system to speak to (127.0.0.1:5060)", TEXT, AT(server)},
	{"--carrier", "ADDR:PORT", "our address as the carrier; known there as a trunk (127.0.0.3:0)", TEXT, AT(carrier)},
	{"--number", "N", "callers dial it; may be given up to 16 times", LIST, AT(numbers)},
	{"--per-hour", "X", "calls an hour, Poisson (0: nobody calls)", NUM, AT(per_hour), 0, 3.6e6},
	{"--calls", "N", "stop after so many calls (0: no end)", INT, AT(calls), 0, 1e9},
	{"--at-once", "N", "calls at once at most (200)", INT, AT(at_once), 1, 5000},
	{"--callers", "N", "how many different people call (400)", INT, AT(callers), 1, 1e7},
	{"--patience", "S", "mean seconds a caller waits for a person, at least 3 (90)", NUM, AT(patience_s), 0, 86400},
	{"--talk", "S", "mean seconds of talk (45)", NUM, AT(talk_s), 0.1, 86400},
	{"--talks-at-answer", NULL, "a 200 means that a person is there (not a queue)", FLAG, AT(talks_at_answer)},
	{"--keys", "DIGITS", "callers press these after the answer", TEXT, AT(keys)},
	{"--key-after", "S", "... so long after it (2)", NUM, AT(key_after_s), 0, 3600},
	{"--phones-at", "ADDR:PORT", "the colleagues' telephones' address (127.0.0.4:0)", TEXT, AT(phones_at)},
	{"--devices", "FILE", "lines of NAME SECRET: colleagues' telephones to register", TEXT, AT(device_file)},
	{"--any-phone", NULL, "telephones that never register: whatever name is called there has one", FLAG, AT(any_phone)},
	{"--expires", "S", "of a registration (120)", INT, AT(expires_s), 30, 86400},
	{"--answer-min", "S", "colleagues answer after between this (1.5) ...", NUM, AT(answer_min_s), 0, 600},
	{"--answer-max", "S", "... and this (6)", NUM, AT(answer_max_s), 0, 600},
	{"--ring-out", "P", "share of offers a colleague does not answer (0.03)", NUM, AT(ring_out), 0, 1},
	{"--refuse", "P", "share of offers a colleague refuses as busy (0.02)", NUM, AT(refuse), 0, 1},
	{"--hangs-up", "P", "share of talks a colleague ends, not the caller (0.35)", NUM, AT(phone_hangs_up), 0, 1},
	{"--out-per-hour", "X", "calls an hour that colleagues dial (0)", NUM, AT(out_per_hour), 0, 3.6e6},
	{"--city", "P", "whoever is dialled out is somebody of a simulated city; ordinary people answer this share of calls (0: by the number's end)", NUM,
	 AT(city), 0, 0.8},
	{"--city-shown", "N", "... but only who is called with this number shown; others answer by the number's end. Up to 16 times", LIST, AT(shown)},
	{"--hour", "H", "the city's hour (-1: the clock's)", NUM, AT(hour), -1, 23},
	{"--faster", "X", "the city's people ring, talk and are announced so many times shorter (1)", NUM, AT(faster), 1, 100},
	{"--seed", "N", "of everything that is drawn (1)", INT, AT(seed), 0, 9e15},
	{"--seconds", "S", "stop after so long (0: until SIGTERM)", INT, AT(seconds), 0, 1e7},
	{"--trace", "FILE", "a JSON line for each call as it was seen from here", TEXT, AT(trace)},
	{"--dialled", "FILE", "a JSON line for each INVITE that the centre sends out, when it comes", TEXT, AT(dialled)},
	{"--with-parent", NULL, "stop when the process that started this one is gone", FLAG, AT(with_parent)},
	{"--quiet", NULL, "no summary", FLAG, AT(quiet)},
};

static void usage(void)
{
	printf("huawu sim net: a simulated telephone network with real SIP and RTP\n\n"
	       "What is dialled out through the trunk rings 2 to 8 s and answers, but for numbers that end in\n"
	       "00 busy, 01 no answer, 02 early media, 03 unknown, 04 answers at once, 05 congested.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		printf("  %-18s %-10s %s\n", options[i].name, options[i].arg ? options[i].arg : "", options[i].help);
}

static int option_set(struct net_conf *c, const struct option_row *o, const char *value)
{
	void *at = (char *)c + o->at;
	unsigned *n;
	char *end;
	double d;

	switch (o->kind) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case TEXT:
		*(const char **)at = value;
		return 0;
	case LIST:
		n = o->at == AT(numbers) ? &c->number_n : &c->shown_n;
		if (*n == NET_NUMBERS_MAX)
			return -E2BIG;
		((const char **)at)[(*n)++] = value;
		return 0;
	case INT:
		return str_to_i64(at, value, (int64_t)o->min, (int64_t)o->max) ? 0 : -EINVAL;
	case NUM:
		d = strtod(value, &end);
		if (*end || end == value || !(d >= o->min && d <= o->max))
			return -EINVAL;
		*(double *)at = d;
		return 0;
	}
	return -EINVAL;
}

static const struct option_row *option_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

/* 0 to go on, 1 after --help, negative after a sentence on what is wrong. */
static int options_parse(struct net_conf *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct option_row *o = option_find(argv[i]);
		const char *value = NULL;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			usage();
			return 1;
		}
		if (!o) {
			fprintf(stderr, "huawu sim net: unknown option %s; --help lists them\n", argv[i]);
			return -EINVAL;
		}
		if (o->kind != FLAG && !(value = argv[++i])) {
			fprintf(stderr, "huawu sim net: %s needs a value (%s)\n", o->name, o->arg);
			return -EINVAL;
		}
		if (option_set(c, o, value)) {
			fprintf(stderr, "huawu sim net: %s cannot be %s\n", o->name, value);
			return -EINVAL;
		}
	}
	if (c->answer_max_s < c->answer_min_s)
		c->answer_max_s = c->answer_min_s;
	return 0;
}

/* ---- chance ---- */

double net_exp(struct net *n, double mean)
{
	return -log(rng_unit(&n->rng)) * mean;
}

double net_between(struct net *n, double min, double max)
{
	return min + (max - min) * rng_unit(&n->rng);
}

bool net_chance(struct net *n, double p)
{
	return rng_unit(&n->rng) < p;
}

/* ---- figures ---- */

void net_count_code(struct net *n, int code)
{
	n->f.refused += code >= 300;
	n->f.failed += code < 300;
	for (size_t i = 0; i < ARRAY_LEN(n->f.codes); i++) {
		if (n->f.codes[i].n && n->f.codes[i].code != code)
			continue;
		n->f.codes[i].code = code;
		n->f.codes[i].n++;
		return;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void setup_times(struct net_figures *f, struct jw *w)
{
	size_t n = f->setup_n < ARRAY_LEN(f->setup_ms) ? f->setup_n : ARRAY_LEN(f->setup_ms);

	qsort(f->setup_ms, n, sizeof(f->setup_ms[0]), by_size);
	jw_obj(w, "answer_ms");
	if (n) {
		jw_num(w, "p50", f->setup_ms[n / 2]);
		jw_num(w, "p99", f->setup_ms[n * 99 / 100]);
		jw_num(w, "max", f->setup_ms[n - 1]);
	}
	jw_end_obj(w);
}

static void summary(struct net *n, int64_t ran_ms)
{
	struct net_figures *f = &n->f;
	const struct {
		const char *name;
		uint64_t value;
	} callers[] = {{"placed", f->placed},	{"answered", f->answered},	 {"talked", f->talked}, {"gave_up", f->gave_up},
		       {"refused", f->refused}, {"failed", f->failed},		 {"silent", f->silent}, {"at_once_max", f->most},
		       {"ended_by_us", f->ended_by_us}, {"ended_by_them", f->ended_by_them}},
	  carrier[] = {{"calls", f->carrier_in}, {"answered", f->carrier_answered}, {"refused", f->carrier_busy}, {"unanswered", f->carrier_unanswered}},
	  phones[] = {{"devices", n->phone_n}, {"registered", f->registered}, {"register_failed", f->register_failed},
		      {"offered", f->offered}, {"answered", f->phone_answered}, {"rang_out", f->rang_out}, {"refused", f->phone_refused},
		      {"hung_up_first", f->phone_hung_up}, {"dialled", f->phone_dialled}},
	  rtp[] = {{"sent", f->rtp_tx}, {"received", f->rtp_rx}, {"lost", f->rtp_lost}};
	struct strb b;
	struct jw w;

	strb_init(&b, 16384);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_int(&w, "seed", n->conf.seed);
	jw_int(&w, "ran_ms", ran_ms);
#define PART(rows)                                                                                                                   \
	jw_obj(&w, #rows);                                                                                                           \
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)                                                                                 \
		jw_int(&w, rows[i].name, (int64_t)rows[i].value);                                                                    \
	jw_end_obj(&w);
	PART(callers)
	PART(carrier)
	PART(phones)
	PART(rtp)
#undef PART
	setup_times(f, &w);
	jw_obj(&w, "codes");
	for (size_t i = 0; i < ARRAY_LEN(f->codes) && f->codes[i].n; i++) {
		char key[12];

		(void)snprintf(key, sizeof(key), "%d", f->codes[i].code);
		jw_int(&w, key, (int64_t)f->codes[i].n);
	}
	jw_end_obj(&w);
	jw_end_obj(&w);
	printf("%s\n", b.buf);
	strb_done(&b);
}

/* ---- running ---- */

/* Sound for everybody; after a stall the missed ticks are made up for, a second of them at most. */
static void tick(void *arg)
{
	struct net *n = arg;
	int64_t now = clock_mono_ms();

	if (now - n->next_tick_ms > 1000)
		n->next_tick_ms = now;
	while (n->next_tick_ms <= now) {
		ilist_each_entry(&n->parties, p, struct party, link)
			audio_tick(&p->audio);
		n->next_tick_ms += TICK_MS;
	}
	ltimer_set(&n->tick, n->next_tick_ms - now, tick, n);
}

static void gone(void *arg)
{
	loop_stop();
}

void net_stop(struct net *n)
{
	if (n->stopping)
		return;
	n->stopping = true;
	people_stop(n);
	ltimer_set(&n->end, FAREWELL_MS, gone, n);
}

static void time_is_up(void *arg)
{
	net_stop(arg);
}

static int signal_fd;

static void signalled(void *arg)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		net_stop(arg);
}

static int signals_listen(struct net *n)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signal_fd < 0)
		return -errno;
	if (n->conf.with_parent)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	return loop_listen(signal_fd, signalled, n);
}

static int file_open(FILE **ret, const char *name)
{
	if (!name || (*ret = fopen(name, "ae")))
		return 0;
	log_error("cannot write file=%s err=%d", name, -errno);
	return -errno;
}

static int net_run(struct net *n)
{
	int64_t start = clock_mono_ms();
	int r;

	r = file_open(&n->trace, n->conf.trace);
	r = r ? r : file_open(&n->dialled, n->conf.dialled);
	if (r)
		return r;
	n->voices = voices_new(VOICES, (uint64_t)n->conf.seed);
	rng_init(&n->rng, (uint64_t)n->conf.seed);
	ilist_init(&n->parties);
	r = signals_listen(n);
	r = r ? r : people_start(n);
	if (!r) {
		log_info("network up server=%s carrier=%s:%u phones=%u seed=%lld", n->conf.server, n->carrier.host, n->carrier.port,
			 n->phone_n, (long long)n->conf.seed);
		n->next_tick_ms = clock_mono_ms();
		tick(n);
		if (n->conf.seconds)
			ltimer_set(&n->end, n->conf.seconds * 1000, time_is_up, n);
		r = loop_run();
		ltimer_cancel(&n->tick);
		if (!n->conf.quiet)
			summary(n, clock_mono_ms() - start);
	}
	loop_unlisten(signal_fd);
	close(signal_fd);
	ua_close(&n->carrier);
	ua_close(&n->phones_ua);
	voices_free(n->voices);
	if (n->prompts)
		mprompt_free(n->prompts);
	free(n->phones);
	if (n->trace)
		fclose(n->trace);
	if (n->dialled)
		fclose(n->dialled);
	return r;
}

int sim_net_main(int argc, char **argv)
{
	struct net *n = xcalloc(1, sizeof(*n));
	int r;

	n->conf = (struct net_conf){
		.server = "127.0.0.1:5060", .carrier = "127.0.0.3:0", .phones_at = "127.0.0.4:0",
		.seed = 1, .at_once = 200, .callers = 400, .expires_s = 120, .patience_s = 90, .talk_s = 45, .key_after_s = 2,
		.answer_min_s = 1.5, .answer_max_s = 6, .ring_out = 0.03, .refuse = 0.02, .phone_hangs_up = 0.35,
		.hour = -1, .faster = 1,
	};
	r = options_parse(&n->conf, argc, argv);
	if (!r) {
		r = loop_process_init();
		r = r ? r : loop_thread_init();
		r = r ? r : net_run(n);
		loop_thread_done();
		loop_process_done();
		r = r ? 1 : 0;
	} else {
		r = r < 0 ? 2 : 0;
	}
	free(n);
	return r;
}
