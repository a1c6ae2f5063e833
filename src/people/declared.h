/* Inside people: the declarations, and what several of their hooks use. */
#pragma once

#include <jansson.h>

#include "base/base.h"
#include "people/people.h"
#include "resource/resource.h"

extern const struct res_def people_leaves, people_departments, people_roles, people_teams, people_users, people_devices, people_queues, people_members, people_trunks,
	people_numbers, people_number_forms, people_number_rules, people_number_prefixes, people_dial_rights, people_breaks, people_tokens, people_faults, people_imports, people_exports, people_privacy_settings,
	people_allowed_networks, people_customers, people_customer_phones, people_customer_types, people_customer_sources,
	people_customer_requests, people_contact_reasons, people_contact_results, people_pool_settings,
	people_notes, people_note_templates,
	people_views, people_list_prefs;

/** Takes a person's views and list preferences away, before he goes himself. */
int people_views_forget(struct db *db, int64_t user_id);

/* Given by campaign/, beside us: its declarations, and what our hooks tell it. */
extern const struct res_def campaign_campaigns, campaign_agents, campaign_teams, campaign_numbers, campaign_leads, campaign_dials,
	campaign_guarded, campaign_do_not_call, campaign_windows, campaign_holidays, campaign_retry_rules, campaign_settings,
	campaign_shown_numbers;
int campaign_seed(struct db *db, int64_t centre_id);
/** A customer was put into a campaign by his row's field. As a hook. */
int campaign_customer_may(struct res_ctx *c, int64_t campaign_id); /* reads only */
int campaign_customer_saved(struct res_ctx *c, int64_t customer_id, int64_t campaign_id);
/** His row goes, with all that hangs on it; or what names him goes and the row stays. */
int campaign_customer_gone(struct db *db, int64_t customer_id);
/** A note was written about a call: what it says of the call's lead. Its call-backs have been arranged already. As a hook. */
int campaign_noted(struct res_ctx *c, int64_t call_id, int64_t user_id, int64_t result_id, int64_t next_ms);
/** The customer's call-backs have changed: leads that wait for them go along. */
int campaign_callbacks(struct db *db, int64_t customer_id);
int campaign_customer_erased(struct db *db, int64_t customer_id, int64_t now_ms);

extern const struct res_def people_call_sounds;
extern const struct res_def people_custom_fields, people_recycle_rules, people_allocations;
extern const struct res_def people_visits, people_deals, people_goals, people_callbacks, people_todo_settings, people_absences, people_notices;

/** A field's text; "" when it is null or missing. */
static inline const char *row_text(const json_t *row, const char *name)
{
	const char *s = json_string_value(json_object_get(row, name));

	return s ? s : "";
}
static inline int64_t row_id(const json_t *row, const char *name)
{
	int64_t id = 0;

	return str_to_i64(&id, row_text(row, name), 0, INT64_MAX) ? id : 0;
}
static inline bool row_bool(const json_t *row, const char *name)
{
	return json_is_true(json_object_get(row, name));
}
static inline void row_set(json_t *row, const char *name, json_t *v)
{
	(void)json_object_set_new(row, name, v);
}

extern const struct res_option people_srtp[];
/** Names of codecs by commas; stored in lower case, without blanks. */
void check_codecs(struct res_ctx *c, json_t *row, const char *field);
/* Fields that trunks and devices share. */
#define FIELD_CODECS \
	{"codecs", RES_TEXT, "语音编码", "Codecs", RES_HIDE_LIST, .max = 64, \
	 .help_zh = "用逗号分开，最先的优先：pcma、pcmu、g722、opus（编译时带上的还有 g729）。留空：pcma,pcmu，两边相同就不用转码。", \
	 .help_en = "By commas, the first is preferred: pcma, pcmu, g722, opus (and g729 where it was built in). Empty: pcma,pcmu, so that " \
		    "nothing need be transcoded."}
#define FIELD_SRTP \
	{"srtp", RES_ENUM, "语音加密（SRTP）", "Encrypted audio (SRTP)", RES_HIDE_LIST, .fallback = "off", .options = people_srtp, \
	 .help_zh = "我方呼叫它时是否在 SDP 中给出密钥。它来电时用不用，由它决定（选“必须加密”则拒绝不加密的）。", \
	 .help_en = "Whether our calls to it offer keys in the description. On calls from it, it decides; \"required\" refuses those in the clear."}
#define FIELD_SRTP_ANY \
	{"srtp_any", RES_BOOL, "信令未加密也用", "Even if signalling is in the clear", RES_HIDE_LIST, .fallback = "false", \
	 .help_zh = "密钥写在信令里：信令不走 TLS，途中的人也能读到密钥。只在可信的内网打开。", \
	 .help_en = "The keys stand in the signalling: without TLS whoever is on the way reads them, too. Only for a network you trust."}

/** Says that a field's text has not the form it must have, unless it is empty or only of these characters. */
void check_chars(struct res_ctx *c, const json_t *row, const char *field, const char *chars);
/** Refuses a role that allows more than who asks may himself: 0, 1 after res_fail, negative. A role that is not there passes. */
int check_role_below(struct res_ctx *c, const char *role);
/**
 * Who may not write every row of @d puts one only below rows of @to, by the reference @field, that he may write: what a row belongs to decides
 * who sees it. 0, 1 after res_fail, negative.
 */
int check_within(struct res_ctx *c, const struct res_def *d, const struct res_def *to, const json_t *row, const json_t *old, const char *field);
/** A prompt's name, "zh/greeting": never a path out of the prompts' folder, so that nobody plays any file of the machine. */
void check_prompt(struct res_ctx *c, const json_t *row, const char *field);
/** "sip:user@192.0.2.1:5060": a numeric address, since the switch asks no name server. */
void check_sip_uri(struct res_ctx *c, const json_t *row, const char *field);
/** A numeric IPv4 address. */
void check_ipv4(struct res_ctx *c, const json_t *row, const char *field);
/** A numeric address or a host name; with @port also "host:port". */
void check_host(struct res_ctx *c, const json_t *row, const char *field, bool port);
/** Characters of a SIP user part that need no escape, without what has a meaning in URIs. */
#define SIP_USER_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*#._-"

void people_token_make(char *ret, size_t size);
void people_token_hash(char hex[65], const char *token);
/** 25 ms, as people_password_hash. */
bool people_hash_fits(const char *hash, const char *password);

/** The program itself, changing rows: everything is allowed, the audit says user 0. Give back with system_done. */
struct system_ctx {
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};
void system_init(struct system_ctx *s, struct db *db, int64_t centre_id);
void system_done(struct system_ctx *s);
/** Creates or updates (@id not 0) by the engine; its refusal is logged and becomes -EINVAL. Takes over @body. */
int system_write(int64_t *ret_id, struct system_ctx *s, const struct res_def *d, int64_t id, json_t *body);
