/*
 * Inside of sip/. libre parses (sip_msg_decode, uri_decode, ...) and runs the poll loop; transport,
 * transactions, dialogs, digest and registrar are ours, because the guards have to stand before transaction
 * matching, answers to strangers must cost no state, phones behind NAT are reached at the address they came
 * from and a browser through its WebSocket, and libre's layers have no place to hook any of these in.
 *
 *   edge ----mailbox----+---mailbox---- stream (TCP, TLS)
 *                       v
 *   UDP sockets -> sipnet (size, characters) --> sipm_check --> siptx (retransmissions, CANCEL, responses)
 *                                                                  |
 *                     stack.c: dialogs, OPTIONS, guards, digest <--+
 *                       |            |
 *                    leg.c      registrar.c
 *
 * Everything runs on the switch thread but edge.c and stream.c: each has its own and shares only two mailboxes.
 */
#pragma once

/* libre has a struct sip_addr too: it is never used here under its own name. */
#define sip_addr re_sip_addr
#include <re.h>
#undef sip_addr

#include "base/base.h"
#include "loop/loop.h"
#include "sip/sip.h"

/* Limits of what a stranger can size. */
#define SIPM_BYTES_MAX	65535 /* one message */
#define SIPM_LINES_MAX	512   /* header lines and comma-separated values together */
#define SIPM_TOKEN_MAX	256   /* Call-ID, branch, tags, user parts */
#define SIPM_URI_MAX	1024
#define SIPM_ROUTES_MAX 4096 /* a dialog's or binding's route set, as header lines */

/* RFC 3261 17; @s is the stack. */
#define T1_MS(s)      ((int64_t)(s)->conf.t1_ms)
#define T2_MS(s)      (8 * T1_MS(s))
#define T4_MS(s)      (10 * T1_MS(s))
#define GIVE_UP_MS(s) (64 * T1_MS(s)) /* timers B, F, H, J, L, M */

enum sip_tp { SIP_TP_UDP, SIP_TP_TCP, SIP_TP_TLS, SIP_TP_WS };

struct sip_listener {
	struct sip_stack *s;
	enum sip_tp tp;
	struct sa local; /* bound address */
	int fd;
};

#define LISTENERS_MAX 16

struct sip_streams;
struct sipstream_tls;
struct sipb;

/*
 * Where a message came from and where its answers go: a UDP address, or a WebSocket or connection by its number.
 * A zeroed one with a peer is UDP to that peer.
 */
struct flow {
	uint64_t ws;	/* WebSocket; 0: none */
	struct sa peer; /* the other side's real address */
	enum sip_tp tp;
	uint64_t conn;	/* TCP, TLS: the connection; 0 or gone: the one to `back` */
	struct sa back; /* TCP, TLS: where a connection can be made to; unset: nowhere, the peer must come again */
	struct sipstream_tls *tls;		 /* TLS made by us: whom we expect */
	const struct sip_listener *from; /* UDP: the socket it came through; NULL: which fits the peer */
	bool tcp_if_big;		 /* UDP: the peer speaks TCP at this address too (RFC 3261 18.1.1) */
};

/* A connection as the stack sees it. */
struct stream_flow {
	uint64_t id;
	enum sip_tp tp;
	struct sa peer;
	char *key;	 /* of one that we made, in s->targets; NULL: accepted */
	bool up, known;
	bool bindings;	 /* devices have registered through it */
	bool requests;	 /* client transactions have used it */
};

/* A received message, valid during the handler. */
struct rx {
	const struct sip_msg *m;
	struct flow flow;
	const char *ws_device; /* the device this WebSocket belongs to; NULL on UDP */
	const char *body;      /* NULL: none */
	size_t body_len;
	size_t size;           /* of the whole message as it came */
};

/* What we speak. */
#define SIPS_ALLOW     "Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, REFER, INFO, OPTIONS\r\n"
#define SIPS_ALLOW_ALL "Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, REFER, INFO, OPTIONS, REGISTER, SUBSCRIBE\r\n"
#define SIPS_SUPPORTED "timer, 100rel, replaces, norefersub"

struct siptx_server;
struct siptx_client;

struct sip_stack {
	struct sip_conf conf; /* strings are ours */
	struct sip_handlers h;
	struct sip_counters counters;
	struct sip_listener listeners[LISTENERS_MAX];
	size_t listener_n;
	struct netmap *netmap; /* conf.external */
	int refuse_code;
	bool stopping;
	struct sipt *trace; /* trace.c; NULL: none */

	struct hmap servers; /* key -> siptx_server */
	struct hmap clients; /* branch + method -> siptx_client */
	struct hmap dialogs; /* Call-ID + our tag -> leg */
	struct hmap merges;  /* Call-ID + their tag + CSeq -> incoming leg */
	struct ilink legs;
	struct hmap devices;  /* name -> registrar's device */
	struct hmap sockets;  /* WebSocket number -> struct ws_flow */
	struct mbox *edge_in; /* what the edge received */
	struct sip_edge *edge;
	struct sip_streams *streams_thread; /* NULL until TCP or TLS is needed */
	struct hmap streams;  /* connection's number -> struct stream_flow */
	struct hmap targets;  /* transport, address, whom we expect -> struct stream_flow made by us */
	struct hmap expected; /* struct sip_tls as text -> struct sipstream_tls */

	double invite_tokens;
	int64_t invite_tokens_at_ms;

	struct sipb *strangers; /* ban.h */

	uint8_t nonce_key[32];
	struct hmap nonces;	 /* nonce -> its last count; only those that somebody used well */
	struct ilink nonce_list; /* oldest first */
	int64_t nonce_not_before_s;

	struct sa local_cache_peer, local_cache; /* last answer of the kernel's routing */
	int64_t malformed_log_ms, stream_log_ms;
	int64_t auth_log_ms;
};

/* ---- message.c: checks, pieces, building ---- */

/**
 * Unfolds headers in place and counts lines before any parser runs.
 * Answers false for what is not worth a parser: NULs and control characters, too many lines, no end of
 * headers.
 */
bool sipm_precheck(char *data, size_t len);
/**
 * Writes the head as libre reads it, in place: a head that sipm_precheck took gets shorter, never longer. White space round separators goes
 * where the grammar allows it, also in Via. Answers false for a request of another version than 2.0, which is then written as 2.0.
 */
bool sipm_plain(char *data, size_t *len);
/** Parses. NULL when libre cannot. The message keeps a copy of @data. */
struct sip_msg *sipm_decode(const char *data, size_t len);
/**
 * Everything the layers above rely on. 0: well-formed; fills body of @r.
 * A SIP status: answer a request with it. -1: drop. @why is a constant text.
 */
int sipm_check(struct rx *r, const char **why);

/** Value of a header parameter list ("a=b;c"); copies, false when missing or too long. */
bool sipm_param(const struct pl *params, const char *name, char *buf, size_t size);
bool sipm_copy(char *buf, size_t size, const struct pl *p); /* false: did not fit */
/** User part with %XX decoded; false: too long or with control characters. */
bool sipm_user(char *buf, size_t size, const struct pl *user);
/** Display name without quotes and escapes. */
void sipm_display(char *buf, size_t size, const struct pl *dname);
bool sipm_tag(const struct sip_taddr *a, char *buf, size_t size);
/** "Route: ..." lines from Record-Route (reversed for a UAC) or Path. -ENOSPC. */
int sipm_routes(char *buf, size_t size, const struct sip_msg *m, enum sip_hdrid id, bool reverse);
bool sipm_has_token(const struct sip_msg *m, enum sip_hdrid id, const char *token);
/** Writes a display name and URI: "name" <sip:user@host>. */
void sipm_put_addr(struct strb *b, const char *name, const char *user, const char *host);
void sipm_put_user(struct strb *b, const char *user);
/** Via .. CSeq of an answer to @r; @tag is added to To when it has none; Record-Route only when it forms a
 * dialog. */
void sipm_put_reply_head(struct strb *b, const struct rx *r, const char *tag, bool record_route);
void sipm_put_body(struct strb *b, const char *content_type, const char *body, size_t len);
const char *sipm_reason_phrase(int code);
/** 16 hex digits of the system's random generator. */
void sipm_random(char *buf17);

/* Reason header (RFC 3326): Q.850 cause and text, 0 and "" without. */
struct sipm_reason {
	int q850, sip_code;
	char text[96];
};
void sipm_reason(struct sipm_reason *ret, const struct sip_msg *m);
int sipm_retry_after(const struct sip_msg *m); /* seconds, an hour at most; 0: none */
int sipm_reason_cause(const struct sipm_reason *r);
int sipm_q850_of_status(int code); /* RFC 3398 8.2.6.1 */
int sipm_status_of_q850(int q850); /* RFC 3398 7.2.4.1 */

/* ---- listen.c: the sockets we listen on, and our addresses ---- */

int siplisten_open(struct sip_stack *s);
void siplisten_close(struct sip_stack *s);
bool siplisten_streams(const struct sip_stack *s); /* one of them is TCP or TLS */
/** The listener that speaks to @peer; NULL: none of that transport and family. */
const struct sip_listener *siplisten_for(struct sip_stack *s, enum sip_tp tp, const struct sa *peer);
const char *sipnet_name(enum sip_tp tp);
/** udp, tcp, tls, ws, wss */
const char *sipnet_transport(const struct sip_stack *s, const struct flow *f);
/** Our address as @f's peer should write it. */
void sipnet_local_for(struct sip_stack *s, const struct flow *f, struct sa *ret);

/* ---- conns.c: TCP and TLS connections ---- */

void sipc_init(struct sip_stack *s);
int sipc_open(struct sip_stack *s);
void sipc_close(struct sip_stack *s); /* nothing is sent or received any more */
void sipc_done(struct sip_stack *s);
/** Whom a TLS connection of ours expects; NULL: the default. Lives as long as the stack. -EINVAL: a pin that is none. -ENOSPC. */
int sipc_expect(struct sipstream_tls **ret, struct sip_stack *s, const struct sip_tls *conf);
/** As a text, and back. */
const char *sipc_expected(const struct sipstream_tls *x);
int sipc_expect_again(struct sipstream_tls **ret, struct sip_stack *s, const char *text);
/** The flow's connection; one to its `back` is found or made when that is gone. NULL: there is none. */
struct stream_flow *sipc_find(struct sip_stack *s, const struct flow *f);
/** One that we have made. */
struct stream_flow *sipc_target(struct sip_stack *s, enum sip_tp tp, const struct sa *to, const struct sipstream_tls *tls);
int sipc_send(struct sip_stack *s, const struct flow *f, const char *data, size_t len);
bool sipc_alive(const struct sip_stack *s, const struct flow *f);
void sipc_known(struct sip_stack *s, const struct flow *f); /* no stranger (any more); nothing on UDP */
/** A request that waits for an answer leaves by it: fixes its connection. Nothing on UDP. */
void sipc_used(struct sip_stack *s, struct flow *f);
void sipc_registered(struct sip_stack *s, const struct flow *f);

/* ---- net.c: the ways out and the door in ---- */

void sipnet_readable(void *arg); /* a UDP listener */
/** 0 or a negative errno; -ENOTCONN when the flow's connection is gone and there is no way to another. */
int sipnet_send(struct sip_stack *s, const struct flow *f, const char *data, size_t len);
bool sipnet_alive(const struct sip_stack *s, const struct flow *f);
bool sipnet_reliable(const struct flow *f); /* nothing is lost on it: nothing is repeated */
/** One whole message, from the socket, the edge or a fuzzer. */
void sipnet_receive(struct sip_stack *s, const struct flow *f, const char *ws_device, const char *data,
			size_t len);
/** "sip:user@10.0.0.1:5070;transport=tcp" -> where to send it. -EINVAL, or -EHOSTUNREACH for names: nothing
 * here waits for DNS. */
int sipnet_flow_of_uri(struct flow *ret, const struct pl *uri);
/** The same inside a dialog of which something came by @came: its connection goes on when it is to the same host. */
int sipnet_flow_onward(struct flow *ret, const struct pl *uri, const struct flow *came);
/** ";transport=tcp", for our Contact. */
const char *sipnet_uri_params(const struct flow *f);
/** The same for a request that we begin: @tls says whose certificate is taken (NULL: see struct sip_dial). */
int sipnet_flow_of_dial(struct flow *ret, struct sip_stack *s, const char *uri, const struct sip_tls *tls);

/* ---- tx.c: transactions (RFC 3261 17, RFC 6026) ---- */

/** The message belonged to a transaction and was dealt with. */
bool siptx_take_request(struct sip_stack *s, const struct rx *r);
void siptx_take_response(struct sip_stack *s, const struct rx *r);

typedef void(siptx_cancel_fn)(const struct rx *cancel, void *arg);
/** A server transaction for @r, with the head of all its answers (To tag @tag). Lives until its timers end.
 */
struct siptx_server *siptx_server_new(struct sip_stack *s, const struct rx *r, const char *tag,
				      bool record_route);
/** @cancelled is called on CANCEL before a final answer; NULL detaches. */
void siptx_server_watch(struct siptx_server *t, siptx_cancel_fn *cancelled, struct siptx_server **slot,
			void *arg);
/** @lines further header lines, may be NULL; after a final answer only 2xx resends are possible. */
int siptx_reply(struct siptx_server *t, int code, const char *reason, const char *lines,
		const char *content_type, const char *body, size_t len);
int siptx_resend(struct siptx_server *t);
/** A final answer that is kept for repeats of @r, unless very many are kept already. */
void siptx_answer(struct sip_stack *s, const struct rx *r, const char *tag, int code, const char *lines);
/** The tag of all stateless answers in @r's dialog: 8 hex digits. */
void siptx_stateless_tag(char *buf9, const struct rx *r);
/** Answers without any state; the tag depends on the request only. */
void siptx_reply_stateless(struct sip_stack *s, const struct rx *r, int code, const char *reason,
			   const char *lines);

/* A request of ours. All strings are borrowed. */
struct siptx_request {
	const char *method, *uri, *from, *to, *call_id;
	uint32_t cseq;
	const char *routes; /* header lines or NULL */
	const char *lines;  /* further header lines or NULL */
	bool contact;
	const char *content_type, *body;
	size_t body_len;
	struct sip_auth *auth; /* answers 401 and 407 by the request once more; NULL: the owner gets them */
	uint32_t *cseq_slot;   /* raised when it was sent once more; with auth; may be NULL */
};
/** Response, or NULL when the transaction timed out or its flow is gone. After a final non-2xx nothing
 * follows. */
typedef void(siptx_response_fn)(const struct rx *r, void *arg);
/** @slot is cleared when the transaction ends. */
int siptx_client_new(struct siptx_client **slot, struct sip_stack *s, const struct flow *f,
		     const struct siptx_request *q, siptx_response_fn *on, void *arg);
/** Nobody listens any more; a late 2xx is acknowledged and ended with BYE. Clears the slot. */
void siptx_client_detach(struct siptx_client *t);
/** CANCEL, now or at the first provisional answer. @lines: Reason header line or NULL. */
void siptx_client_cancel(struct siptx_client *t, const char *lines);
/** A request without a transaction: ACK to a 2xx. Fills @b with what was sent. */
int siptx_send_ack(struct sip_stack *s, const struct flow *f, const struct siptx_request *q, struct strb *b);
/** Requests that wait for an answer on this connection get none. */
void siptx_conn_lost(struct sip_stack *s, uint64_t conn, bool was_up);
void siptx_close(struct sip_stack *s); /* frees all */

/* ---- auth.c: digest (RFC 7616) ---- */

enum sipa_result { SIPA_OK, SIPA_CHALLENGE, SIPA_STALE, SIPA_WRONG, SIPA_SILENT };

/** Digest credentials as parsed; strings are copies. */
struct sipa_credentials {
	char user[SIPM_TOKEN_MAX], realm[SIPM_TOKEN_MAX], nonce[512], uri[SIPM_URI_MAX], response[65],
		cnonce[SIPM_TOKEN_MAX], nc[9], qop[16], algorithm[16];
};
int sipa_parse(struct sipa_credentials *c, const char *value, size_t len); /* -EINVAL */
int sipa_open(struct sip_stack *s);
void sipa_close(struct sip_stack *s);
/** Who sent this request. @device is filled on SIPA_OK and holds SIPM_TOKEN_MAX bytes. */
enum sipa_result sipa_check(struct sip_stack *s, const struct rx *r, char *device);
/** 401 for REGISTER, 407 otherwise; the same for every user and every reason. */
void sipa_challenge(struct sip_stack *s, const struct rx *r, bool stale);
/** Response for tests and clients: hex of the algorithm's digest. @ha1 hex. */
void sipa_response(char *ret65, bool sha256, const char *ha1, const struct sipa_credentials *c,
		   const char *method);
void sipa_hex(char *ret65, bool sha256, const char *text, size_t len);
extern _Thread_local unsigned sipa_digests; /* computed so far: known and unknown users must cost the same */

/* ---- auth_out.c: digest, asked of us ---- */

/** A challenge as parsed. */
struct sipa_asked {
	char realm[SIPM_TOKEN_MAX], nonce[512], qop[64], algorithm[16], opaque[512], stale[8];
	bool has_opaque, proxy;
};
int sipa_parse_asked(struct sipa_asked *c, const char *value, size_t len); /* -EINVAL */
/** The strongest challenge of a 401 or 407 that we can answer. */
bool sipa_challenged(struct sipa_asked *ret, const struct rx *r);
/** The header line that answers; NULL when the URI is too long. The caller frees it. */
char *sipa_answer(struct sip_auth *a, const struct sipa_asked *asked, const char *method, const char *uri);
/** The same for the challenge that was answered last, before it is asked again; NULL: there was none. */
char *sipa_answer_again(struct sip_auth *a, const char *method, const char *uri);
void sipa_forget(struct sip_auth *a);
/** Our own request @sent once more with another branch and CSeq, and @line instead of an earlier answer. */
int sipa_rewrite(struct strb *b, const char *sent, size_t len, const char *branch, uint32_t cseq, const char *line);

/* ---- registrar.c ---- */

struct sipr_target {
	char uri[SIPM_URI_MAX];
	char routes[SIPM_ROUTES_MAX];
	struct flow flow;
};
void sipr_register(struct sip_stack *s, const struct rx *r, const char *device);
/** The newest binding that can be reached; false: none. */
bool sipr_find(const struct sip_stack *s, const char *device, struct sipr_target *ret);
/** Whether @device is registered by just this flow. */
bool sipr_is_at(const struct sip_stack *s, const char *device, const struct flow *f);
void sipr_drop_socket(struct sip_stack *s, uint64_t ws, const char *device);
void sipr_drop_conn(struct sip_stack *s, uint64_t conn); /* whatever came through it */
void sipr_close(struct sip_stack *s);

/* ---- leg*.c ---- */

/** An authenticated INVITE outside a dialog; answers it. */
void sipl_invite(struct sip_stack *s, const struct rx *r, enum sip_origin origin, int64_t trunk,
		 const char *device, bool dialled_in_to);
/** A request inside a dialog. false: no such dialog. */
bool sipl_take_request(struct sip_stack *s, const struct rx *r);
/** Dialogs that @device has begun. */
unsigned sipl_calls_of(const struct sip_stack *s, const char *device);
/** Whether the other end of a leg is at this source (see sipb_source). */
bool sipl_is_with(const struct sip_stack *s, uint64_t source);
bool sipl_is_merged(const struct sip_stack *s, const struct rx *r);
/** A 2xx to an INVITE that nobody wants: ACK, then BYE. */
void sipl_refuse_answer(struct sip_stack *s, const struct rx *r);
void sipl_close(struct sip_stack *s);

/* ---- trace.c ---- */

void sipt_open(struct sip_stack *s);
void sipt_close(struct sip_stack *s);
/** One message, as it is on the wire. */
void sipt_message(struct sip_stack *s, bool out, const struct flow *f, const char *data, size_t len);
/** Whoever is at this address has proved who he is. */
void sipt_known(struct sip_stack *s, const struct flow *f);

/* ---- stack.c ---- */

void sips_request(struct sip_stack *s, const struct rx *r);
/** Whether nothing is taken from there now. Responses and browsers (they have logged in) always are. */
bool sips_is_deaf_to(struct sip_stack *s, const struct flow *f, const char *data, size_t len);
/** Whether that address is known to be somebody's who wants our messages. */
bool sips_is_known(struct sip_stack *s, const struct flow *f);
/** Notes what a stranger did. */
void sips_offence(struct sip_stack *s, const struct flow *f, const char *user, enum sip_offence o, bool proven);
/** The trunk at the other end; 0: none. */
int64_t sips_trunk_of(struct sip_stack *s, const struct flow *f, const char *user, bool *by_token);
/** Answers 420 when the request needs an extension that we do not have. */
bool sips_refuse_extensions(struct sip_stack *s, const struct rx *r);

/* ---- subscribe.c ---- */

/** A SUBSCRIBE of a device that has proved who it is; answers it. */
void sips_subscribe(struct sip_stack *s, const struct rx *r, const char *device);
/** A method that we have none of, outside a dialog. */
void sips_refuse_method(struct sip_stack *s, const struct rx *r);

/* ---- edge.c <-> net.c ---- */

enum edge_event { EDGE_OPENED, EDGE_MESSAGE, EDGE_CLOSED };

struct edge_opened {
	uint64_t id;
	struct sa peer;
	char device[SIPM_TOKEN_MAX];
};

struct ws_flow {
	uint64_t id;
	struct sa peer;
	char device[SIPM_TOKEN_MAX];
};

/** Any thread. Copies. */
int sipe_send(struct sip_edge *e, uint64_t ws, const char *data, size_t len);
/** What the edge tells the stack, in the form of a mailbox message. */
void sipnet_edge_event(int type, void *data, size_t len, void *arg);

/* ---- frame.c: messages on a byte stream, no I/O ---- */

#define SIPFRAME_HEAD_MAX	32768
#define SIPFRAME_IDLE_BYTES 4096

struct sipframe {
	char *buf;
	size_t len, cap;
	size_t at;	/* taken so far */
	size_t scanned; /* no head ends before this */
	size_t whole;	/* length of what sipframe_next found */
};

enum sipframe_got {
	SIPFRAME_MORE,
	SIPFRAME_MESSAGE,
	SIPFRAME_PING,     /* keep-alive: CRLF goes back */
	SIPFRAME_HEAD,     /* a head without (or with a wrong) Content-Length: answer it; nothing after it can be read */
	SIPFRAME_TOO_LONG, /* a head longer than SIPFRAME_HEAD_MAX */
};

void sipframe_add(struct sipframe *f, const void *data, size_t n);
/** What comes next; @msg is good until sipframe_add or sipframe_take. Asking twice gives the same. */
enum sipframe_got sipframe_next(struct sipframe *f, const char **msg, size_t *len);
void sipframe_take(struct sipframe *f); /* what sipframe_next found is dealt with */
bool sipframe_pending(const struct sipframe *f); /* a message has begun */
void sipframe_done(struct sipframe *f);

/* ---- ws.c: RFC 6455 framing, no I/O ---- */

#define WS_MESSAGE_MAX 65536

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_parser {
	uint8_t *in; /* bytes of the frame that is arriving */
	size_t in_len, in_cap;
	uint8_t *msg; /* fragments so far */
	size_t msg_len, msg_cap;
	bool fragmented;
	unsigned fragments;
};

struct ws_handlers {
	void (*message)(const char *data, size_t len, void *arg);
	void (*control)(enum ws_opcode op, const uint8_t *data, size_t len, void *arg);
	void *arg;
};

/** Takes any number of bytes from a client. 0, or a close code (1002 protocol, 1009 too big): the socket is
 * finished. */
int ws_feed(struct ws_parser *p, const uint8_t *data, size_t len, const struct ws_handlers *h);
void ws_parser_done(struct ws_parser *p);
/** Header of an unmasked frame into @buf (10 bytes); answers its length. */
size_t ws_frame_head(uint8_t *buf, enum ws_opcode op, size_t len);
