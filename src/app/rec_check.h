/*
 * Are the files of the recordings what the log says they were? The log is taken as whole: verify its chain first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db;

struct rec_check {
	int64_t whole;   /* files that are what was recorded */
	int64_t erased;  /* removed with the person they were of: the records say so */
	int64_t unheard; /* of them no file was ever closed: the disk refused */
	/* The first that is not right; part 0: all are. */
	int64_t part, call_id, epoch, n; /* epoch.n: the event that has its hash */
	const char *wrong;               /* "altered" or "missing" */
	char path[512];
};

/**
 * Compares each file with the hash in the event that closed it. @dir: where recordings lie now, NULL: where they were written.
 * 0: all are whole; 1: @ret names the first that is not; negative: the log or the memory fails.
 */
int rec_check(struct rec_check *ret, struct db *db, const char *dir);

/** Is the event of a root ("EPOCH.N:HASH", as huawu verify prints it) still that one? (verify.c) */
bool verify_root(struct db *db, const char *root);
