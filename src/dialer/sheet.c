#include "dialer/sheet.h"

#include <assert.h>
#include <string.h>

#include "base/base.h"

void pace_sheet_init(struct pace_sheet *s, int64_t from_ms, int64_t to_ms, int64_t slot_ms, int32_t limit_permille)
{
	assert(to_ms > from_ms && slot_ms > 0);
	memset(s, 0, sizeof(*s));
	while ((to_ms - from_ms + slot_ms - 1) / slot_ms > PACE_SHEET_SLOTS)
		slot_ms *= 2;
	s->from_ms = from_ms;
	s->slot_ms = slot_ms;
	s->limit_permille = limit_permille;
	s->n = (int32_t)((to_ms - from_ms + slot_ms - 1) / slot_ms);
}

static struct pace_sheet_slot *slot_at(struct pace_sheet *s, int64_t at_ms)
{
	int64_t i = at_ms < s->from_ms ? -1 : (at_ms - s->from_ms) / s->slot_ms;

	return i >= 0 && i < s->n ? &s->slot[i] : NULL;
}

void pace_sheet_dial(struct pace_sheet *s, int64_t at_ms, int32_t price_ppm)
{
	struct pace_sheet_slot *slot = slot_at(s, at_ms);

	if (!slot)
		return;
	slot->dialled++;
	slot->price_ppm = price_ppm;
}

void pace_sheet_answer(struct pace_sheet *s, int64_t at_ms, int abandoned)
{
	struct pace_sheet_slot *slot = slot_at(s, at_ms);

	if (!slot)
		return;
	slot->answered++;
	slot->abandoned += abandoned != 0;
}

void pace_sheet_encode(const struct pace_sheet *s, struct jw *w, const char *key)
{
	int64_t answered = 0, abandoned = 0;
	int32_t price = 0;

	jw_obj(w, key);
	jw_int(w, "from_ms", s->from_ms);
	jw_int(w, "slot_ms", s->slot_ms);
	jw_int(w, "limit_permille", s->limit_permille);
	jw_arr(w, "slots");
	for (int32_t i = 0; i < s->n; i++) {
		const struct pace_sheet_slot *slot = &s->slot[i];

		answered += slot->answered;
		abandoned += slot->abandoned;
		price = slot->price_ppm ? slot->price_ppm : price;
		jw_obj(w, NULL);
		jw_int(w, "dialled", slot->dialled);
		jw_int(w, "answered", slot->answered);
		jw_int(w, "abandoned", slot->abandoned);
		jw_int(w, "abandoned_sum", abandoned);
		jw_int(w, "allowed_milli", answered * s->limit_permille); /* permille of one call is a thousandth */
		jw_int(w, "slack_milli", answered * s->limit_permille - abandoned * 1000);
		jw_int(w, "price_ppm", price);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	jw_end_obj(w);
}
