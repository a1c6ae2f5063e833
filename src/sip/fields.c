/* See fields.h. Everything here reads what strangers wrote. */
#include "sip/fields.h"

#include <ctype.h>
#include <string.h>

static void trim(struct pl *p)
{
	while (p->l && isspace((unsigned char)p->p[0])) {
		p->p++;
		p->l--;
	}
	while (p->l && isspace((unsigned char)p->p[p->l - 1]))
		p->l--;
}

/* What stands before the first @sep; @rest is what follows it, empty without one. */
static struct pl cut(struct pl *rest, char sep)
{
	const char *at = rest->l ? memchr(rest->p, sep, rest->l) : NULL;
	struct pl head = *rest;

	if (at) {
		head.l = (size_t)(at - rest->p);
		rest->p = at + 1;
		rest->l -= head.l + 1;
	} else {
		rest->p += rest->l;
		rest->l = 0;
	}
	trim(&head);
	return head;
}

static bool all_digits(uint32_t *ret, const struct pl *p)
{
	uint64_t v = 0;

	if (!p->l || p->l > 10)
		return false;
	for (size_t i = 0; i < p->l; i++) {
		if (!isdigit((unsigned char)p->p[i]))
			return false;
		v = v * 10 + (uint64_t)(p->p[i] - '0');
	}
	if (v > INT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

bool sipf_number(uint32_t *ret, const struct pl *val)
{
	struct pl rest = *val, head = cut(&rest, ';');

	return all_digits(ret, &head);
}

bool sipf_session(struct sipf_session *ret, const struct pl *val)
{
	struct pl rest = *val, head = cut(&rest, ';');
	struct sipf_session s = {.refresher = SIPF_NOBODY};

	if (!all_digits(&s.expires_s, &head))
		return false;
	while (rest.l) {
		struct pl value = cut(&rest, ';'), name = cut(&value, '=');

		trim(&value);
		if (pl_strcasecmp(&name, "refresher"))
			continue;
		if (!pl_strcasecmp(&value, "uac"))
			s.refresher = SIPF_UAC;
		else if (!pl_strcasecmp(&value, "uas"))
			s.refresher = SIPF_UAS;
		else
			return false;
	}
	*ret = s;
	return true;
}

/* Tags and Call-IDs go into our keys and are compared: no white space, no control characters. */
static bool word(char *buf, size_t size, const struct pl *p)
{
	for (size_t i = 0; i < p->l; i++)
		if ((unsigned char)p->p[i] <= ' ' || p->p[i] == 127)
			return false;
	return p->l && sipm_copy(buf, size, p);
}

bool sipf_rack(struct sipf_rack *ret, const struct pl *val)
{
	struct pl rest = *val, rseq, cseq;
	struct sipf_rack v;

	trim(&rest);
	rseq = cut(&rest, ' ');
	trim(&rest);
	cseq = cut(&rest, ' ');
	trim(&rest);
	if (!all_digits(&v.rseq, &rseq) || !v.rseq || !all_digits(&v.cseq, &cseq) ||
		!word(v.method, sizeof(v.method), &rest))
		return false;
	*ret = v;
	return true;
}

bool sipf_replaces(struct sipf_replaces *ret, const struct pl *val)
{
	struct pl rest = *val, head = cut(&rest, ';');
	struct sipf_replaces r = {.early_only = false};

	if (!word(r.call_id, sizeof(r.call_id), &head))
		return false;
	while (rest.l) {
		struct pl value = cut(&rest, ';'), name = cut(&value, '=');
		bool to = !pl_strcasecmp(&name, "to-tag"), from = !pl_strcasecmp(&name, "from-tag");

		trim(&value);
		if ((to && (r.to_tag[0] || !word(r.to_tag, sizeof(r.to_tag), &value))) ||
			(from && (r.from_tag[0] || !word(r.from_tag, sizeof(r.from_tag), &value))))
			return false;
		r.early_only = r.early_only || !pl_strcasecmp(&name, "early-only");
	}
	if (!r.to_tag[0] || !r.from_tag[0])
		return false;
	*ret = r;
	return true;
}

/* The Replaces among a URI's headers: "?Replaces=a%40b%3Bto-tag%3Dx&Other=y". */
static bool uri_headers(struct sipf_refer_to *ret, struct pl headers)
{
	if (headers.l && headers.p[0] == '?') {
		headers.p++;
		headers.l--;
	}
	while (headers.l) {
		struct pl value = cut(&headers, '&'), name = cut(&value, '=');
		char text[3 * SIPM_TOKEN_MAX + 64];
		struct pl plain;

		if (pl_strcasecmp(&name, "Replaces"))
			continue;
		if (ret->attended || !sipm_user(text, sizeof(text), &value))
			return false;
		pl_set_str(&plain, text);
		if (!sipf_replaces(&ret->replaces, &plain))
			return false;
		ret->attended = true;
	}
	return true;
}

/* libre's sip_addr_decode leaves the URI's headers out of what it gives: they are taken from the text. */
bool sipf_refer_to(struct sipf_refer_to *ret, const struct pl *val)
{
	struct pl uri = *val, method, headers = {0};
	const char *open = memchr(val->p, '<', val->l), *close, *at;
	struct uri u;

	memset(ret, 0, sizeof(*ret));
	if (open) {
		close = memchr(open, '>', (size_t)(val->p + val->l - open));
		if (!close)
			return false;
		uri = (struct pl){open + 1, (size_t)(close - open - 1)};
	}
	trim(&uri);
	if (!uri.l || uri.l >= SIPM_URI_MAX)
		return false;
	at = memchr(uri.p, '?', uri.l);
	if (at) {
		headers = (struct pl){at, uri.l - (size_t)(at - uri.p)};
		uri.l = (size_t)(at - uri.p);
	}
	if (uri.l > 4 && !strncasecmp(uri.p, "tel:", 4)) {
		struct pl rest = {uri.p + 4, uri.l - 4}, number = cut(&rest, ';');

		return !headers.l && word(ret->user, sizeof(ret->user), &number);
	}
	if (uri_decode(&u, &uri) || (pl_strcasecmp(&u.scheme, "sip") && pl_strcasecmp(&u.scheme, "sips")))
		return false;
	if (!msg_param_decode(&u.params, "method", &method) && pl_strcasecmp(&method, "INVITE"))
		return false;
	if (!sipm_user(ret->user, sizeof(ret->user), &u.user) || !uri_headers(ret, headers))
		return false;
	return ret->user[0] || ret->attended;
}
