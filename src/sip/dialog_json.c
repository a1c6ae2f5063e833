#include "sip/dialog_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* What is read here goes into headers: one line each, and routes are nothing but Route lines. */
static bool is_line(const char *s)
{
	if (!s || !*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return false;
	return true;
}

static bool is_routes(const char *s)
{
	while (s && *s) {
		const char *end = strstr(s, "\r\n");

		if (!end || strncmp(s, "Route: ", 7))
			return false;
		for (; s < end; s++)
			if ((unsigned char)*s < ' ' || *s == 127)
				return false;
		s = end + 2;
	}
	return s != NULL;
}

static char *copy(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? xstrdup(s) : NULL;
}

void sipd_done(struct sipd_dialog *d)
{
	free(d->call_id);
	free(d->local);
	free(d->remote);
	free(d->target);
	free(d->routes);
	free(d->peer);
	free(d->device);
	free(d->transport);
	free(d->tls);
	*d = (struct sipd_dialog){0};
}

int sipd_read(struct sipd_dialog *ret, const char *json)
{
	json_t *j = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	struct sipd_dialog d = {
		.call_id = copy(j, "call_id"),
		.local = copy(j, "local"),
		.remote = copy(j, "remote"),
		.target = copy(j, "target"),
		.routes = copy(j, "routes"),
		.peer = copy(j, "peer"),
		.device = copy(j, "device"),
		.transport = copy(j, "transport"),
		.tls = copy(j, "tls"),
		.cseq = json_integer_value(json_object_get(j, "cseq")),
	};
	bool good = is_line(d.call_id) && is_line(d.local) && is_line(d.remote) && is_line(d.target) &&
			is_routes(d.routes) && !d.peer != !d.device && d.cseq >= 0 && d.cseq <= 0x7fff0000 &&
			(!d.transport || !strcmp(d.transport, "tcp") || !strcmp(d.transport, "tls"));

	json_decref(j);
	if (!good) {
		sipd_done(&d);
		return -EINVAL;
	}
	*ret = d;
	return 0;
}
