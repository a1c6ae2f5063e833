/* The fixture's works: see fixture.h. */
#include "api/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "db/db_fixture.h"

/* ---- journal ---- */

static void (*tap)(const struct ev *e, void *arg);
static void *tap_arg;
static int64_t next_n;
static bool ring_full;

void journal_tap(struct journal *j, void (*fn)(const struct ev *e, void *arg), void *arg)
{
	tap = fn;
	tap_arg = arg;
	next_n = 0;
}

bool journal_pressed(const struct journal *j)
{
	return ring_full;
}

int64_t journal_epoch(const struct journal *j)
{
	return 7;
}

void say_ring_full(bool full)
{
	ring_full = full;
}

void say_event(struct ev *e)
{
	e->epoch = 7;
	e->n = ++next_n;
	tap(e, tap_arg);
}

void say(enum ev_kind kind, int64_t at_ms, int64_t call, int64_t agent, int64_t queue, const char *body)
{
	struct ev e = {.kind = kind, .at_ms = at_ms, .call_id = call, .agent_id = agent, .queue_id = queue, .body = body,
		       .body_len = body ? strlen(body) : 0};

	say_event(&e);
}

void say_call(int64_t at_ms, int64_t call, const char *from, const char *name)
{
	static const char body[] = "{\"dir\":\"in\",\"trunk\":\"1\"}";
	struct ev e = {.kind = EV_CALL_NEW, .at_ms = at_ms, .call_id = call, .body = body, .body_len = sizeof(body) - 1,
		       .pii = {{"from", from}, {"to", "4001"}, {"name", name}}, .pii_n = 3};

	say_event(&e);
}

/* ---- switch ---- */

struct sw_cmd sw_last;
unsigned sw_told, sw_configured, edge_cuts;
enum sw_refusal sw_answer;
bool sw_silent;
static void (*late)(enum sw_refusal r, int64_t call_id, void *arg); /* what a silent switch still owes */
static void *late_arg;

int sw_command(struct sw *sw, const struct sw_cmd *cmd, void (*answer)(enum sw_refusal r, int64_t call_id, void *arg), void *arg)
{
	sw_last = *cmd;
	sw_told++;
	if (sw_silent) {
		late = answer;
		late_arg = arg;
	} else {
		answer(sw_answer, 4711, arg);
	}
	return 0;
}

int sw_configure(struct sw *sw, struct snap *conf)
{
	sw_configured++;
	snap_unref(conf);
	return 0;
}

struct sw_trial sw_tried;

/* Trunk 404 is not there. */
int sw_try_number(struct sw *sw, const struct sw_trial *t, void (*answer)(const char *json, void *arg), void *arg)
{
	sw_tried = *t;
	answer(t->trunk_id == 404 ? NULL
				  : "{\"dir\":\"out\",\"number\":\"0085221234567\",\"canonical\":\"+85221234567\",\"shown\":\"+852 21234567\",\"kind\":\"abroad\","
				    "\"class\":\"abroad\",\"country\":852,\"area\":\"\",\"steps\":[],\"refusal\":\"abroad_off\"}",
	       arg);
	return 0;
}

struct sw_customer sw_said;
struct sw_turn sw_drawn, sw_drawn_back;
int64_t sw_next_in_turn;

struct sw_claim sw_claimed[500];
size_t sw_claimed_n;
int64_t sw_claims_more_ms;
char sw_claims_why[24];
_Atomic unsigned sw_claims_told;
bool sw_takes_no_claims;

int sw_claims(struct sw *sw, int64_t campaign_id, const struct sw_claim *claims, size_t n, int64_t more_at_ms, const char *why)
{
	if (sw_takes_no_claims)
		return -EPIPE;
	if (n)
		memcpy(sw_claimed, claims, n * sizeof(*claims));
	sw_claimed_n = n;
	sw_claims_more_ms = more_at_ms;
	(void)str_copy(sw_claims_why, sizeof(sw_claims_why), why);
	sw_claims_told++;
	return 0;
}

char sw_raised[64];
bool sw_raised_on;

int sw_raise(struct sw *sw, const char *what, int64_t object, const char *name, const char *detail, bool on)
{
	(void)str_copy(sw_raised, sizeof(sw_raised), what);
	sw_raised_on = on;
	return 0;
}

int sw_customer(struct sw *sw, const struct sw_customer *c)
{
	sw_said = *c;
	return 0;
}

int sw_turn(struct sw *sw, const struct sw_turn *t, void (*answer)(int64_t agent_id, bool free, bool owed, void *arg), void *arg)
{
	if (t->back_id)
		sw_drawn_back = *t;
	else
		sw_drawn = *t;
	if (answer)
		answer(sw_next_in_turn, true, false, arg);
	return 0;
}

int64_t sw_hung_up_trunk;

int sw_hang_up_trunk(struct sw *sw, int64_t trunk_id)
{
	sw_hung_up_trunk = trunk_id;
	return 0;
}

unsigned sw_books;
struct snap *sw_book;

int sw_hear_book(struct sw *sw, struct snap *book)
{
	snap_unref(sw_book);
	sw_book = book;
	sw_books++;
	return 0;
}

struct sw_stranger_ask sw_lifted;

/* Nobody but 192.0.2.1 is banned. */
int sw_strangers(struct sw *sw, const struct sw_stranger_ask *q)
{
	if (q->lift)
		sw_lifted = *q;
	if (q->lift)
		q->answer(strcmp(q->source, "192.0.2.1") ? NULL : "{}", q->arg);
	else
		q->answer("{\"bans\":[{\"source\":\"192.0.2.1\",\"user\":\"8001\",\"reason\":\"password\",\"count\":8,\"dropped\":3,\"step\":1,"
			  "\"since_ms\":1,\"until_ms\":60001}],\"hours\":[{\"from_ms\":0,\"password\":8,\"unknown_user\":0,\"no_credentials\":0,"
			  "\"malformed\":0,\"dropped\":3}],\"sources\":[{\"source\":\"192.0.2.1\",\"last\":\"password\",\"count\":8,\"dropped\":3,"
			  "\"home\":false}]}",
			  q->arg);
	return 0;
}

const char *sw_refusal_name(enum sw_refusal r)
{
	static const char *const names[] = {"ok", "unknown", "wrong_state", "no_device", "no_trunk", "bad_number", "no_call", "full", "stopping",
					    "class_off", "abroad_off", "premium_off", "barred", "minutes_used", "emergency_test", "target_busy", "target_away"};

	return names[r];
}

int sw_phone_add(struct sw *sw, int fd, const char *peer_host, uint16_t peer_port, const char *device, const void *extra,
		 size_t extra_len, void (*closed)(void *arg), void *arg)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "device=%s peer=%s", device, peer_host);

	(void)!write(fd, text, (size_t)n);
	closed(arg);
	return 0;
}

void sw_phone_cut(struct sw *sw, const char *device)
{
	edge_cuts++;
}

/* ---- server ---- */

static const struct api_demo_user cards[] = {
	{"agent", "示例坐席", "agent", "接听来电", "Take calls"},
	{"lead", "示例班长", "supervisor", "看全场", "Watch the floor"},
	{"admin", "示例管理员", "admin", "修改设置", "Change settings"},
};

static int seed(struct db *db, void *arg)
{
	struct fix *f = arg;
	static const struct people_demo demo = {.carrier_host = "127.0.0.1", .carrier_port = 5070, .phone_host = "127.0.0.1", .phone_port = 5080};
	int r = people_centre(&f->centre_id, db, "示例中心", "Asia/Shanghai");

	if (!r)
		r = people_demo_seed(db, f->centre_id, &demo);
	if (!r)
		r = people_create_admin(db, "root", "correct horse 7");
	if (!r)
		r = db_run(db, "UPDATE users SET must_change_password = 0 WHERE login = 'root'", "");
	return r;
}

static int run_sql(struct db *db, void *arg)
{
	return db_run(db, arg, "");
}

void fix_run(struct fix *f, const char *sql)
{
	assert_int_equal(db_writer_call(f->writer, DB_BUSINESS, run_sql, (void *)(uintptr_t)sql), 0);
}

int64_t fix_get(struct fix *f, const char *sql)
{
	struct db *db;
	int64_t v = 0;

	assert_int_equal(db_open(&db, f->url, DB_RO), 0);
	assert_int_equal(db_get_i64(&v, db, sql, ""), 0);
	db_close(db);
	return v;
}

/* Seeding hashes passwords; once is enough: later fixtures start from a copy. */
static void first_database(struct fix *f)
{
	static char kept[512];
	static int64_t centre_id;
	struct db *db;

	if (!kept[0]) {
		(void)snprintf(kept, sizeof(kept), "/dev/shm/api_seed.%d.db", (int)getpid());
		test_db_new(kept, sizeof(kept), strdupa(kept));
		(void)people_init("huawu");
		assert_int_equal(db_open(&db, kept, DB_RW), 0);
		assert_int_equal(db_migrate(db), 0);
		db_close(db);
		assert_int_equal(db_writer_new(&f->writer, kept, 1000), 0);
		assert_int_equal(db_writer_call(f->writer, DB_BUSINESS, seed, f), 0);
		db_writer_free(f->writer);
		centre_id = f->centre_id;
	}
	f->centre_id = centre_id;
	test_db_copy(f->url, kept);
}

__attribute__((destructor)) static void drop_seed(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/dev/shm/api_seed.%d.db", (int)getpid());
	(void)unlink(path);
}

void fix_start(struct fix *f, bool demo)
{
	struct http_conf hc = {.listen = "127.0.0.1:0"};

	memset(f, 0, sizeof(*f));
	(void)strcpy(f->dir, "/dev/shm/api_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->url, sizeof(f->url), "%s/db", f->dir);
	test_db_new(f->url, sizeof(f->url), strdupa(f->url));
	first_database(f);
	assert_int_equal(db_writer_new(&f->writer, f->url, 1000), 0);
	assert_int_equal(pool_new(&f->pool, 3, 256), 0);
	sw_told = sw_configured = edge_cuts = sw_books = 0;
	sw_answer = SW_OK;
	sw_silent = ring_full = false;
	memset(&sw_last, 0, sizeof(sw_last));
	f->conf = (struct api_conf){
		.db_url = f->url, .writer = f->writer, .journal = (struct journal *)(uintptr_t)1, .centre_id = f->centre_id,
		.centre_name = "示例中心", .zone = "Asia/Shanghai", .version = "0.1", .realm = "huawu", .record_dir = f->dir, .heard_dir = f->dir, .data_dir = f->dir,
		.demo_users = demo ? cards : NULL, .demo_user_n = demo ? ARRAY_LEN(cards) : 0,
	};
	assert_int_equal(api_new(&f->api, &f->conf), 0);
	hc.pool = f->pool;
	assert_int_equal(http_start(&f->http, &hc), 0);
	assert_int_equal(api_serve(f->api, f->http, (struct sw *)(uintptr_t)1), 0);
}

void fix_stop(struct fix *f)
{
	char cmd[128];

	if (late) /* nobody waits for it any more */
		late(SW_OK, 0, late_arg);
	late = NULL;
	api_stop(f->api);
	http_stop(f->http);
	pool_free(f->pool);
	api_free(f->api);
	db_writer_free(f->writer);
	snap_unref(sw_book);
	sw_book = NULL;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
	assert_int_equal(system(cmd), 0);
	test_db_gone(f->url);
}

/* ---- client ---- */

int fix_dial(const struct fix *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(f->http))};
	struct timeval tv = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static struct answer last;

static void read_answer(int fd)
{
	static char *text;
	size_t n = 0, cap = 1 << 16;
	char *gap;

	text = realloc(text, cap);
	for (;;) {
		ssize_t r = recv(fd, text + n, cap - n - 1, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		if (n > cap / 2)
			text = realloc(text, cap *= 2);
	}
	text[n] = '\0';
	gap = strstr(text, "\r\n\r\n");
	json_decref(last.json);
	last = (struct answer){.status = strncmp(text, "HTTP/1.1 ", 9) ? 0 : atoi(text + 9), .head = text, .body = gap ? gap + 4 : text + n};
	if (gap)
		gap[2] = '\0';
	last.json = strstr(text, "application/json") ? json_loads(last.body, JSON_DECODE_ANY, NULL) : NULL;
}

/* Finds the document's operation for a request and checks the answer against it. */
static void check_answer(const char *method, const char *path)
{
	const json_t *d = the_document(), *op, *r, *schema;
	json_t *paths = json_object_get(d, "paths"), *item;
	char plain[256], verb[8], status[8];
	const char *key, *differs;

	(void)snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(path, "?"), path);
	for (size_t i = 0; i <= strlen(method) && i < sizeof(verb); i++)
		verb[i] = method[i] >= 'A' && method[i] <= 'Z' ? (char)(method[i] + 32) : method[i];
	(void)snprintf(status, sizeof(status), "%d", last.status);
	op = json_object_get(json_object_get(paths, plain), verb);
	json_object_foreach(paths, key, item) {
		size_t n = strcspn(key, "{");

		/* /calls/{id} and the like: one parameter in the middle or at the end */
		if (!op && key[n] && !strncmp(key, plain, n)) {
			const char *tail = strchr(key, '}') + 1, *rest = plain + n + strcspn(plain + n, "/");

			if (!strcmp(tail, rest))
				op = json_object_get(item, verb);
		}
	}
	if (op) {
		r = json_object_get(json_object_get(op, "responses"), status);
		if (!r)
			r = json_object_get(json_object_get(op, "responses"), "default");
		if (!r)
			fail_msg("%s %s: %d is not in the document", method, path, last.status);
		schema = json_object_get(json_object_get(json_object_get(r, "content"), "application/json"), "schema");
		differs = schema ? schema_differs(d, schema, last.json) : last.json ? "an answer where none is described" : NULL;
		if (differs)
			fail_msg("%s %s %d: %s in %.400s", method, path, last.status, differs, last.body);
	} else if (last.status != 404) {
		fail_msg("%s %s is not in the document", method, path);
	}
}

const struct answer *ask_bytes(struct client *c, const char *method, const char *path, const char *headers, const void *body, size_t n)
{
	bool api = path[0] == '/' && strncmp(path, "//", 2) != 0;
	char *text = xasprintf("%s %s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s%s%s%s%s%s%s%s%s%s%sContent-Length: %zu\r\n\r\n",
			       method, api ? "/api/v1" : "", api ? path : path + 1, http_port(c->f->http), c->cookie[0] ? "Cookie: " : "",
			       c->cookie, c->cookie[0] ? "\r\n" : "", c->csrf[0] ? "X-Huawu-CSRF: " : "", c->csrf, c->csrf[0] ? "\r\n" : "",
			       c->token ? "Authorization: Bearer " : "", c->token ? c->token : "", c->token ? "\r\n" : "",
			       c->lang[0] ? "Accept-Language: en\r\n" : "", headers ? headers : "", n);
	int fd = fix_dial(c->f);

	size_t head = strlen(text), at = 0;

	text = xrealloc(text, head + n + 1);
	memcpy(text + head, body ? body : "", n);
	while (at < head + n) {
		ssize_t sent = send(fd, text + at, head + n - at, MSG_NOSIGNAL);

		assert_true(sent > 0);
		at += (size_t)sent;
	}
	free(text);
	read_answer(fd);
	(void)close(fd);
	if (api)
		check_answer(method, path);
	return &last;
}

const struct answer *ask(struct client *c, const char *method, const char *path, const char *headers, const char *body)
{
	return ask_bytes(c, method, path, headers, body, body ? strlen(body) : 0);
}

const json_t *ask_for(struct client *c, const char *method, const char *path, const char *body, const char *expect)
{
	const struct answer *a = ask(c, method, path, NULL, body);
	const char *code = strchr(expect, ' ');

	if (a->status != atoi(expect))
		fail_msg("%s %s gave %d, not %s: %.400s", method, path, a->status, expect, a->body);
	if (code)
		assert_text(json_object_get(a->json, "error"), "code", code + 1);
	return a->json;
}

struct client fix_login(struct fix *f, const char *login, const char *password)
{
	struct client c = {.f = f};
	char *body = password ? xasprintf("{\"login\":\"%s\",\"password\":\"%s\"}", login, password) : xasprintf("{\"demo\":\"%s\"}", login);
	const struct answer *a = ask(&c, "POST", "/session", NULL, body);
	const char *set;

	free(body);
	if (a->status != 200)
		fail_msg("log-in of %s gave %d %s", login, a->status, a->body);
	set = strstr(a->head, "Set-Cookie: ");
	assert_non_null(set);
	(void)snprintf(c.cookie, sizeof(c.cookie), "%.*s", (int)strcspn(set + 12, ";"), set + 12);
	(void)str_copy(c.csrf, sizeof(c.csrf), json_string_value(json_object_get(a->json, "csrf")));
	return c;
}

/* ---- the document ---- */

static json_t *doc;

const json_t *the_document(void)
{
	if (!doc) {
		char *text = api_openapi();

		doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		free(text);
		assert_non_null(doc);
	}
	return doc;
}

__attribute__((destructor)) static void drop(void)
{
	json_decref(doc);
	json_decref(last.json);
}

static char why[256];

static bool type_is(const char *t, const json_t *v)
{
	return (!strcmp(t, "object") && json_is_object(v)) || (!strcmp(t, "array") && json_is_array(v)) ||
	       (!strcmp(t, "string") && json_is_string(v)) || (!strcmp(t, "integer") && json_is_integer(v)) ||
	       (!strcmp(t, "number") && json_is_number(v)) || (!strcmp(t, "boolean") && json_is_boolean(v)) ||
	       (!strcmp(t, "null") && json_is_null(v));
}

static bool type_fits(const json_t *type, const json_t *v)
{
	json_t *t;
	size_t i;

	if (json_is_string(type))
		return type_is(json_string_value(type), v);
	json_array_foreach(type, i, t)
		if (type_is(json_string_value(t), v))
			return true;
	return false;
}

static const char *differs(const char *what, const char *key)
{
	(void)snprintf(why, sizeof(why), "%s \"%s\"", what, key ? key : "");
	return why;
}

static const char *object_differs(const json_t *d, const json_t *schema, const json_t *v)
{
	const json_t *props = json_object_get(schema, "properties"), *extra = json_object_get(schema, "additionalProperties");
	json_t *k, *x;
	const char *key, *r;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, k)
		if (!json_object_get(v, json_string_value(k)))
			return differs("missing", json_string_value(k));
	json_object_foreach((json_t *)(uintptr_t)v, key, x) {
		const json_t *s = json_object_get(props, key);

		if (!s && json_is_false(extra))
			return differs("not described", key);
		r = schema_differs(d, s ? s : json_is_object(extra) ? extra : NULL, x);
		if (r)
			return r == why ? r : differs(r, key);
	}
	return NULL;
}

/* The part of JSON Schema that the document uses. */
const char *schema_differs(const json_t *d, const json_t *schema, const json_t *v)
{
	const json_t *ref = json_object_get(schema, "$ref"), *any = json_object_get(schema, "anyOf"), *type = json_object_get(schema, "type");
	const json_t *values = json_object_get(schema, "enum"), *items = json_object_get(schema, "items");
	json_t *x;
	size_t i;

	if (!schema || !json_object_size(schema))
		return NULL;
	if (!v)
		return "no JSON";
	if (ref)
		return schema_differs(d, json_object_get(json_object_get(json_object_get(d, "components"), "schemas"),
							 strrchr(json_string_value(ref), '/') + 1), v);
	if (any) {
		json_array_foreach(any, i, x)
			if (!schema_differs(d, x, v))
				return NULL;
		return "fits no alternative";
	}
	if (type && !type_fits(type, v))
		return "wrong type";
	if (values) {
		bool found = false;

		json_array_foreach(values, i, x)
			found |= json_equal(x, v) == 1;
		if (!found)
			return "not in the enumeration";
	}
	if (json_is_array(v) && items) {
		json_array_foreach(v, i, x) {
			const char *r = schema_differs(d, items, x);

			if (r)
				return r;
		}
	}
	return json_is_object(v) ? object_differs(d, schema, v) : NULL;
}
