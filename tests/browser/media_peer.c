/*
 * One browser's leg for tests/browser/webrtc_media.mjs. Lines on standard input, answers and events on standard output;
 * descriptions are one line with "\n" written as "|".
 *
 *   offer SDP -> answer SDP     call -> offer SDP     answered SDP -> ok
 *   record PATH, stop           quit
 *
 * The leg hears a tone of 1000 Hz from the start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "loop/loop.h"
#include "media/media.h"

static struct media *m;
static med_leg leg;

static void say(const char *what, const char *sdp)
{
	printf("%s ", what);
	for (const char *p = sdp; *p; p++)
		if (*p != '\r')
			(void)putchar(*p == '\n' ? '|' : *p);
	(void)putchar('\n');
}

static void on_event(const struct med_event *ev, void *arg)
{
	static const char *const names[] = {
		[MED_EV_FIRST_RTP] = "first-rtp", [MED_EV_SECURE] = "secure", [MED_EV_SECURE_FAILED] = "secure-failed",
		[MED_EV_PLAYED] = "played", [MED_EV_SILENT] = "silent", [MED_EV_AUDIO_BACK] = "audio-back", [MED_EV_TROUBLE] = "trouble",
		[MED_EV_POOR] = "poor", [MED_EV_REC_CLOSED] = "rec-closed", [MED_EV_REC_FAILED] = "rec-failed",
	};

	if (ev->type == MED_EV_DIGIT)
		printf("event digit %c\n", ev->digit);
	else if (ev->type == MED_EV_STATS)
		printf("event stats rx=%u lost=%u dropped=%u tx=%u rtt=%.2f mos=%.2f\n", ev->stats.rx_packets, ev->stats.rx_lost,
		       ev->stats.rx_dropped, ev->stats.tx_packets, (double)ev->stats.rtt_ms, (double)ev->stats.mos);
	else
		printf("event %s\n", names[ev->type]);
}

static char *unfold(char *s)
{
	for (char *p = s; *p; p++)
		if (*p == '|')
			*p = '\n';
	return s;
}

static void tone(void)
{
	static const char *const beep[] = {"beep"};

	if (med_play(m, leg, beep, 1, true))
		printf("error play\n");
}

static void command(char *s)
{
	char sdp[MED_SDP_MAX];
	int r = 0;

	if (!strncmp(s, "offer ", 6)) {
		(void)unfold(s + 6);
		r = med_leg_open(m, &leg, MED_PLAIN, 1);
		if (!r)
			r = med_leg_answer(m, leg, s + 6, strlen(s + 6), sdp, sizeof(sdp));
		if (!r)
			say("answer", sdp);
		tone();
	} else if (!strcmp(s, "call")) {
		r = med_leg_open(m, &leg, MED_WEBRTC, 1);
		if (!r)
			r = med_leg_offer(m, leg, sdp, sizeof(sdp));
		if (!r)
			say("offer", sdp);
		tone();
	} else if (!strncmp(s, "answered ", 9)) {
		(void)unfold(s + 9);
		r = med_leg_answered(m, leg, s + 9, strlen(s + 9));
		if (!r)
			printf("ok\n");
	} else if (!strncmp(s, "record ", 7)) {
		r = med_record(m, 1, leg, 0, s + 7);
	} else if (!strcmp(s, "stop")) {
		med_leg_close(m, leg);
	} else if (!strcmp(s, "quit")) {
		loop_stop();
	}
	if (r)
		printf("error %d\n", r);
}

static void readable(void *arg)
{
	static char line[16384];

	if (!fgets(line, sizeof(line), stdin)) {
		loop_stop();
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	command(line);
}

/* media_peer [ADDRESS] */
int main(int argc, char **argv)
{
	uint16_t port = (uint16_t)(29000 + getpid() % 9 * 100);
	struct media_conf c = {.bind = argc > 1 ? argv[1] : "127.0.0.1", .port_min = port, .port_max = (uint16_t)(port + 99)};

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (loop_process_init() || media_start(&m, &c, on_event, NULL) || loop_listen(0, readable, NULL))
		return 1;
	(void)loop_run();
	loop_unlisten(0);
	media_stop(m);
	loop_process_done();
	return 0;
}
