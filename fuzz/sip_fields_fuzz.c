/* Header fields of the dialog's extensions: Session-Expires, RAck, Replaces, Refer-To, Reason. The first byte chooses. */
#include "sip/fields.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 127)
			return false;
	return true;
}

/* What is taken is written out as it would be in a header, and means the same. */
static void replaces(const struct pl *p)
{
	char text[4 * SIPM_TOKEN_MAX];
	struct sipf_replaces r, again;
	struct pl q;

	if (!sipf_replaces(&r, p))
		return;
	assert(r.call_id[0] && r.to_tag[0] && r.from_tag[0] && is_word(r.call_id) && is_word(r.to_tag) && is_word(r.from_tag));
	(void)snprintf(text, sizeof(text), "%s;to-tag=%s;from-tag=%s%s", r.call_id, r.to_tag, r.from_tag, r.early_only ? ";early-only" : "");
	pl_set_str(&q, text);
	assert(sipf_replaces(&again, &q));
	assert(!strcmp(r.call_id, again.call_id) && !strcmp(r.to_tag, again.to_tag) && !strcmp(r.from_tag, again.from_tag) &&
	       r.early_only == again.early_only);
}

static void reason(const char *text, size_t len)
{
	char msg[2048];
	int n = snprintf(msg, sizeof(msg),
			 "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n"
			 "Call-ID: c\r\nCSeq: 1 BYE\r\nReason: %.*s\r\nContent-Length: 0\r\n\r\n",
			 (int)(len < 1000 ? len : 1000), text);
	struct sipm_reason r;
	struct sip_msg *m;

	if (!sipm_precheck(msg, (size_t)n))
		return;
	m = sipm_decode(msg, (size_t)n);
	if (!m)
		return;
	sipm_reason(&r, m);
	assert(r.q850 >= 0 && r.q850 <= 127 && r.sip_code >= 0 && r.sip_code <= 699);
	assert(sipm_reason_cause(&r) >= 1 && sipm_reason_cause(&r) <= 127);
	mem_deref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sipf_session session;
	struct sipf_refer_to refer;
	struct sipf_rack rack;
	struct pl p;
	char *text;

	if (!size)
		return 0;
	text = malloc(size); /* no NUL behind it: a parser that looks there is caught */
	memcpy(text, data + 1, size - 1);
	p = (struct pl){text, size - 1};
	switch (data[0] % 5) {
	case 0:
		if (sipf_session(&session, &p))
			assert(session.expires_s <= INT32_MAX);
		break;
	case 1:
		if (sipf_rack(&rack, &p))
			assert(rack.rseq && rack.method[0]);
		break;
	case 2:
		replaces(&p);
		break;
	case 3:
		if (sipf_refer_to(&refer, &p))
			assert(refer.user[0] || refer.attended);
		break;
	case 4:
		reason(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
