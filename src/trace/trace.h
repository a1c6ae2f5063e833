/*
 * SIP messages, kept for a while so that an administrator can look at yesterday's call.
 *
 *   switch thread  --ring of fixed memory, one memcpy-->  trace thread  --secrets blanked-->  files  -->  workers read
 *
 * The switch never waits: when the ring is full, the message is counted as lost. Files are written in two series, each with a quota of
 * its own: what trunks and known telephones say, and what strangers say, so that no flood drives yesterday's calls out. A call is found by
 * the notes that the switch leaves beside the messages: this leg of that call has this Call-ID.
 *
 * Files are of this machine (host byte order) and hold whole records; a torn one at the end of a file, after a crash, is not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct strb;
struct trace;

#define TRACE_MESSAGE_MAX 65535
#define TRACE_CALL_ID_MAX 256

struct trace_conf {
	const char *dir;      /* made when missing, mode 0700 */
	int64_t bytes_max;    /* all files together */
	int days;             /* older ones go */
	size_t ring_bytes;    /* a power of two; 0: 4 MB */
};

int trace_open(struct trace **ret, const struct trace_conf *conf);
void trace_close(struct trace *t); /* NULL is fine; after the switch has stopped */

struct trace_addr {
	uint8_t ip[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};
/** Numeric, with or without brackets; false leaves zeros. */
bool trace_addr_parse(struct trace_addr *ret, const char *host, uint16_t port);
void trace_addr_host(const struct trace_addr *a, char *buf, size_t size);

/* ---- the switch thread's: never blocks, never fails ---- */

struct trace_note {
	bool out, known; /* known: a trunk's, a registered telephone's, a logged-in browser's */
	const char *transport; /* udp tcp tls ws wss */
	struct trace_addr local, remote;
	int64_t trunk_id; /* 0: none */
};
void trace_message(struct trace *t, const struct trace_note *n, const void *data, size_t len);

struct trace_leg {
	int64_t call_id, leg_id, trunk_id;
	const char *role;    /* customer agent third */
	const char *party;   /* device, address or URI on the other side */
	const char *sip_id;  /* the Call-ID */
	bool out;
};
void trace_leg(struct trace *t, const struct trace_leg *l);

struct trace_counters {
	uint64_t messages, bytes;
	uint64_t lost;     /* the ring was full, or the disk refused */
	uint64_t limited;  /* strangers said more than is written down */
};
/** Any thread. */
void trace_get_counters(const struct trace *t, struct trace_counters *ret);

/* ---- reading: any thread but the switch ---- */

/** Waits until what has been said so far can be read, at most half a second. NULL is fine. */
void trace_sync(struct trace *t);

struct trace_query {
	const char *dir;
	int64_t from_us, to_us; /* UTC */
	int64_t call_id;        /* this call's, or ... */
	int64_t trunk_id;       /* ... this trunk's: the newest ones when there are more than @max */
	size_t max;
};

struct trace_item {
	int64_t at_us, trunk_id;
	int leg;                 /* index; -1: of no leg of this call */
	bool out, again;         /* again: sent or received once more, unchanged */
	const char *transport;
	struct trace_addr local, remote;
	const char *text;
	size_t len;
};

struct trace_found {
	struct trace_item *items; /* by time */
	size_t n;
	struct trace_leg *legs;   /* in order of beginning */
	size_t leg_n;
	bool more;                /* there were more than @max */
};
/** 0 or negative; nothing found is 0. Everything lives in @a. */
int trace_find(struct trace_found *ret, struct arena *a, const struct trace_query *q);

/* What a person sees first of a message. */
struct trace_head {
	char method[24]; /* of the CSeq, for answers too; "" when it cannot be told */
	int code;        /* 0: a request */
	char reason[64];
	uint32_t cseq;
	bool sdp;
};
void trace_head_of(struct trace_head *ret, const char *text, size_t len);
/** The value of Call-ID or i; NULL without. */
const char *trace_call_id_of(const char *text, size_t len, size_t *ret_len);

/** A pcap file (LINKTYPE_RAW) with made-up IP and UDP headers. Messages over other transports come from port 5060 of our side, so that
    programs take them for SIP. What no datagram can hold is cut. */
void trace_pcap(struct strb *b, const struct trace_item *items, size_t n);

/* ---- blank.c: in place, the length stays, line ends and blanks stay ---- */

/**
 * Blanks with asterisks: what Authorization and its kin hold beside who, realm, URI and algorithm; Identity; passwords in URIs; SDES keys,
 * ice-pwd, k= and key-mgmt of SDP; digits dialled by INFO. Twice is the same as once.
 */
void trace_blank(char *text, size_t len);
/** The same for any text that may hold messages, such as a page's log: each line is taken for a header. */
void trace_blank_lines(char *text, size_t len);
/** Blanks the middle of telephone numbers: six digits or more, outside of what programs need (Via, Call-ID, CSeq ..). */
void trace_mask_numbers(char *text, size_t len);
