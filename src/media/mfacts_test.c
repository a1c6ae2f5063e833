/* A recording made by hand: where who speaks is known to the window. */
#include "base/test.h"

#include <math.h>
#include <string.h>

#include "media/g711.h"
#include "media/mfacts.h"

#define MS 8 /* samples */

static uint8_t sound[2 * 60000 * MS];

static void quiet(void)
{
	memset(sound, ALAW_SILENCE, sizeof(sound));
}

/* A tone of 440 Hz on one side; its mean amount is 2/pi of @level. */
static void speak(unsigned side, int from_ms, int to_ms, double level)
{
	g711_tables();
	for (int i = from_ms * MS; i < to_ms * MS; i++)
		sound[2 * i + side] = alaw_of((int16_t)lrint(level * sin(2 * M_PI * 440 * i / 8000)));
}

/* In pieces of a length that no window has. */
static struct med_rec_facts facts(int ms)
{
	struct mfacts f = {0};
	struct med_rec_facts ret;

	for (int at = 0; at < ms * MS;) {
		int n = ms * MS - at < 997 ? ms * MS - at : 997;

		mfacts_put(&f, sound + 2 * at, (size_t)n);
		at += n;
	}
	mfacts_end(&ret, &f);
	return ret;
}

TEST(facts_say_who_spoke_how_long_and_how_long_nobody_did)
{
	struct med_rec_facts f;

	quiet();
	speak(0, 1000, 5000, 8000);   /* the customer: 4 s */
	speak(1, 4000, 9000, 8000);   /* the agent: 5 s, of them one over the customer */
	speak(0, 21000, 22000, 8000); /* after twelve seconds of nothing */
	speak(1, 25000, 30000, 8000);
	f = facts(30000);
	assert_int_equal(f.left_ms, 5000);
	assert_int_equal(f.right_ms, 10000);
	assert_int_equal(f.over_ms, 1000);
	assert_int_equal(f.silence_ms, 12000);
	assert_int_equal(f.silence_at_ms, 9000);
}

TEST(a_breath_is_no_silence_and_a_longer_pause_is)
{
	struct med_rec_facts f;

	quiet();
	speak(0, 0, 1000, 8000);
	speak(0, 1400, 2000, 8000); /* 400 ms: the longest pause within speech */
	speak(1, 2420, 3000, 8000); /* the other side: 420 ms are silent */
	speak(1, 3420, 4000, 8000); /* and 420 ms of the same side end its speech, too */
	f = facts(4000);
	assert_int_equal(f.left_ms, 2000);
	assert_int_equal(f.right_ms, 1160);
	assert_int_equal(f.silence_ms, 420);
	assert_int_equal(f.silence_at_ms, 2000);
}

TEST(noise_of_a_line_is_silence_and_soft_speech_is_not)
{
	quiet();
	speak(0, 0, 2000, 150);  /* mean 95: -51 dB */
	assert_int_equal(facts(2000).left_ms, 0);
	assert_int_equal(facts(2000).silence_ms, 2000);
	speak(0, 0, 2000, 400); /* mean 255: -42 dB */
	assert_int_equal(facts(2000).left_ms, 2000);
	assert_int_equal(facts(2000).silence_ms, 0);
}

TEST(facts_of_short_and_empty_recordings)
{
	quiet();
	speak(1, 0, 1000, 8000);
	assert_int_equal(facts(0).silence_ms, 0);
	assert_int_equal(facts(9).right_ms, 0);    /* below half a window */
	assert_int_equal(facts(10).right_ms, 20);
	assert_int_equal(facts(200).right_ms, 200); /* all of it still waits at the end */
	assert_int_equal(facts(1000).right_ms, 1000);
	assert_int_equal(facts(1100).silence_ms, 100);
	assert_int_equal(facts(1100).silence_at_ms, 1000);
}
