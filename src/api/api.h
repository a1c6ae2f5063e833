/*
 * The HTTP API under /api/v1, live events, the page's files, the SIP socket's door, and certificates.
 *
 * Two steps, since the switch must not say anything before somebody listens:
 *
 *   api_new     reads names and today's figures, taps the journal      (before sw_new)
 *   api_serve   gives the routes to the server                         (after sw_new and http_start)
 *   api_stop    says good-bye to browsers                              (before http_stop)
 *   api_free    after http_stop, sw_stop and the end of the worker pool
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;
struct db;
struct db_writer;
struct hear_taught;
struct http;
struct journal;
struct pool;
struct sw;
struct trace;

/* A card on the log-in page of the demo: who clicks it is logged in without a password. */
struct api_demo_user {
	const char *login, *name, *role; /* role: agent supervisor admin */
	const char *zh, *en;             /* what he may try here */
};

/* Strings are borrowed for the life of the api. */
struct api_conf {
	const char *db_url;         /* workers open it read-only, each its own connection */
	struct db_writer *writer;
	struct journal *journal;
	int64_t centre_id;
	const char *centre_name, *zone; /* zone: IANA */
	const char *version;
	const char *realm;          /* of SIP digests: the switch's */
	const char *record_dir;     /* recordings with a relative path lie here; may be NULL */
	const char *heard_dir;      /* kept sounds of calls out lie here; may be NULL */
	const struct hear_taught *ready; /* announcements that ship with the program, with ids below 1000 and their names; borrowed for ever */
	const char *const *ready_names;
	size_t ready_n;
	struct trace *trace;        /* SIP messages, and ... */
	const char *trace_dir;      /* ... where they lie; may be NULL */
	const char *data_dir;       /* for the disk's fullness in /health; may be NULL */
	const char *ca_pem;         /* path of the centre CA that /ca offers; NULL: none */
	bool secure;                /* browsers reach us by TLS (ours or a proxy's): cookies are Secure */
	const struct api_demo_user *demo_users; /* NULL: no demo */
	size_t demo_user_n;
	void (*demo_cleared)(void *arg); /* on a worker, before the demo's rows go: its callers should hang up; may be NULL */
	void *demo_arg;
	char *(*doctor)(void *arg, struct db *db, bool en); /* what `huawu doctor` finds, as JSON, freed by us; on a worker. May be NULL */
	void *doctor_arg;
	const char *const *stun;    /* NULL-ended; may be NULL */
	const char *turn;           /* "turn:host:3478, turns:host:5349, stun:host:3478" for browsers' ICE; may be NULL */
	const char *turn_secret;    /* what coturn calls static-auth-secret; NULL: no TURN */
};

int api_new(struct api **ret, const struct api_conf *conf);
/** @sw may be NULL: nothing that needs the switch works then. */
int api_serve(struct api *a, struct http *h, struct sw *sw);
void api_stop(struct api *a);
void api_free(struct api *a);

/** Asks on a thread of ours whose number it is, and answers by sw_customer: struct sw_start's ask_customer, @arg is the api. */
void api_ask_customer(struct sw *sw, int64_t call_id, const char *number, void *arg);

/** Claims leads for the switch on a thread of ours, and answers by sw_claims: struct sw_start's ask_leads, @arg is the api. */
void api_ask_leads(struct sw *sw, int64_t campaign_id, int want, void *arg);

/** Something configuring changed outside the API (command line, demo): names are read again and the switch configured. A worker's. */
void api_conf_changed(struct api *a, struct db *db);

/** The OpenAPI document that is served, pretty-printed; the caller frees it. */
char *api_openapi(void);

/** `huawu cert`: the centre CA and the server's certificate. */
int cert_main(int argc, char **argv);

/** `huawu allocate --verify FILE`: the draw of a certificate again. */
int allocate_main(int argc, char **argv);
