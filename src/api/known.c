/*
 * Who asked lately, for the minutes in which the database server is away: agents go on pressing their buttons. The database is asked
 * first, always; what is kept here is used only when it cannot answer, and forgotten when anybody's rights change.
 */
#include "api/api_int.h"

#define SLOTS 4096
#define KEPT_MS (60LL * 60 * 1000)

struct slot {
	uint8_t hash[32];
	struct known k;
	int64_t seen_ms; /* mono; 0: empty */
};

struct known_sessions {
	pthread_mutex_t lock;
	struct slot *slots; /* by the hash's first bytes: a session pushes out another */
};

struct known_sessions *known_new(void)
{
	struct known_sessions *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	s->slots = xcalloc(SLOTS, sizeof(*s->slots));
	return s;
}

void known_free(struct known_sessions *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->slots);
	free(s);
}

static struct slot *slot_of(struct known_sessions *s, const uint8_t hash[32])
{
	return &s->slots[(hash[0] | hash[1] << 8) % SLOTS];
}

void known_put(struct known_sessions *s, const uint8_t hash[32], const struct known *k)
{
	struct slot *sl = slot_of(s, hash);

	pthread_mutex_lock(&s->lock);
	memcpy(sl->hash, hash, 32);
	sl->k = *k;
	sl->seen_ms = clock_mono_ms();
	pthread_mutex_unlock(&s->lock);
}

bool known_get(struct known_sessions *s, const uint8_t hash[32], struct known *ret)
{
	const struct slot *sl = slot_of(s, hash);
	bool there;

	pthread_mutex_lock(&s->lock);
	there = sl->seen_ms && clock_mono_ms() - sl->seen_ms < KEPT_MS && !memcmp(sl->hash, hash, 32);
	if (there)
		*ret = sl->k;
	pthread_mutex_unlock(&s->lock);
	return there;
}

void known_forget(struct known_sessions *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SLOTS; i++)
		s->slots[i].seen_ms = 0;
	pthread_mutex_unlock(&s->lock);
}
