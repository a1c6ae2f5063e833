/*
 * SIP: our narrow interface to libre. Nothing above sees a libre type. Everything here runs on the switch thread (a loop
 * thread) unless it says otherwise.
 *
 *   stack     transports, registrar with digest, overload guard, strangers refused
 *   stream    TCP and TLS connections, on a thread of their own behind mailboxes
 *   leg       one INVITE dialog, in or out
 *   edge      SIP over WebSocket (RFC 7118) on its own small thread: browser <-> mailbox <-> stack
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sip_stack;
struct sip_leg;
struct sip_edge;
struct trace;

struct sip_addr {
	char host[46]; /* numeric */
	uint16_t port;
};

struct sip_conf {
	const char *listen;     /* a list, see sip_listen_check; port 0: any, see sip_local */
	const char *external;   /* base/netmap.h: the addresses for Via and Contact where they differ; may be NULL */
	const char *tls_cert, *tls_key; /* PEM files, for tls: in `listen`; read anew when they change */
	bool ws_secure;         /* browsers come by https: their transport is called wss */
	const char *realm;      /* digest realm and our domain */
	const char *user_agent;
	unsigned legs_max;      /* INVITE dialogs at once; 503 beyond (0: 20000) */
	unsigned invites_per_s; /* new INVITEs per second, bucket of one second; 503 beyond (0: 1500) */
	unsigned t1_ms;         /* RFC 3261's T1 (0: 500); tests make it short */
	struct trace *trace;    /* every message is copied there (trace/trace.h); NULL: none */
	unsigned session_s;     /* session timers (RFC 4028): what we ask for (0: 1800) ... */
	unsigned session_min_s; /* ... and the least we take (0: 90) */
	bool digest_sha256;     /* offer SHA-256 beside MD5: some phones give up when they see it (baresip 1.0 does) */
};

/* Where a request came from, after authentication. */
enum sip_origin { SIP_FROM_TRUNK, SIP_FROM_DEVICE };

struct sip_invite {
	enum sip_origin origin;
	int64_t trunk_id;       /* SIP_FROM_TRUNK */
	const char *device;     /* SIP_FROM_DEVICE: authenticated user name */
	struct sip_addr source; /* the real peer: for a browser the socket's peer, not the loopback */
	const char *transport;  /* udp, tcp, tls, ws, wss */
	const char *dialled;    /* user part of the request URI */
	const char *from_user, *from_name;
	const char *from_host;
	const char *asserted_user; /* P-Asserted-Identity, else Remote-Party-ID: user part; "" */
	const char *privacy;       /* the Privacy header; "" */
	const char *to_user;
	const char *call_id;
	const char *sdp;        /* not NUL-terminated; NULL without a body: late offer */
	size_t sdp_len;
	struct sip_leg *replaces; /* it wants the place of this leg, which has not ended (RFC 3891); NULL: a new call. Devices only */
};

struct sip_ha1 {
	char md5[33];    /* hex HA1 for MD5 */
	char sha256[65]; /* hex HA1 for SHA-256; empty: not offered */
	bool socket_only; /* a browser's: good on its WebSocket, nowhere else */
};

/* What strangers do: wrong answers to a challenge (of a user that is there, that is not), requests that never answer one, malformed
   messages; and what was dropped unread. */
enum sip_offence { SIP_OFFENCE_PASSWORD, SIP_OFFENCE_UNKNOWN, SIP_OFFENCE_STRANGER, SIP_OFFENCE_MALFORMED, SIP_OFFENCE_DROPPED, SIP_OFFENCE_COUNT };
const char *sip_offence_name(enum sip_offence o); /* password unknown_user no_credentials malformed dropped */

/* Nothing is taken from this user at this source, or, without a user, from this source, until then. */
struct sip_ban {
	char source[52]; /* "192.0.2.1", or the network of an IPv6 address: "2001:db8::/64" */
	char user[256];
	enum sip_offence reason; /* the last one */
	unsigned count, dropped; /* offences so far; messages dropped since */
	unsigned step;           /* how long the next one will be, 0-4 */
	int64_t since_ms, until_ms; /* UTC */
};

/* A device's registration. A device may hold several bindings; the newest one rings. */
struct sip_binding {
	const char *device;
	const char *transport; /* udp, tcp, tls, ws, wss */
	const char *user_agent;
	struct sip_addr source;
	int64_t expires_s;
};

struct sip_handlers {
	/* Fills @ret for a device that may log in; false: unknown. Must answer from memory. */
	bool (*credentials)(struct sip_ha1 *ret, const char *device, void *arg);
	/* The trunk that owns this source address, or the registration whose token is @user of the request URI; 0: none (a stranger,
	   who gets 403/401 or silence). @by_token: the number called is in To. */
	int64_t (*trunk_of)(const struct sip_addr *source, const char *user, bool *by_token, void *arg);
	/* The trunk whose calls authenticate as @user; 0: none, so it is a device. May be NULL. */
	int64_t (*trunk_account)(const char *user, void *arg);
	/* A new call, authenticated, legs and rate within limits. Claim it with sip_leg_claim inside this handler, or answer
	   with a final SIP status (>= 300) that refuses it; 0 after claiming. */
	int (*invite)(struct sip_leg *leg, const struct sip_invite *inv, void *arg);
	/* A device appeared or vanished (expired, unregistered, its connection closed): up for each new binding, down when the
	   last one is gone. */
	void (*registered)(const struct sip_binding *b, bool up, void *arg);
	/* A ban has begun (@on), or was lifted; one that runs out is not told. May be NULL. */
	void (*banned)(const struct sip_ban *b, bool on, void *arg);
	void *arg;
};

int sip_start(struct sip_stack **ret, const struct sip_conf *conf, const struct sip_handlers *h);
void sip_stop(struct sip_stack *s); /* ends what is left at once */
/** "127.0.0.1:5060": the first UDP address in use (without UDP: the first). */
void sip_local(const struct sip_stack *s, char *buf, size_t size);
/** "udp:127.0.0.1:5060, tls:[::1]:5061": all of them. */
void sip_local_all(const struct sip_stack *s, char *buf, size_t size);
/**
 * Whether @text is a list of listeners: "udp:0.0.0.0:5060, tcp:[::]:5060, tls:192.0.2.1:5061"; without a word before it, udp.
 * -EINVAL: @bad gets the one that is wrong (or too much: 16 are taken). @tls (may be NULL): one of them is tls.
 */
int sip_listen_check(const char *text, char *bad, size_t bad_size, bool *tls);
/** New INVITEs get @code from now on (503 while closing down or pressed); 0: normal. */
void sip_refuse_new(struct sip_stack *s, int code);
bool sip_device_registered(const struct sip_stack *s, const char *device);

/* refused_stranger: INVITEs challenged or turned away, a phone's first try without credentials included. */
struct sip_counters {
	uint64_t invites, refused_stranger, refused_overload, malformed, auth_failed, registers;
	unsigned legs, bindings;
};
void sip_get_counters(const struct sip_stack *s, struct sip_counters *ret);

/** A ban of an earlier process that has not run out. */
void sip_ban_restore(struct sip_stack *s, const struct sip_ban *b);
/** false: there is none. */
bool sip_ban_lift(struct sip_stack *s, const char *source, const char *user);
/** Those that hold now; answers how many. */
size_t sip_bans(const struct sip_stack *s, struct sip_ban *ret, size_t max);
/** Addresses and networks that are never banned, by blanks. */
void sip_allow(struct sip_stack *s, const char *networks);
bool sip_network_ok(const char *text); /* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32" */
struct jw;
/** "bans", "hours" (offences by kind, the last 24 hours), "sources" (the loudest) into an open object. */
void sip_strangers(const struct sip_stack *s, struct jw *w);

/* ---- legs ---- */

/* A transfer that the other side of a leg asks for (RFC 3515). */
struct sip_refer {
	const char *target;       /* user part of Refer-To, decoded; may be "" with @replaces */
	struct sip_leg *replaces; /* attended (RFC 5589 7): that leg of ours, which has not ended; NULL: blind */
};

enum sip_by { SIP_BY_REMOTE, SIP_BY_LOCAL, SIP_BY_TIMEOUT, SIP_BY_LOST };

struct sip_close {
	enum sip_by by;
	int code;           /* SIP status of a failed attempt, 0 after BYE */
	int q850;           /* from Reason, or mapped (RFC 3398 7.2.4.1 / 8.2.6.1); 0: unknown */
	const char *reason; /* text, never NULL */
	bool silent;        /* outgoing: nothing came back at all, not even 100: the way failed, not the callee */
	int retry_after_s;  /* of a 503 and such; 0: none was said */
};

struct sip_leg_handlers {
	/* Outgoing: 1xx above 100. @sdp NULL without a body (early media otherwise). */
	void (*progress)(int code, const char *sdp, size_t len, void *arg);
	/* Outgoing: 2xx. Incoming: the ACK came (sdp only with a late offer). The dialog is up. */
	void (*established)(const char *sdp, size_t len, void *arg);
	/* Re-INVITE or UPDATE from the other side with an offer (hold, resume, new address), before the answer too. Answer within the handler: 0 and fill @answer
	   (NUL-terminated SDP), or a final status such as 488. Without a body: give our offer; the answer comes with `reanswer`. */
	int (*reoffer)(const char *sdp, size_t len, char *answer, size_t size, void *arg);
	/* Our re-INVITE was answered (code 2xx, sdp) or refused (code >= 300); glare (491) is retried inside (RFC 3261 14.1). Also comes
	   when the session was refreshed, and, before the answer, with the answer to the offer in a reliable 18x. */
	void (*reanswer)(int code, const char *sdp, size_t len, void *arg);
	/* One digit by SIP INFO (application/dtmf-relay). */
	void (*info_digit)(char digit, int duration_ms, void *arg);
	/* The leg is over; nothing is called afterwards. The owner drops its reference. */
	void (*closed)(const struct sip_close *c, void *arg);
	/* REFER. 0: accepted, sip_leg_refer_result follows; or a status (403, 603) that refuses it. One at a time. */
	int (*refer)(const struct sip_refer *r, void *arg);
	/* Outgoing: 100, each of them. May be NULL. */
	void (*trying)(void *arg);
};

/** Takes an incoming leg over (inside `invite`); the reference is the caller's, drop it with obj_unref after or before `closed`. */
struct sip_leg *sip_leg_claim(struct sip_leg *leg, const struct sip_leg_handlers *h, void *arg);
int sip_leg_progress(struct sip_leg *leg, int code, const char *reason, const char *sdp); /* sdp may be NULL */
/** When the caller requires reliable answers (RFC 3262) they wait for PRACK inside, and so does the answer. */
bool sip_leg_is_reliable(const struct sip_leg *leg);
int sip_leg_answer(struct sip_leg *leg, const char *sdp);
/** How the REFER goes on, as a SIP status: 100-199 again and again, then one final one. What comes after the leg's end is told nobody. */
void sip_leg_refer_result(struct sip_leg *leg, int code, const char *reason);
int sip_leg_reject(struct sip_leg *leg, int code, const char *reason);

/* User and password for where we are asked for them. Counted: obj_ref, obj_unref. */
struct sip_auth;
struct sip_auth *sip_auth_new(const char *user, const char *secret);
/* Whose certificate an outgoing TLS connection takes. */
struct sip_tls {
	const char *name; /* it must be made out for this name; NULL: for the URI's address */
	const char *ca;   /* PEM file of who may have signed it; NULL: the system's */
	const char *pin;  /* SHA-256 of the one certificate that is taken, 64 hex digits, whoever signed it; NULL: none */
};

struct sip_dial {
	const char *device;       /* ring this registered device ... */
	const char *uri;          /* ... or this URI (a trunk's, a static phone's); exactly one of both. Its ;transport= says udp (when
				     left out), tcp or tls (sips: is tls) */
	const struct sip_tls *tls; /* for tls; NULL: signed by the system's CAs, for the URI's address */
	bool tcp_if_big;          /* udp: the other side speaks TCP at the same address; requests over 1300 bytes go by it (RFC 3261 18.1.1) */
	const char *from_user, *from_name; /* shown to the other side; we make the From */
	const char *pai;          /* P-Asserted-Identity user; NULL: none */
	const char *headers;      /* further header lines, each ended by CRLF; NULL: none */
	const char *sdp;
	int ring_timeout_ms;      /* our timer C: 0: 180 s. Afterwards CANCEL and closed(SIP_BY_TIMEOUT, 408) */
	int redirects_max;        /* 3xx to the same host are followed so often (0: never: closed with that code) */
	/* For carriers; all may be NULL or 0. */
	const char *next_hop;     /* numeric SIP URI that it is sent to instead of what @uri names, whose host may be a name then */
	const char *route;        /* URI of their outbound proxy, for a Route header */
	const char *from_host;    /* host of From and P-Asserted-Identity; NULL: our realm */
	struct sip_auth *auth;    /* answers 401 and 407 */
	int first_ms;             /* closed(SIP_BY_TIMEOUT, 408, silent) when nothing has come back for so long; 0: 64*T1 */
};
/** -ENOENT: the device is not registered. -EHOSTUNREACH: the URI's host is a name (nothing here waits for DNS). -EINVAL: no SIP URI,
    a transport that is none, or a pin that is none. A connection that cannot be made is told by closed(SIP_BY_LOST, 408), within 10 s. */
int sip_dial(struct sip_leg **ret, struct sip_stack *s, const struct sip_dial *d, const struct sip_leg_handlers *h, void *arg);
/** Where that INVITE would go: the numeric address, so that the offer can name the address of ours on that side. Errors as sip_dial. */
int sip_dial_host(struct sip_stack *s, const struct sip_dial *d, char *host, size_t size);
int sip_leg_reinvite(struct sip_leg *leg, const char *sdp);
/** Ends the leg in whatever state it is (BYE, CANCEL or @code); closed() comes with SIP_BY_LOCAL, later, never inside this call. */
void sip_leg_hangup(struct sip_leg *leg, int code, int q850, const char *reason);
/** Notes in the trace that this leg's messages belong to that call. */
void sip_leg_trace(const struct sip_leg *leg, int64_t call_id, int64_t leg_id, int64_t trunk_id, const char *role, const char *party);
const char *sip_leg_call_id(const struct sip_leg *leg);
/** udp, tcp, tls, ws, wss */
const char *sip_leg_transport(const struct sip_leg *leg);
/** The argument that it was claimed or dialled with. */
void *sip_leg_owner(const struct sip_leg *leg);
bool sip_leg_is_established(const struct sip_leg *leg);
/** It has ended, though closed() may not have been called yet. */
bool sip_leg_is_over(const struct sip_leg *leg);

/** Serialises a dialog (JSON), enough for sip_orphan_bye in another process: one that is up, or an incoming one before its 200, so that it
    can be written down first. The ACK to a 2xx leaves after `established` has returned, for the same reason. -ENOSPC, -ENOTCONN. */
int sip_leg_dialog(const struct sip_leg *leg, char *buf, size_t size);
/** Sends BYE in a dialog of a dead process. -EINVAL when @dialog is not one; -ENOENT when it was a browser's and that device
    is not back yet: try again when it registers. */
int sip_orphan_bye(struct sip_stack *s, const char *dialog);

/* ---- we as a client of carriers: account.c ---- */

/*
 * One registration of ours. It is kept up until it is freed: refreshed in time, tried anew with back-off, at one hop after the other.
 *
 *   TRYING --200--> UP --refresh fails until it has expired--> UNREACHABLE
 *      `--401, 403, 404...--> REFUSED      `--no answer--> UNREACHABLE      (both are tried again)
 */
struct sip_account;
enum sip_account_state { SIP_ACCOUNT_TRYING, SIP_ACCOUNT_UP, SIP_ACCOUNT_REFUSED, SIP_ACCOUNT_UNREACHABLE };

struct sip_account_conf {
	const char *domain;    /* "sip.example.com" or "192.0.2.1:5070": host of the address of record */
	const char *user;
	const char *token;     /* user part of our Contact: calls over this registration name it */
	const char *route;     /* as in sip_dial */
	struct sip_auth *auth; /* may be NULL */
	const struct sip_tls *tls; /* as in sip_dial; must live as long as the account */
	int expires_s;
	/* Something in the view changed. Never called inside sip_account_new or _free. */
	void (*changed)(struct sip_account *a, void *arg);
	void *arg;
};

struct sip_account_view {
	enum sip_account_state state;
	int code;              /* their last final answer; 0: none came */
	char reason[96];
	int expires_s;         /* as granted */
};

int sip_account_new(struct sip_account **ret, struct sip_stack *s, const struct sip_account_conf *conf);
/** Where to register: numeric URIs, tried in turn. The first call begins; 0 of them: it waits. */
void sip_account_aim(struct sip_account *a, const char *const *hops, size_t n);
/** Registers anew now, where there is a registration that the carrier may have lost. */
void sip_account_refresh(struct sip_account *a);
void sip_account_get(const struct sip_account *a, struct sip_account_view *ret);
/** Takes the registration back (Expires: 0) if there is one. */
void sip_account_free(struct sip_account *a);

/* One OPTIONS. @done comes once, never inside: their status, or 408 after @timeout_ms; how long it took. */
struct sip_ping;
int sip_ping_new(struct sip_ping **ret, struct sip_stack *s, const char *uri, const char *hop, struct sip_auth *auth,
		 const struct sip_tls *tls, int timeout_ms, void (*done)(int code, int rtt_ms, void *arg), void *arg);
void sip_ping_free(struct sip_ping *p); /* NULL is fine; after @done it must be called too */

/* ---- names of hosts: resolve.c ---- */

/*
 * SRV, A and AAAA, asked on this thread's loop without waiting, kept for their TTL and asked again. What was right stays when it cannot
 * be asked again.
 */
struct sip_lookup;
struct sip_target {
	struct sip_addr addr;
	uint16_t priority, weight;
};
#define SIP_TARGETS_MAX 16

struct sip_lookup_conf {
	const char *servers;   /* "127.0.0.1:5353 192.0.2.1": name servers; NULL: the system's */
	const char *host;      /* a name, or a numeric address: told at once */
	uint16_t port;         /* 0: by SRV, else port_default */
	const char *service;   /* "_sip._udp" */
	uint16_t port_default;
	bool six;              /* AAAA too */
	/* @n targets in the order to try them (RFC 2782). @problem: why it failed now, @t is what was known before; NULL: fine. */
	void (*changed)(const struct sip_target *t, size_t n, const char *problem, void *arg);
	void *arg;
};
/** @changed is called inside for a numeric address, else later. */
int sip_lookup_new(struct sip_lookup **ret, const struct sip_lookup_conf *conf);
void sip_lookup_free(struct sip_lookup *l);

/* ---- WebSocket edge ---- */

/** Starts the edge's thread; it speaks to @s through mailboxes. On the switch thread; stop it before the stack. */
int sip_edge_start(struct sip_edge **ret, struct sip_stack *s);
void sip_edge_stop(struct sip_edge *e);
/**
 * Gives an upgraded socket (handshake done by http/, subprotocol "sip") to the edge. Any thread.
 * @device  the device this log-in may register as; anything else gets 403
 * @extra   bytes already read behind the handshake
 * @closed  called on the edge's thread when the socket is to be given back (http's upgrade handle); may be NULL
 * Limits: 64 kB a message, 500 messages a second, 1,000 sockets, 16 of one device, ping each 25 s.
 * Returns 0, -EAGAIN when one of these is reached, -EINVAL; then the socket stays the caller's.
 */
int sip_edge_add(struct sip_edge *e, int fd, const struct sip_addr *peer, const char *device, const void *extra, size_t extra_len,
		 void (*closed)(void *arg), void *arg);
/** Cuts every socket of @device (log-out, disabled, taken over). Any thread. */
void sip_edge_cut(struct sip_edge *e, const char *device);
