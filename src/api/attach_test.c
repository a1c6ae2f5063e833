/* Files on rows: what is taken, who sees them, and that nothing is left of what is gone. */
#include "api/fixture.h"

#include <unistd.h>

static char *customer(struct client *c, const char *name)
{
	char *body = xasprintf("{\"name\":\"%s\"}", name);
	const json_t *row = ask_for(c, "POST", "/customers", body, "201");
	char *path = xasprintf("/customers/%s/attachments", json_string_value(json_object_get(row, "id")));

	free(body);
	return path;
}

static char *at(const char *path, const char *query)
{
	return xasprintf("%s?%s", path, query);
}

static const json_t *put(struct client *c, const char *path, const char *query, const char *body, const char *expect)
{
	char *p = at(path, query);
	const json_t *v = ask_for(c, "POST", p, body, expect);

	free(p);
	return v;
}

static bool file_there(const struct fix *f, const char *sha256)
{
	char *p = xasprintf("%s/attachments/%.2s/%s", f->conf.data_dir, sha256, sha256);
	bool there = !access(p, F_OK);

	free(p);
	return there;
}

/* sha256sum of "%PDF-1.4 x" */
#define PDF "%PDF-1.4 x"

static char *sha_of_last(struct fix *f)
{
	struct db *db;
	struct db_stmt *st;
	char *s = NULL;

	assert_int_equal(db_open(&db, f->url, DB_RO), 0);
	assert_int_equal(db_prepare(&st, db, "SELECT sha256 FROM attachments ORDER BY id DESC LIMIT 1"), 0);
	if (db_step(st) == DB_ROW)
		s = xstrdup(db_text(st, 0));
	db_done(st);
	db_close(db);
	return s;
}

TEST(a_file_is_attached_read_and_removed_with_its_bytes)
{
	struct fix f;
	struct client c;
	const struct answer *a;
	char *path, *id, *one, *sha;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	path = customer(&c, "张三");
	id = xstrdup(json_string_value(json_object_get(put(&c, path, "name=a/%E5%90%88%E5%90%8C.exe", PDF, "201"), "id")));
	sha = sha_of_last(&f);
	assert_true(file_there(&f, sha));
	one = xasprintf("/attachments/%s/data", id);
	a = ask(&c, "GET", one, "", NULL);
	assert_int_equal(a->status, 200);
	assert_string_equal(a->body, PDF);
	assert_non_null(strstr(a->head, "application/pdf"));
	assert_non_null(strcasestr(a->head, "nosniff"));
	a = ask(&c, "GET", one, "Range: bytes=0-3\r\n", NULL);
	assert_int_equal(a->status, 206);
	assert_string_equal(a->body, "%PDF");
	assert_int_equal(json_array_size(json_object_get(ask_for(&c, "GET", path, NULL, "200"), "items")), 1);
	assert_text(json_array_get(json_object_get(ask_for(&c, "GET", path, NULL, "200"), "items"), 0), "name", "合同.exe.pdf");
	free(one);
	one = xasprintf("/attachments/%s", id);
	ask_for(&c, "DELETE", one, NULL, "204");
	assert_false(file_there(&f, sha));
	ask_for(&c, "DELETE", one, NULL, "404 not_found");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM audit WHERE action = 'attach' OR action = 'detach'"), 2);
	free(one);
	free(sha);
	free(id);
	free(path);
	fix_stop(&f);
}

TEST(the_same_bytes_are_kept_once_until_the_last_row_is_gone)
{
	struct fix f;
	struct client c;
	char *path, *first, *second, *sha, *p;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	path = customer(&c, "张三");
	first = xstrdup(json_string_value(json_object_get(put(&c, path, "name=a.pdf", PDF, "201"), "id")));
	second = xstrdup(json_string_value(json_object_get(put(&c, path, "name=b.pdf", PDF, "201"), "id")));
	sha = sha_of_last(&f);
	p = xasprintf("/attachments/%s", first);
	ask_for(&c, "DELETE", p, NULL, "204");
	assert_true(file_there(&f, sha));
	free(p);
	p = xasprintf("/attachments/%s", second);
	ask_for(&c, "DELETE", p, NULL, "204");
	assert_false(file_there(&f, sha));
	free(p);
	free(sha);
	free(first);
	free(second);
	free(path);
	fix_stop(&f);
}

TEST(pieces_join_and_what_does_not_fit_is_refused)
{
	struct fix f;
	struct client c, other;
	char *path, *q, *upload;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	other = fix_login(&f, "agent", NULL);
	path = customer(&c, "张三");
	upload = xstrdup(json_string_value(json_object_get(put(&c, path, "name=a.txt&size=10", "12345", "202"), "upload")));
	q = xasprintf("name=a.txt&size=10&offset=4&upload=%s", upload);
	put(&c, path, q, "6789", "409 wrong_state"); /* not where it ended */
	free(q);
	q = xasprintf("name=a.txt&size=10&offset=5&upload=%s", upload);
	put(&other, path, q, "67890", "403 forbidden"); /* another's, of nobody */
	put(&c, path, q, "67890x", "413 too_large");
	put(&c, path, q, "67890", "201");
	put(&c, path, q, "67890", "404 not_found"); /* it is over */
	put(&c, path, "name=a&size=20971521", "x", "413 too_large");
	put(&c, path, "name=a&size=10&upload=../../../etc/x&offset=0", "x", "404 not_found");
	put(&c, path, "name=a&offset=5&size=10", "x", "409 wrong_state");
	for (int i = 0; i < 6; i++)
		put(&c, path, "name=a&size=10", "x", "202");
	put(&c, path, "name=a&size=10", "x", "429 slow_down");
	assert_int_equal(fix_get(&f, "SELECT SUM(size) FROM attachments"), 10);
	free(q);
	free(upload);
	free(path);
	fix_stop(&f);
}

TEST(what_a_browser_would_run_is_refused_and_nothing_stays)
{
	struct fix f;
	struct client c;
	char *path;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	path = customer(&c, "张三");
	put(&c, path, "name=a.png", "<svg xmlns='x'><script>1</script></svg>", "415 file_type");
	put(&c, path, "name=a.txt", "<html>", "415 file_type");
	put(&c, path, "name=a.txt", "", "415 file_type");
	assert_int_equal(fix_get(&f, "SELECT COUNT(*) FROM attachments"), 0);
	fix_run(&f, "INSERT INTO attachments (id, centre_id, rev, created_ms, updated_ms, resource, row_id, name, mime, size, sha256)"
		    " SELECT 1, centre_id, 1, 0, 0, 'customers', id, 'x', 'y', 104857600, 'z' FROM customers WHERE name = '张三'");
	put(&c, path, "name=a.txt", "one more", "413 row_full");
	free(path);
	fix_stop(&f);
}

TEST(only_rows_that_have_attachments_and_that_one_may_see)
{
	struct fix f;
	struct client c, agent;
	char *path, *id, *p;

	fix_start(&f, true);
	c = fix_login(&f, "admin", NULL);
	agent = fix_login(&f, "agent", NULL);
	ask_for(&c, "GET", "/teams/1/attachments", NULL, "404 not_found");
	ask_for(&c, "GET", "/nothing/1/attachments", NULL, "404 not_found");
	ask_for(&c, "GET", "/customers/1/attachments", NULL, "404 not_found");
	path = customer(&c, "张三");
	id = xstrdup(json_string_value(json_object_get(put(&c, path, "name=a.pdf", PDF, "201"), "id")));
	/* Somebody else's customer. */
	fix_run(&f, "UPDATE customers SET owner_id = (SELECT id FROM users WHERE login = 'admin'), team_id = NULL WHERE name = '张三'");
	p = xasprintf("/attachments/%s/data", id);
	assert_int_equal(ask(&agent, "GET", p, "", NULL)->status, 404);
	ask_for(&agent, "GET", path, NULL, "404 not_found");
	put(&agent, path, "name=a.pdf", PDF, "404 not_found");
	free(p);
	p = xasprintf("/attachments/%s", id);
	ask_for(&agent, "DELETE", p, NULL, "404 not_found");
	free(p);
	free(id);
	free(path);
	fix_stop(&f);
}
