/* An invented table goes into the database and is asked in memory. */
#include "base/test.h"
#include "people/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_fixture.h"
#include "number/region.h"
#include "people/prefix.h"

struct fix {
	char file[64], path[512];
	struct db *db;
	int64_t centre;
	struct res_who who;
	struct res_error error;
	struct res_ctx c;
};

static void fix_init(struct fix *f)
{
	*f = (struct fix){.who = {.user_id = 1, .rights = &people_rights_shipped("admin")->res, .lang = "en"}};
	log_set_level(LOG_L_ERROR);
	assert_int_equal(people_init("huawu"), 0);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/prefix_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new(f->path, sizeof(f->path), f->file);
	assert_int_equal(db_open(&f->db, f->path, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
	assert_int_equal(people_centre(&f->centre, f->db, "Test", "Asia/Shanghai"), 0);
	f->who.centre_id = f->centre;
	f->c = (struct res_ctx){.db = f->db, .who = &f->who, .error = &f->error, .now_ms = 1000};
}

static void fix_done(struct fix *f)
{
	num_prefixes_publish(NULL);
	res_error_done(&f->error);
	res_ctx_done(&f->c);
	db_close(f->db);
	test_db_gone(f->path);
	for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s; s++) {
		char *p = xasprintf("%s%s", f->file, *s);

		(void)unlink(p);
		free(p);
	}
}

static void put(struct fix *f, const char *prefix, const char *province, const char *city, const char *area, const char *carrier, int64_t now_ms)
{
	struct people_prefix row;

	assert_null(people_prefix_read(&row, prefix, province, city, area, carrier));
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(people_prefixes_put(f->db, f->centre, &row, 1, now_ms), 0);
	assert_int_equal(people_prefixes_imported(f->db, f->centre, "table.csv", 1, now_ms), 0);
	assert_int_equal(db_commit(f->db), 0);
}

static void says(const char *number, const char *zh)
{
	char buf[NUM_REGION_MAX];

	(void)num_region_text(buf, sizeof(buf), number, "", "zh");
	assert_string_equal(buf, zh);
}

TEST(prefix_table_is_read_when_it_changed)
{
	struct people_prefixes_info info;
	struct fix f;
	int64_t dropped;

	fix_init(&f);
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 0), 0);
	says("16012345678", "");
	put(&f, "1601234", "广东", "深圳", "0755", "移动", 2000);
	put(&f, "1601235", "浙江", "杭州", "571", "中国电信", 2000);
	says("16012345678", ""); /* not asked yet */
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 3600000), 0);
	says("16012345678", ""); /* asked a moment ago */
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 0), 0);
	says("16012345678", "广东深圳");
	put(&f, "1601234", "北京", "北京", "010", "", 3000);
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 0), 0);
	says("16012345678", "北京");
	assert_int_equal(people_prefixes_info(&info, f.db, f.centre), 0);
	assert_int_equal(info.rows, 2);
	assert_int_equal(info.imported_ms, 3000);
	assert_string_equal(info.file, "table.csv");
	assert_int_equal(people_prefixes_drop_older(f.db, f.centre, 3000, &dropped), 0);
	assert_int_equal(dropped, 1);
	fix_done(&f);
}

static void change(struct fix *f, const struct res_def *d, json_t *body, int expected)
{
	json_t *row = NULL;

	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(res_create(&row, &f->c, d, body), expected);
	if (expected)
		db_rollback(f->db);
	else
		assert_int_equal(db_commit(f->db), 0);
	json_decref(row);
	json_decref(body);
}

TEST(prefix_rows_of_the_page_count_at_once_and_are_checked)
{
	struct fix f;

	fix_init(&f);
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 0), 0);
	change(&f, &people_number_prefixes, json_pack("{s:s, s:s, s:s, s:s, s:s}", "prefix", "1601234", "province", "广东", "city", "深圳", "area", "0755", "carrier", "mobile"), 0);
	assert_int_equal(people_prefixes_refresh(f.db, f.centre, 0), 0);
	says("16012345678", "广东深圳");
	change(&f, &people_number_prefixes, json_pack("{s:s, s:s}", "prefix", "160a", "area", "0123"), 1);
	assert_string_equal(json_string_value(json_object_get(f.error.fields, "prefix")), "format");
	assert_string_equal(json_string_value(json_object_get(f.error.fields, "area")), "format");
	fix_done(&f);
}

static void trunk_in(struct fix *f, const char *name, const char *area)
{
	json_t *trunk = NULL, *form = NULL, *body = json_pack("{s:s, s:s}", "name", name, "host", "192.0.2.1");

	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(res_create(&trunk, &f->c, &people_trunks, body), 0);
	json_decref(body);
	body = json_pack("{s:O, s:s}", "trunk_id", json_object_get(trunk, "id"), "area", area);
	assert_int_equal(res_create(&form, &f->c, &people_number_forms, body), 0);
	assert_int_equal(db_commit(f->db), 0);
	json_decref(body);
	json_decref(trunk);
	json_decref(form);
}

TEST(area_of_the_centre_is_that_of_most_trunks)
{
	struct fix f;
	char area[5];

	fix_init(&f);
	assert_int_equal(people_area(area, f.db, f.centre), 0);
	assert_string_equal(area, "");
	trunk_in(&f, "a", "0571");
	trunk_in(&f, "b", "010");
	trunk_in(&f, "c", "010");
	assert_int_equal(people_area(area, f.db, f.centre), 0);
	assert_string_equal(area, "10");
	fix_done(&f);
}

TEST(prefix_rows_are_read_as_people_write_them)
{
	struct people_prefix p;

	assert_null(people_prefix_read(&p, "1300000", "山东", "济南", "0531", "unicom"));
	assert_string_equal(p.area, "0531");
	assert_string_equal(p.carrier, "unicom");
	assert_null(people_prefix_read(&p, "170", "", "", "", "虚拟/移动"));
	assert_string_equal(p.carrier, "mobile");
	assert_null(people_prefix_read(&p, "170", "", "", "10", "某公司"));
	assert_string_equal(p.carrier, "other");
	assert_string_equal(p.area, "010");
	assert_string_equal(people_prefix_read(&p, "13", "", "", "", ""), "prefix");
	assert_string_equal(people_prefix_read(&p, "13800138000", "", "", "", ""), "prefix");
	assert_string_equal(people_prefix_read(&p, "1380013", "", "", "518000", ""), "area");
	assert_string_equal(people_prefix_read(&p, "1380013", "", "一个很长很长很长很长很长很长很长很长很长很长很长很长的城市名", "", ""), "city");
}
