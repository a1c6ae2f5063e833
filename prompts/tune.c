/*
 * Music on hold, made for the telephone: 48 seconds that loop without a seam. A slow pentatonic melody of soft plucked
 * tones over long bass notes; nothing below 300 Hz carries the tune, nothing is louder than speech.
 * Writes a WAV file, 8 kHz mono PCM16, to standard output.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RATE 8000
#define BEAT (RATE * 3 / 4) /* 80 beats a minute */
#define BARS 16
#define BEATS (BARS * 4)
#define LEN (BEATS * BEAT)

static float mix[LEN];

/* Semitones above A3 (220 Hz) per half beat; 99 rests, 98 lets the note ring on. G major pentatonic: 10 12 14 17 19 22. */
#define R 99
#define T 98
static const unsigned char melody[BEATS * 2] = {
	22, T, 19, T, 17, T, T, T,  14, T, 17, T, 19, T, T, T,  22, T, 24, T, 26, T, 24, 22, 19, T, T, T, R, R, R, R,
	17, T, 19, T, 22, T, T, T,  19, T, 17, T, 14, T, T, T,  12, T, 14, T, 17, T, 14, 12, 10, T, T, T, R, R, R, R,
	26, T, 24, T, 22, T, T, T,  24, T, 22, T, 19, T, T, T,  22, T, 19, T, 17, T, 19, 22, 24, T, T, T, R, R, R, R,
	22, T, 19, T, 17, T, T, T,  14, T, 12, T, 14, T, 17, T, 19, T, 17, T, 14, T, 12, T,  10, T, T, T, R, R, R, R,
};
/* Bass and fifth, one a bar. */
static const signed char bass[BARS] = {10, 7, 12, 5, 10, 7, 5, 10, 7, 12, 10, 5, 10, 7, 5, 10};

/* A plucked tone: three harmonics, the higher ones die sooner. Wraps round the end, so the loop has no seam. */
static void pluck(int start, double semitone, double gain, double seconds)
{
	double hz = 220 * pow(2, semitone / 12);
	int n = (int)(seconds * RATE);

	for (int i = 0; i < n; i++) {
		double t = (double)i / RATE, attack = i < 80 ? i / 80.0 : 1, tail = n - i < 400 ? (n - i) / 400.0 : 1;
		double v = sin(2 * M_PI * hz * t) * exp(-1.6 * t) + 0.35 * sin(4 * M_PI * hz * t) * exp(-3 * t) +
			   0.12 * sin(6 * M_PI * hz * t) * exp(-5 * t);

		mix[(start + i) % LEN] += (float)(gain * attack * tail * v);
	}
}

static void put(FILE *f, uint32_t v, int n)
{
	for (int i = 0; i < n; i++)
		(void)fputc((int)(v >> (8 * i) & 255), f);
}

int main(void)
{
	float peak = 0;

	for (int i = 0; i < BEATS * 2; i++)
		if (melody[i] < T)
			pluck(i * BEAT / 2, melody[i], 0.5, 2.2);
	for (int i = 0; i < BARS; i++) {
		pluck(i * 4 * BEAT, bass[i], 0.3, 3);
		pluck(i * 4 * BEAT + 2 * BEAT, bass[i] + 7, 0.2, 2);
	}
	for (int i = 0; i < LEN; i++)
		peak = fabsf(mix[i]) > peak ? fabsf(mix[i]) : peak;
	(void)fwrite("RIFF", 1, 4, stdout);
	put(stdout, 36 + LEN * 2, 4);
	(void)fwrite("WAVEfmt ", 1, 8, stdout);
	put(stdout, 16, 4);
	put(stdout, 1, 2);
	put(stdout, 1, 2);
	put(stdout, RATE, 4);
	put(stdout, RATE * 2, 4);
	put(stdout, 2, 2);
	put(stdout, 16, 2);
	(void)fwrite("data", 1, 4, stdout);
	put(stdout, LEN * 2, 4);
	for (int i = 0; i < LEN; i++)
		put(stdout, (uint16_t)(int16_t)(mix[i] / peak * 9000), 2);
	return fflush(stdout) ? 1 : 0;
}
