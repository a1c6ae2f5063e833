/* SRTP keys in the description (RFC 4568): the a=crypto line. Read and written by sdp.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 4568 6.2, RFC 7714: the order is our preference. */
enum sdp_suite { SUITE_CM_80, SUITE_CM_32, SUITE_GCM_128, SUITE_GCM_256, SUITE_N };
#define SUITE_KEY_MAX 44
size_t msdp_suite_key(enum sdp_suite s); /* octets of key and salt */

struct sdp_crypto { /* one a=crypto line */
	uint32_t tag;
	enum sdp_suite suite;
	uint8_t key[SUITE_KEY_MAX];
};
#define MSDP_CRYPTO_MAX 4
/** Reads the value of a=crypto. False: not one that we can use (unknown suite, MKI, unencrypted): such a line is passed over. */
bool msdp_crypto(struct sdp_crypto *ret, const char *text, size_t len);
