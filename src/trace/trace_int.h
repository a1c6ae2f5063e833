/* A record as it lies in the ring and in the files. */
#pragma once

#include "base/base.h"
#include "trace/trace.h"

#define REC_MAGIC 0x48575452u /* in the first four bytes of each record */
#define REC_SKIP  0x48575453u /* ring only: go on at its beginning */
#define REC_ROUND(n) (((n) + 7) & ~(size_t)7)

enum rec_kind { REC_MESSAGE, REC_LEG };

struct rec {
	uint32_t magic, len; /* of what follows; the record is rounded up to eight bytes */
	int64_t at_us;
	int64_t trunk_id, call_id, leg_id;
	uint64_t key;        /* of the Call-ID */
	struct trace_addr local, remote;
	char transport[6];
	uint8_t kind, out, known;
	uint8_t pad[5];
	char data[];         /* the message; of a leg: role, party, Call-ID, each with its NUL */
};
_Static_assert(sizeof(struct rec) % 8 == 0, "records are aligned");

#define REC_MAX (sizeof(struct rec) + REC_ROUND(TRACE_MESSAGE_MAX))

uint64_t trace_key(const char *call_id, size_t len);

/* Files: <ms of the first record, 13 digits>-<series>.sip. Names sort by time. */
#define SERIES_N 2
#define SERIES_NAME "ks" /* known, strangers */
struct trace_file {
	char name[32];
	int64_t from_ms, bytes;
	unsigned series;
};
/** The folder's files by name; free(*ret). 0 or negative. */
int trace_files(struct trace_file **ret, size_t *n, const char *dir);
