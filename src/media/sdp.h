/*
 * Session descriptions (RFC 8866) as far as a telephone call needs them, offer and answer by RFC 3264.
 *
 * Own parser, not libre's: it allocates nothing, works on the text in place, knows the attributes of browsers
 * (BUNDLE, ICE-lite, fingerprint), and can be fuzzed alone. Pure functions, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strb.h"
#include "media/addr.h"
#include "media/codec.h"
#include "media/sdes.h"

#define MSDP_LINES_MAX 16   /* m= lines */
#define MSDP_IN_MAX 16384   /* bytes of a description we read */
#define MSDP_UFRAG_MAX 256  /* RFC 8839 5.4 */
#define MSDP_MID_MAX 32

struct slice {
	const char *p;
	size_t n;
};

enum sdp_dir { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };
enum sdp_setup { SDP_SETUP_NONE, SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE };
/* SDP_SAVPF is a browser's (DTLS); the two SDES ones are telephones' (RFC 4568). */
enum sdp_proto { SDP_AVP, SDP_AVPF, SDP_SAVPF, SDP_SDES, SDP_SDES_F };

struct sdp_attrs {
	bool has_addr, has_dir, has_fp, rtcp_mux;
	maddr addr;
	enum sdp_dir dir;
	enum sdp_setup setup;
	uint16_t rtcp_port;
	uint8_t fp[32]; /* SHA-256 */
	struct slice ufrag, pwd, mid;
};

struct sdp_mline {
	struct slice media, proto, fmts;
	uint16_t port;
	struct sdp_attrs at;
	int16_t pt[CODEC_N];       /* -1: not there */
	int16_t pt_dtmf, pt_dtmf48; /* telephone-event at 8 and at 48 kHz */
	uint8_t order[CODEC_N];    /* their wish, best first */
	unsigned n_order;
	struct sdp_crypto crypto[MSDP_CRYPTO_MAX];
	unsigned n_crypto;
};

struct sdp_in {
	struct sdp_mline m[MSDP_LINES_MAX];
	unsigned n;
	struct sdp_attrs session;
	unsigned audio; /* the line we take */
	enum sdp_proto proto;
};

/** Reads @text. 0, or MED_E_SDP, MED_E_CODEC, MED_E_PROFILE. Slices point into @text. */
int msdp_parse(struct sdp_in *ret, const char *text, size_t len);

/* What the line we take says, session defaults filled in. */
bool msdp_addr(const struct sdp_in *in, maddr *ret); /* false: none; 0.0.0.0 is an address (old hold) */
enum sdp_dir msdp_dir(const struct sdp_in *in);
struct slice msdp_ufrag(const struct sdp_in *in);
struct slice msdp_pwd(const struct sdp_in *in);
const uint8_t *msdp_fp(const struct sdp_in *in); /* NULL: none */
enum sdp_setup msdp_setup(const struct sdp_in *in);

/* A line we refuse, kept because later offers must repeat it (RFC 3264 8). */
struct sdp_refused {
	char media[16], proto[32], fmt[16], mid[MSDP_MID_MAX + 1];
};

#define MSDP_ADDRS_MAX 8

struct sdp_out {
	uint64_t id;
	unsigned version;
	maddr addr;         /* o= and c= */
	uint16_t port;
	enum sdp_proto proto;
	enum sdp_dir dir;
	uint8_t codec[CODEC_N], pt[CODEC_N]; /* in this order, with these payload types */
	unsigned n_codec;
	int pt_dtmf, pt_dtmf48; /* -1: left out */
	const struct sdp_crypto *crypto;
	unsigned n_crypto;
	bool rtcp_mux, answer;
	/* the audio line's place among the others */
	const struct sdp_refused *refused;
	unsigned n_refused, audio;
	/* browsers only */
	const char *ufrag, *pwd, *fp, *mid;
	enum sdp_setup setup;
	uint32_t ssrc;
	maddr cand[MSDP_ADDRS_MAX];
	unsigned n_cand;
};

void msdp_write(struct strb *b, const struct sdp_out *o);
/** Copies what must be repeated of a refused line. */
void msdp_refuse(struct sdp_refused *r, const struct sdp_mline *m);
