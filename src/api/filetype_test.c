#include "api/filetype.h"
#include "base/base.h"
#include "base/test.h"

#include <string.h>

#define IS(bytes, want) is((const uint8_t *)(bytes), sizeof(bytes) - 1, want)

static void is(const uint8_t *d, size_t n, const char *want)
{
	const struct filetype *t = filetype_find(d, n);

	if (!want) {
		assert_null(t);
		return;
	}
	assert_non_null(t);
	assert_string_equal(t->ext, want);
	assert_ptr_equal(filetype_of_mime(t->mime), t);
}

TEST(a_file_is_what_its_bytes_say)
{
	IS("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1", NULL); /* cut off in its header */
	IS("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0", ".png");
	IS("\xff\xd8\xff\xe0 rest", ".jpg");
	IS("GIF89a..", ".gif");
	IS("RIFF\4\0\0\0WEBPVP8 ....", ".webp");
	IS("RIFF\4\0\0\0WAVEfmt ....", ".wav");
	IS("RIFF\4\0\0\0AVI LIST....", NULL);
	IS("%PDF-1.7\n", ".pdf");
	IS("OggS\0\2............OpusHead", ".ogg");
	IS("OggS\0\2............\x80theora", NULL);
	IS("\0\0\0\x18" "ftypM4A \0\0\0\0isom\0\0\0\0....hdlr\0\0\0\0\0\0\0\0soun....", ".m4a");
	IS("\0\0\0\x18" "ftypisom\0\0\0\0isom\0\0\0\0hdlr\0\0\0\0\0\0\0\0sounhdlr\0\0\0\0\0\0\0\0vide", NULL);
	IS("", NULL);
	IS("\x7f" "ELF\2\1\1", NULL);
	IS("MZ\x90\0", NULL);
	IS("\x1f\x8b\x08\0", NULL);
}

TEST(two_frames_of_mp3_are_sound_and_one_start_is_not)
{
	/* MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 / 44100 = 417 bytes a frame (ISO 11172-3, 2.4.3.1). */
	uint8_t d[2 * 417 + 10] = "ID3\4\0\0\0\0\0\0";

	memcpy(d + 10, "\xff\xfb\x90\0", 4);
	is(d, sizeof(d), NULL);
	memcpy(d + 10 + 417, "\xff\xfb\x90\0", 4);
	is(d, sizeof(d), ".mp3");
	is(d + 10, sizeof(d) - 10, ".mp3");
}

TEST(text_is_text_and_pages_are_not_taken)
{
	IS("你好\r\n", ".txt");
	IS("\xc4\xe3\xba\xc3\r\n", ".txt"); /* 你好 in GB 18030 */
	assert_string_equal(filetype_find((const uint8_t *)"\xc4\xe3\xba\xc3", 4)->mime, "text/plain; charset=gb18030");
	IS("a\0b", NULL);
	IS("a\x1b[0m", NULL);
	IS("\xff\xfe\xff", NULL);
	IS("<!DOCTYPE html><p>", NULL);
	IS("  <svg xmlns='http://www.w3.org/2000/svg'>", NULL);
	IS("\xef\xbb\xbf<?xml version='1.0'?>", NULL);
	IS("hello <ScRiPt>alert(1)</script>", NULL);
	IS("a < b", ".txt");
}

/* An archive of empty stored files: only its list is looked at. */
static size_t archive(uint8_t *out, const char *const *names)
{
	size_t n = 30, start = n, k = 0;

	memset(out, 0, 1000);
	memcpy(out, "PK\3\4", 4);
	for (; names[k]; k++) {
		size_t len = strlen(names[k]);

		memcpy(out + n, "PK\1\2", 4);
		out[n + 28] = (uint8_t)len;
		memcpy(out + n + 46, names[k], len);
		n += 46 + len;
	}
	memcpy(out + n, "PK\5\6", 4);
	out[n + 10] = (uint8_t)k;
	out[n + 16] = (uint8_t)start;
	return n + 22;
}

TEST(documents_are_known_by_what_is_in_the_archive)
{
	uint8_t d[1000];

	is(d, archive(d, (const char *const[]){"[Content_Types].xml", "word/document.xml", NULL}), ".docx");
	is(d, archive(d, (const char *const[]){"[Content_Types].xml", "xl/workbook.xml", NULL}), ".xlsx");
	is(d, archive(d, (const char *const[]){"[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin", NULL}), NULL);
	is(d, archive(d, (const char *const[]){"a.exe", NULL}), NULL);
	is(d, archive(d, (const char *const[]){"[Content_Types].xml", "word/document.xml", NULL}) - 1, NULL);
}

static void name(const char *given, const char *want)
{
	char out[512];

	filetype_name(out, sizeof(out), given, filetype_of_mime("image/png"));
	assert_string_equal(out, want);
}

TEST(names_are_cleaned_and_end_in_what_the_file_is)
{
	char longer[1000], out[512];

	name("照片.PNG", "照片.PNG");
	name("../../etc/passwd", "passwd.png");
	name("C:\\Users\\a\\图 1.png", "图 1.png");
	name("a.exe", "a.exe.png");
	name("", "file.png");
	name("...", "file.png");
	name("\x02..hidden", "hidden.png");
	name("a\r\nb\"c.png", "abc.png");
	name("cod\xe2\x80\xaegnp.exe", "codgnp.exe.png"); /* U+202E turns what follows */
	name("\xff", "file.png");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	filetype_name(out, sizeof(out), longer, filetype_of_mime("image/png"));
	assert_int_equal(strlen(out), 124);
}
