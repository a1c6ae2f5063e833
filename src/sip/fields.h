/* Header fields of the dialog's extensions, as text in and values out. They keep nothing of what they read. */
#pragma once

#include "sip/sip_priv.h"

/** "1800" with white space around; parameters may follow. false: no number, or beyond 2^31 - 1. */
bool sipf_number(uint32_t *ret, const struct pl *val);

enum sipf_refresher { SIPF_NOBODY, SIPF_UAC, SIPF_UAS };

/* Session-Expires: 1800;refresher=uac (RFC 4028 4). */
struct sipf_session {
	uint32_t expires_s;
	enum sipf_refresher refresher;
};
bool sipf_session(struct sipf_session *ret, const struct pl *val);

/* RAck: 776656 1 INVITE (RFC 3262 7.2). */
struct sipf_rack {
	uint32_t rseq, cseq;
	char method[32];
};
bool sipf_rack(struct sipf_rack *ret, const struct pl *val);

/* Replaces: 98732@x;from-tag=r33th4x0r;to-tag=ff87ff;early-only (RFC 3891 6.1). */
struct sipf_replaces {
	char call_id[SIPM_TOKEN_MAX], to_tag[SIPM_TOKEN_MAX], from_tag[SIPM_TOKEN_MAX];
	bool early_only;
};
bool sipf_replaces(struct sipf_replaces *ret, const struct pl *val);

/* Refer-To: <sip:8002@h?Replaces=...> (RFC 3515 2.1); only sip, sips and tel, only a method of INVITE. */
struct sipf_refer_to {
	char user[SIPM_TOKEN_MAX]; /* decoded */
	bool attended;
	struct sipf_replaces replaces;
};
bool sipf_refer_to(struct sipf_refer_to *ret, const struct pl *val);
