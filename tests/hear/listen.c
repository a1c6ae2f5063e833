/*
 * How well taught announcements are known again: hear_listen FOLDER, where tests/hear/make_set.py has spoken.
 *
 * Each half of the set has its own voices, wordings, music and noises; thresholds were chosen on "tune", and what counts is "test". For a half:
 *   taught    its announcements are taught clean, and heard through what a line does to them
 *   untaught  the same, but the recording that is heard is not among those taught (others by the same voice, with the same
 *             beginning, are), and announcements of the other half: all ought to be "voice"
 *   others    spoken ring-back tones, persons, music, tones
 * Prints a confusion matrix for each, and a line "sum ..." for whoever asserts. Seeded: the same set gives the same figures.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <spandsp.h>

#include "base/base.h"
#include "hear/hear.h"

#define SOUNDS_MAX 400

struct sound {
	char half[8], class[16], voice[24], file[64];
	int16_t *pcm;
	unsigned n;
	struct hear_print *print;
};

static struct sound sounds[SOUNDS_MAX];
static unsigned sounds_n;
static struct rng rng;
static double heard_s, cpu_s;

/* ---- the set ---- */

static void die(const char *what, const char *which)
{
	(void)fprintf(stderr, "%s: %s\n", what, which);
	exit(2);
}

/* sox writes the plainest header of 44 bytes for PCM16. */
static void load(struct sound *s, const char *folder)
{
	char path[512];
	FILE *f;
	long size;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, s->file);
	f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 100 || fseek(f, 44, SEEK_SET))
		die("cannot read", path);
	s->n = (unsigned)(size - 44) / 2;
	s->pcm = xcalloc(s->n, 2);
	if (fread(s->pcm, 2, s->n, f) != s->n)
		die("cannot read", path);
	(void)fclose(f);
	if (hear_print_new(&s->print, s->pcm, s->n))
		s->print = NULL;
}

static void load_all(const char *folder)
{
	char path[512], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/list.txt", folder);
	f = fopen(path, "r");
	if (!f)
		die("cannot read", path);
	while (fgets(line, sizeof(line), f) && sounds_n < SOUNDS_MAX) {
		struct sound *s = &sounds[sounds_n++];

		if (sscanf(line, "%7[^|]|%15[^|]|%23[^|]|%63[^\n]", s->half, s->class, s->voice, s->file) != 4)
			die("not a line of the list", line);
		load(s, folder);
	}
	(void)fclose(f);
}

/* ---- what a line does ---- */

enum noise { NO_NOISE, WHITE, HUM, PINK, BABBLE, CAR };

struct line {
	const char *name, *half;
	enum noise noise;
	double snr_db, gain_db;
	bool gsm, ulaw;
	unsigned loss_pct;
	bool repeat; /* what is lost is the packet before it again; else silence */
};

static const struct line lines[] = {
	{"clean A-law", "tune", NO_NOISE, 0, -6, .repeat = true},
	{"white 20 dB", "tune", WHITE, 20, -12},
	{"white 10 dB", "tune", WHITE, 10, -6},
	{"hum 5 dB, GSM", "tune", HUM, 5, -10, .gsm = true},
	{"GSM twice, 3 % lost", "tune", NO_NOISE, 0, 0, .gsm = true, .loss_pct = 3},
	{"u-law -25 dB, 5 % lost", "tune", NO_NOISE, 0, -25, .ulaw = true, .loss_pct = 5, .repeat = true},
	{"clean u-law", "test", NO_NOISE, 0, 3, .ulaw = true},
	{"pink 20 dB", "test", PINK, 20, -15},
	{"pink 10 dB", "test", PINK, 10, -3},
	{"babble 10 dB, GSM", "test", BABBLE, 10, -8, .gsm = true},
	{"car 5 dB, 2 % lost", "test", CAR, 5, -5, .loss_pct = 2},
	{"GSM -20 dB, 8 % lost", "test", NO_NOISE, 0, -20, .gsm = true, .loss_pct = 8, .repeat = true},
};

/* Normal numbers from a table: many are wanted. */
static double gauss(void)
{
	static float table[1 << 16];
	uint64_t r = rng_u64(&rng);

	if (table[0] == 0)
		for (unsigned i = 0; i < ARRAY_LEN(table); i++)
			table[i] = (float)(sqrt(-2 * log(rng_unit(&rng))) * cos(2 * M_PI * rng_unit(&rng)));
	return table[r >> 48];
}

/* One sample of unit power, about; @state: the noise's own. */
static double noise_at(enum noise kind, double state[8], unsigned i, const struct sound *const talk[3])
{
	double x = 0;

	switch (kind) {
	case WHITE:
		return gauss();
	case HUM: /* mains and harmonics */
		for (unsigned k = 1; k <= 7; k += 2)
			x += sin(2 * M_PI * 50 * k * i / 8000 + k) / k;
		return x * 1.2 + 0.2 * gauss();
	case PINK: /* P. Kellet's economy filter */
		x = gauss();
		state[0] = 0.99765 * state[0] + x * 0.0990460;
		state[1] = 0.96300 * state[1] + x * 0.2965164;
		state[2] = 0.57000 * state[2] + x * 1.0526913;
		return (state[0] + state[1] + state[2] + x * 0.1848) / 1.6;
	case CAR: /* most of it below 300 Hz */
		state[0] = 0.97 * state[0] + 0.24 * gauss();
		return state[0] + 0.1 * gauss();
	case BABBLE: /* three people, backwards */
		for (unsigned k = 0; k < 3; k++)
			x += talk[k]->pcm[talk[k]->n - 1 - i % talk[k]->n] / 3000.0;
		return x / 1.5;
	default:
		return 0;
	}
}

static double power_of(const int16_t *pcm, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / n;
}

static void through_gsm(int16_t *pcm, unsigned n)
{
	gsm0610_state_t *e = gsm0610_init(NULL, GSM0610_PACKING_NONE), *d = gsm0610_init(NULL, GSM0610_PACKING_NONE);
	uint8_t code[200];

	for (unsigned i = 0; i + 160 <= n; i += 160)
		(void)gsm0610_decode(d, pcm + i, code, gsm0610_encode(e, code, pcm + i, 160));
	(void)gsm0610_free(e);
	(void)gsm0610_free(d);
}

static void lose(int16_t *pcm, unsigned n, const struct line *l)
{
	for (unsigned i = 160; i + 160 <= n; i += 160)
		if (rng_below(&rng, 100) < l->loss_pct) {
			if (l->repeat)
				memcpy(pcm + i, pcm + i - 160, 320);
			else
				memset(pcm + i, 0, 320);
		}
}

static void disturb(int16_t *pcm, unsigned n, const struct line *l)
{
	double level = sqrt(power_of(pcm, n)) * pow(10, -l->snr_db / 20), gain = pow(10, l->gain_db / 20), state[8] = {0};
	const struct sound *talk[3];

	for (unsigned k = 0; k < 3; k++)
		do
			talk[k] = &sounds[rng_below(&rng, sounds_n)];
		while (strcmp(talk[k]->half, l->half) != 0);
	for (unsigned i = 0; i < n; i++) {
		double x = (pcm[i] + (l->noise ? level * noise_at(l->noise, state, i, talk) : 0)) * gain;

		pcm[i] = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
	}
	if (l->gsm)
		through_gsm(pcm, n);
	for (unsigned i = 0; i < n; i++)
		pcm[i] = l->ulaw ? ulaw_to_linear(linear_to_ulaw(pcm[i])) : alaw_to_linear(linear_to_alaw(pcm[i]));
	lose(pcm, n, l);
}

/* ---- listening ---- */

static double cpu_now(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

static struct hear_verdict listen(const struct hear_book *b, const int16_t *pcm, unsigned n)
{
	struct hear *h = hear_new(b);
	double begin = cpu_now();
	struct hear_verdict v;

	for (unsigned i = 0; i < n; i += 160)
		(void)hear_feed(h, &v, pcm + i, n - i < 160 ? n - i : 160);
	hear_verdict(h, &v);
	cpu_s += cpu_now() - begin;
	heard_s += n / 8000.0;
	hear_free(h);
	return v;
}

/* As it comes over a line: after a pause, every other time from somewhere in its first half, and then once more, as carriers do. */
static int16_t *on_line(const struct sound *s, const struct line *l, unsigned *n)
{
	unsigned from = rng_below(&rng, 2) ? (unsigned)rng_below(&rng, s->n / 2) : 0, before = (unsigned)rng_below(&rng, 16000);
	int16_t *pcm;

	*n = before + (s->n - from) + 4000 + s->n + 2000;
	pcm = xcalloc(*n, 2);
	memcpy(pcm + before, s->pcm + from, (s->n - from) * 2);
	memcpy(pcm + before + s->n - from + 4000, s->pcm, s->n * 2);
	disturb(pcm, *n, l);
	return pcm;
}

/* ---- confusion ---- */

#define COLUMNS 10 /* the classes, voice or music, tones, nothing */
static const char *const columns[COLUMNS] = {"empty", "suspended", "off", "unreachable", "busy", "noanswer", "assistant", "voice", "tone", "nothing"};
static unsigned matrix[16][COLUMNS];
static const char *rows[16];
static unsigned rows_n;

static unsigned column_of(const struct hear_verdict *v)
{
	if (v->kind == HEAR_TAUGHT)
		return (unsigned)v->class - 1;
	return v->kind == HEAR_VOICE || v->kind == HEAR_MUSIC ? 7 : v->kind == HEAR_NOTHING ? 9 : 8;
}

static void note(const char *row, const struct hear_verdict *v)
{
	unsigned i = 0;

	while (i < rows_n && strcmp(rows[i], row) != 0)
		i++;
	if (i == rows_n)
		rows[rows_n++] = row;
	matrix[i][column_of(v)]++;
}

static void show(const char *title)
{
	printf("\n%s\n%-24s", title, "");
	for (unsigned c = 0; c < COLUMNS; c++)
		printf("%12s", columns[c]);
	for (unsigned i = 0; i < rows_n; i++) {
		printf("\n%-24s", rows[i]);
		for (unsigned c = 0; c < COLUMNS; c++)
			printf("%12u", matrix[i][c]);
	}
	printf("\n");
	memset(matrix, 0, sizeof(matrix));
	rows_n = 0;
}

/* ---- the parts ---- */

static bool announcement(const struct sound *s)
{
	return hear_class_of(s->class) != HEAR_C_NONE;
}

/* All announcements of a half but one recording. */
static struct hear_book *book_of(const char *half, const struct sound *but)
{
	struct hear_taught t[SOUNDS_MAX];
	struct hear_book *b;
	size_t n = 0;

	for (unsigned i = 0; i < sounds_n; i++)
		if (announcement(&sounds[i]) && !strcmp(sounds[i].half, half) && &sounds[i] != but && sounds[i].print)
			t[n++] = (struct hear_taught){.id = i, .class = hear_class_of(sounds[i].class), .print = sounds[i].print};
	if (hear_book_new(&b, t, n))
		die("cannot make a book", half);
	return b;
}

/* Of the half's announcements heard over its lines: right, wrong (another class) and unknown ones, by line. */
static void taught(const char *half)
{
	struct hear_book *b = book_of(half, NULL);
	unsigned right[ARRAY_LEN(lines)] = {0}, wrong[ARRAY_LEN(lines)] = {0}, all[ARRAY_LEN(lines)] = {0};
	char title[128];
	double ms = 0;
	unsigned known = 0;

	for (unsigned l = 0; l < ARRAY_LEN(lines); l++)
		for (unsigned i = 0; i < sounds_n && !strcmp(lines[l].half, half); i++) {
			struct hear_verdict v;
			unsigned n;
			int16_t *pcm;

			if (!announcement(&sounds[i]) || strcmp(sounds[i].half, half) != 0)
				continue;
			pcm = on_line(&sounds[i], &lines[l], &n);
			v = listen(b, pcm, n);
			free(pcm);
			note(sounds[i].class, &v);
			all[l]++;
			if (v.kind == HEAR_TAUGHT && v.class == hear_class_of(sounds[i].class)) {
				right[l]++;
				known++;
				ms += v.at_ms;
			} else if (v.kind == HEAR_TAUGHT) {
				wrong[l]++;
			}
		}
	(void)snprintf(title, sizeof(title), "taught, %s: known after %.1f s on the average", half, known ? ms / known / 1000 : 0);
	show(title);
	for (unsigned l = 0; l < ARRAY_LEN(lines); l++)
		if (all[l])
			printf("line %s|%s: %u of %u known, %u wrong\n", half, lines[l].name, right[l], all[l], wrong[l]);
	for (unsigned l = 1; l < ARRAY_LEN(lines); l++) {
		right[0] += right[l];
		wrong[0] += wrong[l];
		all[0] += all[l];
	}
	printf("sum taught right=%u wrong=%u all=%u\n", right[0], wrong[0], all[0]);
	hear_book_free(b);
}

/* Two lines for each recording, another two for the next. */
static void untaught(const char *half)
{
	unsigned wrong = 0, all = 0, turn = 0;
	char title[64];

	for (unsigned i = 0; i < sounds_n; i++) {
		bool own = !strcmp(sounds[i].half, half);
		struct hear_book *b;

		if (!announcement(&sounds[i]))
			continue;
		b = book_of(half, own ? &sounds[i] : NULL);
		turn++;
		for (unsigned l = 0; l < ARRAY_LEN(lines); l++) {
			struct hear_verdict v;
			unsigned n;
			int16_t *pcm;

			if (strcmp(lines[l].half, half) != 0 || (l + turn) % 3)
				continue;
			pcm = on_line(&sounds[i], &lines[l], &n);
			v = listen(b, pcm, n);
			free(pcm);
			all++;
			wrong += v.kind == HEAR_TAUGHT && v.class != hear_class_of(sounds[i].class);
			note(own ? v.kind == HEAR_TAUGHT && v.class == hear_class_of(sounds[i].class) ? "own half, same class" : "own half" : "other half", &v);
			if (v.kind == HEAR_TAUGHT && v.class != hear_class_of(sounds[i].class))
				printf("  %s heard as %s at %d ms (offset %d, confidence %u) on %s\n", sounds[i].file, sounds[v.sample].file, v.at_ms, v.offset_ms, v.confidence, lines[l].name);
		}
		hear_book_free(b);
	}
	(void)snprintf(title, sizeof(title), "untaught, %s", half);
	show(title);
	printf("sum untaught wrong=%u all=%u\n", wrong, all);
}

/* A tune of its own for each seed: chords of plucked tones, with a beat. */
static int16_t *music(unsigned n, uint64_t seed)
{
	static const double scale[] = {1, 1.125, 1.25, 1.5, 1.6667, 2, 2.25, 2.5};
	struct rng r;
	double *x = xcalloc(n, sizeof(*x));
	int16_t *pcm = xcalloc(n, 2);
	unsigned beat;

	rng_init(&r, seed);
	beat = 1600 + (unsigned)rng_below(&r, 2400);
	for (unsigned at = 0; at < n; at += beat)
		for (unsigned k = 0; k < 3; k++) {
			double hz = 220 * scale[rng_below(&r, 8)] * (k ? 1 : 2), amp = 2500 + 1500 * rng_unit(&r);

			for (unsigned i = 0; at + i < n && i < 3 * beat; i++)
				for (unsigned h = 1; h < 5 && hz * h < 3400; h++)
					x[at + i] += amp / h * exp(-(double)i * h / 9000) * sin(2 * M_PI * hz * h * i / 8000);
		}
	for (unsigned i = 0; i < n; i++)
		pcm[i] = (int16_t)(x[i] > 32000 ? 32000 : x[i] < -32000 ? -32000 : x[i]);
	free(x);
	return pcm;
}

struct cadence {
	const char *name;
	double hz[2];
	int ms[8]; /* on, off, on, off ... repeated; 0 ends */
};

static const struct cadence cadences[] = {
	{"ringback CN", {450, 0}, {1000, 4000}},   {"ringback US", {440, 480}, {2000, 4000}}, {"ringback DE", {425, 0}, {1000, 4000}},
	{"ringback UK", {400, 450}, {400, 200, 400, 2000}}, {"ringback FR", {440, 0}, {1500, 3500}}, {"busy CN", {450, 0}, {350, 350}},
	{"busy US", {480, 620}, {500, 500}},       {"congestion CN", {450, 0}, {700, 700}},   {"congestion US", {480, 620}, {250, 250}},
	{"unobtainable CN", {450, 0}, {100, 100, 100, 100, 100, 100, 400, 400}},
};

static int16_t *cadence(const struct cadence *c, unsigned n, unsigned shift)
{
	int16_t *pcm = xcalloc(n, 2);
	unsigned k = 0, left = (unsigned)c->ms[0] * 8;

	for (unsigned i = 0; i < n + shift; i++) {
		if (!left) {
			k = k + 1 < 8 && c->ms[k + 1] ? k + 1 : 0;
			left = (unsigned)c->ms[k] * 8;
		}
		left--;
		if (i >= shift && k % 2 == 0)
			pcm[i - shift] = (int16_t)(5000 * sin(2 * M_PI * c->hz[0] * i / 8000) + (c->hz[1] > 0 ? 5000 * sin(2 * M_PI * c->hz[1] * i / 8000) : 0));
	}
	return pcm;
}

/* What neither is an announcement nor may be taken for one. */
struct sum {
	unsigned wrong, all, tones_right, tones;
};

static void other(struct sum *s, const struct hear_book *b, const char *row, int16_t *pcm, unsigned n)
{
	struct hear_verdict v = listen(b, pcm, n);

	free(pcm);
	note(row, &v);
	s->all++;
	s->wrong += v.kind == HEAR_TAUGHT;
}

static void other_tone(struct sum *s, const struct hear_book *b, const struct cadence *c, const struct line *l)
{
	unsigned n = 96000;
	int16_t *pcm = cadence(c, n, (unsigned)rng_below(&rng, 40000));
	size_t len = (size_t)(strchr(c->name, ' ') - c->name);
	struct hear_verdict v;
	const char *heard;

	disturb(pcm, n, l);
	v = listen(b, pcm, n);
	free(pcm);
	note("tone", &v);
	heard = hear_kind_name(v.kind);
	s->all++;
	s->wrong += v.kind == HEAR_TAUGHT;
	s->tones++;
	if (!strncmp(heard, c->name, len) && !heard[len])
		s->tones_right++;
	else
		printf("  %s heard as %s on %s\n", c->name, heard, l->name);
}

static void others(const char *half)
{
	struct hear_book *b = book_of(half, NULL);
	struct sum sum = {0};
	char title[64];

	for (unsigned l = 0; l < ARRAY_LEN(lines); l++) {
		if (strcmp(lines[l].half, half) != 0)
			continue;
		for (unsigned i = 0; i < sounds_n; i++) {
			unsigned n;
			int16_t *pcm;

			if (announcement(&sounds[i]) || strcmp(sounds[i].half, half) != 0)
				continue;
			pcm = on_line(&sounds[i], &lines[l], &n);
			other(&sum, b, sounds[i].class, pcm, n);
		}
		for (unsigned i = 0; i < 6; i++) {
			int16_t *pcm = music(80000, i + 1000 * (unsigned)half[1] + l);

			disturb(pcm, 80000, &lines[l]);
			other(&sum, b, "music", pcm, 80000);
		}
		for (unsigned i = 0; i < ARRAY_LEN(cadences); i++)
			other_tone(&sum, b, &cadences[i], &lines[l]);
	}
	(void)snprintf(title, sizeof(title), "others, %s", half);
	show(title);
	printf("sum others wrong=%u all=%u tones_right=%u tones=%u\n", sum.wrong, sum.all, sum.tones_right, sum.tones);
	hear_book_free(b);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage", "hear_listen FOLDER tune|test");
	rng_init(&rng, 1);
	load_all(argv[1]);
	taught(argv[2]);
	untaught(argv[2]);
	others(argv[2]);
	printf("\nlistening: %.0f s of sound, %.3f ms CPU a second\n", heard_s, 1000 * cpu_s / heard_s);
	return 0;
}
