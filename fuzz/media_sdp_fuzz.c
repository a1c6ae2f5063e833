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
	struct sdp_out o;
	struct strb b;
	unsigned n = 0;

	if (msdp_parse(&in, (const char *)data, size))
		return 0;
	for (unsigned i = 0; i < in.n; i++)
		if (i != in.audio)
			msdp_refuse(&refused[n++], &in.m[i]);
	strb_init_fixed(&b, buf, sizeof(buf));
	o = (struct sdp_out){.id = 1, .version = 1, .port = 20000, .proto = in.m[in.audio].n_crypto ? SDP_SDES : SDP_AVP, .dir = msdp_dir(&in),
			     .pt_dtmf = in.m[in.audio].pt_dtmf, .pt_dtmf48 = in.m[in.audio].pt_dtmf48, .n_codec = in.m[in.audio].n_order,
			     .refused = refused, .n_refused = n, .audio = in.audio, .crypto = in.m[in.audio].crypto,
			     .n_crypto = in.m[in.audio].n_crypto};
	if (!msdp_addr(&in, &o.addr))
		maddr_from4(&o.addr, 0x0100007f, 0);
	for (unsigned i = 0; i < o.n_codec; i++) {
		o.codec[i] = in.m[in.audio].order[i];
		o.pt[i] = (uint8_t)in.m[in.audio].pt[o.codec[i]];
	}
	msdp_write(&b, &o);
	/* Our answer must be one that we would take ourselves, whatever was copied into it. */
	if (!b.overflow)
		assert(!msdp_parse(&again, buf, strlen(buf)) && again.n == in.n && again.m[again.audio].n_order == o.n_codec &&
		       again.m[again.audio].n_crypto == o.n_crypto);
	return 0;
}
