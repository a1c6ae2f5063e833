/* What carriers say: taught, heard, corrected. Sounds are made here; how well they are known again is hear/'s matter. */
#include "api/fixture.h"

#include <unistd.h>

#include "db/db.h"
#include "hear/hear.h"
#include "hear/voice_test.h"
#include "people/people.h"
#include "resource/resource.h"

#define SECONDS 4
#define SAMPLES VOICE_S(SECONDS)

static uint8_t wav[44 + 2 * SAMPLES];

static void le(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* PCM16 at @rate; what it holds is for 8 kHz. */
static void head(unsigned tag, unsigned rate)
{
	memcpy(wav, "RIFF....WAVEfmt ", 16);
	le(wav + 4, sizeof(wav) - 8, 4);
	le(wav + 16, 16, 4);
	le(wav + 20, tag, 2);
	le(wav + 22, 1, 2);
	le(wav + 24, rate, 4);
	le(wav + 28, rate * 2, 4);
	le(wav + 32, 2, 2);
	le(wav + 34, 16, 2);
	memcpy(wav + 36, "data", 4);
	le(wav + 40, 2 * SAMPLES, 4);
}

static void voice(unsigned words)
{
	static int16_t pcm[SAMPLES];

	voice_say(pcm, SAMPLES, 1, words);
	for (unsigned i = 0; i < SAMPLES; i++)
		le(wav + 44 + 2 * i, (uint16_t)pcm[i], 2);
	head(1, 8000);
}

static const struct answer *upload(struct client *c, const char *query, size_t n)
{
	char *path = xasprintf("/call_sounds/upload?%s", query);
	const struct answer *a = ask_bytes(c, "POST", path, "Content-Type: audio/wav\r\n", wav, n);

	free(path);
	return a;
}

static void refused(struct client *c, const char *query, size_t n, int status, const char *code)
{
	const struct answer *a = upload(c, query, n);

	assert_int_equal(a->status, status);
	assert_text(json_object_get(a->json, "error"), "code", code);
}

/* What the switch's book makes of words @words. */
static struct hear_verdict heard_now(unsigned words)
{
	static int16_t pcm[SAMPLES + 8000];
	struct hear_verdict v;
	struct hear *h = hear_new(snap_data(sw_book));

	memset(pcm, 0, sizeof(pcm));
	voice_say(pcm, SAMPLES, 1, words);
	(void)hear_feed(h, &v, pcm, SAMPLES + 8000);
	hear_verdict(h, &v);
	hear_free(h);
	return v;
}

TEST(an_uploaded_announcement_is_known_from_then_on)
{
	struct hear_verdict v;
	struct client c;
	const struct answer *a;
	struct fix f;
	char *id, *path;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	voice(1);
	assert_int_equal(sw_books, 1); /* empty, at the start */
	a = upload(&c, "name=%E7%A9%BA%E5%8F%B7&class=empty&note=x", sizeof(wav));
	assert_int_equal(a->status, 201);
	assert_text(a->json, "name", "空号");
	assert_text(a->json, "source", "upload");
	assert_in_range(json_integer_value(json_object_get(a->json, "length_ms")), 3500, 4100);
	id = xstrdup(json_string_value(json_object_get(a->json, "id")));
	assert_int_equal(sw_books, 2);
	v = heard_now(1);
	assert_int_equal(v.kind, HEAR_TAUGHT);
	assert_int_equal(v.class, HEAR_C_EMPTY);
	assert_int_equal(v.sample, strtoll(id, NULL, 10));
	assert_int_equal(heard_now(2).kind, HEAR_VOICE);

	path = xasprintf("/call_sounds/%s/audio", id);
	a = ask(&c, "GET", path, NULL, NULL);
	assert_int_equal(a->status, 200);
	assert_non_null(strstr(a->head, "audio/wav"));
	free(path);

	path = xasprintf("/call_sounds/%s", id);
	a = ask(&c, "PATCH", path, "If-Match: 1\r\n", "{\"active\":false}");
	assert_int_equal(a->status, 200);
	assert_int_equal(heard_now(1).kind, HEAR_VOICE); /* as if nobody had taught it */
	a = ask(&c, "PATCH", path, "If-Match: 2\r\n", "{\"active\":true,\"class\":\"off\"}");
	assert_int_equal(a->status, 200);
	assert_int_equal(heard_now(1).class, HEAR_C_OFF);
	a = ask(&c, "DELETE", path, "If-Match: 3\r\n", NULL);
	assert_int_equal(a->status, 204);
	assert_int_equal(heard_now(1).kind, HEAR_VOICE);
	assert_int_equal(fix_get(&f, "SELECT count(*) FROM call_sound_data"), 0);
	free(path);
	free(id);
	fix_stop(&f);
}

TEST(what_cannot_be_taught_is_refused_with_its_reason)
{
	struct client c, agent;
	struct fix f;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	voice(1);
	refused(&c, "name=x", sizeof(wav), 422, "invalid");
	refused(&c, "name=x&class=answered", sizeof(wav), 422, "invalid");
	refused(&c, "class=off", sizeof(wav), 422, "invalid");
	refused(&c, "name=x&class=off", 20, 422, "wav_none");
	refused(&c, "name=x&class=off", 44 + 16000, 422, "sound_short");
	head(85, 8000); /* MP3 in a WAV file */
	refused(&c, "name=x&class=off", sizeof(wav), 422, "wav_codec");
	head(1, 96000);
	refused(&c, "name=x&class=off", sizeof(wav), 422, "wav_rate");
	memset(wav + 44, 0, 2 * SAMPLES);
	head(1, 8000);
	refused(&c, "name=x&class=off", sizeof(wav), 422, "sound_silent");
	voice(1);
	assert_int_equal(upload(&c, "name=x&class=off", sizeof(wav))->status, 201);
	refused(&c, "name=y&class=empty", sizeof(wav), 409, "sound_known");
	voice(2);
	refused(&c, "name=x&class=off", sizeof(wav), 422, "invalid"); /* the name is taken */
	agent = fix_login(&f, "agent", NULL);
	refused(&agent, "name=z&class=off", sizeof(wav), 403, "forbidden");
	(void)ask_for(&c, "POST", "/call_sounds", "{\"name\":\"z\",\"class\":\"off\"}", "403 forbidden"); /* without a sound */
	(void)ask_for(&agent, "GET", "/heard", NULL, "403 forbidden");
	fix_stop(&f);
}

/* A kept file of words @words, heard on leg @leg. */
static void hear_on_leg(struct fix *f, int64_t leg, unsigned words, const char *kind)
{
	char *path = xasprintf("%s/%lld.wav", f->conf.heard_dir, (long long)leg);
	char *sql = xasprintf("INSERT INTO leg_heard (leg_id, stage, centre_id, call_id, at_ms, kind, heard_ms, file, kept_ms)"
			      " VALUES (%lld, 'early', %lld, %lld, %lld, '%s', 3000, '%lld.wav', 4000)", (long long)leg, (long long)f->centre_id,
			      (long long)leg + 1, (long long)(1700000000000 + leg), kind, (long long)leg);
	FILE *w = fopen(path, "wb");

	voice(words);
	assert_non_null(w);
	assert_int_equal(fwrite(wav, 1, sizeof(wav), w), sizeof(wav));
	(void)fclose(w);
	fix_run(f, sql);
	free(sql);
	free(path);
}

static size_t count_of(struct client *c, const char *what)
{
	char *path = xasprintf("/heard?what=%s", what);
	size_t n = json_array_size(json_object_get(ask_for(c, "GET", path, NULL, "200"), "items"));

	free(path);
	return n;
}

TEST(what_was_heard_is_listed_played_judged_and_taught)
{
	struct client c;
	const json_t *items;
	struct fix f;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	for (unsigned i = 1; i <= 3; i++)
		hear_on_leg(&f, 10 * i, i, "voice");
	items = json_object_get(ask_for(&c, "GET", "/heard?limit=2", NULL, "200"), "items");
	assert_int_equal(json_array_size(items), 2);
	assert_text(json_array_get(items, 0), "leg_id", "30"); /* newest first */
	assert_text(json_array_get(items, 1), "leg_id", "20");
	items = json_object_get(ask_for(&c, "GET", "/heard?before_ms=1700000000020&before_leg=20", NULL, "200"), "items");
	assert_int_equal(json_array_size(items), 1);
	assert_int_equal(ask(&c, "GET", "/heard/10/audio", NULL, NULL)->status, 200);

	(void)ask_for(&c, "POST", "/heard/10/teach", "{\"name\":\"关机 1\",\"class\":\"off\"}", "201");
	assert_int_equal(heard_now(1).class, HEAR_C_OFF);
	assert_int_equal(fix_get(&f, "SELECT count(*) FROM call_sounds WHERE source = 'heard'"), 1);
	(void)ask_for(&c, "POST", "/heard/20/said", "{\"class\":\"none\"}", "204");
	(void)ask_for(&c, "POST", "/heard/20/said", "{\"class\":\"answered\"}", "422 invalid");
	assert_int_equal(count_of(&c, "open"), 1);
	assert_int_equal(count_of(&c, "said"), 2);
	assert_int_equal(count_of(&c, "all"), 3);
	(void)ask_for(&c, "POST", "/heard/20/said", "{\"class\":null}", "204"); /* taken back */
	assert_int_equal(count_of(&c, "open"), 2);

	(void)ask_for(&c, "POST", "/heard/11/said", "{\"class\":\"off\"}", "404 not_found");
	(void)ask_for(&c, "POST", "/heard/11/teach", "{\"name\":\"x\",\"class\":\"off\"}", "404 not_found");
	(void)ask_for(&c, "GET", "/heard?what=more", NULL, "400 bad_query");
	fix_run(&f, "UPDATE leg_heard SET file = NULL WHERE leg_id = 30");
	(void)ask_for(&c, "POST", "/heard/30/teach", "{\"name\":\"x\",\"class\":\"off\"}", "404 no_recording");
	fix_stop(&f);
}

TEST(old_files_go_and_their_rows_stay)
{
	struct fix f;
	char *path;

	fix_start(&f, true);
	hear_on_leg(&f, 10, 1, "voice"); /* in 2023 */
	path = xasprintf("%s/10.wav", f.conf.heard_dir);
	assert_int_equal(access(path, F_OK), 0);
	sounds_sweep(f.api);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(fix_get(&f, "SELECT count(*) FROM leg_heard WHERE file IS NULL"), 1);
	free(path);
	fix_stop(&f);
}

TEST(classes_of_rows_are_those_that_are_heard)
{
	const struct res_def *d = res_find("call_sounds");
	const struct res_option *o = d->fields[res_field_find(d, "class")].options;
	unsigned n = 0;

	for (; o[n].value; n++)
		assert_int_not_equal(hear_class_of(o[n].value), HEAR_C_NONE);
	assert_int_equal(n, HEAR_CLASSES - 1);
}
