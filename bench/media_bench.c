/*
 * What media costs alone: N bridged calls on loopback with bench/rtpload as the telephones.
 *
 *   media_bench bare|relay|record CALLS SECONDS LOG_A LOG_B [DIR]
 *   rtpload -o OUT -t SECONDS+3 -a 127.0.0.3,30000,LOG_A -a 127.0.0.2,40000,LOG_B
 *
 * "bare" is the yardstick: one thread, epoll, recvfrom, sendto, no more. Prints one JSON object: CPU-s a call-minute of
 * the steady window (user and system), resident memory a call.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "loop/loop.h"
#include "media/media.h"

static const char *mode;
static unsigned calls, seconds;
static FILE *log_a, *log_b;

static double cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long rss_kb(void)
{
	long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kb;
}

static void report(double cpu, double wall, long kb)
{
	printf("{\"mode\":\"%s\",\"calls\":%u,\"window_s\":%.2f,\"cpu_pct\":%.1f,\"cpu_s_per_call_minute\":%.4f,\"rss_kb_per_call\":%.1f}\n",
	       mode, calls, wall, 100 * cpu / wall, cpu / wall * 60 / calls, (double)kb / calls);
	(void)fflush(stdout);
}

/* ---- bare ---- */

static struct bare {
	int fd;
	struct bare *peer;
	struct sockaddr_in to;
} *bare;

static void bare_open(struct bare *b, unsigned port, const char *ip, unsigned to_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	b->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (bind(b->fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("bind");
		exit(1);
	}
	b->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)to_port)};
	(void)inet_pton(AF_INET, ip, &b->to.sin_addr);
}

static void bare_run(void)
{
	int ep = epoll_create1(0);
	struct epoll_event ev[256];
	int64_t t0 = clock_mono_us(), steady = 0;
	double cpu0 = 0;
	uint8_t buf[2048];

	bare = xcalloc(calls * 2, sizeof(*bare));
	for (unsigned i = 0; i < calls * 2; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &bare[i]};

		bare_open(&bare[i], 20000 + i * 2, i & 1 ? "127.0.0.2" : "127.0.0.3", (i & 1 ? 40000 : 30000) + i / 2 * 4);
		bare[i].peer = &bare[i ^ 1];
		(void)epoll_ctl(ep, EPOLL_CTL_ADD, bare[i].fd, &e);
		fprintf(i & 1 ? log_b : log_a, "S %u 127.0.0.1 %u\n", i / 2 + 1, 20000 + i * 2);
	}
	(void)fflush(log_a);
	(void)fflush(log_b);
	for (;;) {
		int n = epoll_wait(ep, ev, 256, 100);
		int64_t now = clock_mono_us();

		if (!steady && now - t0 > 2000000) {
			steady = now;
			cpu0 = cpu_s();
		}
		if (steady && now - steady > (int64_t)seconds * 1000000) {
			report(cpu_s() - cpu0, (double)(now - steady) / 1e6, rss_kb());
			return;
		}
		for (int i = 0; i < n; i++) {
			struct bare *b = ev[i].data.ptr;
			struct sockaddr_in from;
			socklen_t len = sizeof(from);
			ssize_t r = recvfrom(b->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

			if (r > 0)
				(void)sendto(b->peer->fd, buf, (size_t)r, MSG_DONTWAIT, (struct sockaddr *)&b->peer->to, sizeof(b->to));
		}
	}
}

/* ---- ours ---- */

static struct media *m;

static void on_event(const struct med_event *ev, void *arg)
{
}

static med_leg leg(unsigned call, const char *ip, unsigned port, FILE *log)
{
	char offer[512], answer[MED_SDP_MAX];
	unsigned ours;
	med_leg l;
	int n = snprintf(offer, sizeof(offer), "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 8\r\n",
			 ip, ip, port);

	if (med_leg_open(m, &l, MED_PLAIN, call) || med_leg_answer(m, l, offer, (size_t)n, answer, sizeof(answer)) ||
	    sscanf(strstr(answer, "m=audio "), "m=audio %u", &ours) != 1)
		exit(1);
	fprintf(log, "S %u 127.0.0.1 %u\n", call, ours);
	return l;
}

static double cpu0;
static int64_t steady;
static long rss0;

static void end(void *arg)
{
	report(cpu_s() - cpu0, (double)(clock_mono_us() - steady) / 1e6, rss_kb() - rss0);
	loop_stop();
}

static void begin(void *arg)
{
	static struct ltimer t;

	steady = clock_mono_us();
	cpu0 = cpu_s();
	ltimer_set(&t, (int64_t)seconds * 1000, end, NULL);
}

static void ours_run(const char *dir)
{
	struct media_conf c = {.bind = "127.0.0.1", .port_min = 20000, .port_max = 29999};
	struct ltimer t = {0};
	char path[256];

	if (loop_process_init() || media_start(&m, &c, on_event, NULL))
		exit(1);
	rss0 = rss_kb();
	for (unsigned i = 1; i <= calls; i++) {
		med_leg a = leg(i, "127.0.0.3", 30000 + (i - 1) * 4, log_a), b = leg(i, "127.0.0.2", 40000 + (i - 1) * 4, log_b);

		(void)med_bridge(m, a, b);
		(void)snprintf(path, sizeof(path), "%s/%u.wav", dir, i);
		if (!strcmp(mode, "record") && med_record(m, i, a, b, path))
			exit(1);
		if (i % 8 == 0)
			usleep(3000); /* spread over the half second, as calls are */
	}
	(void)fflush(log_a);
	(void)fflush(log_b);
	ltimer_set(&t, 2000, begin, NULL);
	(void)loop_run();
	media_stop(m);
	loop_process_done();
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: media_bench bare|relay|record CALLS SECONDS LOG_A LOG_B [DIR]\n");
		return 2;
	}
	mode = argv[1];
	calls = (unsigned)atoi(argv[2]);
	seconds = (unsigned)atoi(argv[3]);
	log_a = fopen(argv[4], "w");
	log_b = fopen(argv[5], "w");
	if (!log_a || !log_b || !calls)
		return 2;
	if (!strcmp(mode, "bare"))
		bare_run();
	else
		ours_run(argc > 6 ? argv[6] : "/tmp");
	return 0;
}
