/* Campaigns within the API: campaign_feed.c speaks with the switch, campaigns.c with people. */
#pragma once

#include "api/api_int.h"
#include "campaign/campaign.h"
#include "journal/zone.h"

#define CAMPAIGN_SAID_MAX 200

/* What the switch was answered last. */
struct campaign_said {
	int64_t campaign_id, at_ms;
	enum campaign_why why;
	int64_t more_at_ms; /* 0: when something has changed */
	size_t n, refused;
};

struct campaign_feed;
int campaign_feed_new(struct campaign_feed **ret, struct api *a);
void campaign_feed_stop(struct campaign_feed *f);
void campaign_feed_free(struct campaign_feed *f);
/** False: it has not asked yet. Any thread. */
bool campaign_feed_said(struct campaign_feed *f, int64_t campaign_id, struct campaign_said *ret);
/** Leads have come, or are due earlier: the switch asks again at once. Any thread. */
void campaign_feed_again(struct api *a, int64_t campaign_id);

void campaigns_forget_jobs(struct api *a); /* when nothing runs any more */

/** Every half minute, on the feed's thread: campaigns that have reached their end, lists that run dry, shown numbers that should rest. */
void campaigns_watch(struct api *a, const struct zone *zone);
