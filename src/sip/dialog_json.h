/* Reading a serialised dialog. Apart, because jansson and libre both define JSON_STRING. */
#pragma once

#include <stdint.h>

/* Strings are ours; peer or device, never both. */
struct sipd_dialog {
	char *call_id, *local, *remote, *target, *routes, *peer, *device;
	char *transport; /* "tcp", "tls"; NULL: udp, or the device's */
	char *tls;	 /* whom we expect there; NULL: the default */
	int64_t cseq;
};

int sipd_read(struct sipd_dialog *ret, const char *json); /* -EINVAL; nothing to free then */
void sipd_done(struct sipd_dialog *d);
