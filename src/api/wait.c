/* A worker asks the switch and waits for its answer, but not for ever: who gives up leaves the question to the switch, which frees it. */
#include "api/api_int.h"

#define WAIT_S 3

struct api_wait {
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned refs; /* us and the switch */
	bool answered;
	enum sw_refusal refusal;
	int64_t call_id;
	char *json;
};

struct api_wait *api_wait_new(void)
{
	struct api_wait *w = xcalloc(1, sizeof(*w));

	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->done, NULL);
	w->refs = 2;
	return w;
}

static void unref(struct api_wait *w) /* locked */
{
	bool last = --w->refs == 0;

	(void)pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->done);
	free(w->json);
	free(w);
}

static void answered(struct api_wait *w, enum sw_refusal r, int64_t call_id, const char *json)
{
	(void)pthread_mutex_lock(&w->lock);
	w->answered = true;
	w->refusal = r;
	w->call_id = call_id;
	w->json = json ? xstrdup(json) : NULL;
	(void)pthread_cond_signal(&w->done);
	unref(w);
}

void api_wait_done(enum sw_refusal r, int64_t call_id, void *arg)
{
	answered(arg, r, call_id, NULL);
}

void api_wait_json(const char *json, void *arg)
{
	answered(arg, SW_OK, 0, json);
}

const char *api_wait_for(struct api_wait *w, int asked, int64_t *call_id, json_t **json)
{
	const char *code = asked ? "busy" : NULL;
	struct timespec at;

	(void)clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += WAIT_S;
	(void)pthread_mutex_lock(&w->lock);
	if (asked)
		w->refs--; /* no answer will come */
	while (!code && !w->answered)
		if (pthread_cond_timedwait(&w->done, &w->lock, &at) == ETIMEDOUT && !w->answered)
			code = "busy";
	if (!code && w->refusal != SW_OK)
		code = sw_refusal_name(w->refusal);
	if (!code && call_id)
		*call_id = w->call_id;
	if (!code && json)
		*json = w->json ? json_loads(w->json, 0, NULL) : NULL;
	unref(w);
	return code;
}
