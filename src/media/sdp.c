#include "media/sdp.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "media/media.h"

static bool slice_is(struct slice s, const char *lit)
{
	return s.n == strlen(lit) && !strncasecmp(s.p, lit, s.n);
}

static bool slice_starts(struct slice s, const char *lit, struct slice *rest)
{
	size_t n = strlen(lit);

	if (s.n < n || strncasecmp(s.p, lit, n))
		return false;
	*rest = (struct slice){s.p + n, s.n - n};
	return true;
}

/* The next word of @s, blanks skipped; empty at the end. */
static struct slice word(struct slice *s)
{
	struct slice w;

	while (s->n && *s->p == ' ')
		s->p++, s->n--;
	w.p = s->p;
	while (s->n && *s->p != ' ')
		s->p++, s->n--;
	w.n = (size_t)(s->p - w.p);
	return w;
}

static bool number(struct slice s, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!s.n || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

/* "IN IP4 a.b.c.d" or "IN IP6 a::b"; a name in the place of an address is none. */
static bool connection(struct sdp_attrs *at, struct slice v)
{
	struct slice net = word(&v), type = word(&v), addr = word(&v);
	char buf[ADDR_TEXT_MAX];
	maddr a;

	if (!slice_is(net, "IN") || !addr.n || addr.n >= sizeof(buf) || addr.p[0] == '[')
		return false;
	memcpy(buf, addr.p, addr.n);
	buf[addr.n] = '\0';
	if (!maddr_parse(&a, buf, 0) || maddr_is4(&a) != slice_is(type, "IP4") || (!maddr_is4(&a) && !slice_is(type, "IP6")))
		return false;
	at->addr = a;
	at->has_addr = true;
	return true;
}

/* ---- SDES keys (RFC 4568) ---- */

static const struct {
	const char *name;
	uint8_t key; /* and salt */
} suites[SUITE_N] = {
	[SUITE_CM_80] = {"AES_CM_128_HMAC_SHA1_80", 30},
	[SUITE_CM_32] = {"AES_CM_128_HMAC_SHA1_32", 30},
	[SUITE_GCM_128] = {"AEAD_AES_128_GCM", 28},
	[SUITE_GCM_256] = {"AEAD_AES_256_GCM", 44},
};

size_t msdp_suite_key(enum sdp_suite s)
{
	return suites[s].key;
}

static bool suite_of(struct slice name, enum sdp_suite *ret)
{
	for (unsigned i = 0; i < SUITE_N; i++)
		if (slice_is(name, suites[i].name)) {
			*ret = (enum sdp_suite)i;
			return true;
		}
	return false;
}

/* Padding is required by RFC 4648, yet some telephones leave it out. */
static bool base64(uint8_t *dst, size_t n, struct slice v)
{
	uint8_t raw[SUITE_KEY_MAX + 6];
	char text[(SUITE_KEY_MAX + 2) / 3 * 4 + 1];
	size_t full = (n + 2) / 3 * 4;

	while (v.n && v.p[v.n - 1] == '=')
		v.n--;
	if (v.n != (n * 8 + 5) / 6)
		return false;
	memset(text, '=', full);
	memcpy(text, v.p, v.n);
	text[full] = '\0';
	if (EVP_DecodeBlock(raw, (const uint8_t *)text, (int)full) < (int)n)
		return false;
	memcpy(dst, raw, n);
	OPENSSL_cleanse(raw, sizeof(raw));
	OPENSSL_cleanse(text, sizeof(text));
	return true;
}

/* "<tag> <suite> inline:<key||salt>[|lifetime][|MKI:length] [session parameters]" */
bool msdp_crypto(struct sdp_crypto *ret, const char *text, size_t len)
{
	struct slice v = {text, len}, tag = word(&v), suite = word(&v), params = word(&v), key, rest = {0};
	unsigned t;

	if (!number(tag, 999999999, &t) || !suite_of(suite, &ret->suite) || !slice_starts(params, "inline:", &key))
		return false;
	/* 6.3.: a parameter that is not understood makes the line unusable, unless it begins with '-' */
	for (struct slice w; (w = word(&v)).n;)
		if (w.p[0] != '-')
			return false;
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] == '|') {
			rest = (struct slice){key.p + i, key.n - i};
			key.n = i;
		}
	/* A lifetime is taken (none is shorter than a call); an MKI would stand in each packet. A second key needs one. */
	if ((rest.n && memchr(rest.p, ':', rest.n)) || memchr(params.p, ';', params.n))
		return false;
	ret->tag = t;
	return base64(ret->key, msdp_suite_key(ret->suite), key);
}

static bool crypto(struct sdp_mline *m, struct slice v)
{
	if (m && m->n_crypto < MSDP_CRYPTO_MAX && msdp_crypto(&m->crypto[m->n_crypto], v.p, v.n))
		m->n_crypto++;
	return true;
}

/* RFC 8122: "sha-256 AA:BB:..". Other hashes are passed over; more than one line may be there. */
static bool fingerprint(struct sdp_attrs *at, struct slice v)
{
	struct slice hash = word(&v), hex = word(&v);
	uint8_t fp[32];

	if (!slice_is(hash, "sha-256"))
		return true;
	if (hex.n != sizeof(fp) * 3 - 1)
		return false;
	for (size_t i = 0; i < sizeof(fp); i++) {
		char two[3] = {hex.p[i * 3], hex.p[i * 3 + 1], 0};

		if (!str_hex_to(&fp[i], 1, two) || (i + 1 < sizeof(fp) && hex.p[i * 3 + 2] != ':'))
			return false;
	}
	memcpy(at->fp, fp, sizeof(fp));
	at->has_fp = true;
	return true;
}

static bool has_format(const struct sdp_mline *m, unsigned pt)
{
	struct slice list = m->fmts, w;
	unsigned v;

	while ((w = word(&list)).n)
		if (number(w, 127, &v) && v == pt)
			return true;
	return false;
}

/* "<pt> <name>/<rate>[/<channels>]" */
static bool rtpmap(struct sdp_mline *m, struct slice v)
{
	static const struct {
		const char *name;
		uint8_t codec;
	} known[] = {
		{"PCMA/8000", MED_PCMA}, {"PCMA/8000/1", MED_PCMA}, {"PCMU/8000", MED_PCMU}, {"PCMU/8000/1", MED_PCMU},
		{"G722/8000", MED_G722}, {"G722/8000/1", MED_G722}, {"opus/48000/2", MED_OPUS},
		{"G729/8000", MED_G729}, {"G729/8000/1", MED_G729}, {"G729A/8000", MED_G729},
	};
	struct slice pt_s = word(&v), name = word(&v);
	unsigned pt;

	if (!number(pt_s, 127, &pt) || !name.n)
		return false;
	if (!m || !has_format(m, pt))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_is(name, known[i].name) && codec_here(known[i].codec) && m->pt[known[i].codec] < 0)
			m->pt[known[i].codec] = (int16_t)pt;
	if (slice_is(name, "telephone-event/8000") || slice_is(name, "telephone-event/8000/1"))
		m->pt_dtmf = (int16_t)pt;
	else if (slice_is(name, "telephone-event/48000"))
		m->pt_dtmf48 = (int16_t)pt;
	return true;
}

static void set_dir(struct sdp_attrs *at, enum sdp_dir d)
{
	at->has_dir = true;
	at->dir = d;
}

static bool setup(struct sdp_attrs *at, struct slice v)
{
	if (slice_is(v, "actpass"))
		at->setup = SDP_SETUP_ACTPASS;
	else if (slice_is(v, "active"))
		at->setup = SDP_SETUP_ACTIVE;
	else if (slice_is(v, "passive"))
		at->setup = SDP_SETUP_PASSIVE;
	return true;
}

static bool rtcp_port(struct sdp_attrs *at, struct slice v)
{
	unsigned port;

	if (!number(word(&v), 65535, &port))
		return false;
	at->rtcp_port = (uint16_t)port;
	return true;
}

static bool attribute(struct sdp_attrs *at, struct sdp_mline *m, struct slice v)
{
	struct slice rest;

	if (slice_is(v, "sendrecv"))
		set_dir(at, SDP_SENDRECV);
	else if (slice_is(v, "sendonly"))
		set_dir(at, SDP_SENDONLY);
	else if (slice_is(v, "recvonly"))
		set_dir(at, SDP_RECVONLY);
	else if (slice_is(v, "inactive"))
		set_dir(at, SDP_INACTIVE);
	else if (slice_is(v, "rtcp-mux"))
		at->rtcp_mux = true;
	else if (slice_starts(v, "rtpmap:", &rest))
		return rtpmap(m, rest);
	else if (slice_starts(v, "fingerprint:", &rest))
		return fingerprint(at, rest);
	else if (slice_starts(v, "ice-ufrag:", &rest))
		at->ufrag = rest;
	else if (slice_starts(v, "ice-pwd:", &rest))
		at->pwd = rest;
	else if (slice_starts(v, "mid:", &rest))
		at->mid = rest;
	else if (slice_starts(v, "setup:", &rest))
		return setup(at, rest);
	else if (slice_starts(v, "crypto:", &rest))
		return crypto(m, rest);
	else if (slice_starts(v, "rtcp:", &rest))
		return rtcp_port(at, rest);
	return true;
}

/* Static payload types need no rtpmap (RFC 3551); the order of formats is the other side's wish. */
static void formats(struct sdp_mline *m)
{
	struct slice list = m->fmts, w;
	unsigned v;

	for (unsigned c = 0; c < CODEC_N; c++)
		if (m->pt[c] < 0 && codec_info[c].pt < 96 && codec_here(c) && has_format(m, codec_info[c].pt))
			m->pt[c] = codec_info[c].pt;
	m->n_order = 0;
	while ((w = word(&list)).n && m->n_order < CODEC_N)
		for (unsigned c = 0; c < CODEC_N && number(w, 127, &v); c++)
			if ((int)v == m->pt[c] && !memchr(m->order, (int)c, m->n_order))
				m->order[m->n_order++] = (uint8_t)c;
}

/* "audio 49170[/n] RTP/AVP 8 0 101" */
static bool mline(struct sdp_in *in, struct slice v)
{
	struct sdp_mline *m;
	struct slice port_s;
	unsigned port;

	if (in->n == MSDP_LINES_MAX)
		return false;
	m = &in->m[in->n++];
	*m = (struct sdp_mline){.pt = {-1, -1, -1, -1, -1}, .pt_dtmf = -1, .pt_dtmf48 = -1};
	m->media = word(&v);
	port_s = word(&v);
	for (size_t i = 0; i < port_s.n; i++)
		if (port_s.p[i] == '/')
			port_s.n = i;
	m->proto = word(&v);
	while (v.n && *v.p == ' ')
		v.p++, v.n--;
	m->fmts = v;
	if (!m->media.n || !m->proto.n || !m->fmts.n || !number(port_s, 65535, &port))
		return false;
	m->port = (uint16_t)port;
	return true;
}

static bool origin(struct slice v)
{
	for (int i = 0; i < 6; i++)
		if (!word(&v).n)
			return false;
	return true;
}

static bool line(struct sdp_in *in, char type, struct slice v)
{
	struct sdp_mline *m = in->n ? &in->m[in->n - 1] : NULL;
	struct sdp_attrs *at = m ? &m->at : &in->session;

	switch (type) {
	case 'o':
		return !m && origin(v);
	case 'c':
		return connection(at, v);
	case 'm':
		return mline(in, v);
	case 'a':
		return attribute(at, m, v);
	default:
		return type >= 'a' && type <= 'z';
	}
}

static bool next_line(struct slice *text, struct slice *l)
{
	const char *nl;

	if (!text->n)
		return false;
	nl = memchr(text->p, '\n', text->n);
	l->p = text->p;
	l->n = nl ? (size_t)(nl - text->p) : text->n;
	text->p += l->n + (nl ? 1 : 0);
	text->n -= l->n + (nl ? 1 : 0);
	if (l->n && l->p[l->n - 1] == '\r')
		l->n--;
	return true;
}

static int read_lines(struct sdp_in *in, struct slice text)
{
	struct slice l;
	bool has_o = false;

	if (!next_line(&text, &l) || !slice_is(l, "v=0"))
		return MED_E_SDP;
	while (next_line(&text, &l)) {
		if (!l.n)
			continue;
		if (l.n < 2 || l.p[1] != '=')
			return MED_E_SDP;
		has_o |= l.p[0] == 'o';
		if (!line(in, l.p[0], (struct slice){l.p + 2, l.n - 2}))
			return MED_E_SDP;
	}
	return has_o && in->n ? 0 : MED_E_SDP;
}

static bool proto_known(struct slice s, enum sdp_proto *ret)
{
	static const struct {
		const char *name;
		enum sdp_proto proto;
	} known[] = {
		{"RTP/AVP", SDP_AVP}, {"RTP/AVPF", SDP_AVPF},
		{"UDP/TLS/RTP/SAVPF", SDP_SAVPF}, {"RTP/SAVPF", SDP_SAVPF}, {"RTP/SAVP", SDP_SDES},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_is(s, known[i].name)) {
			*ret = known[i].proto;
			return true;
		}
	return false;
}

/* The first audio line that we can speak. */
static int take_audio(struct sdp_in *in)
{
	int why = MED_E_CODEC;

	for (unsigned i = 0; i < in->n; i++) {
		struct sdp_mline *m = &in->m[i];

		if (!slice_is(m->media, "audio") || !m->port)
			continue;
		formats(m);
		if (!proto_known(m->proto, &in->proto)) {
			why = MED_E_PROFILE;
			continue;
		}
		if (!m->n_order)
			continue;
		in->audio = i;
		if (in->proto == SDP_SAVPF && m->n_crypto && !msdp_fp(in))
			in->proto = SDP_SDES_F;
		if (in->proto >= SDP_SDES && !m->n_crypto) {
			why = MED_E_PROFILE;
			continue;
		}
		return 0;
	}
	return why;
}

static int check_browser(const struct sdp_in *in)
{
	struct slice u = msdp_ufrag(in), p = msdp_pwd(in);

	if (in->proto != SDP_SAVPF)
		return 0;
	if (!msdp_fp(in) || !u.n || !p.n)
		return MED_E_PROFILE;
	return u.n <= MSDP_UFRAG_MAX && in->m[in->audio].at.mid.n <= MSDP_MID_MAX ? 0 : MED_E_SDP;
}

int msdp_parse(struct sdp_in *ret, const char *text, size_t len)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	if (len > MSDP_IN_MAX || memchr(text, '\0', len))
		return MED_E_SDP;
	r = read_lines(ret, (struct slice){text, len});
	if (r)
		return r;
	r = take_audio(ret);
	if (r)
		return r;
	if (ret->proto != SDP_SAVPF && !msdp_addr(ret, &(maddr){0}))
		return MED_E_SDP;
	return check_browser(ret);
}

bool msdp_addr(const struct sdp_in *in, maddr *ret)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	if (!a->has_addr)
		a = &in->session;
	*ret = a->addr;
	return a->has_addr;
}

enum sdp_dir msdp_dir(const struct sdp_in *in)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	if (!a->has_dir)
		a = &in->session;
	return a->has_dir ? a->dir : SDP_SENDRECV;
}

struct slice msdp_ufrag(const struct sdp_in *in)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	return a->ufrag.n ? a->ufrag : in->session.ufrag;
}

struct slice msdp_pwd(const struct sdp_in *in)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	return a->pwd.n ? a->pwd : in->session.pwd;
}

const uint8_t *msdp_fp(const struct sdp_in *in)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	if (!a->has_fp)
		a = &in->session;
	return a->has_fp ? a->fp : NULL;
}

enum sdp_setup msdp_setup(const struct sdp_in *in)
{
	const struct sdp_attrs *a = &in->m[in->audio].at;

	return a->setup != SDP_SETUP_NONE ? a->setup : in->session.setup;
}

/* ---- writing ---- */

static void take(char *dst, size_t size, struct slice s)
{
	if (s.n >= size)
		s.n = 0;
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
}

void msdp_refuse(struct sdp_refused *r, const struct sdp_mline *m)
{
	struct slice list = m->fmts;

	take(r->media, sizeof(r->media), m->media);
	take(r->proto, sizeof(r->proto), m->proto);
	take(r->fmt, sizeof(r->fmt), word(&list));
	take(r->mid, sizeof(r->mid), m->at.mid);
}

static void refused_line(struct strb *b, const struct sdp_refused *r)
{
	strb_printf(b, "m=%s 0 %s %s\r\n", r->media[0] ? r->media : "application", r->proto[0] ? r->proto : "RTP/AVP",
		    r->fmt[0] ? r->fmt : "0");
	if (r->mid[0])
		strb_printf(b, "a=mid:%s\r\n", r->mid);
}

static void dtmf_lines(struct strb *b, int pt, unsigned khz)
{
	if (pt >= 0)
		strb_printf(b, "a=rtpmap:%d telephone-event/%u000\r\na=fmtp:%d 0-15\r\n", pt, khz, pt);
}

static void codecs(struct strb *b, const struct sdp_out *o)
{
	for (unsigned i = 0; i < o->n_codec; i++) {
		strb_printf(b, "a=rtpmap:%u %s/%u000%s\r\n", o->pt[i], codec_info[o->codec[i]].name, codec_info[o->codec[i]].khz,
			    o->codec[i] == MED_OPUS ? "/2" : "");
		if (o->codec[i] == MED_OPUS) /* RFC 7587: mono, wide band, with FEC */
			strb_printf(b, "a=fmtp:%u maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1\r\n", o->pt[i]);
		if (o->codec[i] == MED_G729)
			strb_printf(b, "a=fmtp:%u annexb=no\r\n", o->pt[i]);
	}
	dtmf_lines(b, o->pt_dtmf, 8);
	dtmf_lines(b, o->pt_dtmf48, 48);
}

static void crypto_lines(struct strb *b, const struct sdp_out *o)
{
	for (unsigned i = 0; i < o->n_crypto; i++) {
		char text[(SUITE_KEY_MAX + 2) / 3 * 4 + 1];

		(void)EVP_EncodeBlock((uint8_t *)text, o->crypto[i].key, (int)msdp_suite_key(o->crypto[i].suite));
		strb_printf(b, "a=crypto:%u %s inline:%s\r\n", o->crypto[i].tag, suites[o->crypto[i].suite].name, text);
	}
}

/* "IN IP4 192.0.2.1" */
static void connection_out(struct strb *b, const maddr *a)
{
	char ip[ADDR_TEXT_MAX];

	strb_printf(b, "IN IP%c %s", maddr_is4(a) ? '4' : '6', maddr_text(a, ip));
}

static void browser_lines(struct strb *b, const struct sdp_out *o)
{
	static const char *const setups[] = {"actpass", "actpass", "active", "passive"};
	char ip[ADDR_TEXT_MAX];

	strb_printf(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", o->ufrag, o->pwd);
	strb_printf(b, "a=fingerprint:sha-256 %s\r\na=setup:%s\r\n", o->fp, setups[o->setup]);
	strb_printf(b, "a=mid:%s\r\na=msid:huawu audio\r\na=ssrc:%u cname:huawu\r\n", o->mid, o->ssrc);
	for (unsigned i = 0; i < o->n_cand; i++)
		/* RFC 8445 5.1.2.1: host, component 1; earlier addresses are preferred */
		strb_printf(b, "a=candidate:%u 1 udp %u %s %u typ host\r\n", i + 1, 126u << 24 | (65535u - i) << 8 | 255u,
			    maddr_text(&o->cand[i], ip), o->port);
	strb_puts(b, "a=end-of-candidates\r\n");
}

static void audio_line(struct strb *b, const struct sdp_out *o)
{
	static const char *const protos[] = {"RTP/AVP", "RTP/AVPF", "UDP/TLS/RTP/SAVPF", "RTP/SAVP", "RTP/SAVPF"};
	static const char *const dirs[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

	strb_printf(b, "m=audio %u %s", o->port, protos[o->proto]);
	for (unsigned i = 0; i < o->n_codec; i++)
		strb_printf(b, " %u", o->pt[i]);
	if (o->pt_dtmf >= 0)
		strb_printf(b, " %d", o->pt_dtmf);
	if (o->pt_dtmf48 >= 0)
		strb_printf(b, " %d", o->pt_dtmf48);
	strb_puts(b, "\r\nc=");
	connection_out(b, &o->addr);
	strb_puts(b, "\r\n");
	codecs(b, o);
	crypto_lines(b, o);
	strb_puts(b, "a=ptime:20\r\n");
	strb_printf(b, "a=%s\r\n", dirs[o->dir]);
	if (o->rtcp_mux)
		strb_puts(b, "a=rtcp-mux\r\n");
	if (o->proto == SDP_SAVPF)
		browser_lines(b, o);
}

void msdp_write(struct strb *b, const struct sdp_out *o)
{
	unsigned refused = 0;

	strb_printf(b, "v=0\r\no=- %llu %u ", (unsigned long long)o->id, o->version);
	connection_out(b, &o->addr);
	strb_puts(b, "\r\ns=-\r\nt=0 0\r\n");
	if (o->proto == SDP_SAVPF)
		strb_printf(b, "a=group:BUNDLE %s\r\na=msid-semantic: WMS huawu\r\na=ice-lite\r\n", o->mid);
	for (unsigned i = 0; i <= o->n_refused; i++)
		if (i == o->audio)
			audio_line(b, o);
		else
			refused_line(b, &o->refused[refused++]);
}
