/* Passwords, generated secrets, digest's HA1, tokens. */
#include "people/declared.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define ARGON_PASSES 2
#define ARGON_BYTES (19456ull * 1024)
#define ARGON_AT_ONCE 2 /* memory and cores belong to the calls */

static char realm[64] = "huawu";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int running;

int people_init(const char *name)
{
	if (sodium_init() < 0)
		return -ENOSYS;
	if (name && !str_copy(realm, sizeof(realm), name))
		return -ENAMETOOLONG;
	return 0;
}

const char *people_realm(void)
{
	return realm;
}

static void hashing_begin(void)
{
	pthread_mutex_lock(&lock);
	while (running >= ARGON_AT_ONCE)
		pthread_cond_wait(&freed, &lock);
	running++;
	pthread_mutex_unlock(&lock);
}

static void hashing_end(void)
{
	pthread_mutex_lock(&lock);
	running--;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

int people_password_hash(char ret[PEOPLE_HASH_MAX], const char *password)
{
	int r;

	static_assert(crypto_pwhash_STRBYTES <= PEOPLE_HASH_MAX, "a hash fits");
	hashing_begin();
	r = crypto_pwhash_str_alg(ret, password, strlen(password), ARGON_PASSES, ARGON_BYTES, crypto_pwhash_ALG_ARGON2ID13);
	hashing_end();
	return r ? -ENOMEM : 0;
}

bool people_hash_fits(const char *hash, const char *password)
{
	bool fits;

	hashing_begin();
	fits = !crypto_pwhash_str_verify(hash, password, strlen(password));
	hashing_end();
	return fits;
}

/* All the same, or counting up: "aaaaaaaa", "12345678", "abcdefgh". */
static bool is_run(const char *s)
{
	int step = s[1] - s[0];

	if (step < 0 || step > 1)
		return false;
	for (size_t i = 1; s[i]; i++)
		if (s[i] - s[i - 1] != step)
			return false;
	return true;
}

const char *people_password_check(const char *password, const char *login)
{
	static const char *const common[] = {"password", "12345679", "11223344", "88888888", "66666666", "qwertyui",
					     "password1", "1qaz2wsx", "woaini1314", "123456789", "1234567890", "admin123"};
	size_t chars = 0;

	for (const char *s = password; *s; s++)
		chars += (*s & 0xc0) != 0x80;
	if (chars < PEOPLE_PASSWORD_MIN || chars > 128)
		return "range";
	if (is_run(password) || (login && !strcasecmp(password, login)))
		return "weak";
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (!strcasecmp(password, common[i]))
			return "weak";
	return NULL;
}

void people_password_random(char *ret, size_t size, unsigned groups)
{
	/* Consonants and vowels that are not mistaken for one another when they are read out. */
	static const char sounds[2][17] = {"bdfghjklmnprstvz", "aeiou"};
	size_t n = 0;

	assert(groups && size >= groups * 6);
	for (unsigned g = 0; g < groups; g++) {
		for (unsigned i = 0; i < 5; i++)
			ret[n++] = sounds[i % 2][randombytes_uniform(i % 2 ? 5 : 16)];
		ret[n++] = '-';
	}
	ret[n - 1] = 0;
}

static void digest_hex(char *hex, const EVP_MD *md, const char *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int ok = EVP_Digest(text, strlen(text), sum, &n, md, NULL);

	assert(ok == 1);
	str_hex_of(hex, sum, n);
}

void people_ha1(char md5[33], char sha256[65], const char *user, const char *in_realm, const char *secret)
{
	char *text = xasprintf("%s:%s:%s", user, in_realm, secret);

	digest_hex(md5, EVP_md5(), text);
	digest_hex(sha256, EVP_sha256(), text);
	sodium_memzero(text, strlen(text));
	free(text);
}

void people_token_make(char *ret, size_t size)
{
	unsigned char random[32];

	assert(size >= 48);
	randombytes_buf(random, sizeof(random));
	memcpy(ret, "hw_", 3);
	sodium_bin2base64(ret + 3, size - 3, random, sizeof(random), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void people_token_hash(char hex[65], const char *token)
{
	unsigned char sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sum, (const unsigned char *)token, strlen(token));
	str_hex_of(hex, sum, sizeof(sum));
}
