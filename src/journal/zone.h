/* Local days of an IANA zone, from the system's zone files (RFC 8536), without touching the process's TZ. */
#pragma once

#include <stdint.h>

struct zone;

/** -ENOENT: no such zone; -EBADMSG: its file is not understood. */
int zone_open(struct zone **ret, const char *name);
void zone_free(struct zone *z);
/** What the clock on the wall shows at an instant, as ms as if it were UTC; and an instant at which it shows that. */
int64_t zone_wall_ms(const struct zone *z, int64_t utc_ms);
int64_t zone_utc_ms(const struct zone *z, int64_t wall_ms);
/** The local day of an instant as yyyymmdd. Beyond the file's last transition its last offset holds. */
int64_t zone_day(const struct zone *z, int64_t utc_ms);
