/*
 * Secrets that we must be able to say again, such as a carrier's password: sealed with a key that lies beside the data and in no
 * database, so that a copy of the database alone tells nothing. Lost with the key, they are entered anew.
 */
#include "people/declared.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define MARK "s1:"

static unsigned char key[crypto_secretbox_KEYBYTES];
static bool have_key;

static int key_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, key, sizeof(key));
	(void)close(fd);
	return n == (ssize_t)sizeof(key) ? 0 : -EINVAL;
}

/* Under another name first: a crash leaves no half a key, and of two starts at once one wins. */
static int key_make(const char *path)
{
	char *fresh = xasprintf("%s.%d", path, (int)getpid());
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r = 0;

	randombytes_buf(key, sizeof(key));
	if (fd < 0)
		r = -errno;
	else if (write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd))
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		(void)close(fd);
	if (!r && link(fresh, path) && errno != EEXIST)
		r = -errno;
	(void)unlink(fresh);
	free(fresh);
	return r ? r : key_read(path);
}

int people_secrets_open(const char *path)
{
	int r = key_read(path);

	if (r == -ENOENT)
		r = key_make(path);
	have_key = !r;
	return r;
}

char *people_seal(const char *plain)
{
	size_t len = strlen(plain), n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + len, size;
	unsigned char *box;
	char *text;

	if (!have_key)
		return NULL;
	box = xcalloc(1, n);
	randombytes_buf(box, crypto_secretbox_NONCEBYTES);
	(void)crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const unsigned char *)plain, len, box, key);
	size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
	text = xcalloc(1, strlen(MARK) + size);
	memcpy(text, MARK, strlen(MARK));
	sodium_bin2base64(text + strlen(MARK), size, box, n, sodium_base64_VARIANT_ORIGINAL);
	free(box);
	return text;
}

char *people_unseal(const char *text)
{
	size_t max = strlen(text), n = 0, head = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
	unsigned char *box;
	char *plain = NULL;

	if (!have_key || strncmp(text, MARK, strlen(MARK)) != 0)
		return NULL;
	box = xcalloc(1, max);
	if (!sodium_base642bin(box, max, text + strlen(MARK), max - strlen(MARK), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) && n >= head) {
		plain = xcalloc(1, n - head + 1);
		if (crypto_secretbox_open_easy((unsigned char *)plain, box + crypto_secretbox_NONCEBYTES, n - crypto_secretbox_NONCEBYTES, box,
					       key)) {
			free(plain);
			plain = NULL;
		}
	}
	free(box);
	return plain;
}
