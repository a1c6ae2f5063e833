/* A stranger's session description: read, and answered. */
#include <assert.h>
#include <string.h>

#include "media/media.h"
#include "media/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_refused refused[MSDP_LINES_MAX];
	struct sdp_in in, again;
	char buf[MED_SDP_MAX];
	struct strb b;
	unsigned n = 0;

	if (msdp_parse(&in, (const char *)data, size))
		return 0;
	for (unsigned i = 0; i < in.n; i++)
		if (i != in.audio)
			msdp_refuse(&refused[n++], &in.m[i]);
	strb_init_fixed(&b, buf, sizeof(buf));
	msdp_write(&b, &(struct sdp_out){.id = 1, .version = 1, .addr_be = 0x0100007f, .port = 20000, .proto = SDP_AVP,
					 .dir = msdp_dir(&in), .pt_alaw = in.m[in.audio].pt_alaw,
					 .pt_ulaw = in.m[in.audio].pt_ulaw, .pt_dtmf = in.m[in.audio].pt_dtmf,
					 .refused = refused, .n_refused = n, .audio = in.audio});
	/* Our answer must be one that we would take ourselves, whatever was copied into it. */
	if (!b.overflow)
		assert(!msdp_parse(&again, buf, strlen(buf)) && again.n == in.n);
	return 0;
}
