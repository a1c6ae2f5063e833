#include "media/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/embed.h"
#include "media/g711.h"

#define FILES_MAX 1000 /* sounds read from files, kept for ever: what the administrator uploads */

extern struct embed_file embed_prompts[];
extern const size_t embed_prompts_n;

struct entry {
	struct sound sound;
	char *name;
	uint8_t *data;
	struct timespec mtime; /* of a file */
	struct entry *older;   /* replaced while it may still be playing */
};

struct prompts {
	struct hmap by_name; /* name -> struct entry; owned */
	struct entry tone[MED_TONES];
	size_t files;
};

/* ---- WAV ---- */

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

enum { WAV_PCM = 1, WAV_ALAW = 6 };

struct wav {
	const uint8_t *data;
	size_t size;
	int format; /* 0: no fmt chunk yet */
};

/* True when it is a format we play. */
static bool wav_format(struct wav *w, const uint8_t *p, size_t n)
{
	uint16_t tag, bits;

	if (n < 16)
		return false;
	tag = le16(p);
	bits = le16(p + 14);
	if (le16(p + 2) != 1 || le32(p + 4) != 8000)
		return false;
	if (!(tag == WAV_PCM && bits == 16) && !(tag == WAV_ALAW && bits == 8))
		return false;
	w->format = tag;
	return true;
}

static int wav_open(struct wav *w, const uint8_t *p, size_t size)
{
	size_t off = 12;

	*w = (struct wav){0};
	if (size < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
		return -EINVAL;
	while (size - off >= 8) {
		size_t n = le32(p + off + 4), room = size - off - 8;

		if (!memcmp(p + off, "data", 4)) {
			w->data = p + off + 8;
			w->size = n < room ? n : room; /* a header left open says 0xffffffff or too much */
			return w->format ? 0 : -EINVAL;
		}
		if (n > room)
			return -EINVAL;
		if (!memcmp(p + off, "fmt ", 4) && !wav_format(w, p + off + 8, n))
			return -EINVAL;
		n += n & 1;
		if (n > room)
			return -EINVAL;
		off += 8 + n;
	}
	return -EINVAL;
}

int mprompt_wav(uint8_t **ret, size_t *n, const uint8_t *data, size_t size)
{
	struct wav w;
	uint8_t *out;
	size_t samples;
	int r = wav_open(&w, data, size);

	if (r)
		return r;
	g711_tables();
	samples = w.format == WAV_PCM ? w.size / 2 : w.size;
	if (!samples)
		return -EINVAL;
	if (samples > SOUND_MAX)
		return -E2BIG;
	out = malloc(samples);
	if (!out)
		return -ENOMEM;
	if (w.format == WAV_ALAW)
		memcpy(out, w.data, samples);
	else
		for (size_t i = 0; i < samples; i++)
			out[i] = alaw_of((int16_t)le16(w.data + 2 * i));
	*ret = out;
	*n = samples;
	return 0;
}

/* ---- tones ---- */

struct tone_part {
	int hz, ms; /* 0 Hz: silence */
};

/* Level about -10 dBm0; a ramp of 5 ms at both ends, so that nothing clicks. */
static void tone_make(struct entry *e, const struct tone_part *part, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)part[i].ms * 8;
	e->data = xcalloc(1, len);
	e->sound = (struct sound){e->data, len};
	for (size_t i = 0, at = 0; i < n; i++) {
		size_t m = (size_t)part[i].ms * 8;

		for (size_t k = 0; k < m; k++) {
			double ramp = k < 40 ? (double)k / 40 : m - k < 40 ? (double)(m - k) / 40 : 1;
			double v = part[i].hz ? 10000 * ramp * sin(2 * M_PI * part[i].hz * (double)k / 8000) : 0;

			e->data[at++] = alaw_of((int16_t)v);
		}
	}
}

static void tones_make(struct prompts *p)
{
	static const struct tone_part ring[] = {{450, 1000}, {0, 4000}}, busy[] = {{450, 350}, {0, 350}},
				      congestion[] = {{450, 700}, {0, 700}}, beep[] = {{1000, 80}}, silence[] = {{0, 1000}};

	tone_make(&p->tone[MED_TONE_RINGBACK], ring, 2);
	tone_make(&p->tone[MED_TONE_BUSY], busy, 2);
	tone_make(&p->tone[MED_TONE_CONGESTION], congestion, 2);
	tone_make(&p->tone[MED_TONE_BEEP], beep, 1);
	tone_make(&p->tone[MED_TONE_SILENCE], silence, 1);
}

const struct sound *mprompt_tone(struct prompts *p, enum med_tone tone)
{
	return &p->tone[tone].sound;
}

/* ---- the store ---- */

static void entry_free(struct entry *e)
{
	while (e) {
		struct entry *older = e->older;

		free(e->name);
		free(e->data);
		free(e);
		e = older;
	}
}

static struct entry *entry_add(struct prompts *p, const char *name, size_t name_len, uint8_t *data, size_t n)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->name = xstrndup(name, name_len);
	e->data = data;
	e->sound = (struct sound){data, n};
	e->older = hmap_set_str(&p->by_name, e->name, e);
	return e;
}

static int load_embedded(struct prompts *p)
{
	for (size_t i = 0; i < embed_prompts_n; i++) {
		const struct embed_file *f = &embed_prompts[i];
		const char *dot = strrchr(f->name, '.');
		uint8_t *data;
		size_t n;
		int r = mprompt_wav(&data, &n, f->data, f->size);

		if (r) {
			log_error("embedded prompt is no WAV file name=%s", f->name);
			return r;
		}
		(void)entry_add(p, f->name, dot ? (size_t)(dot - f->name) : strlen(f->name), data, n);
	}
	return 0;
}

int mprompt_new(struct prompts **ret)
{
	struct prompts *p = xcalloc(1, sizeof(*p));
	int r;

	g711_tables();
	hmap_init(&p->by_name, true);
	tones_make(p);
	r = load_embedded(p);
	if (r) {
		mprompt_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void mprompt_free(struct prompts *p)
{
	size_t pos = 0;
	struct entry *e;

	if (!p)
		return;
	while ((e = hmap_next(&p->by_name, &pos))) {
		(void)hmap_del_str(&p->by_name, e->name);
		entry_free(e);
	}
	hmap_done(&p->by_name);
	for (size_t i = 0; i < ARRAY_LEN(p->tone); i++)
		free(p->tone[i].data);
	free(p);
}

static int read_whole(uint8_t **ret, size_t *size, const char *path, struct timespec *mtime)
{
	struct stat st;
	uint8_t *buf;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_size > (off_t)SOUND_MAX * 2 + 65536)
		r = -E2BIG;
	if (r) {
		(void)close(fd);
		return r;
	}
	buf = xcalloc(1, (size_t)st.st_size + 1);
	n = read(fd, buf, (size_t)st.st_size);
	(void)close(fd);
	*ret = buf;
	*size = n > 0 ? (size_t)n : 0;
	*mtime = st.st_mtim;
	return 0;
}

static int get_file(struct entry **ret, struct prompts *p, const char *path)
{
	struct entry *e = hmap_get_str(&p->by_name, path);
	struct timespec mtime;
	struct stat st;
	uint8_t *file = NULL, *data;
	size_t size = 0, n;
	int r;

	if (stat(path, &st))
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : -errno;
	if (e && e->mtime.tv_sec == st.st_mtim.tv_sec && e->mtime.tv_nsec == st.st_mtim.tv_nsec) {
		*ret = e;
		return 0;
	}
	if (p->files >= FILES_MAX)
		return -ENFILE;
	r = read_whole(&file, &size, path, &mtime);
	if (r)
		return r;
	r = mprompt_wav(&data, &n, file, size);
	free(file);
	if (r)
		return r;
	e = entry_add(p, path, strlen(path), data, n);
	e->mtime = mtime;
	p->files++;
	*ret = e;
	return 0;
}

int mprompt_get(const struct sound **ret, struct prompts *p, const char *name)
{
	struct entry *e = NULL;
	int r = 0;

	if (name[0] == '/')
		r = get_file(&e, p, name);
	else
		e = hmap_get_str(&p->by_name, name);
	if (r)
		return r;
	if (!e)
		return -ENOENT;
	*ret = &e->sound;
	return 0;
}

static const char **names;
static size_t names_n;

static void names_make(void)
{
	names = xcalloc(embed_prompts_n + 1, sizeof(*names));
	for (size_t i = 0; i < embed_prompts_n; i++) {
		const char *name = embed_prompts[i].name, *dot = strrchr(name, '.');

		names[names_n++] = xstrndup(name, dot ? (size_t)(dot - name) : strlen(name));
	}
}

size_t med_prompt_names(const char *const **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, names_make);
	*ret = names;
	return names_n;
}
