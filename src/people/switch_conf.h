/* The switch's configuration, made from the tables. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct db;
struct snap;

/**
 * A centre's configuration as one immutable `struct sw_conf` in one arena; the last holder of the snapshot frees it. Version: that
 * of conf_version. What cannot be used (an inactive user's device, a reference to nowhere) is left out, with a line in the log.
 * Any connection; reads anew when a change was committed meanwhile, so that the version fits the rows. -EAGAIN when that goes on.
 */
int switch_conf_load(struct snap **ret, struct db *db, int64_t centre_id);

struct sw_used;
/** Minutes called out by trunk and person since @since_ms, from the records; the caller frees @ret. A worker's or the main thread's query. */
int people_used_since(struct sw_used **ret, size_t *n, struct db *db, int64_t centre_id, int64_t since_ms);
