/*
 * The announcements among the program's prompts (prompts/zh.txt, line-<class>) are what the simulated city's carrier plays. Real carriers have
 * voices of their own, which people teach.
 */
#include "app/ready_sounds.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "hear/hear.h"
#include "media/g711.h"
#include "media/media.h"
#include "media/prompt.h"

#define READY_MAX 32
#define MARK "/line-"

static struct hear_taught taught[READY_MAX];
static const char *named[READY_MAX];
static size_t ready_n;

static void add(struct prompts *p, const char *name, enum hear_class class)
{
	const struct sound *s;
	struct hear_print *print;
	int16_t *pcm;

	if (ready_n == READY_MAX || mprompt_get(&s, p, name))
		return;
	pcm = xcalloc(s->n, sizeof(*pcm));
	for (size_t i = 0; i < s->n; i++)
		pcm[i] = alaw_to_pcm(s->alaw[i]);
	if (!hear_print_new(&print, pcm, s->n)) {
		taught[ready_n] = (struct hear_taught){.id = (int64_t)ready_n + 1, .class = class, .print = print};
		named[ready_n++] = name;
	}
	free(pcm);
}

static void make(void)
{
	const char *const *all;
	size_t n = med_prompt_names(&all);
	struct prompts *p;

	if (mprompt_new(&p))
		return;
	for (size_t i = 0; i < n; i++) {
		const char *mark = strstr(all[i], MARK);
		enum hear_class class = mark ? hear_class_of(mark + strlen(MARK)) : HEAR_C_NONE;

		if (class != HEAR_C_NONE)
			add(p, all[i], class);
	}
	mprompt_free(p);
}

size_t ready_sounds(const struct hear_taught **ret, const char *const **names)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make);
	*ret = taught;
	*names = named;
	return ready_n;
}
