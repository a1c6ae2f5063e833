/*
 * What a carrier plays before an answer, or a machine says after it, known by its sound: tones by their cadence, announcements
 * because somebody taught them. Samples go in, verdicts come out. Pure: no clock, no file, no lock.
 *
 *   struct hear_print   what is kept of a sound to know it again: 50 words of 32 bits a second
 *   struct hear_book    all that is taught, with its index; immutable, so that every thread may read it
 *   struct hear         one leg's listening: memory of fixed size, nothing allocated after hear_new
 *
 * What is not taught is never guessed: music or a voice that nothing matches is said to be music or a voice, and a person listens to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAR_HZ 8000
#define HEAR_TAUGHT_MAX 1000            /* sounds of a book */
#define HEAR_SOUND_MS_MIN 1500          /* of a sound to be taught, without the silence at its ends */
#define HEAR_SOUND_MS_MAX 60000

enum hear_kind {
	HEAR_NOTHING,      /* silence, or too little to say anything */
	HEAR_RINGBACK,     /* tones: ITU-T E.180 and its supplement 2 */
	HEAR_BUSY,
	HEAR_CONGESTION,
	HEAR_UNOBTAINABLE, /* China: 空号音 */
	HEAR_SIT,          /* special information tone; an announcement usually follows */
	HEAR_MUSIC,        /* 彩铃, most likely */
	HEAR_VOICE,        /* somebody speaks, nothing that was taught */
	HEAR_TAUGHT,       /* a taught sound: class, sample, offset */
	HEAR_KINDS
};
const char *hear_kind_name(enum hear_kind k); /* nothing ringback busy congestion unobtainable sit music voice taught */

/* What a taught sound means. RINGBACK: a 彩铃 that many have: it rings, no more. */
enum hear_class { HEAR_C_NONE, HEAR_C_EMPTY, HEAR_C_SUSPENDED, HEAR_C_OFF, HEAR_C_UNREACHABLE, HEAR_C_BUSY, HEAR_C_NOANSWER, HEAR_C_ASSISTANT,
		  HEAR_C_RINGBACK, HEAR_CLASSES };
const char *hear_class_name(enum hear_class c); /* "" empty suspended off unreachable busy noanswer assistant ringback */
enum hear_class hear_class_of(const char *name); /* HEAR_C_NONE: none of them */

struct hear_verdict {
	enum hear_kind kind;
	enum hear_class class;  /* HEAR_TAUGHT only */
	uint16_t confidence;    /* 0..1000; of a taught sound: the share of bits above chance that agree, see book.c */
	int64_t sample;         /* HEAR_TAUGHT: its id */
	int32_t offset_ms;      /* HEAR_TAUGHT: where in the sample we are at at_ms */
	int32_t at_ms;          /* when it was clear, from the beginning of listening */
};

/** The result of an attempt that a verdict stands for: "busy", "empty" ... ; "" when it says nothing (it rings, or nobody knows). */
const char *hear_result(const struct hear_verdict *v);

/* ---- a sound to be known again ---- */

struct hear_print;
/** @pcm: HEAR_HZ, int16. 0, -ERANGE: too short or too long without the silence around it, -ENODATA: nothing but silence. */
int hear_print_new(struct hear_print **ret, const int16_t *pcm, size_t n);
void hear_print_free(struct hear_print *p);
int32_t hear_print_ms(const struct hear_print *p);
/** As bytes, to be kept: at most hear_print_size. */
size_t hear_print_size(const struct hear_print *p);
void hear_print_write(const struct hear_print *p, uint8_t *out);
/** Of bytes that were kept; -EINVAL when they are none, or of another version. */
int hear_print_read(struct hear_print **ret, const uint8_t *data, size_t n);

/* ---- all that is taught ---- */

struct hear_taught {
	int64_t id;
	enum hear_class class;
	const struct hear_print *print; /* borrowed for the call */
};

struct hear_book;
/** -E2BIG: more than HEAR_TAUGHT_MAX. None at all is a book, too. */
int hear_book_new(struct hear_book **ret, const struct hear_taught *t, size_t n);
void hear_book_free(struct hear_book *b);

/* ---- listening ---- */

struct hear;
/** @book: borrowed, must outlive it. */
struct hear *hear_new(const struct hear_book *book);
void hear_free(struct hear *h);
/**
 * For the first seconds after an answer, where nobody but a person or a machine speaks: two seconds of a taught sound are enough, since a
 * person cannot say what a recording says. Before any sound.
 */
void hear_hurry(struct hear *h);
/**
 * The next @n samples, HEAR_HZ. True when what is known has changed: *@ret is it then. Later ones outweigh earlier ones: it may ring for a
 * minute and then be said that nobody answers.
 */
bool hear_feed(struct hear *h, struct hear_verdict *ret, const int16_t *pcm, unsigned n);
/** @n samples were lost. */
bool hear_gap(struct hear *h, struct hear_verdict *ret, unsigned n);
/** What is known now. */
void hear_verdict(const struct hear *h, struct hear_verdict *ret);
