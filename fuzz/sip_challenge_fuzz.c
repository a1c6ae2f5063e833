/* A carrier's challenge, answered: what comes out must parse as credentials, and the request repeated with it must still be whole. */
#include "sip/sip_priv.h"

#include <stdlib.h>
#include <string.h>

#define SENT                                                                                                                 \
	"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKa;rport\r\nFrom: <sip:u@h>;tag=a\r\n"        \
	"To: <sip:u@h>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"

/* The request as it is sent again. */
static void repeat(const char *line)
{
	struct strb b;

	strb_init(&b, 65536);
	if (!sipa_rewrite(&b, SENT, strlen(SENT), "z9hG4bKb", 2, line)) {
		struct sip_msg *m = sipm_decode(b.buf, b.len);

		if (!m || m->cseq.num != 2 || pl_strcmp(&m->via.branch, "z9hG4bKb"))
			abort();
		mem_deref(m);
	}
	strb_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_auth *a = sip_auth_new("0571", "tiger");
	struct sipa_credentials c;
	struct sipa_asked asked;
	struct strb b;
	char *line;

	if (size < 4096 && !sipa_parse_asked(&asked, (const char *)data, size)) {
		line = sipa_answer(a, &asked, "REGISTER", "sip:h");
		if (!line || strchr(line, '\r') != line + strlen(line) - 2)
			abort(); /* one line, whatever the challenge holds */
		if (asked.qop[0] && sipa_parse(&c, strchr(line, ':') + 2, strlen(strchr(line, ':') + 2) - 2))
			abort();
		repeat(line);
		free(line);
	}
	/* As a message of ours it may be anything. */
	strb_init(&b, 65536);
	(void)sipa_rewrite(&b, (const char *)data, size, "z9hG4bKb", 2, "Authorization: x\r\n");
	strb_done(&b);
	(void)obj_unref(a);
	return 0;
}
