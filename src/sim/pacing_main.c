/* `huawu sim pacing`: virtual days of outbound dialling, ways of pacing beside each other on equal random numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "sim/pacing.h"

static const char usage[] =
	"huawu sim pacing: virtual days of outbound dialling; ways of pacing on equal random numbers\n"
	"\n"
	"  --days N         days of each kind (5)\n"
	"  --seed N         of the first day (1)\n"
	"  --agents N       only so many (10, 15, 20, 50 and 100)\n"
	"  --answer N       only this share of calls answered, permille (150, 250 and 400)\n"
	"  --limit N        abandoned of answered at most, permille (30)\n"
	"  --wait N         a customer's longest wait after the answer, ms (2000)\n"
	"  --hours N        of a day (8)\n"
	"  --city N         who is dialled is somebody of the simulated city, where ordinary people answer so many calls, permille\n"
	"  --calls N        dialled in a day at most\n"
	"  --only WAY       ours, level or progressive\n"
	"  --list           every day by itself\n"
	"  --drive COMMAND  pace by this program: a line each second to its input, one back from its output\n"
	"  --external       be such a program: read lines, answer them\n"
	"  --help\n"
	"\n"
	"A line:  S <t> <idle> <held> | talk ages | wrap-up ages | ring age:score ... | dialled resolved answered dropped | events\n"
	"events since the last line: a<ring_s>:<score> answered, f<ring_s>:<score> failed, t<s> talk ended, w<s> wrap-up ended\n"
	"answer:  <calls to dial> [<oldest calls to hang up that have rung 15 s>]\n";

struct options {
	int64_t days, seed, agents, answer, limit, wait, hours, city, calls;
	const char *only, *drive;
	bool list, external, help;
};

struct number_option {
	const char *name;
	size_t at;
	int64_t min, max;
};

static const struct number_option numbers[] = {
	{"--days", offsetof(struct options, days), 1, 100000},
	{"--seed", offsetof(struct options, seed), 0, INT64_MAX / 2},
	{"--agents", offsetof(struct options, agents), 1, 10000},
	{"--answer", offsetof(struct options, answer), 1, 900},
	{"--limit", offsetof(struct options, limit), 0, 1000},
	{"--wait", offsetof(struct options, wait), 0, 60000},
	{"--hours", offsetof(struct options, hours), 1, 24},
	{"--city", offsetof(struct options, city), 1, 800},
	{"--calls", offsetof(struct options, calls), 1, 100000000},
};

static const int32_t agents_all[] = {10, 15, 20, 50, 100}, answer_all[] = {150, 250, 400};

struct way {
	const char *name;
	struct pacer *(*make)(const struct pacing_world *w, const char *arg);
};

static const struct way ways[] = {{"progressive", pacer_progressive}, {"level", pacer_level}, {"ours", pacer_ours}};
static const struct way driven = {"driven", pacer_command};

static int complain(const char *what, const char *a)
{
	fprintf(stderr, "huawu sim pacing: %s %s; --help lists the options\n", what, a);
	return 2;
}

static int take_number(struct options *o, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(numbers[i].name, name))
			continue;
		if (!str_to_i64((int64_t *)((char *)o + numbers[i].at), value, numbers[i].min, numbers[i].max))
			return complain("bad value for", name);
		return 0;
	}
	return complain("unknown option", name);
}

static int take_way(struct options *o, const char *name)
{
	o->only = name;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (!strcmp(ways[i].name, name))
			return 0;
	return complain("no such way:", name);
}

static int parse(struct options *o, int argc, char **argv)
{
	int r = 0;

	for (int i = 1; i < argc && !r; i++) {
		if (!strcmp(argv[i], "--help"))
			o->help = true;
		else if (!strcmp(argv[i], "--list"))
			o->list = true;
		else if (!strcmp(argv[i], "--external"))
			o->external = true;
		else if (i + 1 == argc)
			r = complain("no such option, or a value is missing:", argv[i]);
		else if (!strcmp(argv[i], "--drive"))
			o->drive = argv[++i];
		else if (!strcmp(argv[i], "--only"))
			r = take_way(o, argv[++i]);
		else
			r = take_number(o, argv[i], argv[i + 1]), i++;
	}
	return r;
}

/* ---- be driven ---- */

static int external(const struct options *o)
{
	struct pace_conf conf = {.limit_permille = (int32_t)o->limit, .wait_ms = (int32_t)o->wait};
	struct pacing_line *l = pacing_line_new(&conf, o->hours * 3600000);
	struct pace_out out;
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (!r && getline(&line, &size, stdin) >= 0) {
		r = pacing_line_read(l, line, &out);
		if (r) {
			fprintf(stderr, "huawu sim pacing: not a line of this protocol: %s", line);
		} else {
			printf(out.hangup ? "%d %d\n" : "%d\n", out.launch, out.hangup);
			(void)fflush(stdout);
		}
	}
	free(line);
	pacing_line_free(l);
	return r ? 1 : 0;
}

/* ---- days ---- */

struct sum {
	double talk, abandoned, worst, hung_up;
	int days, over;
	struct strb each; /* every day's abandoned, % */
};

static void print_day(const struct pacing_world *w, const struct way *way, const struct pacing_day *d)
{
	char line[512];
	struct strb b;
	struct jw j;

	strb_init_fixed(&b, line, sizeof(line));
	jw_init(&j, &b);
	jw_obj(&j, NULL);
	jw_str(&j, "way", way->name);
	jw_int(&j, "agents", w->agents);
	jw_int(&j, "answer_permille", (int64_t)(w->share * 1000 + 0.5));
	jw_int(&j, "seed", (int64_t)w->seed);
	jw_int(&j, "dialled", d->dialled);
	jw_int(&j, "answered", d->answered);
	jw_int(&j, "abandoned", d->abandoned);
	jw_int(&j, "abandoned_ppm", (int64_t)(1e6 * pacing_abandoned_share(d) + 0.5));
	jw_int(&j, "hung_up", d->hung_up);
	jw_int(&j, "talk_ppm", (int64_t)(1e6 * pacing_talk_share(d) + 0.5));
	jw_int(&j, "lines_max", d->lines_max);
	jw_id(&j, "checksum", (int64_t)(d->checksum & INT64_MAX));
	jw_end_obj(&j);
	puts(line);
}

static void one_day(const struct options *o, const struct way *way, const struct pacing_world *w, struct sum *sum)
{
	struct pacer *p = way->make(w, o->drive);
	struct pacing_day d;
	double abandoned;

	if (!p) {
		fprintf(stderr, "huawu sim pacing: cannot start: %s\n", o->drive);
		exit(1);
	}
	pacing_run(w, p, &d);
	p->done(p);
	abandoned = pacing_abandoned_share(&d);
	sum->days++;
	sum->talk += pacing_talk_share(&d);
	sum->abandoned += abandoned;
	sum->worst = abandoned > sum->worst ? abandoned : sum->worst;
	sum->over += abandoned > w->limit_permille / 1000.0;
	sum->hung_up += d.dialled ? (double)d.hung_up / (double)d.dialled : 0;
	strb_printf(&sum->each, " %.2f", 100 * abandoned);
	if (o->list)
		print_day(w, way, &d);
}

static void some_days(const struct options *o, const struct way *way, int32_t agents, int32_t answer)
{
	struct sum sum = {0};
	struct pacing_world w;

	strb_init(&sum.each, 1 << 20);
	for (int64_t i = 0; i < o->days; i++) {
		pacing_world_init(&w, agents, answer / 1000.0, (uint64_t)(o->seed + i));
		w.day_ms = (int32_t)(o->hours * 3600000);
		w.limit_permille = (int32_t)o->limit;
		w.wait_ms = (int32_t)o->wait;
		w.city = (double)o->city / 1000;
		w.calls_max = o->calls;
		one_day(o, way, &w, &sum);
	}
	if (!o->list)
		printf("%-11s %5d %5.2f %7.2f %10.2f %6.2f %5d of %d %8.1f %s\n", way->name, agents, answer / 1000.0, 100 * sum.talk / sum.days,
		       100 * sum.abandoned / sum.days, 100 * sum.worst, sum.over, sum.days, 100 * sum.hung_up / sum.days, sum.each.buf);
	strb_done(&sum.each);
	(void)fflush(stdout);
}

static void all_days(const struct options *o, const struct way *way)
{
	for (size_t a = 0; a < ARRAY_LEN(agents_all); a++) {
		for (size_t p = 0; p < ARRAY_LEN(answer_all); p++) {
			if ((o->agents && a) || ((o->answer || o->city) && p))
				continue;
			some_days(o, way, o->agents ? (int32_t)o->agents : agents_all[a], o->answer ? (int32_t)o->answer : answer_all[p]);
		}
	}
}

int sim_pacing_main(int argc, char **argv)
{
	struct options o = {.days = 5, .seed = 1, .limit = 30, .wait = 2000, .hours = 8};
	int r = parse(&o, argc, argv);

	if (r)
		return r;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (o.external)
		return external(&o);
	if (!o.list)
		puts("way        agents answer  talk % abandoned % worst  days over     hung up %  abandoned % of each day");
	if (o.drive)
		all_days(&o, &driven);
	for (size_t i = 0; i < ARRAY_LEN(ways) && !o.drive; i++)
		if (!o.only || !strcmp(o.only, ways[i].name))
			all_days(&o, &ways[i]);
	return 0;
}
