#include "base/test.h"

#include "sim/net.h"
#include "sim/net_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rem_g711.h>

TEST(numbers_of_the_carrier_behave_by_their_end)
{
	assert_int_equal(carrier_behaviour("13800000000"), CARRIER_BUSY);
	assert_int_equal(carrier_behaviour("13800000001"), CARRIER_NO_ANSWER);
	assert_int_equal(carrier_behaviour("13800000002"), CARRIER_EARLY_MEDIA);
	assert_int_equal(carrier_behaviour("13800000003"), CARRIER_UNKNOWN);
	assert_int_equal(carrier_behaviour("13800000004"), CARRIER_ANSWERS_AT_ONCE);
	assert_int_equal(carrier_behaviour("13800000005"), CARRIER_CONGESTED);
	assert_int_equal(carrier_behaviour("13800000010"), CARRIER_ANSWERS);
	assert_int_equal(carrier_behaviour("0"), CARRIER_ANSWERS);
	assert_int_equal(carrier_behaviour(""), CARRIER_ANSWERS);
}

static int loudness(const uint8_t *frame)
{
	long sum = 0;

	for (int i = 0; i < NET_FRAME; i++)
		sum += abs(g711_alaw2pcm(frame[i]));
	return (int)(sum / NET_FRAME);
}

/* Ten minutes of two speakers who hear each other at once: both speak, they pause, and seldom both at a time. */
TEST(two_speakers_take_turns)
{
	struct voices *v = voices_new(2, 7);
	struct speaker a, b;
	uint8_t fa[NET_FRAME], fb[NET_FRAME];
	bool a_loud = false, b_loud = false;
	unsigned a_n = 0, b_n = 0, both = 0, none = 0, frames = 30000;

	speaker_init(&a, v, 0, 1);
	speaker_init(&b, v, 1, 2);
	for (unsigned i = 0; i < frames; i++) {
		bool heard_b = b_loud;

		speaker_frame(&a, heard_b, fa);
		speaker_frame(&b, a_loud, fb);
		a_loud = loudness(fa) > 200;
		b_loud = loudness(fb) > 200;
		a_n += a_loud;
		b_n += b_loud;
		both += a_loud && b_loud;
		none += !a_loud && !b_loud;
	}
	assert_in_range(a_n, frames / 5, frames * 3 / 5);
	assert_in_range(b_n, frames / 5, frames * 3 / 5);
	assert_in_range(none, frames / 20, frames / 2);
	assert_true(both < frames / 10);
	voices_free(v);
}

TEST(voices_are_the_same_for_the_same_seed_and_differ_otherwise)
{
	struct voices *v1 = voices_new(1, 7), *v2 = voices_new(1, 7), *v3 = voices_new(1, 8);
	struct speaker s[3];
	uint8_t f[3][NET_FRAME];
	bool differ = false;

	speaker_init(&s[0], v1, 0, 5);
	speaker_init(&s[1], v2, 0, 5);
	speaker_init(&s[2], v3, 0, 5);
	for (int i = 0; i < 500; i++) {
		for (int k = 0; k < 3; k++)
			speaker_frame(&s[k], false, f[k]);
		assert_memory_equal(f[0], f[1], NET_FRAME);
		differ |= memcmp(f[0], f[2], NET_FRAME) != 0;
	}
	assert_true(differ);
	voices_free(v1);
	voices_free(v2);
	voices_free(v3);
}

/* The command in a process of its own: fds and signals are its. Answers what it printed (free it) or NULL for nothing. */
static char *run(int *code, char **argv)
{
	char *text = calloc(1, 20000);
	int fd[2], argc = 0, status;
	size_t n;
	FILE *f;
	pid_t pid;

	while (argv[argc])
		argc++;
	assert_int_equal(pipe(fd), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		log_set_level(LOG_L_ERROR);
		status = sim_net_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	close(fd[1]);
	f = fdopen(fd[0], "r");
	n = fread(text, 1, 19999, f);
	fclose(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (n)
		return text;
	free(text);
	return NULL;
}

/* "part":{... "name":N: libre's headers and jansson's do not go together, so by hand. -1: not there. */
static long figure(const char *text, const char *part, const char *name)
{
	char key[40];
	const char *p;

	(void)snprintf(key, sizeof(key), "\"%s\":{", part);
	p = strstr(text, key);
	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	p = p ? strstr(p, key) : NULL;
	return p ? strtol(p + strlen(key), NULL, 10) : -1;
}

/* The network calls itself: its carrier is the system under test. */
static char *call_itself(const char *port, const char *number, const char *calls)
{
	char at[32];
	int code;
	char *j;

	(void)snprintf(at, sizeof(at), "127.0.7.3:%s", port);
	j = run(&code, (char *[]){"net", "--server", at, "--carrier", at, "--number", (char *)number, "--calls", (char *)calls,
				  "--per-hour", "36000", "--talk", "1", "--talks-at-answer", "--seconds", "15", "--seed", "3", NULL});
	assert_int_equal(code, 0);
	assert_non_null(j);
	return j;
}

TEST(calls_are_answered_talked_and_ended_with_sound_both_ways)
{
	char *j = call_itself("47061", "4001004", "10");

	assert_int_equal(figure(j, "callers", "placed"), 10);
	assert_int_equal(figure(j, "callers", "talked"), 10);
	assert_int_equal(figure(j, "carrier", "answered"), 10);
	assert_int_equal(figure(j, "callers", "silent"), 0);
	assert_int_equal(figure(j, "callers", "refused"), 0);
	assert_true(figure(j, "rtp", "received") > 200);
	/* What was still on its way when a party ended is not received; nothing else is missing. */
	assert_true(figure(j, "rtp", "sent") - figure(j, "rtp", "received") < 40);
	free(j);
}

/* Who calls sixteen people of a city: some answer, some do not, some do not exist; nobody is forgotten. */
TEST(a_city_is_called)
{
	char *argv[64] = {"net", "--server", "127.0.7.3:7066", "--carrier", "127.0.7.3:7066", "--calls", "30", "--per-hour", "36000", "--city", "0.8", "--hour",
			  "10", "--faster", "20", "--talk", "10", "--talks-at-answer", "--patience", "600", "--seconds", "60", "--seed", "4"};
	char numbers[16][16];
	int code, n = 0;
	long answered, refused;
	char *j;

	while (argv[n])
		n++;
	for (int i = 0; i < 16; i++) {
		(void)snprintf(numbers[i], sizeof(numbers[i]), "1390000%04d", i * 7);
		argv[n++] = "--number";
		argv[n++] = numbers[i];
	}
	j = run(&code, argv);
	assert_int_equal(code, 0);
	answered = figure(j, "carrier", "answered");
	refused = figure(j, "carrier", "refused");
	assert_int_equal(figure(j, "carrier", "calls"), 30);
	assert_true(answered >= 5 && refused >= 3);
	assert_int_equal(figure(j, "callers", "answered"), answered);
	assert_int_equal(figure(j, "callers", "refused"), refused);
	assert_int_equal(answered + refused, 30);
	free(j);
}

TEST(only_who_is_shown_the_citys_number_reaches_it)
{
	int code;
	char *j = run(&code, (char *[]){"net", "--server", "127.0.7.3:7067", "--carrier", "127.0.7.3:7067", "--number", "4001000", "--calls", "5", "--per-hour", "36000",
					"--city", "0.8", "--city-shown", "057188880104", "--city-shown", "057188880105", "--seconds", "15", NULL});

	assert_int_equal(code, 0);
	assert_int_equal(figure(j, "codes", "486"), 5); /* by the number's end */
	free(j);
}

/* Callers dial the telephones directly: 5 offers, each refused, left ringing or answered; a busy one says so. */
TEST(a_telephone_answers_and_a_busy_one_refuses)
{
	int code;
	char *j = run(&code, (char *[]){"net", "--server", "127.0.7.4:47065", "--carrier", "127.0.7.3:47064", "--phones-at", "127.0.7.4:47065",
					"--any-phone", "--number", "8002", "--calls", "6", "--per-hour", "36000", "--answer-min", "0.1",
					"--answer-max", "0.1", "--ring-out", "0", "--refuse", "0", "--hangs-up", "1", "--talk", "2", "--seconds",
					"30", NULL});

	assert_int_equal(code, 0);
	assert_int_equal(figure(j, "callers", "placed"), 6);
	assert_int_equal(figure(j, "callers", "answered"), figure(j, "phones", "answered"));
	assert_true(figure(j, "phones", "answered") >= 1);
	assert_true(figure(j, "codes", "486") >= 1);
	assert_int_equal(figure(j, "callers", "answered") + figure(j, "callers", "refused"), 6);
	free(j);
}

TEST(a_busy_number_is_counted_by_its_code)
{
	char *j = call_itself("47062", "4001000", "5");

	assert_int_equal(figure(j, "callers", "refused"), 5);
	assert_int_equal(figure(j, "callers", "answered"), 0);
	assert_int_equal(figure(j, "codes", "486"), 5);
	free(j);
}

TEST(a_caller_gives_up_where_nobody_answers)
{
	int code;
	char *j = run(&code, (char *[]){"net", "--server", "127.0.7.3:47063", "--carrier", "127.0.7.3:47063", "--number", "4001001",
					  "--calls", "2", "--per-hour", "36000", "--patience", "0", "--seconds", "15", NULL});

	assert_int_equal(code, 0);
	assert_int_equal(figure(j, "callers", "gave_up"), 2);
	assert_int_equal(figure(j, "carrier", "unanswered"), 2);
	assert_int_equal(figure(j, "callers", "talked"), 0);
	free(j);
}

TEST(a_wrong_option_is_refused)
{
	int code;

	assert_null(run(&code, (char *[]){"net", "--per-hour", "many", NULL}));
	assert_int_equal(code, 2);
	assert_null(run(&code, (char *[]){"net", "--nonsense", NULL}));
	assert_int_equal(code, 2);
	assert_null(run(&code, (char *[]){"net", "--seed", NULL}));
	assert_int_equal(code, 2);
}
