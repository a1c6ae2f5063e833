-- Of one project: lists are narrowed by it, and a project that is referred to stays.
CREATE INDEX callbacks_campaign ON callbacks (campaign_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX visits_campaign ON visits (campaign_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX deals_campaign ON deals (campaign_id) WHERE campaign_id IS NOT NULL;
