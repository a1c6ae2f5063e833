/* What must not be read later is overwritten with asterisks. Any bytes may come: this runs on what strangers send. */
#include "trace/trace.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

/* A part of the text that is overwritten in place. */
struct part {
	char *p, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void wipe(char *from, const char *to)
{
	for (; from < to; from++)
		if (!is_blank(*from))
			*from = '*';
}

static bool starts(const struct part *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && !strncasecmp(s->p, word, n);
}

static bool is(const struct part *s, const char *word)
{
	return (size_t)(s->end - s->p) == strlen(word) && starts(s, word);
}

static bool among(const struct part *s, const char *const *words)
{
	for (; *words; words++)
		if (is(s, *words))
			return true;
	return false;
}

static char *find(const struct part *s, const char *word)
{
	struct part at = *s;

	for (; at.p < at.end; at.p++)
		if (starts(&at, word))
			return at.p;
	return NULL;
}

static char *skip_blanks(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

/* The next line without its end; false: no more. */
static bool next_line(struct part *line, struct part *rest)
{
	char *nl;

	if (rest->p >= rest->end)
		return false;
	nl = memchr(rest->p, '\n', (size_t)(rest->end - rest->p));
	line->p = rest->p;
	line->end = nl ? nl : rest->end;
	rest->p = nl ? nl + 1 : rest->end;
	if (line->end > line->p && line->end[-1] == '\r')
		line->end--;
	return true;
}

/* A header with the lines that continue it; false at the empty line or the end. @rest is behind it. */
static bool next_header(struct part *name, struct part *value, struct part *rest)
{
	struct part line, more;
	char *colon;

	if (!next_line(&line, rest) || line.p == line.end)
		return false;
	while (rest->p < rest->end && (*rest->p == ' ' || *rest->p == '\t') && next_line(&more, rest))
		line.end = more.end;
	colon = memchr(line.p, ':', (size_t)(line.end - line.p));
	*name = (struct part){line.p, colon ? colon : line.p};
	while (name->end > name->p && is_blank(name->end[-1]))
		name->end--;
	*value = (struct part){colon ? colon + 1 : line.p, line.end};
	return true;
}

/* ---- credentials and challenges ---- */

/* Behind a value: the closing quote's place, or the first character that is no part of it. */
static char *value_end(char *p, const char *end)
{
	if (p < end && *p == '"') {
		for (p++; p < end && *p != '"'; p++)
			if (*p == '\\' && p + 1 < end)
				p++;
		return p;
	}
	while (p < end && *p != ',' && !is_blank(*p))
		p++;
	return p;
}

static void auth_params(struct part s)
{
	static const char *const open[] = {"username", "realm", "uri", "algorithm", "qop", "nc", "stale", "domain", "charset", "userhash", NULL};

	while (s.p < s.end) {
		struct part name;
		char *v, *end;

		while (s.p < s.end && (is_blank(*s.p) || *s.p == ','))
			s.p++;
		name.p = s.p;
		while (s.p < s.end && *s.p != '=' && *s.p != ',' && *s.p != '"' && !is_blank(*s.p))
			s.p++;
		name.end = s.p;
		v = skip_blanks(s.p, s.end);
		if (v >= s.end || *v != '=') { /* no parameter: whatever the rest is, it is not told */
			wipe(name.p, s.end);
			return;
		}
		v = skip_blanks(v + 1, s.end);
		end = value_end(v, s.end);
		if (!among(&name, open))
			wipe(v < end && *v == '"' ? v + 1 : v, end);
		s.p = end < s.end && *end == '"' ? end + 1 : end;
	}
}

static void authorization(struct part s)
{
	struct part scheme;

	s.p = skip_blanks(s.p, s.end);
	scheme.p = s.p;
	while (s.p < s.end && !is_blank(*s.p))
		s.p++;
	scheme.end = s.p;
	if (is(&scheme, "Digest"))
		auth_params(s);
	else
		wipe(s.p, s.end);
}

static void header(const struct part *name, const struct part *value)
{
	static const char *const with_scheme[] = {"Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", NULL};
	static const char *const bare[] = {"Authentication-Info", "Proxy-Authentication-Info", NULL};
	static const char *const whole[] = {"Identity", "y", "Cookie", "X-Huawu-CSRF", NULL};

	if (among(name, with_scheme))
		authorization(*value);
	else if (among(name, bare))
		auth_params(*value);
	else if (among(name, whole))
		wipe(value->p, value->end);
}

/* ---- URIs: sip:user:password@host, anywhere ---- */

static bool ends_uri(char c)
{
	return is_blank(c) || c == '<' || c == '>' || c == '"';
}

static char *behind_scheme(const struct part *s)
{
	return starts(s, "sip:") ? s->p + 4 : starts(s, "sips:") ? s->p + 5 : starts(s, "://") ? s->p + 3 : NULL;
}

/* One piece without blanks, brackets or quotes. Each step looks for the next sign from where it stands: linear. */
static void uri_piece(struct part s)
{
	char *last = memrchr(s.p, '@', (size_t)(s.end - s.p)), *at = NULL, *user, *colon, *headers;
	struct part all = s;

	for (; last && s.p < last; s.p++) {
		user = behind_scheme(&s);
		if (!user || user > last)
			continue;
		if (!at || at < user)
			at = memchr(user, '@', (size_t)(s.end - user));
		colon = memchr(user, ':', (size_t)(s.end - user));
		if (colon && at && colon < at) {
			wipe(colon + 1, last);
			break;
		}
	}
	while ((headers = find(&all, "authorization="))) {
		char *end;

		headers += strlen("authorization=");
		end = memchr(headers, '&', (size_t)(all.end - headers));
		wipe(headers, end ? end : all.end);
		all.p = headers;
	}
}

static void uris(struct part s)
{
	while (s.p < s.end) {
		struct part piece = {s.p, s.p};

		while (piece.end < s.end && !ends_uri(*piece.end))
			piece.end++;
		if (piece.end - piece.p > 4)
			uri_piece(piece);
		s.p = piece.end + 1;
	}
}

/* ---- bodies ---- */

static void sdp_line(struct part line)
{
	char *key;

	if (starts(&line, "a=ice-pwd:") || starts(&line, "a=key-mgmt:")) {
		wipe((char *)memchr(line.p, ':', (size_t)(line.end - line.p)) + 1, line.end);
	} else if (starts(&line, "k=")) {
		wipe(line.p + 2, line.end);
	} else if (starts(&line, "a=crypto:")) {
		key = find(&line, "inline:");
		if (!key) {
			wipe(line.p + strlen("a=crypto:"), line.end);
			return;
		}
		key += strlen("inline:");
		while (key < line.end && !is_blank(*key))
			*key++ = '*';
	}
}

static void sdp_lines(struct part s)
{
	struct part line;

	while (next_line(&line, &s))
		sdp_line(line);
}

/* "Signal=5": the name stays; a line without a name is the digit itself. */
static void digit_lines(struct part s)
{
	struct part line;

	while (next_line(&line, &s)) {
		char *eq = memchr(line.p, '=', (size_t)(line.end - line.p));

		if (!starts(&line, "Duration"))
			wipe(eq ? eq + 1 : line.p, line.end);
	}
}

static bool may_hold_digits(const struct part *start, const struct part *type)
{
	if (starts(start, "INFO "))
		return !find(type, "media_control");
	return find(type, "dtmf") || find(type, "kpml") || find(type, "digits");
}

void trace_blank(char *text, size_t len)
{
	struct part all = {text, text + len}, rest = all, start = {text, text}, name, value, type = {text, text};

	(void)next_line(&start, &rest);
	while (next_header(&name, &value, &rest)) {
		header(&name, &value);
		if (is(&name, "Content-Type") || is(&name, "c"))
			type = value;
	}
	uris(all);
	sdp_lines(all);
	if (may_hold_digits(&start, &type))
		digit_lines(rest);
}

void trace_blank_lines(char *text, size_t len)
{
	struct part all = {text, text + len}, rest = all, name, value;

	while (rest.p < rest.end)
		if (next_header(&name, &value, &rest))
			header(&name, &value);
	uris(all);
	sdp_lines(all);
}

/* ---- telephone numbers ---- */

#define NUMBER_MIN 6

/* 13800138000 -> 138******00 */
static void mask_run(char *p, const char *end, unsigned digits)
{
	unsigned i = 0;

	for (; p < end; p++)
		if (isdigit((unsigned char)*p)) {
			if (i >= (digits > 8 ? 3u : 1u) && i + 2 < digits)
				*p = '*';
			i++;
		}
}

static void mask(struct part s)
{
	while (s.p < s.end) {
		char *from = s.p;
		unsigned digits = 0;

		while (s.p < s.end && (isdigit((unsigned char)*s.p) || (digits && *s.p == '-')))
			digits += *s.p++ != '-';
		if (digits >= NUMBER_MIN)
			mask_run(from, s.p, digits);
		s.p += s.p == from;
	}
}

static void mask_body(struct part s, bool sdp)
{
	struct part line;

	while (next_line(&line, &s)) {
		char *blank;

		if (sdp && !(line.end - line.p > 2 && strchr("osipeu", line.p[0]) && line.p[1] == '='))
			continue;
		blank = sdp && line.p[0] == 'o' ? memchr(line.p, ' ', (size_t)(line.end - line.p)) : NULL;
		if (blank)
			line.end = blank; /* what follows are the session's numbers */
		mask(line);
	}
}

void trace_mask_numbers(char *text, size_t len)
{
	static const char *const technical[] = {
		"Via", "v", "Call-ID", "i", "CSeq", "Content-Length", "l", "Max-Forwards", "Expires", "Min-Expires", "Date", "Content-Type", "c",
		"User-Agent", "Server", "Allow", "Supported", "k", "Require", "Timestamp", "RSeq", "RAck", "Session-Expires", "x", "Min-SE",
		"Retry-After", "X-Huawu-Call", "Accept", "Warning", NULL,
	};
	struct part rest = {text, text + len}, line = {text, text}, name, value;
	bool sdp = false;

	(void)next_line(&line, &rest);
	mask(line);
	while (next_header(&name, &value, &rest)) {
		if (!among(&name, technical))
			mask(value);
		if (is(&name, "Content-Type") || is(&name, "c"))
			sdp = find(&value, "application/sdp") != NULL;
	}
	mask_body(rest, sdp);
}
