#include "base/test.h"
#include "people/declared.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "people/switch_conf.h"
#include "switch/switch.h"

struct fix {
	char file[64], path[512]; /* path: the file, or a URL */
	struct db *db;
	int64_t centre;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.user_id = 1, .role = ROLE_ADMIN, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/tmp/people_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->who.centre_id = f->centre;
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1000};
}

static void clear(struct fix *f)
{
	res_error_done(&f->error);
	res_ctx_done(&f->c);
}

static void fix_done(struct fix *f)
{
	clear(f);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

static json_t *body(const char *text)
{
	char *copy = xstrdup(text);
	json_t *v;

	for (char *s = copy; *s; s++)
		if (*s == '\'')
			*s = '"';
	v = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	free(copy);
	return v;
}

/* What the API does: prepare on a worker, then the job. @id 0: create. The answer's row is dropped; its id is returned, or minus the status. */
static int64_t put(struct fix *f, const char *resource, int64_t id, const char *text)
{
	const struct res_def *d = res_find(resource);
	json_t *b = body(text), *row = NULL;
	int64_t ret;
	int r;

	clear(f);
	r = res_prepare(&f->c, d, id, b);
	assert_int_equal(db_begin(f->db), 0);
	if (!r)
		r = id ? res_update(&row, &f->c, d, id, b, RES_REV_ANY) : res_create(&row, &f->c, d, b);
	assert_true(r >= 0);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	ret = r ? -f->error.status : row_id(row, "id");
	json_decref(row);
	json_decref(b);
	return ret;
}

static int64_t putf(struct fix *f, const char *resource, int64_t id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int64_t putf(struct fix *f, const char *resource, int64_t id, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(f, resource, id, text);
}

static int del(struct fix *f, const char *resource, int64_t id)
{
	int r;

	clear(f);
	assert_int_equal(db_begin(f->db), 0);
	r = res_delete(&f->c, res_find(resource), id, RES_REV_ANY);
	if (r)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	return r ? f->error.status : 0;
}

static json_t *get(struct fix *f, const char *resource, int64_t id)
{
	json_t *row = NULL;

	clear(f);
	assert_int_equal(res_get(&row, &f->c, res_find(resource), id), 0);
	return row;
}

static void assert_bad(struct fix *f, const char *resource, const char *text, const char *fields)
{
	json_t *want = body(fields);

	assert_int_equal(put(f, resource, 0, text), -422);
	if (!json_equal(want, f->error.fields))
		fail_msg("%s: %s, wanted %s", text, json_dumps(f->error.fields, JSON_SORT_KEYS), fields);
	json_decref(want);
}

static char *stored(struct fix *f, const char *sql, int64_t id)
{
	struct db_stmt *st;
	char *s;

	assert_int_equal(db_prepare(&st, f->db, sql), 0);
	db_bind_i64(st, 1, id);
	assert_int_equal(db_step(st), DB_ROW);
	s = db_is_null(st, 0) ? NULL : xstrdup(db_text(st, 0));
	db_done(st);
	return s;
}

static const char *once(struct fix *f, const char *key)
{
	return json_string_value(json_object_get(f->c.once, key));
}

TEST(declarations_and_tables_agree)
{
	struct fix f;
	char *wrong;

	fix_init(&f);
	wrong = res_check_schema(f.db);
	if (wrong)
		fail_msg("%s", wrong);
	fix_done(&f);
}

TEST(every_field_has_labels_and_every_reference_a_name)
{
	for (size_t i = 0; res_all[i]; i++)
		for (size_t k = 0; k < res_all[i]->field_n; k++) {
			const struct res_field *x = &res_all[i]->fields[k];

			assert_true(*x->zh || (x->type == RES_SECRET && (x->flags & RES_READONLY)));
			assert_true(!x->help_zh == !x->help_en);
			assert_true(x->type != RES_REF || res_find(x->ref)->label);
			assert_true(x->type != RES_ENUM || x->options);
		}
}

TEST(a_centre_starts_with_the_standard_breaks_and_starts_once)
{
	struct people_centre_info info;
	struct fix f;
	int64_t again = 0, n = 0;

	fix_init(&f);
	assert_int_equal(people_centre(&again, f.db, "Other", "UTC"), 0);
	assert_int_equal(again, f.centre);
	assert_int_equal(people_centre_get(&info, f.db), 0);
	assert_string_equal(info.name, "Test");
	assert_string_equal(info.zone, "Asia/Shanghai");
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(*) FROM breaks", ""), 0);
	assert_int_equal(n, 6);
	assert_int_equal(put(&f, "breaks", 0, "{'code':'login','zh':'登','en':'x'}"), -422);
	fix_done(&f);
}

/* ---- passwords ---- */

TEST(a_new_person_gets_a_password_shown_once_and_logs_in_with_it)
{
	struct people_user u = {0};
	struct fix f;
	char *hash, plain[40];
	int64_t id, n = 0;
	json_t *row;

	fix_init(&f);
	id = put(&f, "users", 0, "{'login':'Wang.Fang','name':'王芳(示例)','role':'supervisor','extension':'8001'}");
	assert_true(id > 0);
	assert_true(str_copy(plain, sizeof(plain), once(&f, "password")));
	assert_int_equal(strlen(plain), 17);
	hash = stored(&f, "SELECT password FROM users WHERE id = $1", id);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	free(hash);
	assert_int_equal(people_login(&u, f.db, f.centre, "WANG.fang", plain), 0);
	assert_int_equal(u.id, id);
	assert_int_equal(u.role, ROLE_SUPERVISOR);
	assert_string_equal(u.login, "wang.fang");
	assert_string_equal(u.extension, "8001");
	assert_true(u.active && u.must_change_password);
	row = get(&f, "users", id);
	assert_null(json_object_get(row, "password"));
	json_decref(row);
	assert_int_equal(db_get_i64(&n, f.db, "SELECT COUNT(*) FROM audit WHERE after_json LIKE '%' || $1 || '%'"
				    " OR after_json LIKE '%argon%'", "t", plain), 0);
	assert_int_equal(n, 0);
	fix_done(&f);
}

TEST(log_in_refuses_wrong_unknown_inactive_and_without_password_alike)
{
	struct people_user u = {0};
	struct fix f;
	int64_t id;

	fix_init(&f);
	id = put(&f, "users", 0, "{'login':'ann','name':'Ann','password':'right one 1'}");
	assert_null(f.c.once);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "right one 1"), 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "wrong one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", ""), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre, "nobody", "right one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre + 1, "ann", "right one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann' OR 1=1 --", "x"), PEOPLE_E_LOGIN);
	assert_int_equal(people_password_verify(f.db, id, "right one 1"), 0);
	assert_int_equal(people_password_verify(f.db, id, "wrong one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_password_verify(f.db, id + 1, "right one 1"), PEOPLE_E_LOGIN);
	assert_true(put(&f, "users", id, "{'active':false}") > 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "right one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_user_get(&u, f.db, id), 0);
	assert_false(u.active); /* what a session asks at each request */
	assert_true(put(&f, "users", id, "{'active':true,'password':null}") > 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", ""), PEOPLE_E_LOGIN);
	assert_int_equal(people_user_get(&u, f.db, id + 1), -ENOENT);
	fix_done(&f);
}

static int64_t cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* CPU time of a log-in, the least of three, since the machine is shared. */
static int64_t login_us(struct fix *f, const char *login)
{
	struct people_user u;
	int64_t best = INT64_MAX;

	for (int i = 0; i < 3; i++) {
		int64_t t0 = cpu_us(), t;

		assert_int_equal(people_login(&u, f->db, f->centre, login, "no such pass"), PEOPLE_E_LOGIN);
		t = cpu_us() - t0;
		best = t < best ? t : best;
	}
	return best;
}

TEST(an_unknown_login_takes_as_long_as_a_known_one)
{
	struct fix f;
	int64_t known, unknown;

	fix_init(&f);
	(void)put(&f, "users", 0, "{'login':'ann','name':'Ann'}");
	known = login_us(&f, "ann");
	unknown = login_us(&f, "bob");
	print_message("log-in: known %lld us, unknown %lld us\n", (long long)known, (long long)unknown);
	assert_true(unknown * 3 > known * 2 && known * 3 > unknown * 2);
	fix_done(&f);
}

TEST(weak_and_short_passwords_are_refused)
{
	struct fix f;

	fix_init(&f);
	assert_bad(&f, "users", "{'login':'ann','name':'A','password':'short77'}", "{'password':'range'}");
	assert_bad(&f, "users", "{'login':'ann','name':'A','password':'12345678'}", "{'password':'weak'}");
	assert_bad(&f, "users", "{'login':'ann','name':'A','password':'aaaaaaaaaa'}", "{'password':'weak'}");
	assert_bad(&f, "users", "{'login':'ann','name':'A','password':'Password1'}", "{'password':'weak'}");
	assert_bad(&f, "users", "{'login':'annabella','name':'A','password':'Annabella'}", "{'password':'weak'}");
	assert_bad(&f, "users", "{'login':'ann','name':'A','password':17}", "{'password':'type'}");
	/* Everything else that is bad comes with it. */
	assert_bad(&f, "users", "{'login':'police','name':'x','extension':'110'}", "{'extension':'reserved'}");
	assert_bad(&f, "users", "{'login':'a b','role':'boss','password':'x','extension':'80a'}",
		   "{'login':'format','name':'required','role':'enum','password':'range','extension':'number'}");
	assert_true(put(&f, "users", 0, "{'login':'ann','name':'A','password':'密码要八个字符啊'}") > 0);
	fix_done(&f);
}

TEST(a_hash_given_as_a_password_is_a_password_like_any_other)
{
	struct people_user u;
	struct fix f;
	char *hash;
	int64_t id;

	fix_init(&f);
	id = put(&f, "users", 0, "{'login':'ann','name':'A','password':'right one 1'}");
	hash = stored(&f, "SELECT password FROM users WHERE id = $1", id);
	assert_true(putf(&f, "users", 0, "{'login':'bob','name':'B','password':'%s'}", hash) > 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "bob", "right one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre, "bob", hash), 0);
	free(hash);
	fix_done(&f);
}

TEST(an_empty_password_box_changes_nothing_and_anothers_new_password_must_be_changed)
{
	struct people_user u;
	struct fix f;
	int64_t id;
	char hash[PEOPLE_HASH_MAX];

	fix_init(&f);
	id = put(&f, "users", 0, "{'login':'ann','name':'A','password':'right one 1','must_change_password':false}");
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "right one 1"), 0);
	assert_false(u.must_change_password);
	assert_true(put(&f, "users", id, "{'name':'Ann','password':''}") > 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "right one 1"), 0);
	assert_int_equal(u.password_ms, 1000);
	f.c.now_ms = 2000;
	assert_true(put(&f, "users", id, "{'password':'second one'}") > 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "right one 1"), PEOPLE_E_LOGIN);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "second one"), 0);
	assert_true(u.must_change_password);
	assert_int_equal(u.password_ms, 2000);
	/* He sets his own. */
	f.who.user_id = id;
	f.who.role = ROLE_AGENT;
	clear(&f);
	assert_int_equal(people_password_hash(hash, "third one"), 0);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_password_set(&f.c, hash), 0);
	assert_int_equal(people_lang_set(&f.c, "en"), 0);
	assert_int_equal(people_lang_set(&f.c, "fr"), 1);
	assert_int_equal(f.error.status, 422);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "ann", "third one"), 0);
	assert_false(u.must_change_password);
	assert_string_equal(u.lang, "en");
	fix_done(&f);
}

TEST(random_passwords_can_be_read_out_and_differ)
{
	char a[40], b[40];

	assert_true(sodium_init() >= 0);
	people_password_random(a, sizeof(a), 5);
	people_password_random(b, sizeof(b), 5);
	assert_int_equal(strlen(a), 29);
	assert_int_equal(strspn(a, "bdfghjklmnprstvzaeiou-"), 29);
	assert_string_not_equal(a, b);
	assert_null(people_password_check(a, NULL));
}

static void *hash_one(void *arg)
{
	char hash[PEOPLE_HASH_MAX];

	assert_int_equal(people_password_hash(hash, arg), 0);
	return NULL;
}

/* 19 MiB each: eight at once would need 152 MiB, two at once 38. */
TEST(at_most_two_passwords_are_hashed_at_once)
{
	struct rusage before, after;
	pthread_t t[8];

	assert_int_equal(people_init(NULL), 0);
	(void)hash_one("warm");
	(void)getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hash_one, "some password"), 0);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(t[i], NULL);
	(void)getrusage(RUSAGE_SELF, &after);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(after.ru_maxrss - before.ru_maxrss < 60 * 1024);
#endif
}

/* ---- administrators ---- */

TEST(the_last_administrator_stays_and_nobody_locks_himself_out)
{
	struct people_user u;
	struct fix f;
	bool has = true;
	int64_t second;

	fix_init(&f);
	assert_int_equal(people_has_admin(&has, f.db, f.centre), 0);
	assert_false(has);
	assert_int_equal(people_create_admin(f.db, "root", "first password"), 0);
	assert_int_equal(people_has_admin(&has, f.db, f.centre), 0);
	assert_true(has);
	assert_int_equal(people_login(&u, f.db, f.centre, "root", "first password"), 0);
	assert_true(u.must_change_password);
	f.who.user_id = u.id;
	assert_int_equal(put(&f, "users", u.id, "{'active':false}"), -409);
	assert_string_equal(f.error.code, "yourself");
	assert_int_equal(put(&f, "users", u.id, "{'role':'agent'}"), -409);
	assert_int_equal(del(&f, "users", u.id), 409);
	assert_string_equal(f.error.code, "yourself");
	f.who.user_id = 99; /* a program with an administrator's token */
	assert_int_equal(put(&f, "users", u.id, "{'active':false}"), -409);
	assert_string_equal(f.error.code, "last_admin");
	assert_int_equal(del(&f, "users", u.id), 409);
	second = put(&f, "users", 0, "{'login':'two','name':'Two','role':'admin'}");
	assert_true(second > 0);
	assert_true(put(&f, "users", u.id, "{'active':false}") > 0);
	assert_int_equal(del(&f, "users", second), 409);
	/* The command line helps who has locked himself out. */
	assert_int_equal(people_create_admin(f.db, "root", "another password"), 0);
	assert_int_equal(people_login(&u, f.db, f.centre, "root", "another password"), 0);
	assert_true(u.active);
	assert_int_equal(del(&f, "users", second), 0);
	fix_done(&f);
}

TEST(who_has_records_is_switched_off_and_not_deleted)
{
	struct fix f;
	int64_t id;

	fix_init(&f);
	id = put(&f, "users", 0, "{'login':'ann','name':'Ann'}");
	assert_int_equal(db_run(f.db, "INSERT INTO activity (id, centre_id, agent_id, team_id, state, start_ms)"
				      " VALUES (1, $1, $2, 0, 'ready', 1)", "ii", f.centre, id), 0);
	assert_int_equal(del(&f, "users", id), 409);
	assert_string_equal(f.error.code, "history");
	f.who.role = ROLE_SYSTEM;
	assert_int_equal(del(&f, "users", id), 0);
	fix_done(&f);
}

/* ---- devices ---- */

static void sum_hex(char *hex, const EVP_MD *md, const char *fmt, const char *a, const char *b)
{
	unsigned char sum[64];
	unsigned n;
	char *text = xasprintf(fmt, a, b); /* NOLINT: formats of this file */

	assert_int_equal(EVP_Digest(text, strlen(text), sum, &n, md, NULL), 1);
	str_hex_of(hex, sum, n);
	free(text);
}

TEST(ha1_gives_the_responses_of_rfc_7616)
{
	/* RFC 7616 3.9.1: user, realm, password, nonce, cnonce and both responses. */
#define NONCE ":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:"
	char md5[33], sha256[65], ha2[65], response[65];

	people_ha1(md5, sha256, "Mufasa", "http-auth@example.org", "Circle of Life");
	sum_hex(ha2, EVP_md5(), "%s%s", "GET:", "/dir/index.html");
	sum_hex(response, EVP_md5(), "%s" NONCE "%s", md5, ha2);
	assert_string_equal(response, "8ca523f5e9506fed4657c9700eebdbec");
	sum_hex(ha2, EVP_sha256(), "%s%s", "GET:", "/dir/index.html");
	sum_hex(response, EVP_sha256(), "%s" NONCE "%s", sha256, ha2);
	assert_string_equal(response, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(a_device_keeps_ha1_and_shows_its_secret_once)
{
	struct fix f;
	char md5[33], sha256[65], *text, *want, first[40];
	int64_t id;

	fix_init(&f);
	id = put(&f, "devices", 0, "{'name':'8001'}");
	assert_true(id > 0);
	assert_true(str_copy(first, sizeof(first), once(&f, "secret")));
	people_ha1(md5, sha256, "8001", "huawu", first);
	want = xasprintf("%s:%s:huawu", md5, sha256);
	text = stored(&f, "SELECT secret FROM devices WHERE id = $1", id);
	assert_string_equal(text, want);
	free(text);
	assert_true(put(&f, "devices", id, "{'note':'desk 4','secret':''}") > 0); /* a form's empty box */
	assert_null(f.c.once);
	text = stored(&f, "SELECT secret FROM devices WHERE id = $1", id);
	assert_string_equal(text, want);
	free(text);
	assert_true(put(&f, "devices", id, "{'secret':null}") > 0); /* a new one */
	assert_string_not_equal(once(&f, "secret"), first);
	assert_true(put(&f, "devices", id, "{'secret':'my own secret'}") > 0);
	assert_null(f.c.once);
	free(want);
	people_ha1(md5, sha256, "8001", "huawu", "my own secret");
	want = xasprintf("%s:%s:huawu", md5, sha256);
	text = stored(&f, "SELECT secret FROM devices WHERE id = $1", id);
	assert_string_equal(text, want);
	free(text);
	free(want);
	/* To a fixed address and back: the old secret is gone. */
	assert_true(put(&f, "devices", id, "{'kind':'static','static_uri':'sip:8001@192.0.2.1:5070'}") > 0);
	assert_null(stored(&f, "SELECT secret FROM devices WHERE id = $1", id));
	assert_true(put(&f, "devices", id, "{'kind':'phone'}") > 0);
	assert_non_null(once(&f, "secret"));
	assert_null(stored(&f, "SELECT static_uri FROM devices WHERE id = $1", id));
	fix_done(&f);
}

TEST(devices_refuse_bad_names_and_addresses)
{
	static const struct {
		const char *uri;
		bool good;
	} uris[] = {
		{"sip:a1@127.0.0.2:28090", true}, {"sip:a1@127.0.0.2", true}, {"sip:@127.0.0.2", false},
		{"sip:a1@host.example", false}, {"sip:a1@127.0.0.2:0", false}, {"sip:a1@127.0.0.2:65536", false},
		{"sip:a1@127.0.0.2:", false}, {"sips:a1@127.0.0.2", false}, {"sip:a1@127.0.0.2;lr", false},
		{"sip:a1@127.0.0.2:5060;transport=tcp", true}, {"sip:a1@[2001:db8::1]:5061;transport=tls", true}, {"sip:a1@[::1]", true},
		{"sip:a1@[::1", false}, {"sip:a1@::1", false}, {"sip:a1@[127.0.0.1]", false}, {"sip:a1@127.0.0.2;transport=ws", false},
		{"sip:a1@127.0.0.2;transport=tcp:5060", false}, {"sip:a1@[::1]x", false},
		{"sip:a b@127.0.0.2", false}, {"<sip:a1@127.0.0.2>", false}, {"sip:a1@0.0.0.0", false}, {"sip:a1", false},
	};
	struct fix f;
	char text[160], name[8];

	fix_init(&f);
	assert_bad(&f, "devices", "{'name':'w17','secret':'too short'}", "{'name':'reserved','secret':'range'}");
	assert_bad(&f, "devices", "{'name':'a@b'}", "{'name':'format'}");
	assert_bad(&f, "devices", "{'name':'ok','kind':'static'}", "{'static_uri':'required'}");
	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		(void)snprintf(name, sizeof(name), "d%zu", i);
		(void)snprintf(text, sizeof(text), "{'name':'%s','kind':'static','static_uri':'%s'}", name, uris[i].uri);
		assert_int_equal(put(&f, "devices", 0, text) > 0, uris[i].good);
	}
	assert_true(put(&f, "devices", 0, "{'name':'w17a'}") > 0);
	fix_done(&f);
}

/* ---- the rest ---- */

TEST(queues_trunks_numbers_and_members_refuse_what_cannot_work)
{
	struct fix f;
	int64_t q, u, t;

	fix_init(&f);
	assert_bad(&f, "queues", "{'name':'Q','wrapup_s':60,'wrapup_max_s':30}", "{'wrapup_max_s':'range'}");
	assert_bad(&f, "queues", "{'name':'Q','overflow':'queue'}", "{'overflow_queue_id':'required'}");
	assert_bad(&f, "queues", "{'name':'Q','overflow':'number','overflow_number':'abc'}", "{'overflow_number':'number'}");
	assert_bad(&f, "queues", "{'name':'Q','music':'../../etc/passwd'}", "{'music':'format'}");
	assert_bad(&f, "queues", "{'name':'Q','greeting':'.hidden','ring_s':4}", "{'greeting':'format','ring_s':'range'}");
	assert_bad(&f, "queues", "{'name':'Q','greeting':'/etc','music':'zh/../x'}", "{'greeting':'format','music':'format'}");
	assert_bad(&f, "queues", "{'name':'Q','greeting':'zh/','music':'a/b/c'}", "{'greeting':'format','music':'format'}");
	q = put(&f, "queues", 0, "{'name':'Q'}");
	assert_true(q > 0);
	assert_int_equal(putf(&f, "queues", q, "{'overflow':'queue','overflow_queue_id':'%lld'}", (long long)q), -422);
	assert_bad(&f, "trunks", "{'name':'T','host':'no host','port':65536,'sources':'192.0.2.0/33'}",
		   "{'host':'format','port':'range','sources':'format'}");
	assert_bad(&f, "trunks", "{'name':'T','host':'192.0.2.300','proxy':'a:b','sources':'x'}",
		   "{'host':'format','proxy':'format','sources':'format'}");
	assert_bad(&f, "trunks", "{'name':'T','host':'-a.example.com','proxy':'a..b','kind':'register'}",
		   "{'host':'format','proxy':'format','username':'required'}");
	assert_bad(&f, "trunks", "{'name':'T','host':'sip.example.com','auth_in':true}", "{'username':'required','secret':'required'}");
	t = put(&f, "trunks", 0, "{'name':'T','host':'192.0.2.7'}");
	assert_true(t > 0);
	assert_bad(&f, "numbers", "{'number':'10 10'}", "{'number':'format','queue_id':'required'}");
	assert_bad(&f, "numbers", "{'number':'1010','dest':'user','queue_id':'1'}", "{'user_id':'required'}");
	assert_bad(&f, "numbers", "{'number':'1010','dest':'uri','uri':'http://x'}", "{'uri':'format'}");
	assert_true(putf(&f, "numbers", 0, "{'number':'q','queue_id':'%lld'}", (long long)q) > 0);
	assert_int_equal(putf(&f, "numbers", 0, "{'number':'q','queue_id':'%lld'}", (long long)q), -422);
	assert_true(putf(&f, "numbers", 0, "{'number':'q','queue_id':'%lld','trunk_id':'%lld'}", (long long)q, (long long)t) > 0);
	u = put(&f, "users", 0, "{'login':'ann','name':'Ann'}");
	assert_true(putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'%lld'}", (long long)q, (long long)u) > 0);
	assert_int_equal(putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'%lld','level':2}", (long long)q, (long long)u), -422);
	assert_int_equal(del(&f, "queues", q), 409);
	assert_string_equal(f.error.detail, "Queue members 1, Numbers 2");
	f.who.role = ROLE_SUPERVISOR; /* staffs queues, and no more */
	assert_true(putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'99'}", (long long)q) == -422);
	assert_int_equal(put(&f, "queues", q, "{'name':'R'}"), -403);
	fix_done(&f);
}

TEST(a_token_is_shown_once_and_known_by_its_hash)
{
	struct people_token t = {0};
	struct fix f;
	char token[64];
	json_t *row;
	int64_t id;

	fix_init(&f);
	id = put(&f, "tokens", 0, "{'name':'crm','role':'supervisor'}");
	assert_true(str_copy(token, sizeof(token), once(&f, "token")));
	assert_int_equal(strlen(token), 46);
	assert_int_equal(people_token_find(&t, f.db, token), 0);
	assert_int_equal(t.id, id);
	assert_int_equal(t.role, ROLE_SUPERVISOR);
	assert_int_equal(t.centre_id, f.centre);
	row = get(&f, "tokens", id);
	assert_null(json_object_get(row, "hash"));
	json_decref(row);
	assert_int_equal(put(&f, "tokens", id, "{'role':'admin'}"), -422);
	assert_int_equal(put(&f, "tokens", id, "{'hash':'x'}"), -422);
	assert_true(put(&f, "tokens", id, "{'active':false}") > 0);
	assert_null(f.c.once);
	assert_int_equal(people_token_find(&t, f.db, token), -ENOENT);
	assert_int_equal(people_token_find(&t, f.db, ""), -ENOENT);
	fix_done(&f);
}

/* ---- the switch's configuration ---- */

static const struct sw_conf *load(struct snap **s, struct fix *f)
{
	assert_int_equal(switch_conf_load(s, f->db, f->centre), 0);
	return snap_data(*s);
}

TEST(a_trunks_password_is_sealed_and_comes_back_to_the_switch_alone)
{
	const struct sw_trunk *tr;
	const struct sw_conf *c;
	struct snap *s;
	struct fix f;
	char key[128], *sealed;
	json_t *row;
	int64_t t;

	fix_init(&f);
	(void)snprintf(key, sizeof(key), "%s.key", f.file);
	assert_int_equal(people_secrets_open(key), 0);
	t = put(&f, "trunks", 0, "{'name':'R','host':'sip.example.com','kind':'register','username':'0571','secret':'tiger','auth_in':true,"
				 "'sources':'203.0.113.0/24 2001:db8::7','proxy':'192.0.2.1:5070','turn':3,'weight':5,'calls_per_s':7,'answer_s':4}");
	assert_true(t > 0);
	sealed = stored(&f, "SELECT secret FROM trunks WHERE id = $1", t);
	assert_non_null(sealed);
	assert_null(strstr(sealed, "tiger"));
	free(sealed);
	row = get(&f, "trunks", t);
	assert_null(json_object_get(row, "secret"));
	json_decref(row);

	c = load(&s, &f);
	assert_int_equal(c->trunk_n, 1);
	tr = &c->trunks[0];
	assert_string_equal(tr->secret, "tiger");
	assert_true(tr->registers && tr->auth_in && tr->outbound);
	assert_string_equal(tr->username, "0571");
	assert_string_equal(tr->proxy, "192.0.2.1:5070");
	assert_string_equal(tr->sources, "203.0.113.0/24 2001:db8::7");
	assert_int_equal(tr->turn, 3);
	assert_int_equal(tr->weight, 5);
	assert_int_equal(tr->calls_per_s, 7);
	assert_int_equal(tr->answer_ms, 4000);
	assert_int_equal(tr->options_s, 30);
	/* printf '0571:huawu:tiger' | md5sum */
	assert_string_equal(tr->ha1_md5, "06fe1692b21b1383ed212a95c05413b7");
	snap_unref(s);

	assert_true(put(&f, "trunks", t, "{'secret':'','turn':4}") > 0); /* a form's empty password box */
	c = load(&s, &f);
	assert_string_equal(c->trunks[0].secret, "tiger");
	snap_unref(s);

	assert_int_equal(unlink(key), 0); /* another machine, without the key */
	assert_int_equal(people_secrets_open(key), 0);
	c = load(&s, &f);
	assert_null(c->trunks[0].secret);
	snap_unref(s);
	(void)unlink(key);
	fix_done(&f);
}

TEST(the_switch_gets_what_the_tables_say)
{
	const struct sw_conf *c;
	struct snap *s;
	struct fix f;
	int64_t team, u, q, q2, t;
	char *secret;

	fix_init(&f);
	c = load(&s, &f);
	assert_int_equal(c->version, 0);
	assert_int_equal(c->user_n + c->queue_n + c->trunk_n + c->number_n + c->device_n, 0);
	snap_unref(s);

	team = put(&f, "teams", 0, "{'name':'T'}");
	u = putf(&f, "users", 0, "{'login':'ann','name':'Ann','team_id':'%lld','extension':'8001','deskless':true}", (long long)team);
	q2 = put(&f, "queues", 0, "{'name':'Q2'}");
	q = putf(&f, "queues", 0, "{'name':'Q','priority':3,'ring_s':12,'wrapup_s':7,'wrapup_max_s':70,'len_max':9,'wait_max_s':300,"
		 "'announce_s':40,'target_s':15,'empty_overflow':true,'overflow':'queue','overflow_queue_id':'%lld',"
		 "'greeting':'hello','music':'jazz','record':false,'record_waiting':true}", (long long)q2);
	t = put(&f, "trunks", 0, "{'name':'T','host':'192.0.2.7','port':5070,'calls_max':30,'caller_id':'0571','outbound':true}");
	(void)putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'%lld','level':4}", (long long)q, (long long)u);
	(void)putf(&f, "numbers", 0, "{'number':'4001','trunk_id':'%lld','queue_id':'%lld'}", (long long)t, (long long)q);
	(void)putf(&f, "numbers", 0, "{'number':'4002','dest':'user','user_id':'%lld','record':false}", (long long)u);
	(void)put(&f, "numbers", 0, "{'number':'4003','dest':'uri','uri':'sip:x@192.0.2.9'}");
	(void)putf(&f, "devices", 0, "{'name':'8001','user_id':'%lld','auto_answer':true}", (long long)u);
	secret = xstrdup(once(&f, "secret"));

	c = load(&s, &f);
	assert_int_equal(c->version, 10); /* ten changes of what configures it */
	assert_int_equal(c->acd.version, 10);
	assert_int_equal(c->user_n, 1);
	assert_int_equal(c->users[0].id, u);
	assert_int_equal(c->users[0].team_id, team);
	assert_string_equal(c->users[0].extension, "8001");
	assert_true(c->users[0].static_agent);
	assert_int_equal(c->acd.agent_n, 1);
	assert_int_equal(c->acd.agents[0].team_id, team);
	assert_true(c->acd.agents[0].noanswer_ms > 0); /* nobody is there to press Ready */
	assert_int_equal(c->queue_n, 2);
	assert_int_equal(c->queues[1].id, q);
	assert_string_equal(c->queues[1].greeting, "hello");
	assert_string_equal(c->queues[1].music, "jazz");
	assert_true(c->queues[1].answer_first && c->queues[1].record_waiting && !c->queues[1].record);
	assert_null(c->queues[0].greeting);
	assert_int_equal(c->acd.queues[1].priority, 3);
	assert_int_equal(c->acd.queues[1].ring_ms, 12000);
	assert_int_equal(c->acd.queues[1].wrapup_ms, 7000);
	assert_int_equal(c->acd.queues[1].wrapup_max_ms, 70000);
	assert_int_equal(c->acd.queues[1].len_max, 9);
	assert_int_equal(c->acd.queues[1].wait_max_ms, 300000);
	assert_int_equal(c->acd.queues[1].announce_ms, 40000);
	assert_int_equal(c->acd.queues[1].target_ms, 15000);
	assert_true(c->acd.queues[1].empty_overflow);
	assert_int_equal(c->acd.queues[1].overflow, ACD_OVERFLOW_QUEUE);
	assert_int_equal(c->acd.queues[1].overflow_queue, q2);
	assert_int_equal(c->acd.member_n, 1);
	assert_int_equal(c->acd.members[0].agent_id, u);
	assert_int_equal(c->acd.members[0].level, 4);
	assert_int_equal(c->trunk_n, 1);
	assert_string_equal(c->trunks[0].host, "192.0.2.7");
	assert_int_equal(c->trunks[0].port, 5070);
	assert_string_equal(c->trunks[0].caller_id, "0571");
	assert_null(c->trunks[0].rights); /* nobody has said anything: the defaults hold */
	assert_int_equal(c->number_n, 3);
	assert_int_equal(c->numbers[0].dest, SW_DEST_QUEUE);
	assert_int_equal(c->numbers[0].target_id, q);
	assert_int_equal(c->numbers[0].trunk_id, t);
	assert_int_equal(c->numbers[1].dest, SW_DEST_USER);
	assert_int_equal(c->numbers[1].target_id, u);
	assert_false(c->numbers[1].record);
	assert_int_equal(c->numbers[2].dest, SW_DEST_URI);
	assert_string_equal(c->numbers[2].uri, "sip:x@192.0.2.9");
	assert_int_equal(c->device_n, 1);
	assert_int_equal(strlen(c->devices[0].ha1_md5), 32);
	assert_int_equal(strlen(c->devices[0].ha1_sha256), 64);
	assert_true(c->devices[0].auto_answer);
	{
		char md5[33], sha256[65];

		people_ha1(md5, sha256, "8001", "huawu", secret);
		assert_string_equal(c->devices[0].ha1_md5, md5);
		assert_string_equal(c->devices[0].ha1_sha256, sha256);
	}
	free(secret);
	snap_unref(s);
	fix_done(&f);
}

TEST(what_cannot_be_used_is_left_out)
{
	const struct sw_conf *c;
	struct snap *s;
	struct fix f;
	int64_t u, q, t;

	fix_init(&f);
	u = put(&f, "users", 0, "{'login':'ann','name':'Ann'}");
	q = put(&f, "queues", 0, "{'name':'Q'}");
	t = put(&f, "trunks", 0, "{'name':'T','host':'192.0.2.7'}");
	(void)putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'%lld'}", (long long)q, (long long)u);
	(void)putf(&f, "numbers", 0, "{'number':'1','dest':'user','user_id':'%lld'}", (long long)u);
	(void)putf(&f, "numbers", 0, "{'number':'2','trunk_id':'%lld','queue_id':'%lld'}", (long long)t, (long long)q);
	(void)putf(&f, "devices", 0, "{'name':'8001','user_id':'%lld'}", (long long)u);
	(void)put(&f, "devices", 0, "{'name':'lobby'}");
	c = load(&s, &f);
	assert_int_equal(c->user_n, 1);
	assert_int_equal(c->device_n, 2);
	assert_int_equal(c->number_n, 2);
	assert_int_equal(c->acd.member_n, 1);
	snap_unref(s);

	assert_true(put(&f, "users", u, "{'active':false}") > 0); /* a leaver: no agent, no telephone, no number */
	assert_true(put(&f, "trunks", t, "{'active':false}") > 0);
	c = load(&s, &f);
	assert_int_equal(c->user_n, 0);
	assert_int_equal(c->acd.agent_n, 0);
	assert_int_equal(c->acd.member_n, 0);
	assert_int_equal(c->trunk_n, 0);
	assert_int_equal(c->number_n, 0);
	assert_int_equal(c->device_n, 1);
	assert_string_equal(c->devices[0].name, "lobby");
	snap_unref(s);

	assert_int_equal(people_init("another.realm"), 0);
	c = load(&s, &f);
	assert_int_equal(c->device_n, 0); /* that secret can never be right */
	snap_unref(s);
	fix_done(&f);
}

/* ---- demo and bench ---- */

static const struct people_demo demo = {"127.0.0.3", 5090, "127.0.0.4", 5092};

static int seed(struct fix *f)
{
	int r;

	assert_int_equal(db_begin(f->db), 0);
	r = people_demo_seed(f->db, f->centre, &demo);
	assert_int_equal(db_commit(f->db), 0);
	return r;
}

static int64_t count(struct fix *f, const char *sql)
{
	int64_t n = -1;

	assert_int_equal(db_get_i64(&n, f->db, sql, ""), 0);
	return n;
}

TEST(the_demo_is_made_once_and_configures_the_switch)
{
	const struct sw_conf *c;
	struct people_user u;
	struct snap *s;
	struct fix f;
	unsigned ready = 0;
	int64_t t0 = clock_mono_us();

	fix_init(&f);
	assert_int_equal(seed(&f), 0);
	print_message("demo: %.1f ms\n", (double)(clock_mono_us() - t0) / 1000);
	assert_int_equal(seed(&f), 0);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM users"), 15);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM users WHERE name LIKE '%(示例)'"), 15);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM users WHERE password IS NOT NULL"), 0);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM devices"), DEMO_PHONES);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM queues"), 3);
	assert_int_equal(people_user_find(&u, f.db, f.centre, "agent"), 0);
	assert_int_equal(u.role, ROLE_AGENT);
	assert_int_equal(people_user_find(&u, f.db, f.centre, "lead"), 0);
	assert_int_equal(u.role, ROLE_SUPERVISOR);
	assert_int_equal(people_user_find(&u, f.db, f.centre, "admin"), 0);
	assert_int_equal(u.role, ROLE_ADMIN);
	c = load(&s, &f);
	assert_int_equal(c->user_n, 15);
	assert_int_equal(c->device_n, 14);
	assert_string_equal(c->devices[0].static_uri, "sip:8002@127.0.0.4:5092");
	assert_int_equal(c->number_n, 3);
	for (size_t i = 0; i < c->user_n; i++)
		ready += c->users[i].static_agent;
	assert_int_equal(ready, 12);
	assert_true(c->acd.member_n >= 26); /* 13 agents, each in two queues at least */
	snap_unref(s);
	fix_done(&f);
}

TEST(the_demo_goes_with_one_call_but_for_what_others_use)
{
	struct fix f;
	unsigned left = 99;
	bool there = true;
	int64_t u;

	fix_init(&f);
	assert_int_equal(seed(&f), 0);
	u = put(&f, "users", 0, "{'login':'real','name':'Real'}");
	clear(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_demo_clear(&f.c, &left), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(left, 0);
	assert_int_equal(people_demo_present(&there, f.db, f.centre), 0);
	assert_false(there);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM users"), 1);
	assert_int_equal(count(&f, "SELECT (SELECT COUNT(*) FROM teams) + (SELECT COUNT(*) FROM queues) + (SELECT COUNT(*) FROM members)"
			       " + (SELECT COUNT(*) FROM trunks) + (SELECT COUNT(*) FROM numbers) + (SELECT COUNT(*) FROM devices)"), 0);
	/* Again, and this time somebody real serves a demo queue. */
	assert_int_equal(seed(&f), 0);
	assert_true(putf(&f, "members", 0, "{'queue_id':'%lld','user_id':'%lld'}",
			 (long long)count(&f, "SELECT MIN(id) FROM queues"), (long long)u) > 0);
	clear(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_demo_clear(&f.c, &left), 0);
	assert_int_equal(db_commit(f.db), 0);
	assert_int_equal(left, 1);
	assert_int_equal(count(&f, "SELECT COUNT(*) FROM queues"), 1);
	{
		int64_t n;

		assert_int_equal(res_audit_verify(f.db, f.centre, &n), 0);
	}
	fix_done(&f);
}

TEST(the_bench_gets_its_numbers_and_agents)
{
	const struct sw_conf *c;
	struct snap *s;
	struct fix f;

	fix_init(&f);
	assert_int_equal(db_begin(f.db), 0);
	assert_int_equal(people_bench_seed(f.db, f.centre, 50), 0);
	assert_int_equal(db_commit(f.db), 0);
	c = load(&s, &f);
	assert_int_equal(c->user_n, 50);
	assert_int_equal(c->acd.member_n, 50);
	assert_true(c->users[49].static_agent);
	assert_string_equal(c->devices[0].static_uri, "sip:a1@127.0.0.2:28090");
	assert_int_equal(c->number_n, 3);
	assert_string_equal(c->numbers[0].number, "q");
	assert_string_equal(c->numbers[1].uri, "sip:1000@127.0.0.2:28090");
	assert_false(c->numbers[1].record);
	assert_true(c->numbers[2].record);
	assert_string_equal(c->trunks[0].host, "127.0.0.3");
	snap_unref(s);
	fix_done(&f);
}

/* ---- numbers and rights ---- */

TEST(number_forms_rules_and_rights_reach_the_switch)
{
	const struct num_table *n;
	const struct sw_conf *c;
	struct snap *s;
	struct fix f;
	int64_t t, ann, bob, form;

	fix_init(&f);
	t = put(&f, "trunks", 0, "{'name':'T','host':'192.0.2.7','outbound':true}");
	ann = put(&f, "users", 0, "{'login':'ann','name':'Ann'}");
	bob = put(&f, "users", 0, "{'login':'bob','name':'Bob','role':'admin'}");
	form = putf(&f, "number_forms", 0, "{'trunk_id':'%lld','preset':'ims','area':'0755','numbers':'4008001234'}", (long long)t);
	(void)putf(&f, "number_rules", 0, "{'trunk_id':'%lld','sort':20,'begins':'2'}", (long long)t);
	(void)putf(&f, "number_rules", 0, "{'trunk_id':'%lld','sort':10,'begins':'1','dir':'in','which':'calling','strip':1,'put':'0'}", (long long)t);
	(void)putf(&f, "number_rules", 0, "{'trunk_id':'%lld','begins':'3','active':false}", (long long)t);
	(void)put(&f, "dial_rights", 0, "{'name':'all','scope':'everyone','mobile':false,'odd_from':1,'short_burst':7}");
	(void)put(&f, "dial_rights", 0, "{'name':'admins','scope':'role','role':'admin','abroad':'some','countries':'852 853'}");
	(void)putf(&f, "dial_rights", 0, "{'name':'T','scope':'trunk','trunk_id':'%lld','abroad':'all','premium':true,'minutes_day':100}", (long long)t);
	c = load(&s, &f);
	n = c->trunks[0].numbers;
	assert_non_null(n);
	assert_true(n->called == NUM_F_E164 && n->shown == NUM_F_E164 && n->pai && !n->ppi); /* as the preset says */
	assert_string_equal(n->area, "755");
	assert_string_equal(n->numbers, "4008001234");
	assert_int_equal(n->rule_n, 2);
	assert_string_equal(n->rules[0].begins, "1");
	assert_true(n->rules[0].in && n->rules[0].calling && n->rules[0].strip == 1);
	assert_string_equal(n->rules[1].begins, "2");
	assert_string_equal(c->trunks[0].rights->countries, "*");
	assert_true(c->trunks[0].rights->classes & 1u << NUM_C_PREMIUM);
	assert_int_equal(c->trunks[0].rights->minutes_day, 100);
	assert_int_equal(c->toll->odd_from, 1);
	assert_int_equal(c->toll->short_burst, 7);
	assert_false(c->rights->classes & 1u << NUM_C_MOBILE);
	assert_true(c->rights->classes & 1u << NUM_C_EMERGENCY);
	for (size_t i = 0; i < c->user_n; i++)
		if (c->users[i].id == ann)
			assert_ptr_equal(c->users[i].rights, c->rights); /* everyone's */
		else if (c->users[i].id == bob)
			assert_string_equal(c->users[i].rights->countries, "852 853"); /* his role's */
	snap_unref(s);
	(void)put(&f, "number_forms", form, "{'pai':false}");
	c = load(&s, &f);
	assert_false(c->trunks[0].numbers->pai);
	snap_unref(s);
	fix_done(&f);
}

TEST(minutes_of_the_day_come_from_the_records)
{
	struct sw_used *used;
	size_t n;
	struct fix f;

	fix_init(&f);
	assert_int_equal(db_run(f.db, "INSERT INTO call (id, centre_id, dir, first_agent_id, start_ms) VALUES (1, 1, 'out', 5, 1000), (2, 1, 'out', 5, 2000),"
				       " (3, 1, 'in', 5, 3000), (4, 1, 'out', 5, 10)", NULL), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO call_pii (call_id, centre_id, to_number) VALUES (1, 1, '+85221234567'), (2, 1, '13800138000')", NULL), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO leg (id, centre_id, call_id, dir, trunk_id, start_ms, answer_ms, end_ms) VALUES"
				       " (1, 1, 1, 'out', 7, 1000, 2000, 62000), (2, 1, 2, 'out', 7, 2000, 3000, 33000), (3, 1, 2, 'out', NULL, 2000, 3000, 33000),"
				       " (4, 1, 3, 'in', 7, 3000, 4000, 5000), (5, 1, 4, 'out', 7, 10, 20, 900)", NULL), 0);
	assert_int_equal(people_used_since(&used, &n, f.db, 1, 500), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) { /* 60 s abroad, 30 s to a mobile; yesterday's and the call in do not count */
		assert_true(used[i].trunk_id == 7 || used[i].user_id == 5);
		assert_int_equal(used[i].ms, 90000);
		assert_int_equal(used[i].costly_ms, 60000);
	}
	free(used);
	fix_done(&f);
}
