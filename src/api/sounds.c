/*
 * What carriers say: announcements that people teach, and what was heard on calls out.
 *
 *   WAV, or a kept file --> samples --> print --> call_sounds --> struct hear_book --> the switch, and its media
 *   leg.heard (folded into leg_heard) --> list, player --> "this is 空号": a word on that one, or taught from it
 *
 * The book is made anew whenever the configuration has changed and other sounds count than before; what ships with the program is in it.
 */
#include "api/api_int.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hear/hear.h"
#include "hear/wav.h"
#include "people/sound.h"
#include "resource/resource.h"

#define NAME_MAX_BYTES 240
#define NOTE_MAX_BYTES 800
#define PAGE_MAX 200
#define KEPT_FILES 2000              /* the newest; 96 kB each at most */
#define KEPT_MS (60 * 86400000LL)
#define SWEEP_MS 600000
#define WAV_HEAD 58

struct sounds {
	pthread_mutex_t lock;
	struct snap *book;   /* of struct hear_book: what was given to the switch last */
	int64_t count, revs, newest; /* of the rows it was made from */
	int64_t swept_ms;
};

struct sounds *sounds_new(void)
{
	struct sounds *s = xcalloc(1, sizeof(*s));

	(void)pthread_mutex_init(&s->lock, NULL);
	s->count = -1;
	return s;
}

void sounds_free(struct sounds *s)
{
	if (!s)
		return;
	snap_unref(s->book);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- the book ---- */

static void book_free(void *b)
{
	hear_book_free(b);
}

/* What is taught in the database. @t has room for HEAR_TAUGHT_MAX less what ships. Prints are the caller's to free. */
static int read_taught(struct hear_taught *t, size_t *n, size_t max, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db,
			   "SELECT s.id, s.class, d.print FROM call_sounds s JOIN call_sound_data d ON d.sound_id = s.id"
			   " WHERE s.centre_id = $1 AND s.active <> 0 ORDER BY s.id DESC LIMIT $2");

	if (r)
		return r;
	db_bind_i64(st, 1, centre_id);
	db_bind_i64(st, 2, (int64_t)max);
	while ((r = db_step(st)) == DB_ROW && *n < max) {
		struct hear_print *p;
		size_t size;
		const void *bytes = db_blob(st, 2, &size);

		if (hear_print_read(&p, bytes, size)) {
			log_warn("a taught sound cannot be read sound=%lld, it is left out", (long long)db_i64(st, 0));
			continue;
		}
		t[(*n)++] = (struct hear_taught){.id = db_i64(st, 0), .class = hear_class_of(db_text(st, 1)), .print = p};
	}
	db_done(st);
	return r < 0 ? r : 0;
}

static int make_book(struct snap **ret, struct api *a, struct db *db)
{
	struct hear_taught *t = xcalloc(HEAR_TAUGHT_MAX, sizeof(*t));
	size_t ready = a->conf.ready_n, n = 0;
	struct hear_book *b;
	int r = read_taught(t, &n, HEAR_TAUGHT_MAX - ready, db, a->conf.centre_id);

	for (size_t i = 0; i < ready; i++)
		t[n + i] = a->conf.ready[i];
	if (!r)
		r = hear_book_new(&b, t, n + ready);
	if (!r)
		*ret = snap_new(b, book_free);
	for (size_t i = 0; i < n; i++)
		hear_print_free((struct hear_print *)(uintptr_t)t[i].print);
	free(t);
	return r;
}

static bool changed(struct sounds *s, struct db *db, int64_t centre_id)
{
	struct db_stmt *st;
	int64_t count = -1, revs = 0, newest = 0;
	bool r;

	if (db_prepare(&st, db, "SELECT COUNT(*), COALESCE(SUM(rev), 0), COALESCE(MAX(id), 0) FROM call_sounds WHERE centre_id = $1 AND active <> 0"))
		return false;
	db_bind_i64(st, 1, centre_id);
	if (db_step(st) == DB_ROW) {
		count = db_i64(st, 0);
		revs = db_i64(st, 1);
		newest = db_i64(st, 2);
	}
	db_done(st);
	r = count >= 0 && (count != s->count || revs != s->revs || newest != s->newest);
	if (r) {
		s->count = count;
		s->revs = revs;
		s->newest = newest;
	}
	return r;
}

void sounds_refresh(struct api *a, struct db *db)
{
	struct sounds *s = a->sounds;
	struct snap *book = NULL;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (changed(s, db, a->conf.centre_id)) {
		r = make_book(&book, a, db);
		if (!r) {
			snap_unref(s->book);
			s->book = book;
			if (a->sw && sw_hear_book(a->sw, snap_ref(book)))
				snap_unref(book);
		} else {
			s->count = -1; /* once more, the next time */
		}
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (r)
		log_error("taught sounds do not load error=%d, the old ones stay", -r);
}

/* ---- samples ---- */

static uint8_t alaw_of(int16_t v)
{
	unsigned a = v < 0 ? (unsigned)-(v + 1) : (unsigned)v, e = 0;

	/* ITU-T G.711 table 1a: eight segments, the first two alike; even bits inverted. */
	for (a >>= 4; a > 31; a >>= 1)
		e++;
	a = a > 15 ? (e + 1) << 4 | (a & 15) : a;
	return (uint8_t)((v < 0 ? a : a | 0x80) ^ 0x55);
}

/* A file of A-law, 8 kHz, mono. In the request's memory. */
static void put_le(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint8_t *wav_of(struct arena *arena, const uint8_t *alaw, size_t n)
{
	uint8_t *p = arena_alloc(arena, WAV_HEAD + n);

	memcpy(p, "RIFF....WAVEfmt ", 16);
	put_le(p + 4, (uint32_t)(WAV_HEAD - 8 + n), 4);
	put_le(p + 16, 18, 4);
	put_le(p + 20, 6, 2);
	put_le(p + 22, 1, 2);
	put_le(p + 24, HEAR_HZ, 4);
	put_le(p + 28, HEAR_HZ, 4);
	put_le(p + 32, 1, 2);
	put_le(p + 34, 8, 2);
	memcpy(p + 38, "fact\4\0\0", 8);
	put_le(p + 46, (uint32_t)n, 4);
	memcpy(p + 50, "data", 4);
	put_le(p + 54, (uint32_t)n, 4);
	memcpy(p + WAV_HEAD, alaw, n);
	return p;
}

/* ---- teaching ---- */

struct lesson {
	struct ask *k;
	struct people_sound s;
	int16_t *pcm;
	size_t n;
	struct hear_print *print;
	int64_t leg_id;     /* what it was heard on; 0: it was brought */
	struct res_error e;
	json_t *row;
};

static void lesson_done(struct lesson *l)
{
	free(l->pcm);
	hear_print_free(l->print);
	res_error_done(&l->e);
}

static bool may_teach(struct ask *k)
{
	if (res_may(&k->who, res_find("call_sounds"), RES_WRITE))
		return true;
	api_refuse(k, "forbidden", NULL, NULL);
	return false;
}

/* What it means and what it is called; false after refusing. */
static bool lesson_words(struct lesson *l, const char *name, const char *class, const char *note)
{
	json_t *bad = json_object();

	if (!name || !*name || strlen(name) > NAME_MAX_BYTES)
		(void)json_object_set_new(bad, "name", json_string(name && *name ? "range" : "required"));
	if (!class || hear_class_of(class) == HEAR_C_NONE)
		(void)json_object_set_new(bad, "class", json_string(class && *class ? "enum" : "required"));
	if (note && strlen(note) > NOTE_MAX_BYTES)
		(void)json_object_set_new(bad, "note", json_string("range"));
	if (json_object_size(bad)) {
		api_refuse(l->k, "invalid", bad, NULL);
		return false;
	}
	json_decref(bad);
	l->s.name = name;
	l->s.class = class;
	l->s.note = note && *note ? note : NULL;
	return true;
}

/* The sound in a file, and its print; false after refusing. */
static bool lesson_sound(struct lesson *l, const void *wav, size_t size)
{
	static const char *const codes[] = {[HEAR_WAV_NONE] = "wav_none", [HEAR_WAV_CODEC] = "wav_codec", [HEAR_WAV_RATE] = "wav_rate",
					    [HEAR_WAV_LONG] = "sound_long", [HEAR_WAV_EMPTY] = "sound_silent"};
	enum hear_wav w = hear_wav_read(&l->pcm, &l->n, wav, size);
	int r;

	if (w) {
		api_refuse(l->k, codes[w], NULL, NULL);
		return false;
	}
	r = hear_print_new(&l->print, l->pcm, l->n);
	if (r) {
		api_refuse(l->k, r == -ENODATA ? "sound_silent" : l->n > HEAR_SOUND_MS_MAX * (HEAR_HZ / 1000) ? "sound_long" : "sound_short", NULL, NULL);
		return false;
	}
	return true;
}

/* The name of a taught sound, in the request's memory; NULL: there is none. */
static const char *sound_name(struct ask *k, int64_t id)
{
	const char *name = NULL;
	struct db_stmt *st;

	for (size_t i = 0; i < k->api->conf.ready_n; i++)
		if (k->api->conf.ready[i].id == id)
			return k->api->conf.ready_names[i];
	if (id <= 0 || db_prepare(&st, k->db, "SELECT name FROM call_sounds WHERE id = $1 AND centre_id = $2"))
		return NULL;
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	if (db_step(st) == DB_ROW)
		name = arena_strdup(k->arena, db_text(st, 0));
	db_done(st);
	return name;
}

/* Nothing is taught twice: what it is taken for by now, as a leg would. True after refusing. */
static bool lesson_known(struct lesson *l)
{
	static const int16_t quiet[HEAR_HZ];
	struct sounds *s = l->k->api->sounds;
	struct snap *book = NULL;
	struct hear_verdict v;
	struct hear *h;

	(void)pthread_mutex_lock(&s->lock);
	if (s->book)
		book = snap_ref(s->book);
	(void)pthread_mutex_unlock(&s->lock);
	if (!book)
		return false;
	h = hear_new(snap_data(book));
	(void)hear_feed(h, &v, l->pcm, (unsigned)l->n);
	(void)hear_feed(h, &v, quiet, HEAR_HZ);
	hear_verdict(h, &v);
	hear_free(h);
	snap_unref(book);
	if (v.kind != HEAR_TAUGHT)
		return false;
	api_refuse(l->k, "sound_known", NULL, sound_name(l->k, v.sample));
	return true;
}

static int lesson_job(struct db *db, void *arg)
{
	struct lesson *l = arg;
	struct res_ctx c = {.db = db, .who = &l->k->who, .error = &l->e, .now_ms = l->k->now_ms};
	int r = people_sound_new(&l->row, &c, &l->s);

	if (!r && l->leg_id)
		r = db_run(db, "UPDATE leg_heard SET said = $1, said_by = $2, said_ms = $3 WHERE leg_id = $4 AND stage = 'early'", "tiii", l->s.class,
			   l->k->who.user_id, l->k->now_ms, l->leg_id);
	res_ctx_done(&c);
	return r;
}

static void lesson_teach(struct lesson *l)
{
	uint8_t *alaw = arena_alloc(l->k->arena, l->n), *print = arena_alloc(l->k->arena, hear_print_size(l->print));
	int r;

	for (size_t i = 0; i < l->n; i++)
		alaw[i] = alaw_of(l->pcm[i]);
	hear_print_write(l->print, print);
	l->s.length_ms = hear_print_ms(l->print);
	l->s.print = print;
	l->s.print_n = hear_print_size(l->print);
	l->s.alaw = alaw;
	l->s.alaw_n = l->n;
	r = db_writer_call(l->k->api->conf.writer, DB_BUSINESS, lesson_job, l);
	if (r) {
		api_refuse_res(l->k, r, "call_sounds", &l->e);
		return;
	}
	api_conf_changed(l->k->api, l->k->db);
	api_ok(l->k, 201, l->row);
}

void sounds_upload(struct ask *k)
{
	struct lesson l = {.k = k, .s = {.source = "upload"}};
	size_t size;
	const char *wav = http_body(k->rq, &size);

	if (may_teach(k) && lesson_words(&l, http_query(k->rq, "name"), http_query(k->rq, "class"), http_query(k->rq, "note")) &&
	    lesson_sound(&l, wav, size) && !lesson_known(&l))
		lesson_teach(&l);
	lesson_done(&l);
}

void sounds_audio(struct ask *k)
{
	struct db_stmt *st;
	size_t n = 0;
	int64_t id;
	int r;

	if (!api_path_id(k, &id))
		return;
	if (!res_may(&k->who, res_find("call_sounds"), RES_READ)) {
		api_refuse(k, "forbidden", NULL, NULL);
		return;
	}
	r = db_prepare(&st, k->db, "SELECT alaw FROM call_sound_data WHERE sound_id = $1 AND centre_id = $2");
	if (r) {
		api_failed(k, "sound", r);
		return;
	}
	db_bind_i64(st, 1, id);
	db_bind_i64(st, 2, k->who.centre_id);
	if (db_step(st) == DB_ROW) {
		const uint8_t *alaw = db_blob(st, 0, &n);

		http_set_header(k->rq, "Cache-Control", "private, max-age=0");
		http_reply(k->rq, 200, "audio/wav", wav_of(k->arena, alaw, n), WAV_HEAD + n);
	} else {
		api_refuse(k, "not_found", NULL, NULL);
	}
	db_done(st);
}

/* ---- what was heard ---- */

#define HEARD_COLS                                                                                                     \
	"SELECT h.leg_id, h.stage, h.call_id, h.campaign_id, h.trunk_id, t.name, h.at_ms, h.kind, h.class, h.confidence, h.sample_id, s.name,"  \
	" h.offset_ms, h.heard_ms, h.file, h.kept_ms, h.said, u.name, h.said_ms FROM leg_heard h LEFT JOIN trunks t ON t.id = h.trunk_id" \
	" LEFT JOIN call_sounds s ON s.id = h.sample_id LEFT JOIN users u ON u.id = h.said_by WHERE h.centre_id = $1"

/* What of it; the index each is served by. */
static const struct {
	const char *what, *sql;
} lists[] = {
	/* leg_heard_open */
	{"open", HEARD_COLS " AND (h.at_ms, h.leg_id) < ($2, $3) AND h.file IS NOT NULL AND h.said IS NULL AND h.kind <> 'taught'"
			    " ORDER BY h.at_ms DESC, h.leg_id DESC LIMIT $4"},
	/* leg_heard_time */
	{"known", HEARD_COLS " AND (h.at_ms, h.leg_id) < ($2, $3) AND h.kind NOT IN ('voice', 'music') ORDER BY h.at_ms DESC, h.leg_id DESC LIMIT $4"},
	{"said", HEARD_COLS " AND (h.at_ms, h.leg_id) < ($2, $3) AND h.said IS NOT NULL ORDER BY h.at_ms DESC, h.leg_id DESC LIMIT $4"},
	{"all", HEARD_COLS " AND (h.at_ms, h.leg_id) < ($2, $3) ORDER BY h.at_ms DESC, h.leg_id DESC LIMIT $4"},
};

static void put_id(struct jw *w, const char *name, const struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, name);
	else
		jw_id(w, name, db_i64(st, col));
}

static void put_int(struct jw *w, const char *name, const struct db_stmt *st, int col)
{
	if (db_is_null(st, col))
		jw_null(w, name);
	else
		jw_int(w, name, db_i64(st, col));
}

static void put_heard(struct ask *k, struct jw *w, const struct db_stmt *st)
{
	jw_obj(w, NULL);
	jw_id(w, "leg_id", db_i64(st, 0));
	jw_str(w, "stage", db_text(st, 1));
	jw_id(w, "call_id", db_i64(st, 2));
	put_id(w, "campaign_id", st, 3);
	put_id(w, "trunk_id", st, 4);
	jw_str(w, "trunk", db_text(st, 5));
	jw_int(w, "at_ms", db_i64(st, 6));
	jw_str(w, "kind", db_text(st, 7));
	jw_str(w, "class", db_text(st, 8));
	put_int(w, "confidence", st, 9);
	put_id(w, "sample_id", st, 10);
	jw_str(w, "sample", db_is_null(st, 11) ? sound_name(k, db_i64(st, 10)) : db_text(st, 11));
	put_int(w, "offset_ms", st, 12);
	put_int(w, "heard_ms", st, 13);
	jw_bool(w, "kept", !db_is_null(st, 14));
	put_int(w, "kept_ms", st, 15);
	jw_str(w, "said", db_text(st, 16));
	jw_str(w, "said_by", db_text(st, 17));
	put_int(w, "said_ms", st, 18);
	jw_end_obj(w);
}

static const char *list_of(const char *what)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (!strcmp(what ? what : "open", lists[i].what))
			return lists[i].sql;
	return NULL;
}

static bool may_read(struct ask *k)
{
	if (res_may(&k->who, res_find("call_sounds"), RES_READ))
		return true;
	api_refuse(k, "forbidden", NULL, NULL);
	return false;
}

void heard_list(struct ask *k)
{
	int64_t limit, before_ms, before_leg;
	const char *sql = list_of(http_query(k->rq, "what"));
	struct db_stmt *st;
	struct strb b;
	struct jw w;
	int r;

	if (!may_read(k) || !api_query_int(k, "limit", &limit, 1, PAGE_MAX, 50) || !api_query_int(k, "before_ms", &before_ms, 0, INT64_MAX, INT64_MAX) ||
	    !api_query_int(k, "before_leg", &before_leg, 0, INT64_MAX, INT64_MAX))
		return;
	if (!sql) {
		api_refuse(k, "bad_query", NULL, NULL);
		return;
	}
	r = db_prepare(&st, k->db, sql);
	if (r) {
		api_failed(k, "heard", r);
		return;
	}
	db_bind_i64(st, 1, k->who.centre_id);
	db_bind_i64(st, 2, before_ms);
	db_bind_i64(st, 3, before_leg);
	db_bind_i64(st, 4, limit);
	strb_init(&b, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_arr(&w, "items");
	while ((r = db_step(st)) == DB_ROW)
		put_heard(k, &w, st);
	db_done(st);
	jw_end_arr(&w);
	jw_end_obj(&w);
	if (r)
		api_failed(k, "heard", r);
	else
		api_ok_text(k, &b);
	strb_done(&b);
}

/* The kept file of a leg; NULL after refusing. In the request's memory. */
static const char *heard_file(struct ask *k, int64_t leg_id)
{
	const char *file = NULL;
	struct db_stmt *st;
	int r = db_prepare(&st, k->db, "SELECT file FROM leg_heard WHERE leg_id = $1 AND stage = 'early' AND centre_id = $2");

	if (r) {
		api_failed(k, "heard", r);
		return NULL;
	}
	db_bind_i64(st, 1, leg_id);
	db_bind_i64(st, 2, k->who.centre_id);
	r = db_step(st);
	if (r == DB_ROW && !db_is_null(st, 0))
		file = arena_printf(k->arena, "%s/%s", k->api->conf.heard_dir ? k->api->conf.heard_dir : "", db_text(st, 0));
	db_done(st);
	if (!file)
		api_refuse(k, r == DB_ROW ? "no_recording" : "not_found", NULL, NULL);
	return file;
}

void heard_audio(struct ask *k)
{
	const char *file;
	int64_t id;

	if (!api_path_id(k, &id) || !may_read(k) || !(file = heard_file(k, id)))
		return;
	http_set_header(k->rq, "Cache-Control", "private, max-age=0");
	http_reply_file(k->rq, file, "audio/wav", NULL);
}

static char *read_file(struct arena *arena, const char *path, size_t *n)
{
	FILE *f = fopen(path, "rbe");
	char *p = arena_alloc(arena, 1 << 20);

	*n = f ? fread(p, 1, 1 << 20, f) : 0;
	if (f)
		(void)fclose(f);
	return f ? p : NULL;
}

void heard_teach(struct ask *k)
{
	struct lesson l = {.k = k, .s = {.source = "heard"}};
	json_t *bad = NULL;
	const char *name, *class, *note, *file;
	size_t size;
	char *wav;

	if (!api_path_id(k, &l.leg_id) || !may_teach(k))
		return;
	name = api_text(k, "name", NAME_MAX_BYTES, true, &bad);
	class = api_text(k, "class", 32, true, &bad);
	note = api_text(k, "note", NOTE_MAX_BYTES, false, &bad);
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	if (!lesson_words(&l, name, class, note) || !(file = heard_file(k, l.leg_id)))
		return;
	wav = read_file(k->arena, file, &size);
	if (!wav)
		api_refuse(k, "no_recording", NULL, NULL);
	else if (lesson_sound(&l, wav, size) && !lesson_known(&l))
		lesson_teach(&l);
	lesson_done(&l);
}

/* ---- a person's word on one of them ---- */

struct word {
	struct ask *k;
	int64_t leg_id, changed;
	const char *said; /* NULL: taken back */
};

static int word_job(struct db *db, void *arg)
{
	struct word *w = arg;
	int r = db_run(db, "UPDATE leg_heard SET said = $1, said_by = $2, said_ms = $3 WHERE leg_id = $4 AND stage = 'early' AND centre_id = $5", "triii",
		       w->said, w->said ? w->k->who.user_id : 0, w->k->now_ms, w->leg_id, w->k->who.centre_id);

	w->changed = db_changes(db);
	return r;
}

void heard_said(struct ask *k)
{
	struct word w = {.k = k};
	json_t *bad = NULL;
	const char *class;
	int r;

	if (!api_path_id(k, &w.leg_id) || !may_teach(k))
		return;
	class = api_text(k, "class", 32, false, &bad);
	if (!bad && class && *class && strcmp(class, "none") != 0 && hear_class_of(class) == HEAR_C_NONE) {
		bad = json_object();
		(void)json_object_set_new(bad, "class", json_string("enum"));
	}
	if (bad) {
		api_refuse(k, "invalid", bad, NULL);
		return;
	}
	w.said = class && *class ? class : NULL;
	r = db_writer_call(k->api->conf.writer, DB_BUSINESS, word_job, &w);
	if (r)
		api_failed(k, "heard", r);
	else if (!w.changed)
		api_refuse(k, "not_found", NULL, NULL);
	else
		api_none(k);
}

/* ---- old files ---- */

struct sweep {
	int64_t before_ms; /* files from before this go */
	int64_t leg[64];
	char *file[64];
	size_t n;
};

/* What is too old, or more than KEPT_FILES. */
static int sweep_find(struct sweep *s, struct db *db)
{
	struct db_stmt *st;
	int64_t edge = 0;
	int r = db_get_i64(&edge, db, "SELECT at_ms FROM leg_heard WHERE file IS NOT NULL ORDER BY at_ms DESC LIMIT 1 OFFSET $1", "i", (int64_t)KEPT_FILES);

	if (r && r != -ENOENT)
		return r;
	if (!r && edge >= s->before_ms)
		s->before_ms = edge + 1;
	r = db_prepare(&st, db, "SELECT leg_id, file FROM leg_heard WHERE file IS NOT NULL AND at_ms < $1 ORDER BY at_ms LIMIT 64");
	if (r)
		return r;
	db_bind_i64(st, 1, s->before_ms);
	while ((r = db_step(st)) == DB_ROW && s->n < ARRAY_LEN(s->leg)) {
		s->leg[s->n] = db_i64(st, 0);
		s->file[s->n++] = xstrdup(db_text(st, 1));
	}
	db_done(st);
	return r < 0 ? r : 0;
}

/* Rows stay; they say that there is nothing to be heard any more. */
static int sweep_job(struct db *db, void *arg)
{
	struct sweep *s = arg;
	int r = 0;

	for (size_t i = 0; i < s->n && !r; i++)
		r = db_run(db, "UPDATE leg_heard SET file = NULL WHERE leg_id = $1 AND stage = 'early'", "i", s->leg[i]);
	return r;
}

/* The file first: a crash in between leaves a row without one, which is answered as such. */
void sounds_sweep(struct api *a)
{
	struct sounds *s = a->sounds;
	struct sweep w = {.before_ms = clock_utc_ms() - KEPT_MS};
	int64_t now = clock_mono_ms();
	struct db *db = api_db(a);

	if (!a->conf.heard_dir || !db || (s->swept_ms && now - s->swept_ms < SWEEP_MS))
		return;
	s->swept_ms = now;
	if (sweep_find(&w, db))
		return; /* later; whoever asks next says why */
	for (size_t i = 0; i < w.n; i++) {
		char *path = xasprintf("%s/%s", a->conf.heard_dir, w.file[i]);

		if (unlink(path) && errno != ENOENT)
			log_warn("a kept sound stays leg=%lld error=%d", (long long)w.leg[i], errno);
		free(path);
		free(w.file[i]);
	}
	if (w.n && !db_writer_call(a->conf.writer, DB_BUSINESS, sweep_job, &w) && w.n == ARRAY_LEN(w.leg))
		s->swept_ms = 0; /* more, at the next tick */
}
