/* One end of one simulated call: a dialog of libre's with SDP and sound, and how it began, was answered and ended. */
#include "sim/net_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define UA_NAME "huawu-sim"

static void party_free(struct party *p)
{
	struct net *n = p->net;

	ltimer_cancel(&p->timer);
	ltimer_cancel(&p->keys);
	if (ilink_linked(&p->link)) {
		ilink_unlink(&p->link);
		n->f.now -= p->kind == PARTY_CALLER;
	}
	n->f.rtp_tx += p->audio.tx;
	n->f.rtp_rx += p->audio.rx;
	n->f.rtp_lost += p->audio.lost;
	if (p->phone && p->phone->party == p)
		p->phone->party = NULL;
	audio_close(&p->audio);
	mem_deref(p->sdp);
	mem_deref(p->sess);
	free(p);
}

static const char *kind_name(enum party_kind k)
{
	static const char *const names[] = {"caller", "carrier", "phone", "phone_out"};

	return names[k];
}

/* One line of the trace: the truth as this side saw it. */
static void trace(const struct party *p, const char *by, int code)
{
	char line[512];
	struct strb b;
	struct jw w;

	if (!p->net->trace)
		return;
	strb_init_fixed(&b, line, sizeof(line));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "kind", kind_name(p->kind));
	jw_str(&w, "number", p->number);
	jw_str(&w, "peer", p->peer);
	jw_int(&w, "start_ms", p->start_utc_ms);
	jw_int(&w, "ring_ms", p->ring_ms ? p->ring_ms - p->start_ms : -1);
	jw_int(&w, "answer_ms", p->answer_ms ? p->answer_ms - p->start_ms : -1);
	jw_int(&w, "talk_ms", p->talk_ms ? p->talk_ms - p->start_ms : -1);
	jw_int(&w, "end_ms", clock_mono_ms() - p->start_ms);
	jw_str(&w, "by", by);
	jw_int(&w, "code", code);
	if (p->of_city)
		jw_str(&w, "does", city_does_name(p->city.does));
	jw_int(&w, "rx", p->audio.rx);
	jw_int(&w, "lost", p->audio.lost);
	jw_end_obj(&w);
	fprintf(p->net->trace, "%s\n", line);
	fflush(p->net->trace);
}

static void ended(struct party *p, const char *by, int code)
{
	struct net_figures *f = &p->net->f;

	if (p->answer_ms && clock_mono_ms() - p->answer_ms >= 1000 && !p->audio.rx)
		f->silent++;
	if (p->answer_ms && !strcmp(by, "us"))
		f->ended_by_us++;
	else if (p->answer_ms)
		f->ended_by_them++;
	trace(p, by, code);
	people_ended(p);
	party_free(p);
}

/* ---- SDP ---- */

static int media_new(struct party *p)
{
	struct net *n = p->net;
	struct sa sa;
	int err;

	speaker_init(&p->audio.speaker, n->voices, (unsigned)rng_below(&n->rng, 1000), rng_u64(&n->rng));
	if (audio_open(&p->audio, p->ua->host))
		return ENOTCONN;
	err = sa_set_str(&sa, p->ua->host, audio_port(&p->audio));
	err = err ? err : sdp_session_alloc(&p->sdp, &sa);
	err = err ? err : sdp_media_add(&p->media, p->sdp, sdp_media_audio, audio_port(&p->audio), sdp_proto_rtpavp);
	err = err ? err : sdp_format_add(NULL, p->media, false, "8", "PCMA", 8000, 1, NULL, NULL, NULL, false, NULL);
	err = err ? err : sdp_format_add(NULL, p->media, false, "0", "PCMU", 8000, 1, NULL, NULL, NULL, false, NULL);
	err = err ? err
		  : sdp_format_add(NULL, p->media, false, "101", "telephone-event", 8000, 1, NULL, NULL, NULL, false, "0-15");
	return err;
}

/* What was agreed, into the sender. */
static void media_apply(struct party *p)
{
	const struct sdp_format *f = sdp_media_rformat(p->media, NULL);
	const struct sdp_format *ev = sdp_media_rformat(p->media, "telephone-event");
	const struct sa *to = sdp_media_raddr(p->media);
	struct sockaddr_in *sin = &p->audio.to;

	*sin = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(sa_port(to)), .sin_addr.s_addr = htonl(sa_in(to))};
	if (f && (f->pt == 0 || f->pt == 8))
		p->audio.pt = (uint8_t)f->pt;
	p->audio.event_pt = ev ? (uint8_t)ev->pt : 0;
	p->audio.sending = sa_port(to) && (p->answer_ms || p->early) && (sdp_media_dir(p->media) & SDP_SENDONLY) && !p->city.deaf;
}

static int media_remote(struct party *p, struct mbuf *mb, bool offer)
{
	int err;

	if (!mbuf_get_left(mb))
		return 0;
	err = sdp_decode(p->sdp, mb, offer);
	if (err)
		return err;
	if (!sdp_media_rformat(p->media, NULL))
		return EPROTO;
	media_apply(p);
	return 0;
}

/* ---- libre's handlers ---- */

static void on_answered(struct party *p)
{
	if (p->answer_ms)
		return;
	p->answer_ms = clock_mono_ms();
	media_apply(p);
	people_answered(p);
}

static int on_offer(struct mbuf **descp, const struct sip_msg *msg, void *arg)
{
	struct party *p = arg;
	bool offered = mbuf_get_left(msg->mb) > 0;
	int err = media_remote(p, msg->mb, true);

	return err ? err : sdp_encode(descp, p->sdp, !offered);
}

static int on_answer(const struct sip_msg *msg, void *arg)
{
	struct party *p = arg;

	return media_remote(p, msg->mb, false);
}

static void on_progress(const struct sip_msg *msg, void *arg)
{
	struct party *p = arg;

	if (!p->ring_ms)
		p->ring_ms = clock_mono_ms();
	if (mbuf_get_left(msg->mb))
		(void)media_remote(p, msg->mb, false);
}

static void on_established(const struct sip_msg *msg, void *arg)
{
	struct party *p = arg;

	if (mbuf_get_left(msg->mb) && p->kind != PARTY_CALLER && p->kind != PARTY_PHONE_OUT)
		(void)media_remote(p, msg->mb, false);
	on_answered(p);
}

static void on_close(int err, const struct sip_msg *msg, void *arg)
{
	struct party *p = arg;
	int code = msg && !msg->req ? msg->scode : err == ETIMEDOUT ? 408 : 0;

	if (p->kind == PARTY_CALLER && !p->answer_ms)
		net_count_code(p->net, code);
	ended(p, "them", code);
}

static int on_auth(char **user, char **password, const char *realm, void *arg)
{
	struct phone *ph = arg;
	int err = str_dup(user, ph->name);

	return err ? err : str_dup(password, ph->secret);
}

/* ---- parties ---- */

static struct party *party_new(struct net *n, struct ua *ua, enum party_kind kind, const char *number, const char *peer,
			       struct phone *phone)
{
	struct party *p = xcalloc(1, sizeof(*p));

	p->net = n;
	p->ua = ua;
	p->kind = kind;
	p->phone = phone;
	(void)str_copy(p->number, sizeof(p->number), number);
	(void)str_copy(p->peer, sizeof(p->peer), peer);
	p->start_ms = clock_mono_ms();
	p->start_utc_ms = clock_utc_ms();
	p->audio.mute = kind == PARTY_CALLER;
	ilist_push_back(&n->parties, &p->link);
	n->f.now += kind == PARTY_CALLER;
	if (n->f.now > n->f.most)
		n->f.most = n->f.now;
	if (phone)
		phone->party = p;
	return p;
}

struct party *party_dial(struct net *n, struct ua *ua, enum party_kind kind, const char *from, const char *to, struct phone *phone)
{
	struct party *p = party_new(n, ua, kind, from, to, phone);
	struct mbuf *desc = NULL;
	char to_uri[128], from_uri[128];
	int err;

	(void)snprintf(to_uri, sizeof(to_uri), "sip:%s@%s", to, n->conf.server);
	(void)snprintf(from_uri, sizeof(from_uri), "sip:%s@%s:%u", from, ua->host, ua->port);
	err = media_new(p);
	err = err ? err : sdp_encode(&desc, p->sdp, true);
	err = err ? err
		  : sipsess_connect(&p->sess, ua->sock, to_uri, NULL, from_uri, from, NULL, 0, "application/sdp", desc,
				    phone ? on_auth : NULL, phone, false, on_offer, on_answer, on_progress, on_established, NULL,
				    NULL, on_close, p, NULL);
	mem_deref(desc);
	if (!err)
		return p;
	log_warn("call not sent to=%s err=%d", to_uri, err);
	party_free(p);
	return NULL;
}

static void user_of(char *buf, size_t size, const struct pl *user)
{
	if (pl_strcpy(user, buf, size))
		buf[0] = '\0';
}

struct party *party_take(struct net *n, struct ua *ua, enum party_kind kind, const struct sip_msg *msg, bool early, struct phone *phone)
{
	char number[40], peer[40];
	struct mbuf *desc = NULL;
	struct party *p;
	int err, code = 500;

	user_of(number, sizeof(number), &msg->uri.user);
	user_of(peer, sizeof(peer), &msg->from.uri.user);
	p = party_new(n, ua, kind, number, peer, phone);
	p->early = early;
	err = media_new(p);
	if (!err && media_remote(p, msg->mb, true)) {
		code = 488;
		err = EPROTO;
	}
	if (!err && early)
		err = sdp_encode(&desc, p->sdp, false);
	err = err ? err
		  : sipsess_accept(&p->sess, ua->sock, msg, early ? 183 : 180, early ? "Session Progress" : "Ringing", number,
				   "application/sdp", desc, NULL, NULL, false, on_offer, on_answer, on_established, NULL, NULL,
				   on_close, p, NULL);
	mem_deref(desc);
	if (err) {
		(void)sip_treply(NULL, ua->sip, msg, (uint16_t)code, code == 488 ? "Not Acceptable Here" : "Server Error");
		party_free(p);
		return NULL;
	}
	p->ring_ms = p->start_ms;
	return p;
}

void party_answer(struct party *p)
{
	struct mbuf *desc = NULL;
	int err = sdp_encode(&desc, p->sdp, p->audio.to.sin_port == 0);

	err = err ? err : sipsess_answer(p->sess, 200, "OK", desc, NULL);
	mem_deref(desc);
	if (err)
		ended(p, "us", 500);
}

void party_reject(struct party *p, int code, const char *reason)
{
	p->refused = true;
	(void)sipsess_reject(p->sess, (uint16_t)code, reason, NULL);
	ended(p, "us", code);
}

void party_hang_up(struct party *p, const char *why)
{
	log_debug("hang up kind=%s number=%s why=%s", kind_name(p->kind), log_num(p->number), why);
	ended(p, "us", 0);
}

void party_talks(struct party *p)
{
	if (p->talking)
		return;
	p->talking = true;
	p->talk_ms = clock_mono_ms();
	p->audio.mute = false;
	people_talking(p);
}

struct party *party_find(struct net *n, enum party_kind kind, const char *number)
{
	ilist_each_entry(&n->parties, p, struct party, link)
		if (p->kind == kind && !strcmp(p->number, number))
			return p;
	return NULL;
}

/* ---- user agents ---- */

static void on_invite(const struct sip_msg *msg, void *arg)
{
	struct ua *ua = arg;

	if (ua->net->stopping)
		(void)sip_treply(NULL, ua->sip, msg, 480, "Temporarily Unavailable");
	else
		ua->invite(ua, msg);
}

/* Requests outside a dialog: only the peer's question whether we are there. */
static bool on_request(const struct sip_msg *msg, void *arg)
{
	struct ua *ua = arg;

	if (pl_strcmp(&msg->met, "OPTIONS"))
		return false;
	(void)sip_treply(NULL, ua->sip, msg, 200, "OK");
	return true;
}

int ua_open(struct ua *ua, struct net *n, const char *addr, void (*invite)(struct ua *ua, const struct sip_msg *msg))
{
	struct sa sa;
	int err;

	ua->net = n;
	ua->invite = invite;
	err = sa_decode(&sa, addr, strlen(addr));
	if (err)
		return -EINVAL;
	err = sip_alloc(&ua->sip, NULL, 256, 256, 256, UA_NAME, NULL, NULL);
	err = err ? err : sip_transp_add(ua->sip, SIP_TRANSP_UDP, &sa);
	err = err ? err : sipsess_listen(&ua->sock, ua->sip, 256, on_invite, ua);
	err = err ? err : sip_listen(&ua->lsnr, ua->sip, true, on_request, ua);
	if (err)
		return -err;
	err = sip_transp_laddr(ua->sip, &sa, SIP_TRANSP_UDP, NULL);
	(void)snprintf(ua->host, sizeof(ua->host), "%s", inet_ntoa((struct in_addr){htonl(sa_in(&sa))}));
	ua->port = sa_port(&sa);
	return -err;
}

void ua_close(struct ua *ua)
{
	if (ua->sip)
		sip_close(ua->sip, true);
	ua->lsnr = mem_deref(ua->lsnr);
	ua->sock = mem_deref(ua->sock);
	ua->sip = mem_deref(ua->sip);
}
