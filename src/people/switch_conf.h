/* The switch's configuration, made from the tables. */
#pragma once

#include <stdint.h>

struct db;
struct snap;

/**
 * A centre's configuration as one immutable `struct sw_conf` in one arena; the last holder of the snapshot frees it. Version: that
 * of conf_version. What cannot be used (an inactive user's device, a reference to nowhere) is left out, with a line in the log.
 * Any connection; reads anew when a change was committed meanwhile, so that the version fits the rows. -EAGAIN when that goes on.
 */
int switch_conf_load(struct snap **ret, struct db *db, int64_t centre_id);
