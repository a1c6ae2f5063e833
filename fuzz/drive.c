/*
 * Drives one fuzz target without libFuzzer: every file of its corpus, then as many changed ones as asked for or ALL_S allow, the same each time.
 *
 *   fuzz_<name> RUNS KEPT FOLDER...     KEPT: the input at hand, which stays when the target ends the process
 *
 * What is not led by coverage finds less; `make fuzz` is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 64 << 10, FILES_MAX = 4096, ONE_S = 20, ALL_S = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seed {
	uint8_t *data;
	size_t len;
} seeds[FILES_MAX];
static size_t seed_n;
static uint8_t *kept; /* a length, then the input: a file that is there after a crash */
static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)(state >> 32) % below : 0;
}

static void load(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	char path[4096];

	while (d && (e = readdir(d)) && seed_n < FILES_MAX) {
		struct seed *s = &seeds[seed_n];
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || !(f = fopen(path, "rb")))
			continue;
		s->data = malloc(INPUT_MAX);
		if (s->data)
			s->len = fread(s->data, 1, INPUT_MAX, f), seed_n++;
		fclose(f);
	}
	if (d)
		closedir(d);
}

static int by_bytes(const void *a, const void *b)
{
	const struct seed *x = a, *y = b;

	return x->len != y->len ? (x->len < y->len ? -1 : 1) : memcmp(x->data, y->data, x->len);
}

/* One small change of @len bytes at @b, which hold INPUT_MAX. Answers the new length. */
static size_t change(uint8_t *b, size_t len)
{
	static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', '"', '\\', '\r', '\n', '%', ':', ';', '<', '{', '[', ' ', ','};
	const struct seed *other = &seeds[draw((uint32_t)seed_n)];
	size_t at = draw((uint32_t)len + 1), n = 1 + draw(draw(4) ? 8 : 256), from;

	switch (draw(7)) {
	case 0:
		if (at < len)
			b[at] ^= (uint8_t)(1u << draw(8));
		return len;
	case 1:
		if (at < len)
			b[at] = odd[draw(sizeof(odd))];
		return len;
	case 2: /* out */
		n = n < len - at ? n : len - at;
		memmove(b + at, b + at + n, len - at - n);
		return len - n;
	case 3: /* in: one byte several times */
		n = n < INPUT_MAX - len ? n : INPUT_MAX - len;
		memmove(b + at + n, b + at, len - at);
		memset(b + at, odd[draw(sizeof(odd))], n);
		return len + n;
	case 4: /* in: a piece of another */
		from = draw((uint32_t)other->len);
		n = n < other->len - from ? n : other->len - from;
		n = n < INPUT_MAX - len ? n : INPUT_MAX - len;
		memmove(b + at + n, b + at, len - at);
		if (n)
			memcpy(b + at, other->data + from, n);
		return len + n;
	case 5: /* over: a piece of its own */
		from = draw((uint32_t)len);
		n = n < len - from ? n : len - from;
		n = n < len - at ? n : len - at;
		memmove(b + at, b + from, n);
		return len;
	default:
		return at; /* the rest is missing */
	}
}

static void run(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1); /* so that a byte too far is seen */

	if (!exact)
		abort();
	memcpy(exact, data, len);
	memcpy(kept, &len, sizeof(len));
	memcpy(kept + sizeof(len), data, len);
	(void)alarm(ONE_S);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

int main(int argc, char **argv)
{
	static uint8_t input[INPUT_MAX];
	int fd = argc > 3 ? open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	size_t size = INPUT_MAX + sizeof(size_t);
	time_t began = time(NULL);
	long done = 0;

	if (fd < 0 || ftruncate(fd, (off_t)size)) {
		fprintf(stderr, "usage: %s RUNS KEPT FOLDER...\n", argv[0]);
		return 2;
	}
	kept = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (kept == MAP_FAILED)
		return 2;
	for (int i = 3; i < argc; i++)
		load(argv[i]);
	qsort(seeds, seed_n, sizeof(seeds[0]), by_bytes);
	for (size_t i = 0; i < seed_n; i++)
		run(seeds[i].data, seeds[i].len);
	if (!seed_n)
		seeds[seed_n++] = (struct seed){calloc(1, 1), 1};
	for (; done < atol(argv[1]) && time(NULL) < began + ALL_S; done++) {
		const struct seed *s = &seeds[draw((uint32_t)seed_n)];
		size_t len = s->len;

		memcpy(input, s->data, len);
		for (uint32_t k = 1 + draw(6); k; k--)
			len = change(input, len);
		run(input, len);
	}
	printf("%zu files, %ld changed ones\n", seed_n, done);
	(void)unlink(argv[2]);
	for (size_t i = 0; i < seed_n; i++)
		free(seeds[i].data);
	return 0;
}
