/*
 * RFC 6455 framing of what a client sends: masking required, no extensions, control frames whole and short,
 * one message at a time and bounded. The length is judged before anything is allocated for it.
 */
#include "sip/sip_priv.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_MAX      14
#define FRAGMENTS_MAX 1024

struct head {
	bool fin;
	enum ws_opcode op;
	size_t head_len;
	uint64_t len;
	uint8_t mask[4];
};

/* 1: whole, 0: more bytes needed, else a negative close code. */
static int read_head(struct head *h, const uint8_t *p, size_t n)
{
	unsigned len7, ext;

	if (n < 2)
		return 0;
	h->fin = p[0] & 0x80;
	h->op = p[0] & 0x0f;
	len7 = p[1] & 0x7f;
	if ((p[0] & 0x70) || !(p[1] & 0x80))
		return -1002;
	ext = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
	if ((h->op & 8) && (ext || !h->fin))
		return -1002;
	if (n < 2 + ext)
		return 0;
	h->len = ext ? 0 : len7;
	for (unsigned i = 0; i < ext; i++)
		h->len = h->len << 8 | p[2 + i];
	if (h->len > WS_MESSAGE_MAX)
		return -1009;
	h->head_len = 2 + ext + 4;
	if (n < h->head_len)
		return 0;
	memcpy(h->mask, p + 2 + ext, 4);
	return 1;
}

static void append(uint8_t **buf, size_t *len, size_t *cap, const uint8_t *data, size_t n)
{
	if (!n)
		return; /* nothing, to nowhere yet */
	if (*len + n > *cap) {
		*cap = *cap ? *cap : 512;
		while (*cap < *len + n)
			*cap *= 2;
		*buf = xrealloc(*buf, *cap);
	}
	memcpy(*buf + *len, data, n);
	*len += n;
}

static int data_frame(struct ws_parser *p, const struct head *h, const uint8_t *payload,
		      const struct ws_handlers *hd)
{
	if (h->op != WS_CONTINUATION && h->op != WS_TEXT && h->op != WS_BINARY)
		return 1002;
	if ((h->op == WS_CONTINUATION) != p->fragmented)
		return 1002;
	if (!p->fragmented && h->fin) {
		hd->message((const char *)payload, h->len, hd->arg);
		return 0;
	}
	if (p->msg_len + h->len > WS_MESSAGE_MAX || ++p->fragments > FRAGMENTS_MAX)
		return 1009;
	append(&p->msg, &p->msg_len, &p->msg_cap, payload, h->len);
	p->fragmented = !h->fin;
	if (h->fin) {
		hd->message((const char *)p->msg, p->msg_len, hd->arg);
		p->msg_len = 0;
		p->fragments = 0;
	}
	return 0;
}

static int control_frame(const struct head *h, const uint8_t *payload, const struct ws_handlers *hd)
{
	if (h->op > WS_PONG)
		return 1002;
	hd->control(h->op, payload, h->len, hd->arg);
	return 0;
}

/* One frame from the front of what has arrived. 1: taken, 0: not yet whole, else a negative close code. */
static int take_frame(struct ws_parser *p, size_t *used, const struct ws_handlers *hd)
{
	uint8_t *at = p->in + *used;
	size_t n = p->in_len - *used;
	struct head h;
	int r = read_head(&h, at, n);

	if (r <= 0 || n < h.head_len + h.len)
		return r < 0 ? r : 0;
	at += h.head_len;
	for (size_t i = 0; i < h.len; i++)
		at[i] ^= h.mask[i & 3];
	r = (h.op & 8) ? control_frame(&h, at, hd) : data_frame(p, &h, at, hd);
	*used += h.head_len + h.len;
	return r ? -r : 1;
}

int ws_feed(struct ws_parser *p, const uint8_t *data, size_t len, const struct ws_handlers *hd)
{
	int r;

	while (len) {
		/* Never more than one frame and a read ahead is held. */
		size_t n = len < 4096 ? len : 4096, used = 0;

		append(&p->in, &p->in_len, &p->in_cap, data, n);
		data += n;
		len -= n;
		while ((r = take_frame(p, &used, hd)) == 1)
			;
		if (r < 0)
			return -r;
		memmove(p->in, p->in + used, p->in_len - used);
		p->in_len -= used;
	}
	return 0;
}

void ws_parser_done(struct ws_parser *p)
{
	free(p->in);
	free(p->msg);
	*p = (struct ws_parser){0};
}

size_t ws_frame_head(uint8_t *buf, enum ws_opcode op, size_t len)
{
	size_t n = 2;

	buf[0] = (uint8_t)(0x80 | op);
	if (len < 126) {
		buf[1] = (uint8_t)len;
	} else if (len < 65536) {
		buf[1] = 126;
		buf[2] = (uint8_t)(len >> 8);
		buf[3] = (uint8_t)len;
		n = 4;
	} else {
		buf[1] = 127;
		for (int i = 0; i < 8; i++)
			buf[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
		n = 10;
	}
	return n;
}
