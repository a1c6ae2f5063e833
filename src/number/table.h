/*
 * A trunk's number table: what the carrier delivers becomes canonical, what we dial becomes what the carrier wants, and the form of
 * our own number. Pure; the switch and the page's try-it box ask the same functions, with a trace for people.
 *
 *   in    carrier's digits --first rule that fits--> digits --form--> canonical
 *   out   canonical --form--> digits --first rule that fits--> carrier's digits
 */
#pragma once

#include "number/number.h"

struct num_rule {
	int64_t id;
	bool in;            /* else out */
	bool calling;       /* else the number called */
	const char *begins; /* digits it begins with; "" or NULL: any */
	int32_t len;        /* and so long, the plus counted; 0: any */
	int32_t strip;      /* characters taken away in front */
	const char *put;    /* and put there instead; NULL: none */
};

struct num_table {
	int64_t id;                /* 0: none, numbers pass as they are */
	char area[5];              /* where the trunk is at home, "755"; "" */
	enum num_form called, shown;
	bool pai, ppi, rpid;       /* P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID */
	bool from_account;         /* From is the account, the number only in the headers above */
	bool hide;                 /* our number is not shown: RFC 3323 */
	const char *domain;        /* of our own number; NULL: the address of the carrier */
	const char *numbers;       /* shown, parted by blanks; NULL: the trunk's caller id */
	const struct num_rule *rules;
	size_t rule_n;
};

extern const struct num_table num_table_none;

#define NUM_STEPS_MAX 12

struct num_step {
	const char *what;          /* typed read rule form ... : stable, the page says it in words */
	int64_t rule_id;
	char before[NUM_TEXT_MAX + 1], after[NUM_TEXT_MAX + 1];
};

struct num_trace {
	struct num_step steps[NUM_STEPS_MAX];
	size_t n;
};
void num_trace_add(struct num_trace *tr, const char *what, int64_t rule_id, const char *before, const char *after); /* @tr may be NULL */

/** What the carrier delivered, as called or calling number. False: no number (hidden, or letters). @tr may be NULL. */
bool num_inbound(struct num *ret, const struct num_table *t, bool calling, const char *text, struct num_trace *tr);
/** @dialled is what was typed: without a table it goes out untouched. */
void num_outbound(char ret[NUM_TEXT_MAX], const struct num_table *t, bool calling, const struct num *n, const char *dialled, enum num_city city,
		  struct num_trace *tr);

/** Whether a rule takes away what hides a number that costs more: "9" before 00852..., when an exchange wants it so. That number into @ret. */
bool num_uncovered(struct num *ret, const struct num_table *t, const struct num *n, const char *dialled, enum num_city city);

/* Who we say we are. */
struct num_identity {
	char number[NUM_MAX];       /* as it is shown, in the trunk's form; "" when there is none */
	char from_user[64], from_name[64], from_domain[128]; /* domain "": the stack's own */
	char pai[200], ppi[200], rpid[240]; /* header values, "" when not sent */
	bool hidden;
};

/** @caller_id: the trunk's, or the agent's extension. @called: with several numbers the same customer always sees the same one. */
void num_identify(struct num_identity *ret, const struct num_table *t, const char *caller_id, const char *account, const char *host,
		  const struct num *called, struct num_trace *tr);
/** Header lines of it, each with CRLF. */
void num_identity_lines(char *buf, size_t size, const struct num_identity *id);

/* Forms that carriers in China commonly want, to start from. */
struct num_preset {
	const char *code, *zh, *en, *help_zh, *help_en;
	enum num_form called, shown;
	bool pai, ppi, rpid, from_account;
};
extern const struct num_preset num_presets[];
extern const size_t num_preset_n;
