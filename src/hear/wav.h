/* Sound files that people bring to be taught. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum hear_wav {
	HEAR_WAV_OK,
	HEAR_WAV_NONE,  /* no WAV file, or a broken one */
	HEAR_WAV_CODEC, /* holds something else than PCM of 16 bits, A-law or mu-law; or more than two channels */
	HEAR_WAV_RATE,  /* fewer than 8000 samples a second, or more than 48000 */
	HEAR_WAV_LONG,  /* more than twice HEAR_SOUND_MS_MAX */
	HEAR_WAV_EMPTY,
};

/** @n samples at HEAR_HZ into *@ret, which the caller frees. Two channels become their mean. Otherwise *@ret is left alone. */
enum hear_wav hear_wav_read(int16_t **ret, size_t *n, const uint8_t *data, size_t size);
