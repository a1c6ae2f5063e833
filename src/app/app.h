/* The program: commands, configuration, and how the parts are wired. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct db;

struct app_conf {
	char *config;          /* INI file, or NULL */
	char *data_dir;
	char *db;              /* sqlite path; default <data_dir>/huawu.db */
	char *ring;            /* default /dev/shm/huawu-<uid>-<hash of data_dir>.ring */
	char *sip_listen, *sip_external, *realm, *dns;
	char *http_listen, *http_cert, *http_key;
	char *rtp_bind, *turn, *turn_secret;
	int64_t rtp_min, rtp_max, media_threads;
	int64_t legs_max, invites_per_s;
	int64_t trace_mb, trace_days; /* SIP messages kept; 0 MB: none */
	int64_t session_s, session_min_s; /* SIP session timers */
	int64_t stop_s;        /* how long SIGTERM lets calls go on */
	char *log_level;
	bool demo, check;
	FILE *told;            /* where what is wrong is said; NULL: stderr */
};

/** Defaults, then the INI file, then flags. Returns 0, or an exit status plus one after saying what is wrong (or --help). */
int app_conf_load(struct app_conf *c, int argc, char **argv);
/** The same, but touches nothing: no log level, no data folder, and no app_conf_derive. */
int app_conf_read(struct app_conf *c, int argc, char **argv);
/** What follows from other values, for a server run by @uid: the database's and the ring's names. */
void app_conf_derive(struct app_conf *c, unsigned uid);
void app_conf_done(struct app_conf *c);

int serve_main(int argc, char **argv);
int user_main(int argc, char **argv);
int import_prefixes_main(int argc, char **argv); /* a table of number regions */
/** Inside the server, for its page: the findings as JSON, which the caller frees. Any thread; one at a time. */
char *doctor_inside(const struct app_conf *c, struct db *db, bool en);
/** Before db_migrate: keeps a copy in backup/ when tables are about to change. 0, or why none could be kept. */
int copies_before_migration(struct db *db, const char *data_dir);
/** Says how to go on with a database that a newer program has upgraded. */
void copies_tell_newer(const char *data_dir);
int backup_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int verify_main(int argc, char **argv);
