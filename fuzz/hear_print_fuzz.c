/* Prints that were kept: out of the database, or out of a copy that somebody has changed. What is read is listened for. */
#include "hear/hear.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int16_t pcm[1600];
	struct hear_verdict v;
	struct hear_print *p;
	struct hear_book *b;
	struct hear *h;

	if (hear_print_read(&p, data, size))
		return 0;
	if (!hear_book_new(&b, &(struct hear_taught){.id = 1, .class = HEAR_C_OFF, .print = p}, 1)) {
		h = hear_new(b);
		for (unsigned i = 0; i < 1600; i++)
			pcm[i] = (int16_t)(data[i % size] << 6);
		(void)hear_feed(h, &v, pcm, 1600);
		hear_free(h);
		hear_book_free(b);
	}
	hear_print_free(p);
	return 0;
}
