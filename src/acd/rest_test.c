/* Slots for breaks, in virtual time: a small floor whose people go and come, and what is decided with which numbers. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "acd/rest.h"
#include "base/base.h"

enum { A = 1, B, C, D, PEOPLE };
enum where { OUT, READY, BUSY, AWAY };

struct floor {
	struct rest r;
	enum where at[PEOPLE];
	int64_t team[PEOPLE];
	int32_t max, keep;       /* of each team; of queue 70, which all serve */
	char said[512];
};

static bool view(struct rest_view *v, int64_t id, void *arg)
{
	const struct floor *f = arg;

	*v = (struct rest_view){.team_id = f->team[id], .max = f->max, .there = f->at[id] == READY || f->at[id] == BUSY, .ready = f->at[id] == READY, .busy = f->at[id] == BUSY};
	for (int i = A; i < PEOPLE; i++)
		v->away += f->at[i] == AWAY && f->team[i] == f->team[id];
	if (f->keep) {
		v->queues[v->queue_n++] = (struct rest_queue){.id = 70, .keep = f->keep};
		for (int i = A; i < PEOPLE; i++)
			v->queues[0].ready += f->at[i] == READY;
	}
	return true;
}

static void emit(const struct rest_out *out, void *arg)
{
	struct floor *f = arg;
	size_t n = strlen(f->said);

	(void)snprintf(f->said + n, sizeof(f->said) - n, "%s%c:%s:%s", n ? " " : "", 'A' + (int)out->agent_id - 1, rest_what_name(out->what), out->why);
}

static void begin(struct floor *f, int32_t max, int32_t keep)
{
	*f = (struct floor){.max = max, .keep = keep, .r = {.view = view, .emit = emit, .arg = f}};
	for (int i = A; i < PEOPLE; i++) {
		f->at[i] = READY;
		f->team[i] = 1;
	}
}

static void goes(struct floor *f, int id, int64_t now)
{
	if (rest_ask(&f->r, id, "lunch", now))
		f->at[id] = AWAY;
}

static void said(struct floor *f, const char *want)
{
	assert_string_equal(f->said, want);
	f->said[0] = '\0';
}

TEST(who_finds_no_slot_waits_and_is_told_when_it_is_his)
{
	struct floor f;

	begin(&f, 1, 0);
	goes(&f, A, 1000);
	goes(&f, B, 2000);
	goes(&f, C, 3000);
	goes(&f, B, 3500); /* again: no second place */
	said(&f, "A:granted:free B:waits:team C:waits:team");
	rest_step(&f.r, 4000);
	said(&f, "");
	f.at[A] = READY;
	rest_step(&f.r, 5000);
	said(&f, "B:turn:free");
	assert_int_equal(rest_find(&f.r, B)->turn_ms, 5000 + REST_TURN_MS);
	goes(&f, D, 6000); /* the slot is kept for B */
	said(&f, "D:waits:team");
	goes(&f, B, 7000);
	said(&f, "B:granted:turn");
	assert_int_equal(f.at[B], AWAY);
	f.at[B] = READY;
	rest_step(&f.r, 8000);
	said(&f, "C:turn:free");
	assert_int_equal(f.r.n, 2);
}

TEST(a_slot_that_is_not_taken_goes_to_the_next_but_not_while_he_talks)
{
	struct floor f;

	begin(&f, 1, 0);
	goes(&f, A, 0);
	goes(&f, B, 1);
	goes(&f, C, 2);
	f.at[A] = READY;
	rest_step(&f.r, 1000);
	f.said[0] = '\0';
	f.at[B] = BUSY;
	rest_step(&f.r, 1000 + REST_TURN_MS);
	said(&f, "");
	f.at[B] = READY;
	rest_step(&f.r, 1000 + 2 * REST_TURN_MS);
	said(&f, "B:lapsed:late C:turn:free");
	rest_cancel(&f.r, C);
	said(&f, "C:cancelled:asked");
	assert_int_equal(f.r.n, 0);
}

TEST(a_queue_keeps_its_ready_ones_and_others_are_not_held_up)
{
	struct floor f;

	begin(&f, 0, 3); /* four are ready, three are kept */
	goes(&f, A, 0);
	goes(&f, B, 1);
	said(&f, "A:granted:free B:waits:queue");
	f.at[C] = BUSY; /* who is in a call makes the queue no shorter */
	goes(&f, C, 2);
	said(&f, "C:granted:free");
	f.at[A] = READY;
	f.at[C] = READY;
	rest_step(&f.r, 3);
	said(&f, "B:turn:free");
	goes(&f, D, 4); /* B counts as gone already */
	said(&f, "D:waits:queue");
	goes(&f, B, 5);
	said(&f, "B:granted:turn");
}

TEST(who_signs_out_or_is_sent_away_leaves_the_line_and_teams_do_not_share_slots)
{
	struct floor f;

	begin(&f, 1, 0);
	f.team[C] = f.team[D] = 2;
	goes(&f, A, 0);
	goes(&f, B, 1);
	goes(&f, C, 2);
	said(&f, "A:granted:free B:waits:team C:granted:free");
	f.at[B] = OUT;
	rest_step(&f.r, 3);
	said(&f, "B:gone:away");
	assert_int_equal(f.r.n, 0);
}

/* Whatever happens in whatever order: never more away than there are slots, and a queue never falls below what it keeps by a break. */
TEST(a_thousand_random_steps_never_grant_too_much)
{
	uint64_t x = 88172645463325252ull; /* xorshift64, Marsaglia 2003 */

	for (int round = 0; round < 20; round++) {
		struct floor f;

		begin(&f, 1 + round % 3, round % 4);
		for (int64_t now = 0; now < 50000; now += 1000) {
			int id, away = 0, ready = 0, before[PEOPLE];

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			id = A + (int)(x % 4);
			memcpy(before, f.at, sizeof(before));
			if (f.at[id] == AWAY)
				f.at[id] = READY;
			else if (x & 16)
				goes(&f, id, now * 40);
			else if (f.at[id] == READY)
				f.at[id] = BUSY;
			else
				f.at[id] = READY;
			rest_step(&f.r, now * 40);
			for (int i = A; i < PEOPLE; i++) {
				away += f.at[i] == AWAY;
				ready += f.at[i] == READY;
			}
			assert_true(away <= f.max);
			if (strstr(f.said, "granted:free")) /* what was promised by a turn is kept, whoever has begun a call since */
				assert_true(before[id] != READY || ready >= f.keep);
			f.said[0] = '\0';
		}
	}
}
