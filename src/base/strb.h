/*
 * String builder with an upper bound, and small string helpers. Appending past the bound sets `overflow`
 * and drops the rest; the writer checks once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strb {
	char *buf;    /* always NUL-terminated once anything was appended */
	size_t len, cap, max;
	bool overflow;
	bool fixed;   /* storage is the caller's */
};

void strb_init(struct strb *b, size_t max_bytes); /* grows on the heap up to @max_bytes */
void strb_init_fixed(struct strb *b, char *buf, size_t size);
void strb_done(struct strb *b);
void strb_clear(struct strb *b);
void strb_add(struct strb *b, const void *s, size_t n);
void strb_puts(struct strb *b, const char *s);
void strb_putc(struct strb *b, char c);
void strb_i64(struct strb *b, int64_t v);
void strb_printf(struct strb *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Hands the heap buffer over (the caller frees it); never NULL. */
char *strb_take(struct strb *b);

/*
 * JSON writer on a builder: no tree, keys in the order written, commas by itself. Numbers are integers, or
 * doubles printed with 17 significant digits so that they read back to the same bits.
 */
struct jw {
	struct strb *b;
	bool comma;
};

void jw_init(struct jw *w, struct strb *b);
void jw_obj(struct jw *w, const char *key); /* key NULL inside arrays and at the top */
void jw_arr(struct jw *w, const char *key);
void jw_end_obj(struct jw *w);
void jw_end_arr(struct jw *w);
void jw_int(struct jw *w, const char *key, int64_t v);
void jw_id(struct jw *w, const char *key, int64_t v);  /* a 63-bit id, as a string: JavaScript has 53 bits */
void jw_num(struct jw *w, const char *key, double v);
void jw_bool(struct jw *w, const char *key, bool v);
void jw_null(struct jw *w, const char *key);
void jw_str(struct jw *w, const char *key, const char *s); /* NULL becomes null; invalid UTF-8 is replaced */
void jw_strn(struct jw *w, const char *key, const char *s, size_t n);
void jw_raw(struct jw *w, const char *key, const char *json);

bool str_is_utf8(const char *s, size_t n);
/** Control characters (Unicode's Cc) in UTF-8; with @lines LF and TAB are none. */
bool str_has_control(const char *s, bool lines);
/** Each byte that is NUL or no part of UTF-8 becomes a question mark. */
void str_mend_utf8(char *s, size_t n);
/** Decimal integer, whole string; false on anything else or outside [min, max]. */
bool str_to_i64(int64_t *ret, const char *s, int64_t min, int64_t max);
/** Copies with truncation, always terminates; answers whether all of @src fitted. */
bool str_copy(char *dst, size_t size, const char *src);
void str_hex_of(char *dst, const uint8_t *src, size_t n); /* dst holds 2n+1 */
bool str_hex_to(uint8_t *dst, size_t n, const char *hex); /* exactly 2n digits */
