/* When something happens, learned in one-second bins that forget. */
#include "dialer/core.h"

#include <string.h>

void hist_init(struct hist *h, int n, double memory)
{
	memset(h, 0, sizeof(*h));
	h->n = n;
	h->keep = 1 - 1 / memory;
}

void hist_sum(struct hist *h)
{
	double total = 0, sum = 0;

	for (int i = 0; i < h->n; i++)
		total += h->bin[i];
	h->below[0] = h->area[0] = 0;
	for (int i = 0; i < h->n; i++) {
		sum += h->bin[i];
		h->below[i + 1] = total > 0 ? sum / total : 0;
		h->area[i + 1] = h->area[i] + (h->below[i] + h->below[i + 1]) / 2;
	}
}

void hist_fill(struct hist *h, int from_s, int to_s, double weight)
{
	for (int i = from_s; i < to_s; i++)
		h->bin[i] += weight / (to_s - from_s);
	hist_sum(h);
}

void hist_add(struct hist *h, double s)
{
	int at = s < 0 ? 0 : s >= h->n - 1 ? h->n - 1 : (int)s;

	for (int i = 0; i < h->n; i++)
		h->bin[i] *= h->keep;
	h->bin[at] += 1;
	hist_sum(h);
}

double hist_below(const struct hist *h, double s)
{
	int i;

	if (s <= 0)
		return 0;
	if (s >= h->n)
		return 1;
	i = (int)s;
	return h->below[i] + (h->below[i + 1] - h->below[i]) * (s - i);
}

double hist_area(const struct hist *h, double s)
{
	double part;
	int i;

	if (s <= 0)
		return 0;
	if (s >= h->n)
		return h->area[h->n] + (s - h->n);
	i = (int)s;
	part = s - i;
	return h->area[i] + part * (h->below[i] + (h->below[i + 1] - h->below[i]) * part / 2);
}

double hist_seen(const struct hist *h)
{
	double total = 0;

	for (int i = 0; i < h->n; i++)
		total += h->bin[i];
	return total;
}
