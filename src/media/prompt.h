/*
 * Prompts: sounds as A-law in memory, immutable once made. The store belongs to the switch thread; media threads
 * only read sounds, which live until the store is freed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

struct sound {
	const uint8_t *alaw;
	size_t n; /* octets, 8000 a second */
};

#define SOUND_MAX (8000u * 60 * 30) /* half an hour */

struct prompts;

int mprompt_new(struct prompts **ret);
void mprompt_free(struct prompts *p);
/** 0, -ENOENT, or -EINVAL when a file is not 8 kHz mono PCM16 or A-law. */
int mprompt_get(const struct sound **ret, struct prompts *p, const char *name);
const struct sound *mprompt_tone(struct prompts *p, enum med_tone tone);

/** Decodes a whole WAV file in memory into A-law (malloc). 0, -EINVAL or -E2BIG. */
int mprompt_wav(uint8_t **ret, size_t *n, const uint8_t *data, size_t size);
