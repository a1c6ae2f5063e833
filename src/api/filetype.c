#include "api/filetype.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

enum { PNG, JPEG, GIF, WEBP, PDF, TXT, TXT_GB, DOCX, XLSX, WAV, MP3, M4A, OGG };
static const struct filetype types[] = {
	[PNG] = {"image/png", ".png", NULL, 'i'},
	[JPEG] = {"image/jpeg", ".jpg", ".jpeg", 'i'},
	[GIF] = {"image/gif", ".gif", NULL, 'i'},
	[WEBP] = {"image/webp", ".webp", NULL, 'i'},
	[PDF] = {"application/pdf", ".pdf", NULL, 'p'},
	[TXT] = {"text/plain; charset=utf-8", ".txt", ".csv", 'd'},
	[TXT_GB] = {"text/plain; charset=gb18030", ".txt", ".csv", 'd'},
	[DOCX] = {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx", NULL, 'd'},
	[XLSX] = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", NULL, 'd'},
	[WAV] = {"audio/wav", ".wav", NULL, 'a'},
	[MP3] = {"audio/mpeg", ".mp3", NULL, 'a'},
	[M4A] = {"audio/mp4", ".m4a", ".mp4", 'a'},
	[OGG] = {"audio/ogg", ".ogg", ".opus", 'a'},
};

static bool starts(const uint8_t *d, size_t n, const char *s, size_t len)
{
	return n >= len && !memcmp(d, s, len);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}
static unsigned le16(const uint8_t *p)
{
	return (unsigned)p[1] << 8 | p[0];
}

/* ---- sound ---- */

/* Length of the MPEG audio frame at @d, layer III only; 0: none. ISO 11172-3 2.4.2.3 and 13818-3. */
static size_t mp3_frame(const uint8_t *d, size_t n)
{
	static const unsigned kbit1[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
	static const unsigned kbit2[] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
	static const unsigned hz[] = {44100, 48000, 32000};
	unsigned version, rate, bits;

	if (n < 4 || d[0] != 0xff || (d[1] & 0xe0) != 0xe0)
		return 0;
	version = d[1] >> 3 & 3; /* 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5 */
	bits = d[2] >> 4;
	rate = d[2] >> 2 & 3;
	if (version == 1 || (d[1] >> 1 & 3) != 1 || !bits || bits == 15 || rate == 3)
		return 0;
	return (version == 3 ? 144000u * kbit1[bits] / hz[rate] : 72000u * kbit2[bits] / (hz[rate] >> (version == 2 ? 1 : 2))) + (d[2] >> 1 & 1);
}

static bool is_mp3(const uint8_t *d, size_t n)
{
	size_t at = 0, len;

	if (starts(d, n, "ID3", 3) && n >= 10) /* a tag before the sound, its length in four times seven bits */
		at = 10 + ((size_t)(d[6] & 127) << 21 | (size_t)(d[7] & 127) << 14 | (size_t)(d[8] & 127) << 7 | (d[9] & 127));
	for (size_t end = at + 4096; at < n && at < end && !d[at]; at++)
		;
	if (at >= n)
		return false;
	len = mp3_frame(d + at, n - at);
	return len && (at + len >= n || mp3_frame(d + at + len, n - at - len)); /* two in a row are no accident */
}

/* A file of boxes (ISO 14496-12) without a film in it. */
static bool is_m4a(const uint8_t *d, size_t n)
{
	static const char *const brands[] = {"M4A ", "M4B ", "mp42", "mp41", "isom", "iso2", "3gp4", "3gp5", "dash"};
	bool known = false, sound = false;
	const uint8_t *p = d, *end = d + n;

	if (n < 16 || memcmp(d + 4, "ftyp", 4) != 0 || be32(d) < 16 || be32(d) > n)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(brands); i++)
		known |= !memcmp(d + 8, brands[i], 4);
	while (known && (p = memmem(p, (size_t)(end - p), "hdlr", 4))) {
		p += 4;
		if (end - p >= 12 && !memcmp(p + 8, "vide", 4))
			return false;
		sound |= end - p >= 12 && !memcmp(p + 8, "soun", 4);
	}
	return known && sound;
}

/* ---- documents ---- */

static bool name_is(const uint8_t *name, size_t len, const char *want)
{
	return len == strlen(want) && !strncasecmp((const char *)name, want, len);
}

/* By the archive's own list of files (APPNOTE 4.3.12, 4.3.16). */
static const struct filetype *of_archive(const uint8_t *d, size_t n)
{
	bool content = false, word = false, sheet = false;
	size_t at = n, from, entries;

	if (n < 22)
		return NULL;
	from = n > 22 + 65535 ? n - 22 - 65535 : 0;
	for (at = n - 22; memcmp(d + at, "PK\5\6", 4) != 0; at--)
		if (at == from)
			return NULL;
	entries = le16(d + at + 10);
	from = le32(d + at + 16);
	for (; entries; entries--) {
		size_t len;

		if (from > at || at - from < 46 || memcmp(d + from, "PK\1\2", 4) != 0)
			return NULL;
		len = le16(d + from + 28);
		if (at - from - 46 < len)
			return NULL;
		content |= name_is(d + from + 46, len, "[Content_Types].xml");
		word |= name_is(d + from + 46, len, "word/document.xml");
		sheet |= name_is(d + from + 46, len, "xl/workbook.xml");
		if (memmem(d + from + 46, len, "vbaProject", 10)) /* macros */
			return NULL;
		from += 46 + len + le16(d + from + 30) + le16(d + from + 32);
	}
	if (!content || word == sheet)
		return NULL;
	return &types[word ? DOCX : XLSX];
}

/* ---- text ---- */

/* What a browser might take for a page. */
static bool looks_like_page(const uint8_t *d, size_t n)
{
	static const char *const marks[] = {"<html", "<svg", "<script", "<!doctype", "<?xml", "<head", "<body", "<iframe", "<object", "<embed", "<math"};
	char text[4097];

	if (n > sizeof(text) - 1)
		n = sizeof(text) - 1;
	memcpy(text, d, n);
	text[n] = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (strcasestr(text, marks[i]))
			return true;
	return false;
}

/* GB 18030: two bytes, or four. */
static bool is_gb(const uint8_t *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i] < 0x80)
			continue;
		if (d[i] == 0x80 || d[i] == 0xff || i + 1 >= n)
			return false;
		if (d[i + 1] >= 0x30 && d[i + 1] <= 0x39) {
			if (i + 3 >= n || d[i + 2] < 0x81 || d[i + 2] == 0xff || d[i + 3] < 0x30 || d[i + 3] > 0x39)
				return false;
			i += 3;
		} else if (d[i + 1] >= 0x40 && d[i + 1] != 0x7f && d[i + 1] != 0xff) {
			i++;
		} else {
			return false;
		}
	}
	return true;
}

static const struct filetype *of_text(const uint8_t *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((d[i] < 0x20 && !strchr("\t\r\n\f", d[i])) || d[i] == 0x7f || !d[i])
			return NULL;
	if (looks_like_page(d, n))
		return NULL;
	if (str_is_utf8((const char *)d, n))
		return &types[TXT];
	return is_gb(d, n) ? &types[TXT_GB] : NULL;
}

const struct filetype *filetype_find(const uint8_t *d, size_t n)
{
	if (!n)
		return NULL;
	if (starts(d, n, "\x89PNG\r\n\x1a\n", 8))
		return n > 24 && !memcmp(d + 12, "IHDR", 4) ? &types[PNG] : NULL;
	if (starts(d, n, "\xff\xd8\xff", 3))
		return &types[JPEG];
	if (starts(d, n, "GIF87a", 6) || starts(d, n, "GIF89a", 6))
		return &types[GIF];
	if (starts(d, n, "RIFF", 4) && n >= 16)
		return !memcmp(d + 8, "WEBPVP8", 7) ? &types[WEBP] : !memcmp(d + 8, "WAVE", 4) ? &types[WAV] : NULL;
	if (starts(d, n, "%PDF-", 5))
		return &types[PDF];
	if (starts(d, n, "OggS", 4))
		return memmem(d, n < 512 ? n : 512, "theora", 6) ? NULL : &types[OGG];
	if (starts(d, n, "PK\3\4", 4))
		return of_archive(d, n);
	if (is_m4a(d, n))
		return &types[M4A];
	if (is_mp3(d, n))
		return &types[MP3];
	return of_text(d, n);
}

const struct filetype *filetype_of_mime(const char *mime)
{
	for (size_t i = 0; mime && i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].mime, mime))
			return &types[i];
	return NULL;
}

/* ---- names ---- */

#define NAME_CHARS 120

/* Bytes of the character at @s that is left out: control, U+200B..U+200F, U+2028..U+202E, U+2066..U+2069, U+FEFF, and what paths are made of. */
static size_t left_out(const uint8_t *s)
{
	if (s[0] < 0x20 || s[0] == 0x7f || strchr("/\\:*?\"<>|", s[0]))
		return 1;
	if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
		return 2;
	if (s[0] == 0xe2 && s[1] == 0x80 && ((s[2] >= 0x8b && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae)))
		return 3;
	if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
		return 3;
	return s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf ? 3 : 0;
}

static bool ends_in(const char *name, const char *ext)
{
	size_t n = strlen(name), e = ext ? strlen(ext) : 0;

	return e && n > e && !strcasecmp(name + n - e, ext);
}

void filetype_name(char *ret, size_t size, const char *name, const struct filetype *t)
{
	const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
	unsigned chars = 0;
	size_t n = 0;

	assert(size >= 512);
	if (slash && slash[1])
		name = slash + 1;
	if (back && back >= name && back[1])
		name = back + 1;
	if (!str_is_utf8(name, strlen(name)))
		name = "";
	for (const uint8_t *s = (const uint8_t *)name; *s && chars < NAME_CHARS;) {
		size_t out = left_out(s), len = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

		if (!out && !(n == 0 && (*s == ' ' || *s == '.')) && n + len < size - 8) {
			memcpy(ret + n, s, len);
			n += len;
			chars++;
		}
		s += out ? out : len;
	}
	while (n && (ret[n - 1] == ' ' || ret[n - 1] == '.'))
		n--;
	ret[n] = 0;
	if (!n)
		n = (size_t)snprintf(ret, size, "file");
	if (!ends_in(ret, t->ext) && !ends_in(ret, t->other))
		(void)snprintf(ret + n, size - n, "%s", t->ext);
}
