/*
 * Servers for a browser's ICE: STUN and TURN by the configuration. TURN's password is made for a log-in and dies by itself
 * (coturn's use-auth-secret): the user name is "<expiry, Unix seconds>:<device>", the password the base64 of its HMAC-SHA1 under the
 * secret that coturn and we share. Nothing is kept, and nobody's account is involved.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "api/api_int.h"

#define LASTS_S (12 * 3600) /* a shift: the allocation of a call is refreshed with what it began with */

void turn_credential(char *user, size_t user_size, char *password, size_t password_size, const char *secret, const char *device,
		     int64_t now_ms)
{
	uint8_t md[EVP_MAX_MD_SIZE], text[(EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1];
	unsigned n = 0;

	(void)snprintf(user, user_size, "%lld:%s", (long long)(now_ms / 1000 + LASTS_S), device);
	(void)HMAC(EVP_sha1(), secret, (int)strlen(secret), (const uint8_t *)user, strlen(user), md, &n);
	(void)EVP_EncodeBlock(text, md, (int)n);
	(void)str_copy(password, password_size, (const char *)text);
}

/* "turn:turn.example.com:3478?transport=udp, turns:..." */
json_t *turn_servers(const struct api_conf *conf, const char *device, int64_t now_ms)
{
	json_t *all = json_array();
	char user[96], password[64];

	if (conf->turn && conf->turn_secret)
		turn_credential(user, sizeof(user), password, sizeof(password), conf->turn_secret, device, now_ms);
	for (const char *p = conf->turn ? conf->turn : ""; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");
		bool stun = !strncmp(p, "stun", 4);

		if (n && stun)
			(void)json_array_append_new(all, json_pack("{s:[s%]}", "urls", p, n));
		else if (n && conf->turn_secret)
			(void)json_array_append_new(all, json_pack("{s:[s%], s:s, s:s}", "urls", p, n, "username", user, "credential",
								   password));
		p += n;
	}
	return all;
}
