/* SIP messages: what is checked before any layer acts on one, reading pieces of it, and writing new ones. */
#include "sip/sip_priv.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sipm_precheck(char *data, size_t len)
{
	unsigned lines = 0;

	if (len < 20 || len > SIPM_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\n') {
			size_t next = i + 1;

			if (next < len && (data[next] == '\n' ||
					   (data[next] == '\r' && next + 1 < len && data[next + 1] == '\n')))
				return true;
			if (next < len && lines && (data[next] == ' ' || data[next] == '\t')) {
				data[i] = ' '; /* folding; its CR goes too */
				if (data[i - 1] == '\r')
					data[i - 1] = ' ';
			}
			lines++;
		} else if (c == ',') {
			lines++;
		} else if (c == '\r') {
			if (i + 1 >= len || data[i + 1] != '\n')
				return false;
		} else if ((c < ' ' && c != '\t') || c == 127) {
			return false;
		}
		if (lines > SIPM_LINES_MAX)
			return false;
	}
	return false;
}

/* Values in which white space round separators means nothing (RFC 3261 25.1: COLON, SEMI, EQUAL, SLASH, COMMA). */
static const struct {
	const char *name, *separators;
} plain[] = {
	{"Via", "/;=,:"}, {"v", "/;=,:"}, {"From", ";="}, {"f", ";="}, {"To", ";="}, {"t", ";="}, {"Contact", ";=,"}, {"m", ";=,"},
	{"Route", ";=,"}, {"Record-Route", ";=,"}, {"Path", ";=,"}, {"CSeq", ""}, {"Call-ID", ""}, {"i", ""}, {"Max-Forwards", ""},
	{"Content-Length", ""}, {"l", ""}, {"Content-Type", "/;="}, {"c", "/;="},
};

static const char *separators_of(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strlen(plain[i].name) == len && !strncasecmp(plain[i].name, name, len))
			return plain[i].separators;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Runs of white space become one blank, and none beside a separator; quoted strings and what stands in <> stay. */
static char *put_value(char *to, const char *p, const char *end, const char *separators)
{
	char *start = to, in = '\0';

	for (; p < end; p++) {
		if (in == '"' && *p == '\\' && p + 1 < end) {
			*to++ = *p++;
		} else if (in ? (*p == in) : (*p == '"' || *p == '<')) {
			in = in ? '\0' : *p == '<' ? '>' : '"';
		} else if (!in && is_blank(*p)) {
			const char *next = p;

			while (next < end && is_blank(*next))
				next++;
			p = next - 1;
			if (to == start || next == end || strchr(separators, *next) || strchr(separators, to[-1]))
				continue;
			*to++ = ' ';
			continue;
		}
		*to++ = *p;
	}
	return to;
}

/* One line without its end. */
static char *put_line_plain(char *to, const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p)), *name_end = colon, *separators;
	size_t len;
	bool room;

	while (colon && name_end > p && is_blank(name_end[-1]))
		name_end--;
	len = colon ? (size_t)(name_end - p) : 0;
	separators = separators_of(p, len);
	if (!separators) {
		memmove(to, p, (size_t)(end - p));
		return to + (end - p);
	}
	room = name_end < colon || (colon + 1 < end && is_blank(colon[1]));
	memmove(to, p, len);
	to += len;
	*to++ = ':';
	if (room)
		*to++ = ' ';
	return put_value(to, colon + 1, end, separators);
}

/* "SIP/7.0" at the end of a request line. */
static bool take_version(char *line, char *end)
{
	char *v = end - 7;

	if (v <= line || v[-1] != ' ' || strncasecmp(v, "SIP/", 4) != 0 || !isdigit((unsigned char)v[4]) || v[5] != '.' ||
		!isdigit((unsigned char)v[6]))
		return true;
	if (v[4] == '2' && v[6] == '0') {
		memcpy(v, "SIP/", 4);
		return true;
	}
	memcpy(v, "SIP/2.0", 7);
	return false;
}

bool sipm_plain(char *data, size_t *len)
{
	const char *p = data, *end = data + *len;
	char *to = data;
	bool first = true, known = true;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *text_end = nl;

		if (!nl)
			break;
		if (text_end > p && text_end[-1] == '\r')
			text_end--;
		if (text_end == p)
			break; /* the end of the head */
		if (first) {
			memmove(to, p, (size_t)(text_end - p));
			known = take_version(to, to + (text_end - p));
			to += text_end - p;
		} else {
			to = put_line_plain(to, p, text_end);
		}
		first = false;
		memmove(to, text_end, (size_t)(nl + 1 - text_end));
		to += nl + 1 - text_end;
		p = nl + 1;
	}
	memmove(to, p, (size_t)(end - p));
	*len = (size_t)(to - data) + (size_t)(end - p);
	return known;
}

struct sip_msg *sipm_decode(const char *data, size_t len)
{
	struct mbuf *mb = mbuf_alloc(len);
	struct sip_msg *m = NULL;

	if (!mb)
		return NULL;
	(void)mbuf_write_mem(mb, (const uint8_t *)data, len);
	mb->pos = 0;
	if (sip_msg_decode(&m, mb))
		m = NULL;
	mem_deref(mb); /* the message holds it */
	return m;
}

/* libre knows a header by twelve bits of a hash, so another name can pass for one that we act on. */
static const struct {
	enum sip_hdrid id;
	const char *name;
	char compact; /* 0: none */
	bool single;
} known[] = {
	{SIP_HDR_VIA, "Via", 'v', false},
	{SIP_HDR_FROM, "From", 'f', true},
	{SIP_HDR_TO, "To", 't', true},
	{SIP_HDR_CALL_ID, "Call-ID", 'i', true},
	{SIP_HDR_CSEQ, "CSeq", 0, true},
	{SIP_HDR_CONTACT, "Contact", 'm', false},
	{SIP_HDR_MAX_FORWARDS, "Max-Forwards", 0, true},
	{SIP_HDR_CONTENT_LENGTH, "Content-Length", 'l', true},
	{SIP_HDR_CONTENT_TYPE, "Content-Type", 'c', true},
	{SIP_HDR_CONTENT_ENCODING, "Content-Encoding", 'e', false},
	{SIP_HDR_ROUTE, "Route", 0, false},
	{SIP_HDR_RECORD_ROUTE, "Record-Route", 0, false},
	{SIP_HDR_PATH, "Path", 0, false},
	{SIP_HDR_REQUIRE, "Require", 0, false},
	{SIP_HDR_EXPIRES, "Expires", 0, true},
	{SIP_HDR_AUTHORIZATION, "Authorization", 0, false},
	{SIP_HDR_PROXY_AUTHORIZATION, "Proxy-Authorization", 0, false},
	{SIP_HDR_REASON, "Reason", 0, false},
	{SIP_HDR_SUPPORTED, "Supported", 'k', false},
	{SIP_HDR_ALLOW, "Allow", 0, false},
	{SIP_HDR_EVENT, "Event", 'o', true},
	{SIP_HDR_SESSION_EXPIRES, "Session-Expires", 'x', true},
	{SIP_HDR_MIN_SE, "Min-SE", 0, true},
	{SIP_HDR_RSEQ, "RSeq", 0, true},
	{SIP_HDR_RACK, "RAck", 0, true},
	{SIP_HDR_REFER_TO, "Refer-To", 'r', true},
	{SIP_HDR_REFER_SUB, "Refer-Sub", 0, true},
	{SIP_HDR_REPLACES, "Replaces", 0, true},
};

static bool name_is(const struct pl *name, size_t row)
{
	return !pl_strcasecmp(name, known[row].name) ||
	       (known[row].compact && name->l == 1 &&
		tolower((unsigned char)name->p[0]) == known[row].compact);
}

static bool names_are_true(const struct sip_msg *m)
{
	for (const struct le *le = m->hdrl.head; le; le = le->next) {
		const struct sip_hdr *h = le->data;

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (h->id == known[i].id && !name_is(&h->name, i))
				return false;
	}
	return true;
}

/* Counts whole lines: a value may hold a comma of its own. */
static bool singles_are_single(const struct sip_msg *m)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].single && sip_msg_hdr_count(m, known[i].id) > 1)
			return false;
	return true;
}

static bool is_token(const struct pl *p)
{
	if (!p->l)
		return false;
	for (size_t i = 0; i < p->l; i++) {
		unsigned char c = (unsigned char)p->p[i];

		if (!c || (!isalnum(c) && !strchr("-.!%*_+`'~", c)))
			return false;
	}
	return true;
}

/* At most ten digits within uint32; libre wraps round silently. */
static bool number(uint32_t *ret, const struct pl *p, uint32_t max)
{
	uint64_t v = 0;

	if (!p->l || p->l > 10)
		return false;
	for (size_t i = 0; i < p->l; i++) {
		if (!isdigit((unsigned char)p->p[i]))
			return false;
		v = v * 10 + (uint64_t)(p->p[i] - '0');
	}
	if (v > max)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool cseq_is_sane(const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_CSEQ);
	struct pl digits;
	uint32_t v;

	if (!h || !is_token(&m->cseq.met))
		return false;
	digits = (struct pl){h->val.p, 0};
	while (digits.l < h->val.l && !isspace((unsigned char)digits.p[digits.l]))
		digits.l++;
	return number(&v, &digits, 0x7fffffff) && v == m->cseq.num;
}

static bool uri_is_sip(const struct uri *u)
{
	return (!pl_strcasecmp(&u->scheme, "sip") || !pl_strcasecmp(&u->scheme, "sips")) &&
	       pl_isset(&u->host);
}

/* libre reads an unterminated display name as something else. */
static bool quotes_are_closed(const struct pl *p)
{
	bool open = false;

	for (size_t i = 0; i < p->l; i++) {
		if (open && p->p[i] == '\\')
			i++;
		else if (p->p[i] == '"')
			open = !open;
	}
	return !open;
}

static bool lengths_are_bounded(const struct sip_msg *m)
{
	return m->callid.l && m->callid.l <= SIPM_TOKEN_MAX - 1 && m->from.tag.l < SIPM_TOKEN_MAX &&
	       m->to.tag.l < SIPM_TOKEN_MAX && m->via.branch.l < SIPM_TOKEN_MAX &&
	       m->via.sentby.l < SIPM_TOKEN_MAX && m->ruri.l < SIPM_URI_MAX &&
	       m->uri.user.l < SIPM_TOKEN_MAX && m->from.val.l < SIPM_URI_MAX && m->to.val.l < SIPM_URI_MAX &&
	       m->from.uri.user.l < SIPM_TOKEN_MAX && m->to.uri.user.l < SIPM_TOKEN_MAX && m->met.l < 64 &&
	       m->cseq.met.l < 64;
}

static bool take_body(struct rx *r)
{
	const struct sip_msg *m = r->m;
	size_t left = mbuf_get_left(m->mb);
	uint32_t n;

	r->body = NULL;
	r->body_len = 0;
	if (!pl_isset(&m->clen)) {
		if (r->flow.conn)
			return false; /* RFC 3261 18.3: on a stream it must be there */
		n = (uint32_t)left; /* UDP: to the end of the datagram */
	} else if (!number(&n, &m->clen, SIPM_BYTES_MAX) || n > left) {
		return false;
	}
	if (n) {
		r->body = (const char *)mbuf_buf(m->mb);
		r->body_len = n;
	}
	return true;
}

static int check_contact(const struct sip_msg *m, const char **why)
{
	struct re_sip_addr a;
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_CONTACT);

	*why = "Contact Missing or Malformed";
	if (!h || sip_msg_hdr_count(m, SIP_HDR_CONTACT) != 1 || !quotes_are_closed(&h->val) ||
		sip_addr_decode(&a, &h->val) || !uri_is_sip(&a.uri) || a.auri.l >= SIPM_URI_MAX)
		return 400;
	return 0;
}

static int check_request(const struct sip_msg *m, const char **why)
{
	uint32_t hops;

	*why = "Method Mismatch";
	if (!is_token(&m->met) || pl_cmp(&m->met, &m->cseq.met))
		return 400;
	*why = "Unsupported URI Scheme";
	if (!uri_is_sip(&m->uri))
		return 416;
	*why = "Max-Forwards Malformed";
	if (pl_isset(&m->maxfwd) && !number(&hops, &m->maxfwd, 255))
		return 400;
	if (!pl_strcmp(&m->met, "INVITE"))
		return check_contact(m, why);
	return 0;
}

int sipm_check(struct rx *r, const char **why)
{
	const struct sip_msg *m = r->m;
	int r2;

	/* Without these an answer cannot be addressed, or its sender could not tell what it answers. */
	*why = "no Via, From, To, Call-ID or CSeq";
	if (!pl_isset(&m->via.sentby) || !pl_isset(&m->from.auri) || !pl_isset(&m->to.auri) ||
		!pl_isset(&m->callid) || !sip_msg_hdr(m, SIP_HDR_CSEQ) || !lengths_are_bounded(m) ||
		!names_are_true(m))
		return -1;
	if (!m->req) {
		*why = "malformed response";
		return m->scode >= 100 && m->scode <= 699 && cseq_is_sane(m) && singles_are_single(m) &&
			       take_body(r)
			   ? 0
			   : -1;
	}
	*why = "CSeq Malformed";
	if (!cseq_is_sane(m))
		return 400;
	*why = "Repeated Header";
	if (!singles_are_single(m))
		return 400;
	*why = "Quotes Not Closed";
	if (!quotes_are_closed(&m->from.val) || !quotes_are_closed(&m->to.val))
		return 400;
	*why = "From Tag Missing";
	if (!pl_isset(&m->from.tag))
		return 400;
	*why = "Branch Missing";
	if (!pl_isset(&m->via.branch))
		return 400;
	r2 = check_request(m, why);
	if (r2)
		return r2;
	*why = "Content-Length Wrong";
	if (!take_body(r))
		return 400;
	return 0;
}

bool sipm_copy(char *buf, size_t size, const struct pl *p)
{
	size_t n = p->l < size ? p->l : size - 1;

	if (n)
		memcpy(buf, p->p, n);
	buf[n] = '\0';
	return n == p->l;
}

bool sipm_param(const struct pl *params, const char *name, char *buf, size_t size)
{
	struct pl v;

	if (msg_param_decode(params, name, &v))
		return false;
	return sipm_copy(buf, size, &v);
}

bool sipm_tag(const struct sip_taddr *a, char *buf, size_t size)
{
	return pl_isset(&a->tag) && sipm_copy(buf, size, &a->tag);
}

bool sipm_user(char *buf, size_t size, const struct pl *user)
{
	size_t n = 0;

	for (size_t i = 0; i < user->l; i++) {
		unsigned char c = (unsigned char)user->p[i];
		uint8_t byte;

		if (c == '%' && i + 2 < user->l) {
			char hex[3] = {user->p[i + 1], user->p[i + 2], '\0'};

			if (str_hex_to(&byte, 1, hex)) {
				c = byte;
				i += 2;
			}
		}
		if (c < ' ' || c == 127 || n + 1 >= size) {
			buf[0] = '\0';
			return false;
		}
		buf[n++] = (char)c;
	}
	buf[n] = '\0';
	return true;
}

void sipm_display(char *buf, size_t size, const struct pl *dname)
{
	size_t n = 0;

	for (size_t i = 0; i < dname->l && n + 1 < size; i++) {
		char c = dname->p[i];

		if (c == '\\' && i + 1 < dname->l)
			c = dname->p[++i];
		else if (c == '"')
			continue;
		if ((unsigned char)c >= ' ' && c != 127)
			buf[n++] = c;
	}
	buf[n] = '\0';
	if (!str_is_utf8(buf, n))
		buf[0] = '\0';
}

struct route_copy {
	char *buf;
	size_t size, len;
	bool full;
};

static bool add_route(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct route_copy *c = arg;
	int n = snprintf(c->buf + c->len, c->size - c->len, "Route: %.*s\r\n", (int)h->val.l, h->val.p);

	(void)m;
	if (n < 0 || (size_t)n >= c->size - c->len) {
		c->full = true;
		return true;
	}
	c->len += (size_t)n;
	return false;
}

int sipm_routes(char *buf, size_t size, const struct sip_msg *m, enum sip_hdrid id, bool reverse)
{
	struct route_copy c = {buf, size, 0, false};

	buf[0] = '\0';
	(void)sip_msg_hdr_apply(m, !reverse, id, add_route, &c);
	return c.full ? -ENOSPC : 0;
}

bool sipm_has_token(const struct sip_msg *m, enum sip_hdrid id, const char *token)
{
	return sip_msg_hdr_has_value(m, id, token);
}

void sipm_put_user(struct strb *b, const char *user)
{
	for (; *user; user++) {
		unsigned char c = (unsigned char)*user;

		if (isalnum(c) || strchr("-_.!~*'()&=+$,;?/", c))
			strb_putc(b, (char)c);
		else
			strb_printf(b, "%%%02X", c);
	}
}

void sipm_put_addr(struct strb *b, const char *name, const char *user, const char *host)
{
	if (name && name[0]) {
		strb_putc(b, '"');
		for (const char *p = name; *p; p++) {
			if ((unsigned char)*p < ' ' || *p == 127)
				continue;
			if (*p == '"' || *p == '\\')
				strb_putc(b, '\\');
			strb_putc(b, *p);
		}
		strb_puts(b, "\" ");
	}
	strb_puts(b, "<sip:");
	if (user && user[0]) {
		sipm_put_user(b, user);
		strb_putc(b, '@');
	}
	strb_puts(b, host);
	strb_putc(b, '>');
}

/* The sender's own rport and received are replaced by what we saw (RFC 3581 4). */
static void put_first_via(struct strb *b, const struct rx *r)
{
	const struct sip_via *v = &r->m->via;
	struct pl p = v->params, rport;
	char ip[64];

	(void)sa_ntop(&r->flow.peer, ip, sizeof(ip));
	strb_puts(b, "Via: ");
	strb_add(b, v->val.p, p.l ? (size_t)(p.p - v->val.p) : v->val.l);
	while (p.l) {
		size_t n = 1;

		while (n < p.l && p.p[n] != ';')
			n++;
		if (strncasecmp(p.p, ";rport", 6) && strncasecmp(p.p, ";received", 9))
			strb_add(b, p.p, n);
		p.p += n;
		p.l -= n;
	}
	if (!msg_param_exists(&v->params, "rport", &rport))
		strb_printf(b, ";rport=%u;received=%s", sa_port(&r->flow.peer), ip);
	else if (!sa_cmp(&r->flow.peer, &v->addr, SA_ADDR))
		strb_printf(b, ";received=%s", ip);
	strb_puts(b, "\r\n");
}

static void put_line(struct strb *b, const char *name, const struct pl *val)
{
	strb_puts(b, name);
	strb_add(b, val->p, val->l);
	strb_puts(b, "\r\n");
}

void sipm_put_reply_head(struct strb *b, const struct rx *r, const char *tag, bool record_route)
{
	const struct sip_msg *m = r->m;
	bool first = true;

	for (const struct le *le = m->hdrl.head; le; le = le->next) {
		const struct sip_hdr *h = le->data;

		if (h->id == SIP_HDR_VIA && first) {
			put_first_via(b, r);
			first = false;
		} else if (h->id == SIP_HDR_VIA) {
			put_line(b, "Via: ", &h->val);
		} else if (h->id == SIP_HDR_RECORD_ROUTE && record_route) {
			put_line(b, "Record-Route: ", &h->val);
		}
	}
	put_line(b, "From: ", &m->from.val);
	strb_puts(b, "To: ");
	strb_add(b, m->to.val.p, m->to.val.l);
	if (!pl_isset(&m->to.tag))
		strb_printf(b, ";tag=%s", tag);
	strb_puts(b, "\r\n");
	put_line(b, "Call-ID: ", &m->callid);
	strb_printf(b, "CSeq: %u %.*s\r\n", m->cseq.num, (int)m->cseq.met.l, m->cseq.met.p);
}

void sipm_put_body(struct strb *b, const char *content_type, const char *body, size_t len)
{
	if (len)
		strb_printf(b, "Content-Type: %s\r\n", content_type);
	strb_printf(b, "Content-Length: %zu\r\n\r\n", len);
	if (len)
		strb_add(b, body, len);
}

const char *sipm_reason_phrase(int code)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
		{100, "Trying"},
		{180, "Ringing"},
		{181, "Call Is Being Forwarded"},
		{182, "Queued"},
		{183, "Session Progress"},
		{199, "Early Dialog Terminated"},
		{200, "OK"},
		{202, "Accepted"},
		{302, "Moved Temporarily"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{410, "Gone"},
		{415, "Unsupported Media Type"},
		{416, "Unsupported URI Scheme"},
		{420, "Bad Extension"},
		{422, "Session Interval Too Small"},
		{423, "Interval Too Brief"},
		{469, "Bad Info Package"},
		{480, "Temporarily Unavailable"},
		{481, "Call/Transaction Does Not Exist"},
		{482, "Loop Detected"},
		{483, "Too Many Hops"},
		{484, "Address Incomplete"},
		{486, "Busy Here"},
		{487, "Request Terminated"},
		{488, "Not Acceptable Here"},
		{489, "Bad Event"},
		{491, "Request Pending"},
		{500, "Server Internal Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Server Time-out"},
		{505, "Version Not Supported"},
		{600, "Busy Everywhere"},
		{603, "Decline"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].code == code)
			return rows[i].text;
	return code < 200 ? "Progress" : code < 300 ? "OK" : "Failed";
}

void sipm_random(char *buf17)
{
	static _Thread_local uint8_t pool[512];
	static _Thread_local size_t left;

	if (left < 8) {
		if (RAND_bytes(pool, sizeof(pool)) != 1)
			abort(); /* guessable tags would open every dialog to strangers */
		left = sizeof(pool);
	}
	left -= 8;
	str_hex_of(buf17, pool + left, 8);
}

/* ---- causes ---- */

static bool read_reason(const struct sip_hdr *h, const struct sip_msg *m, void *arg)
{
	struct sipm_reason *ret = arg;
	struct pl proto = {h->val.p, 0}, params, v, text;
	uint32_t cause;

	(void)m;
	while (proto.l < h->val.l && proto.p[proto.l] != ';' && !isspace((unsigned char)proto.p[proto.l]))
		proto.l++;
	params = (struct pl){h->val.p + proto.l, h->val.l - proto.l};
	if (msg_param_decode(&params, "cause", &v) || !number(&cause, &v, 699))
		return false;
	if (!pl_strcasecmp(&proto, "Q.850") && cause >= 1 && cause <= 127)
		ret->q850 = (int)cause;
	else if (!pl_strcasecmp(&proto, "SIP"))
		ret->sip_code = (int)cause;
	else
		return false;
	if (!ret->text[0] && !re_regex(params.p, params.l, "text=\"[^\"]+\"", &text))
		sipm_display(ret->text, sizeof(ret->text), &text);
	return false;
}

void sipm_reason(struct sipm_reason *ret, const struct sip_msg *m)
{
	*ret = (struct sipm_reason){0};
	(void)sip_msg_hdr_apply(m, true, SIP_HDR_REASON, read_reason, ret);
}

/* "120", "120 (busy);duration=60" */
int sipm_retry_after(const struct sip_msg *m)
{
	const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_RETRY_AFTER);
	int64_t s = 0;

	for (size_t i = 0; h && i < h->val.l && h->val.p[i] >= '0' && h->val.p[i] <= '9' && s < 3600; i++)
		s = s * 10 + h->val.p[i] - '0';
	return (int)(s < 3600 ? s : 3600);
}

/* RFC 3398 8.2.6.1. */
static const struct {
	short status, q850;
} status_rows[] = {
	{400, 41},	{401, 21}, {402, 21},  {403, 21},  {404, 1},  {405, 63},  {406, 79},  {407, 21},
	{408, 102}, {410, 22}, {413, 127}, {414, 127}, {415, 79}, {416, 127}, {420, 127}, {421, 127},
	{423, 127}, {480, 18}, {481, 41},  {482, 25},  {483, 25}, {484, 28},  {485, 1},   {486, 17},
	{487, 16},	{488, 31}, {500, 41},  {501, 79},  {502, 38}, {503, 41},  {504, 102}, {505, 127},
	{513, 127}, {600, 17}, {603, 21},  {604, 1},   {606, 31},
};

int sipm_q850_of_status(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(status_rows); i++)
		if (status_rows[i].status == code)
			return status_rows[i].q850;
	return code >= 300 ? 31 : 0;
}

/* What ended a call that was up, or was taken back: 16 when nothing is said. "Call completed elsewhere" (RFC 3326 3.1) is Q.850's
 * 26, non-selected user clearing. */
int sipm_reason_cause(const struct sipm_reason *r)
{
	if (r->q850)
		return r->q850;
	return r->sip_code == 200 ? 26 : r->sip_code >= 300 ? sipm_q850_of_status(r->sip_code) : 16;
}

/* RFC 3398 7.2.4.1. */
static const struct {
	short q850, status;
} cause_rows[] = {
	{1, 404},  {2, 404},  {3, 404},  {17, 486}, {18, 408},  {19, 480},	{20, 480},  {21, 403},
	{22, 410}, {23, 410}, {26, 404}, {27, 502}, {28, 484},  {29, 501},	{31, 480},  {34, 503},
	{38, 503}, {41, 503}, {42, 503}, {47, 503}, {55, 403},  {57, 403},	{58, 503},  {65, 488},
	{70, 488}, {79, 501}, {87, 403}, {88, 503}, {102, 504}, {111, 500}, {127, 500},
};

int sipm_status_of_q850(int q850)
{
	for (size_t i = 0; i < ARRAY_LEN(cause_rows); i++)
		if (cause_rows[i].q850 == q850)
			return cause_rows[i].status;
	return 480;
}
