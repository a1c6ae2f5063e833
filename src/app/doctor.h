/*
 * `huawu doctor`: what an administrator should know about this machine and this centre, and what to do about it. The same checks run
 * in the command, beside or without a server, and in the server for the page. They only look: nothing is made, changed or repaired.
 *
 * A check is a function that adds findings. It reads the machine through `root` and `read`, so that tests can show it another one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/app.h"

struct db;

enum doc_level { DOC_OK, DOC_WARN, DOC_ERROR };

struct doc_finding {
	const char *id, *title; /* id: stable, "data.space"; title: in the reader's language */
	enum doc_level level;
	char *found, *todo;     /* todo NULL: nothing to do */
};

/* What no file tells. */
struct doc_readings {
	int64_t (*utc_ms)(void);
	int (*ntp)(int64_t *offset_us); /* 0 synchronised, 1 not, negative: cannot be asked */
};

struct doctor {
	const struct app_conf *conf; /* derived */
	struct doc_readings read;
	const char *root;            /* before /proc, /sys, /usr/share/zoneinfo; "" */
	bool en, inside;             /* inside: the server itself asks */
	uid_t uid;                   /* whom the server runs as */
	pid_t server;                /* the running server; 0: none */
	struct db *db;               /* read-only; NULL when it does not open. The caller's */
	int db_error;                /* why it does not: negative errno; 0: it was not tried */
	int64_t now_ms;
	unsigned trunk_wait_ms;      /* for answers of trunks; 0: 2000 */

	/* what one check finds out for the others */
	int64_t seats, lines, trunks;
	bool trunk_public;           /* a trunk is in the internet */
	struct doc_finding *v;
	size_t n;
};

#define T(zh, en_) (d->en ? (en_) : (zh))

/** Adds a finding; the text is a sentence in the reader's language. */
void doc_found(struct doctor *d, const char *id, const char *title, enum doc_level level, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/** What to do about the last finding. */
void doc_todo(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Runs every check. @conf is read; its data folder need not be there. */
void doctor_run(struct doctor *d);
void doctor_done(struct doctor *d);
enum doc_level doctor_worst(const struct doctor *d);
char *doctor_json(const struct doctor *d); /* the caller frees it */
const struct doc_finding *doctor_get(const struct doctor *d, const char *id); /* NULL: there is none */

/* ---- the checks, in the order they are told ---- */
void doc_place(struct doctor *d);    /* data folder, space, /dev/shm, rings, copies */
void doc_database(struct doctor *d);
void doc_ports(struct doctor *d);
void doc_machine(struct doctor *d);  /* files, memory, cores, buffers */
void doc_clock(struct doctor *d);
void doc_cert(struct doctor *d);     /* and whether browsers may use the microphone */
void doc_trunks(struct doctor *d);   /* and NAT */

/* ---- helpers ---- */
/** May the server's user do this (R_OK | W_OK | X_OK) with it? 0 or a negative errno. As root, asked in a child that becomes that user. */
int doc_access(const struct doctor *d, const char *path, int mode);
/** The first @size - 1 bytes of root + path; their number or a negative errno. */
ssize_t doc_read(const struct doctor *d, const char *path, char *buf, size_t size);
/** Who holds a lock (flock) on the file, by /proc/locks; 0: nobody. */
pid_t doc_lock_holder(const struct doctor *d, const char *path);
/** An errno in the reader's language. */
const char *doc_why(const struct doctor *d, int error);
/** "1.5 GB" */
const char *doc_bytes(char buf[32], double bytes);
const char *doc_user(char buf[64], uid_t uid);

/* ---- one trunk ---- */

enum doc_transport { DOC_UDP, DOC_TCP, DOC_TLS };

struct doc_answer {
	int code;             /* SIP status; 0: none came */
	bool connected;       /* TCP, TLS: the port takes connections */
	int64_t rtt_us;
	char peer[64];        /* whom we asked, numeric; "" when the name is not found */
	char local[64];       /* our address towards it */
	char received[64];    /* as it sees us; "" when it does not say */
	bool rewritten;       /* something between changed our Via or Call-ID: a SIP ALG */
	int error;            /* errno of the last try */
};
/** One OPTIONS to @host:@port, a name or an address; port 0: by SRV, or the transport's own. Over TLS only the connection is tried. */
void doc_options(struct doc_answer *ret, enum doc_transport tp, const char *host, unsigned port, unsigned wait_ms);
bool doc_is_private(const char *address);
