/* Small parsers of sip/: digest credentials, serialised dialogs, WebSocket frames. The first byte chooses. */
#include "sip/dialog_json.h"
#include "sip/sip_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes;

static void message(const char *data, size_t len, void *arg)
{
	assert(len <= WS_MESSAGE_MAX);
	for (size_t i = 0; i < len; i++)
		bytes += (unsigned char)data[i];
}

static void control(enum ws_opcode op, const uint8_t *data, size_t len, void *arg)
{
	assert(len <= 125 && op >= WS_CLOSE && op <= WS_PONG);
	bytes += len ? data[len - 1] : 0;
}

/* Cut anywhere, the same messages come out. */
static void frames(const uint8_t *data, size_t size)
{
	struct ws_handlers h = {message, control, NULL};
	struct ws_parser p = {0};
	size_t sum;
	int a, b = 0;

	bytes = 0;
	a = ws_feed(&p, data, size, &h);
	ws_parser_done(&p);
	sum = bytes;
	bytes = 0;
	for (size_t i = 0; i < size && !b; i++)
		b = ws_feed(&p, data + i, 1, &h);
	ws_parser_done(&p);
	assert(a == b && sum == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sipa_credentials c;
	struct sipd_dialog d;
	char *text;

	if (!size)
		return 0;
	text = xcalloc(1, size); /* ends in NUL, and may hold some */
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		(void)sipa_parse(&c, text, size - 1);
		break;
	case 1:
		if (!sipd_read(&d, text))
			sipd_done(&d);
		break;
	default:
		frames(data + 1, size - 1);
	}
	free(text);
	return 0;
}
