/* Sound files that people bring to be taught. */
#include <stdlib.h>

#include "hear/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int16_t *pcm;
	size_t n;

	if (hear_wav_read(&pcm, &n, data, size) == HEAR_WAV_OK)
		free(pcm);
	return 0;
}
