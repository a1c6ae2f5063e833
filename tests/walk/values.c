/* Values of fields, right and wrong, made from the declarations by rules of this file's own; what hooks want besides is in the table. */
#include "walk.h"

#define INT_SAFE ((int64_t)1 << 53) /* the engine's bound of numbers without one: JavaScript counts so far */

static const struct sample samples[] = {
	{"customers.tags", "[',vip,', ',vip,老客户,']", NULL, NULL},
	{"customer_phones.number", "['+8675588886666', '+8613900139001']", "[['12', 'number'], ['hello', 'number'], ['13800138000、13900139000', 'number']]", NULL},
	{"customer_phones.extension", "['801', '*12#']", "[['x', 'format']]", NULL},
	{"contact_results.code", "['a', 'result_two', 'abcdefghijklmnopqrstuvwxyz_0123']", "[['Upper', 'format'], ['a b', 'format'], ['中', 'format']]", NULL},
	{"breaks.code", "['a', 'tea', 'abcdefghijklmnopqrstuvwxyz_0123']", "[['Upper', 'format'], ['login', 'reserved']]", NULL},
	{"notes.next_ms", "[1700000060001, 1800000000000]", "[[0, 'range'], [9007199254740992, 'range']]", NULL},
	{"notes.call_id", NULL, "[['4611686018427387904', 'ref']]", NULL},
	{"notes.form", NULL, "[['x', 'type']]", NULL},
	{"recycle_rules.target", NULL, NULL, "{'team_id':'$t1'}"},
	{"custom_fields.zh", NULL, "[['姓名', 'label_taken']]", NULL},
	{"custom_fields.en", NULL, "[['Name', 'label_taken']]", NULL},
	{"custom_fields.type", NULL, NULL, "{'options':[{'zh':'one'}]}"},
	{"custom_fields.options", NULL, "[['x', 'required'], [[], 'required'], [[{'zh':''}], 'format'], [[{'zh':'1'}, {'zh':'1'}], 'unique'], [[{'zh':'1','value':'o7'}], 'format']]", NULL},
	{"custom_fields.key", "['f_9', 'another']", "[['Another', 'format'], ['9x', 'format'], ['a-b', 'format']]", NULL},
	{"users.login", "['zz', 'walker.2@example', 'abcdefghijklmnopqrstuvwxyz012345']", "[['a b', 'format'], ['中文', 'format'], ['中 文', 'format']]", NULL},
	{"users.password", "['only-for-tests-7']", "[['password', 'weak'], ['xxxxxxxx', 'weak']]", NULL},
	{"users.role", "['walker', 'agent']", NULL, NULL},
	{"users.extension", NULL, "[['110', 'reserved']]", NULL},
	{"roles.key", "['ab', 'another_one', 'abcdefghijklmnopqrstuvwxyz_0123']", "[['Ab', 'format']]", NULL},
	{"roles.rights", "[['desk'], ['*'], []]", "[['x', 'format'], [['no_such'], 'format'], [{}, 'format'], [[7], 'format']]", NULL},
	{"roles.grants", "[{'customers':{'read':'own','export':true,'hidden':['name']}}, {}]",
	 "[[[], 'format'], [{'customers':{'read':'all'}}, 'format'], [{'customers':{'write':'own'}}, 'format'], [{'nothing':{'read':'own'}}, 'format'],"
	 " [{'customers':{'export':1}}, 'format'], [{'customers':{'hidden':'name'}}, 'format'], [{'customers':'own'}, 'format']]", NULL},
	{"note_templates.fields", "[[], [{'key':'a','label':'A','type':'text'}]]", "[['x', 'type'], [{}, 'type']]", NULL},
	{"note_templates.phrases", "[[], ['one','two']]", "[['x', 'type'], [{}, 'type']]", NULL},
	{"queues.greeting", "['greeting', 'zh/greeting']", "[['../x', 'format'], ['a/b/c', 'format'], ['.x', 'format'], ['a b', 'format']]", NULL},
	{"queues.music", "['music/1']", "[['../x', 'format'], ['/etc/passwd', 'format']]", NULL},
	{"queues.wrapup_s", NULL, NULL, "{'wrapup_max_s':7200}"},
	{"queues.wrapup_max_s", NULL, NULL, "{'wrapup_s':0}"},
	{"queues.overflow", NULL, NULL, "{'overflow_queue_id':'$queue2','overflow_number':'8000'}"},
	{"numbers.number", "['4002', '+86-755.1', 'user_7']", "[['a b', 'format'], ['中', 'format']]", NULL},
	{"numbers.dest", NULL, NULL, "{'queue_id':'$queue','user_id':'$mate','uri':'sip:8001@192.0.2.7'}"},
	{"numbers.record", NULL, NULL, "{'user_id':'$mate'}"},
	{"numbers.uri", "['sip:8001@192.0.2.7', 'sip:a@[2001:db8::1]:5062;transport=tcp']", "[['8001', 'format'], ['sip:8001@example.com', 'format']]", NULL},
	{"devices.name", "['8001', 'front-desk']", "[['w17', 'reserved'], ['a b', 'format'], ['中', 'format']]", NULL},
	{"devices.kind", NULL, NULL, "{'static_uri':'sip:8001@192.0.2.7'}"},
	{"devices.static_uri", "['sip:8001@192.0.2.7']", "[['8001', 'format']]", NULL},
	{"devices.codecs", "['pcma', 'opus,g722,pcmu']", "[['mp3', 'format'], ['pcma,,pcmu', 'format']]", NULL},
	{"trunks.kind", NULL, NULL, "{'username':'u'}"},
	{"trunks.host", "['sip.example.com', '192.0.2.9', '2001:db8::1']", "[['http://x', 'format'], ['-a.example', 'format'], ['1.2.3', 'format'], ['a..b', 'format']]", NULL},
	{"trunks.tls_pin", "['0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344']", "[['abcd', 'format']]", NULL},
	{"trunks.sources", "['203.0.113.7', '203.0.113.0/24 2001:db8::/32']", "[['example.com', 'format'], ['203.0.113.0/33', 'format'], ['203.0.113.0/', 'format']]", NULL},
	{"trunks.username", "['u', '+86755-1']", "[['a b', 'format'], ['a@b', 'format']]", NULL},
	{"trunks.auth_user", "['u@example.com']", "[['a b', 'format']]", NULL},
	{"trunks.proxy", "['sip.example.com:5060', '192.0.2.9', '2001:db8::1']", "[['sip.example.com:0', 'format'], ['sip.example.com:70000', 'format']]", NULL},
	{"trunks.expires_s", NULL, NULL, "{'username':'u'}"},
	{"trunks.auth_in", NULL, NULL, "{'username':'u','secret':'only-for-tests-7'}"},
	{"trunks.codecs", "['pcma', 'opus,g722,pcmu']", "[['mp3', 'format']]", NULL},
	{"number_forms.preset", NULL, NULL, "{'area':'0755'}"},
	{"number_forms.area", "['0755', '010']", "[['12345', 'format'], ['07x', 'format']]", NULL},
	{"number_forms.called", NULL, NULL, "{'preset':'custom','area':'0755'}"},
	{"number_forms.shown", NULL, NULL, "{'preset':'custom'}"},
	{"number_forms.from_user", NULL, NULL, "{'preset':'custom'}"},
	{"number_forms.pai", NULL, NULL, "{'preset':'custom'}"},
	{"number_forms.ppi", NULL, NULL, "{'preset':'custom'}"},
	{"number_forms.rpid", NULL, NULL, "{'preset':'custom'}"},
	{"number_forms.numbers", "['4001', '+8675588886666 8000']", "[['a', 'format']]", NULL},
	{"number_forms.domain", "['carrier.example']", "[['a b', 'format'], ['x@y', 'format']]", NULL},
	{"number_rules.begins", "['0', '+86*#']", "[['a', 'format']]", NULL},
	{"number_rules.put", "['0', '+86*#']", "[['a', 'format']]", NULL},
	{"dial_rights.scope", NULL, NULL, "{'role':'walker','user_id':'$far','trunk_id':'$trunk'}"},
	{"dial_rights.role", "['walker']", NULL, NULL},
	{"dial_rights.abroad", NULL, NULL, "{'countries':'852 853'}"},
	{"dial_rights.countries", "['852', '852 853']", "[['HK', 'format']]", NULL},
	{"dial_rights.barred", "['179 !1790']", "[['x', 'format']]", NULL},
	{"number_prefixes.prefix", "['138', '1380019']", "[['13a4', 'format']]", NULL},
	{"number_prefixes.area", "['0755', '010']", "[['075', 'format'], ['75x', 'format']]", NULL},
	{"campaigns.hours", "['09:00-12:00', '09:00-12:00,14:00-20:00']", "[['morning', 'format'], ['12:00-09:00', 'format'], ['25:00-26:00', 'format']]", NULL},
	{"calling_windows.hours", "['09:00-12:00', '09:00-12:00,14:00-20:00']", "[['morning', 'format'], ['12:00-09:00', 'format']]", NULL},
	{"do_not_call.number", "['+8675588886661', '+8613900139002']", "[['hello', 'number']]", NULL},
	{"retry_rules.result", "['busy', 'noanswer']", "[['answered', 'enum'], ['returned', 'enum']]", NULL},
	{"retry_rules.nth", "[10, 8]", NULL, NULL},
	{"notices.reach", NULL, NULL, "{'department_id':'$d1','team_id':'$t1'}"},
	{"absences.from_day", NULL, NULL, "{'to_day':'2024-02-29'}"},
	{"visits.at_ms", "[1700000000000, 1710000000000]", "[[0, 'range'], [9007199254740992, 'range']]", NULL},
	{"callbacks.due_ms", "[1700000000000, 1710000000000]", "[[0, 'range'], [9007199254740992, 'range']]", NULL},
	{"callbacks.phone", "['+8675588886660', '+8613900139005']", "[['12', 'number']]", NULL},
	{"goals.month", "['2023-12', '2024-02']", "[['2023-13', 'format'], ['2023-1', 'format'], ['last', 'format']]", NULL},
	{"tokens.role", "['walker', 'agent']", NULL, NULL},
	{"allowed_networks.network", "['2001:db8::/32', '198.51.100.7']", "[['192.0.2.0/33', 'format'], ['example.com', 'format'], ['192.0.2.0/', 'format']]", NULL},
	{"views.resource", "['queues', 'customers']", "[['nothing', 'enum']]", NULL},
	{"views.filters", "[{'name.has':'x'}, {}]", "[[[], 'type'], ['x', 'type'], [{'name':1}, 'type']]", NULL},
	{"views.columns", "[['name'], []]", "[['x', 'type'], [[1], 'type'], [{}, 'type']]", NULL},
	{"list_prefs.resource", "['users', 'queues']", "[['nothing', 'enum']]", NULL},
	{"list_prefs.columns", "[['name'], []]", "[['x', 'type'], [[1], 'type']]", NULL},
	{"list_prefs.view_id", "['$v_me']", "[['$v_far', 'ref']]", NULL},
};

const struct sample *sample_of(const struct res_def *d, const struct res_field *f)
{
	size_t n = strlen(d->name);

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (!strncmp(samples[i].field, d->name, n) && samples[i].field[n] == '.' && !strcmp(samples[i].field + n + 1, f->name))
			return &samples[i];
	return NULL;
}

/* A list as body_of reads it. */
static json_t *list_of(const struct walk *w, const char *text)
{
	char *o = xasprintf("{'list':%s}", text);
	json_t *body = body_of(w->id, o), *list = json_incref(json_object_get(body, "list"));

	free(o);
	json_decref(body);
	return list;
}

static json_t *times(const char *text, int64_t n)
{
	struct strb b;

	strb_init(&b, 1 << 20);
	while (n-- > 0)
		strb_puts(&b, text);
	json_t *v = json_string(b.buf);
	strb_done(&b);
	return v;
}

static int64_t most_chars(const struct res_field *f)
{
	return f->flags & RES_NUMBER ? 20 : f->max ? f->max : 200;
}

static bool no_bounds(const struct res_field *f)
{
	return !f->min && !f->max;
}

static int64_t least(const struct res_field *f)
{
	return no_bounds(f) ? f->type == RES_TIME ? 0 : -INT_SAFE : f->min;
}

static int64_t most(const struct res_field *f)
{
	return no_bounds(f) ? INT_SAFE : f->max;
}

/* The last row of the walk that a reference may mean, so that it is another than the form's own. */
static size_t last_seed(const char *resource)
{
	size_t found = first_seed(resource);

	for (size_t i = found; i < seed_n; i++)
		if (!strcmp(seeds[i].d, resource))
			found = i;
	return found;
}

/* ---- what is taken ---- */

static void put_text(json_t *list, const struct res_field *f)
{
	if (f->flags & RES_NUMBER) {
		(void)json_array_append_new(list, json_string("8000"));
		(void)json_array_append_new(list, json_string("+8675588886666"));
		(void)json_array_append_new(list, times("9", 20));
		return;
	}
	if (f->flags & RES_DAY) {
		(void)json_array_append_new(list, json_string("2024-02-29"));
		return;
	}
	(void)json_array_append_new(list, times("x", f->min ? f->min : 1));
	(void)json_array_append_new(list, times("中", most_chars(f))); /* characters, not bytes */
	if (most_chars(f) >= 16 && f->min < 8)
		(void)json_array_append_new(list, json_string(f->flags & RES_MULTILINE ? "one\n\ttwo" : "O'N; <b>\"%_\\&"));
}

json_t *taken(const struct walk *w, const struct res_def *d, const struct res_field *f)
{
	const struct sample *s = sample_of(d, f);
	json_t *list = s && s->valid ? list_of(w, s->valid) : json_array(), *all;

	if (json_array_size(list))
		return list;
	switch (f->type) {
	case RES_TEXT:
	case RES_SECRET:
		put_text(list, f);
		break;
	case RES_INT:
	case RES_TIME:
		(void)json_array_append_new(list, json_integer(least(f)));
		(void)json_array_append_new(list, json_integer(most(f)));
		break;
	case RES_BOOL:
		(void)json_array_append_new(list, json_true());
		(void)json_array_append_new(list, json_false());
		break;
	case RES_ENUM:
		for (const struct res_option *o = f->options; o->value; o++)
			if (!o->old)
				(void)json_array_append_new(list, json_string(o->value));
		break;
	case RES_SET:
		all = json_array();
		for (const struct res_option *o = f->options; o->value; o++)
			if (!o->old)
				(void)json_array_append_new(all, json_string(o->value));
		(void)json_array_append_new(list, json_pack("[O]", json_array_get(all, 0)));
		(void)json_array_append_new(list, all);
		break;
	case RES_REF:
		(void)json_array_append_new(list, idj(w->id[last_seed(f->ref)]));
		break;
	case RES_KEY:
	case RES_ID:
	case RES_JSON:
		break; /* the table says, or nothing is known */
	}
	return list;
}

/* ---- what is not ---- */

static void no(json_t *list, json_t *value, const char *why)
{
	(void)json_array_append_new(list, json_pack("[o, s]", value, why));
}

/* What only the database or a hook knows. */
static void no_later(json_t *list, json_t *value, const char *why)
{
	(void)json_array_append_new(list, json_pack("[o, s, b]", value, why, 1));
}

static void refuse_text(json_t *list, const struct res_field *f)
{
	bool lines = f->flags & RES_MULTILINE;

	no(list, times("x", most_chars(f) + 1), "range");
	no(list, times("中", most_chars(f) + 1), "range");
	if (f->min > 1)
		no(list, times("x", f->min - 1), "range");
	no(list, json_string("a\x01" "b"), "format");
	no(list, json_string("\x1b[2J!"), "format");
	no(list, json_string("abc\x7f"), "format");
	no(list, json_string("abc\r\nd"), "format");
	no(list, json_string("a\xc2\x85" "b"), "format"); /* NEL, of the second set of control characters */
	if (!lines) {
		no(list, json_string("one\ntwo"), "format");
		no(list, json_string("one\ttwo"), "format");
	}
	if (f->flags & RES_NUMBER) {
		no(list, json_string("12a"), "number");
		no(list, json_string("+"), "number");
		no(list, json_string("１２"), "number");
	}
	if (f->flags & RES_DAY) {
		no(list, json_string("2023-02-29"), "format");
		no(list, json_string("2023-2-3"), "format");
		no(list, json_string("yesterday"), "format");
	}
}

static void refuse_numbers(json_t *list, const struct res_field *f)
{
	no(list, json_string("5"), "type");
	no(list, json_real(1.5), "type");
	no(list, json_true(), "type");
	no(list, json_integer(least(f) - 1), "range");
	no(list, json_integer(most(f) + 1), "range");
	no(list, json_integer(INT64_MAX), "range");
}

static void refuse_ids(json_t *list, const struct walk *w, const struct res_field *f)
{
	static const char *const texts[] = {"x", "-1", "0", "1.0", " 7", "7 ", "1e3", "9223372036854775808", "'; DROP TABLE users; --"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		no(list, json_string(texts[i]), "ref");
	if (f->type == RES_ID)
		return;
	no_later(list, json_string("4611686018427387904"), "ref"); /* nobody's */
	no_later(list, idj(w->foreign[first_seed(f->ref)]), "ref");
}

/* Those that JSON has and the field has not; also a text with a NUL in it, which ends sooner for some than for others. */
static void refuse_types(json_t *list, const struct res_field *f)
{
	if (f->type != RES_SET)
		no(list, json_pack("[s]", "x"), "type");
	no(list, json_object(), "type");
	if (f->type == RES_INT || f->type == RES_TIME)
		return;
	no(list, json_integer(1), "type");
	if (f->type == RES_BOOL) {
		no(list, json_string("true"), "type");
		return;
	}
	no(list, json_false(), "type");
	no(list, json_real(0.5), "type");
	no(list, json_stringn("ab\0cd", 5), "type");
}

json_t *refused(const struct walk *w, const struct res_def *d, const struct res_field *f)
{
	const struct sample *s = sample_of(d, f);
	json_t *list = s && s->invalid ? list_of(w, s->invalid) : json_array(), *one;
	size_t i;

	json_array_foreach(list, i, one)
		(void)json_array_append_new(one, json_true());
	if (f->type != RES_JSON)
		refuse_types(list, f);
	switch (f->type) {
	case RES_TEXT:
	case RES_SECRET:
		refuse_text(list, f);
		break;
	case RES_KEY:
		refuse_text(list, f);
		no_later(list, json_string("nobody_has_this_key"), "ref");
		break;
	case RES_INT:
	case RES_TIME:
		refuse_numbers(list, f);
		break;
	case RES_ENUM:
		no(list, json_string("no such choice"), "enum");
		no(list, json_string("\x01"), "enum");
		for (const struct res_option *o = f->options; o->value; o++)
			if (o->old)
				no(list, json_string(o->value), "enum");
		break;
	case RES_SET:
		no(list, json_pack("[s, s]", f->options[0].value, "no such choice"), "enum");
		no(list, json_pack("[i]", 1), "type");
		break;
	case RES_REF:
	case RES_ID:
		refuse_ids(list, w, f);
		break;
	case RES_JSON:
		no(list, times("x", (f->max ? f->max : 16384) + 1), "range");
		break;
	case RES_BOOL:
		break;
	}
	return list;
}
