#include "base/test.h"
#include "db/db_fixture.h"
#include "find/find.h"

#include "base/base.h"
#include "db/db.h"

/* ---- a place for rows ---- */

struct fix {
	char file[64], url[512];
	struct db *db;
};

static void fix_init(struct fix *f)
{
	log_set_level(LOG_L_ERROR);
	(void)snprintf(f->file, sizeof(f->file), "/dev/shm/find_test.%d.XXXXXX", getpid());
	(void)close(mkstemp(f->file));
	test_db_new_empty(f->url, sizeof(f->url), f->file);
	assert_int_equal(db_open(&f->db, f->url, DB_RW), 0);
	assert_int_equal(db_migrate(f->db), 0);
}

static void fix_done(struct fix *f)
{
	char path[80];

	db_close(f->db);
	test_db_gone(f->url);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", f->file, (const char *const[]){"", "-wal", "-shm"}[i]);
		(void)unlink(path);
	}
}

static void put(struct fix *f, int64_t id, const char *name, const char *numbers, const char *text)
{
	struct find_text t = {name, numbers, text};

	assert_int_equal(find_put(f->db, 900, "customers", id, &t), 0);
}

/* Ids found, with blanks between; "empty" and the like for questions that cannot be. */
static const char *ask_as(struct fix *f, const struct find_ask *a)
{
	static char out[400];
	int64_t ids[50];
	size_t n = 0, len = 0;
	int r = find_rows(ids, ARRAY_LEN(ids), &n, f->db, a);

	assert_true(r >= 0);
	if (r)
		return find_error_name(r);
	out[0] = 0;
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%lld", i ? " " : "", (long long)ids[i]);
	return out;
}

static const char *ask(struct fix *f, const char *text)
{
	return ask_as(f, &(struct find_ask){900, "customers", text, false});
}

static const char *ask_masked(struct fix *f, const char *text)
{
	return ask_as(f, &(struct find_ask){900, "customers", text, true});
}

/* ---- finding ---- */

TEST(any_part_of_a_number_finds_it)
{
	struct fix f;

	fix_init(&f);
	put(&f, 1, "张三", "+8613800138000 +861062345678", NULL);
	put(&f, 2, "李四", "+8613911112222", NULL);
	put(&f, 3, NULL, "95588 +85221234567 110", NULL);
	assert_string_equal(ask(&f, "138"), "1");
	assert_string_equal(ask(&f, "13"), "short");
	assert_string_equal(ask(&f, "8000"), "1");
	assert_string_equal(ask(&f, "0138"), "1");
	assert_string_equal(ask(&f, "13800138000"), "1");
	assert_string_equal(ask(&f, "138 0013-8000"), "1");
	assert_string_equal(ask(&f, "+86 138 0013 8000"), "1");
	assert_string_equal(ask(&f, "008613800138000"), "1");
	assert_string_equal(ask(&f, "8613800138000"), "1");
	assert_string_equal(ask(&f, "013800138000"), "1");
	assert_string_equal(ask(&f, "１３８００１３８０００"), "1");
	assert_string_equal(ask(&f, "010-62345678"), "1");
	assert_string_equal(ask(&f, "62345678"), "1");
	assert_string_equal(ask(&f, "+861062345678"), "1");
	assert_string_equal(ask(&f, "861062345678"), "1");
	assert_string_equal(ask(&f, "1111"), "2");
	assert_string_equal(ask(&f, "111"), "2");
	assert_string_equal(ask(&f, "11111"), "");
	assert_string_equal(ask(&f, "110"), "3");
	assert_string_equal(ask(&f, "95588"), "3");
	assert_string_equal(ask(&f, "+852 2123"), "3");
	assert_string_equal(ask(&f, "0085221234567"), "3");
	/* no number goes on in the next */
	assert_string_equal(ask(&f, "8000010"), "");
	assert_string_equal(ask(&f, "58885"), "");
	/* +86 is nobody's part of a number */
	assert_string_equal(ask(&f, "613"), "");
	assert_string_equal(ask(&f, "13800138001"), "");
	fix_done(&f);
}

TEST(who_sees_no_numbers_finds_whole_ones_and_last_digits_only)
{
	struct fix f;

	fix_init(&f);
	put(&f, 1, "张三", "+8613800138000 +861062345678", NULL);
	put(&f, 2, "李四", "+8613900008000", "回电 13700001234");
	assert_string_equal(ask_masked(&f, "8000"), "2 1");
	assert_string_equal(ask_masked(&f, "38000"), "1");
	assert_string_equal(ask_masked(&f, "13800138000"), "1");
	assert_string_equal(ask_masked(&f, "+8613800138000"), "1");
	assert_string_equal(ask_masked(&f, "1234"), "2");
	assert_string_equal(ask_masked(&f, "1380"), "");
	assert_string_equal(ask_masked(&f, "1380013800"), "");
	assert_string_equal(ask_masked(&f, "0013"), "");
	assert_string_equal(ask_masked(&f, "000"), "short");
	assert_string_equal(ask_masked(&f, "张 00"), "short");
	assert_string_equal(ask_masked(&f, "张"), "1");
	assert_string_equal(ask_masked(&f, "张 8000"), "1");
	assert_true(find_is_digits("138-0013 8000"));
	assert_true(find_is_digits("１３８"));
	assert_false(find_is_digits("138a"));
	assert_false(find_is_digits("--"));
	fix_done(&f);
}

TEST(a_name_is_found_by_characters_pinyin_and_initials)
{
	struct fix f;

	fix_init(&f);
	put(&f, 1, "张小丽", NULL, NULL);
	put(&f, 2, "李小张", NULL, NULL);
	put(&f, 3, "曾乐", NULL, NULL);
	put(&f, 4, "欧阳娜娜", NULL, NULL);
	put(&f, 5, "吕布", NULL, NULL);
	put(&f, 6, "John Smith", NULL, NULL);
	put(&f, 7, "張偉", NULL, NULL);
	put(&f, 8, "José", NULL, NULL);
	assert_string_equal(ask(&f, "张"), "7 2 1");
	assert_string_equal(ask(&f, "小"), "2 1");
	assert_string_equal(ask(&f, "丽"), "1");
	assert_string_equal(ask(&f, "张小"), "1");
	assert_string_equal(ask(&f, "小丽"), "1");
	assert_string_equal(ask(&f, "张小丽"), "1");
	assert_string_equal(ask(&f, "张丽"), "");
	assert_string_equal(ask(&f, "zhangxiaoli"), "1");
	assert_string_equal(ask(&f, "ZhangXiaoLi"), "1");
	assert_string_equal(ask(&f, "zhang xiao"), "2 1");
	assert_string_equal(ask(&f, "zhangxiao"), "1");
	assert_string_equal(ask(&f, "zhangx"), "1");
	assert_string_equal(ask(&f, "zhangxl"), "1");
	assert_string_equal(ask(&f, "zhangxiaol"), "1");
	assert_string_equal(ask(&f, "xiaoli"), "1");
	assert_string_equal(ask(&f, "zha"), "7 2 1");
	assert_string_equal(ask(&f, "zhangw"), "7");
	assert_string_equal(ask(&f, "zxl"), "1");
	assert_string_equal(ask(&f, "ZXL"), "1");
	assert_string_equal(ask(&f, "zx"), "1");
	assert_string_equal(ask(&f, "xl"), "1");
	assert_string_equal(ask(&f, "z"), "7 3 1");
	assert_string_equal(ask(&f, "zengle"), "3");
	assert_string_equal(ask(&f, "cengyue"), "3");
	assert_string_equal(ask(&f, "zengyue"), "3");
	assert_string_equal(ask(&f, "ouyang"), "4");
	assert_string_equal(ask(&f, "ouyangnana"), "4");
	assert_string_equal(ask(&f, "oynn"), "4");
	assert_string_equal(ask(&f, "lvbu"), "5");
	assert_string_equal(ask(&f, "lubu"), "5");
	assert_string_equal(ask(&f, "john"), "6");
	assert_string_equal(ask(&f, "joh"), "6");
	assert_string_equal(ask(&f, "smith john"), "6");
	assert_string_equal(ask(&f, "mith"), "");
	assert_string_equal(ask(&f, "js"), "6");
	assert_string_equal(ask(&f, "张伟"), "7");
	assert_string_equal(ask(&f, "張"), "7 2 1");
	assert_string_equal(ask(&f, "jose"), "8");
	assert_string_equal(ask(&f, "JOSÉ"), "8");
	fix_done(&f);
}

/* ---- rows of a table, as lists ask ---- */

/* The table t is what was put as customers; every other row is of owner 1. */
static const char *ask_list(struct fix *f, const char *text, enum find_way way, int64_t owner)
{
	static char out[400];
	struct strb match, sql;
	struct db_stmt *st;
	size_t len = 0;

	out[0] = 0;
	strb_init(&match, 65536);
	strb_init(&sql, 4000);
	assert_int_equal(find_match(&match, f->db, &(struct find_ask){900, "customers", text, false}), 0);
	strb_puts(&sql, "SELECT t.id FROM shop t WHERE +t.owner = $1");
	find_where(&sql, "customers", 2, way);
	strb_puts(&sql, " ORDER BY t.id");
	assert_int_equal(db_prepare(&st, f->db, sql.buf), 0);
	db_bind_i64(st, 1, owner);
	db_bind_text(st, 2, match.buf);
	while (db_step(st) == DB_ROW)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%lld", len ? " " : "", (long long)db_i64(st, 0));
	db_done(st);
	strb_done(&match);
	strb_done(&sql);
	return out;
}

TEST(both_ways_of_a_list_find_the_same_rows)
{
	static const char *const texts[] = {"张",     "小丽",  "zhangxl", "zxl", "xiao", "138",  "8000", "13800138000", "joh",
					    "退款订单", "订单 张", "li",      "w",   "款",   "退款", "一一", "张 小 x",    "13800138000 zhang"};
	static const char *const names[] = {"张小丽", "李小张", "王伟", "John Li", "单小一一一"};
	struct fix f;
	char number[32], few[400];

	fix_init(&f);
	assert_int_equal(db_run(f.db, "CREATE TABLE shop (id BIGINT PRIMARY KEY, owner BIGINT)", NULL), 0);
	for (int64_t i = 1; i <= 40; i++) {
		(void)snprintf(number, sizeof(number), "+86138001380%02d", (int)i % 7);
		put(&f, i, names[i % 5], number, i % 3 ? "要求退款订单" : "订单没有退款");
		assert_int_equal(db_run(f.db, "INSERT INTO shop (id, owner) VALUES ($1, $2)", "ii", i, i % 2), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		(void)snprintf(few, sizeof(few), "%s", ask_list(&f, texts[i], FIND_FEW, 1));
		assert_string_equal(few, ask_list(&f, texts[i], FIND_WIDE, 1));
	}
	assert_string_equal(ask_list(&f, "王 38002", FIND_FEW, 0), "2");
	assert_string_equal(ask_list(&f, "zhangxl 138", FIND_WIDE, 1), "5 15 25 35");
	fix_done(&f);
}

TEST(words_in_texts_are_found)
{
	struct fix f;

	fix_init(&f);
	put(&f, 1, NULL, NULL, "客户咨询订单退款，已处理。回电 138-0013-8000 转 12；VIP 客户 iPhone15");
	put(&f, 2, NULL, NULL, "户口迁移 咨询");
	put(&f, 3, NULL, NULL, "カスタマー 고객");
	assert_string_equal(ask(&f, "客户"), "1");
	assert_string_equal(ask(&f, "退款"), "1");
	assert_string_equal(ask(&f, "客户咨询订单"), "1");
	assert_string_equal(ask(&f, "咨询"), "2 1");
	assert_string_equal(ask(&f, "户"), "2 1");
	assert_string_equal(ask(&f, "询"), "2 1");
	assert_string_equal(ask(&f, "客户口"), "");
	assert_string_equal(ask(&f, "款已"), ""); /* a comma between */
	assert_string_equal(ask(&f, "订单 咨询"), "1");
	assert_string_equal(ask(&f, "訂單"), "1");
	assert_string_equal(ask(&f, "vip"), "1");
	assert_string_equal(ask(&f, "iphone15"), "1");
	assert_string_equal(ask(&f, "iphone 12"), "1");
	assert_string_equal(ask(&f, "13800138000"), "1");
	assert_string_equal(ask(&f, "0013"), "1");
	assert_string_equal(ask(&f, "カスタマー"), "3");
	assert_string_equal(ask(&f, "고객"), "3");
	fix_done(&f);
}

static void put_note(struct fix *f, int64_t id, const char *text)
{
	assert_int_equal(find_put(f->db, 1, "notes", id, &(struct find_text){.text = text}), 0);
}

static const char *ask_notes(struct fix *f, const char *text)
{
	return ask_as(f, &(struct find_ask){1, "notes", text, false});
}

/* One character is a word of a note, once; those that were put before it was are found by what begins with it, until they are put again. */
TEST(one_character_is_found_in_notes_old_and_new)
{
	struct fix f;
	int64_t from;

	fix_init(&f);
	put_note(&f, 1, "客户要求退款，退货。上门取件");
	put_note(&f, 2, "已退；VIP 客户 12");
	put_note(&f, 3, "カスタマー 单");
	for (int old = 0; old < 2; old++) {
		assert_string_equal(ask_notes(&f, "退"), "2 1");
		assert_string_equal(ask_notes(&f, "户"), "2 1");
		assert_string_equal(ask_notes(&f, "件"), "1");
		assert_string_equal(ask_notes(&f, "单"), "3");
		assert_string_equal(ask_notes(&f, "退 客"), "2 1");
		assert_string_equal(ask_notes(&f, "退 货"), "1");
		assert_string_equal(ask_notes(&f, "鑾"), "");
		assert_int_equal(find_notes_old(&from, f.db, 1), 0);
		assert_int_equal(from, old ? 0 : -1);
		assert_int_equal(db_run(f.db, "UPDATE find_centre SET notes_id = 0", ""), 0);
	}
	assert_int_equal(find_notes_done(f.db, 1, 2), 0);
	assert_int_equal(find_notes_old(&from, f.db, 1), 0);
	assert_int_equal(from, 2);
	assert_int_equal(find_notes_done(f.db, 1, 0), 0);
	assert_int_equal(find_notes_old(&from, f.db, 1), 0);
	assert_int_equal(from, -1);
	fix_done(&f);
}

TEST(what_changes_is_found_anew_and_what_goes_is_not)
{
	struct fix f;

	fix_init(&f);
	put(&f, 1, "张三", "+8613800138000", NULL);
	put(&f, 2, "张三", NULL, NULL);
	put(&f, 1, "李四", "+8613900139000", NULL);
	assert_string_equal(ask(&f, "张三"), "2");
	assert_string_equal(ask(&f, "李四"), "1");
	assert_string_equal(ask(&f, "138"), "");
	assert_string_equal(ask(&f, "139"), "1");
	assert_int_equal(find_drop(f.db, "customers", 1), 0);
	assert_int_equal(find_drop(f.db, "customers", 77), 0);
	assert_string_equal(ask(&f, "李四"), "");
	put(&f, 2, NULL, NULL, NULL);
	assert_string_equal(ask(&f, "张三"), "");
	assert_int_equal(db_begin(f.db), 0);
	put(&f, 3, "王五", NULL, NULL);
	db_rollback(f.db);
	assert_string_equal(ask(&f, "王五"), "");
	fix_done(&f);
}

TEST(putting_the_same_words_again_writes_nothing)
{
	struct fix f;
	int64_t before;

	fix_init(&f);
	put(&f, 1, "张三", "+8613800138000", NULL);
	assert_int_equal(db_run(f.db, "CREATE TABLE one (n BIGINT)", NULL), 0);
	assert_int_equal(db_run(f.db, "INSERT INTO one (n) VALUES (1), (2), (3)", NULL), 0);
	before = db_changes(f.db);
	put(&f, 1, "张三", "+8613800138000", NULL);
	if (!test_db_is_postgres())
		assert_int_equal(db_changes(f.db), before); /* the last that wrote */
	assert_string_equal(ask(&f, "张三"), "1");
	fix_done(&f);
}

TEST(a_centre_does_not_see_anothers_rows_nor_a_kind_anothers)
{
	struct find_text t = {"张三", "+8613800138000", "退款"};
	struct fix f;

	fix_init(&f);
	assert_string_equal(ask(&f, "张三"), ""); /* nothing was put yet */
	put(&f, 1, "张三", "+8613800138000", "退款");
	assert_int_equal(find_put(f.db, 901, "customers", 2, &t), 0);
	assert_int_equal(find_put(f.db, INT64_MAX, "customers", 3, &t), 0);
	assert_int_equal(find_put(f.db, 900, "notes", INT64_MAX, &t), 0);
	for (size_t i = 0; i < 7; i++) {
		const char *text = (const char *const[]){"张三", "张", "138", "8000", "zhangsan", "zs", "退款"}[i];

		assert_string_equal(ask(&f, text), "1");
		assert_string_equal(ask_as(&f, &(struct find_ask){901, "customers", text, false}), "2");
		assert_string_equal(ask_as(&f, &(struct find_ask){INT64_MAX, "customers", text, false}), "3");
		assert_string_equal(ask_as(&f, &(struct find_ask){902, "customers", text, false}), "");
		assert_string_equal(ask_as(&f, &(struct find_ask){900, "notes", text, false}), "9223372036854775807");
	}
	fix_done(&f);
}

/* ---- what must not do harm ---- */

TEST(signs_of_query_languages_are_only_signs)
{
	static const char *const empty[] = {"", " ", "\"", "*", "-", "()", "\"\"\"", "&|!<->:*", "'; --", "，。！", "\xf0\x9f\x98\x80", "\x01\x1f", "\xff\xfe", "\xe5\xbc"};
	struct fix f;

	fix_init(&f);
	put(&f, 1, "张三", NULL, "near or and not 5 AND x");
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		assert_string_equal(ask(&f, empty[i]), "empty");
	assert_string_equal(ask_as(&f, &(struct find_ask){900, "customers", NULL, false}), "empty");
	assert_string_equal(ask(&f, "NEAR(or and)"), "1");
	assert_string_equal(ask(&f, "NOT AND"), "1");
	assert_string_equal(ask(&f, "words:张"), "");
	assert_string_equal(ask(&f, "\"张三\" OR*"), "1");
	assert_string_equal(ask(&f, "张\xe2\x80\x8b三"), "1"); /* a blank without width */
	assert_string_equal(ask(&f, "张\xff三"), "1");       /* two parts */
	assert_string_equal(ask(&f, "\xf0\x9f\x98\x80张三"), "1");
	fix_done(&f);
}

TEST(questions_and_texts_have_limits)
{
	char *text = xcalloc(1, 1100000);
	struct fix f;

	fix_init(&f);
	memset(text, 'a', 101);
	assert_string_equal(ask(&f, text), "long");
	text[100] = 0;
	assert_string_equal(ask(&f, text), "");
	memset(text, '7', 100);
	assert_string_equal(ask(&f, text), "");
	for (size_t i = 0; i < 33; i++)
		memcpy(text + 3 * i, "张", 3);
	text[99] = 0;
	assert_string_equal(ask(&f, text), "");
	/* a megabyte: the first characters are found */
	for (size_t i = 0; i < 360000; i++)
		memcpy(text + 3 * i, i % 2 ? "张" : "，", 3);
	memcpy(text, "前", 3);
	memcpy(text + 3 * 359999, "后", 3);
	put(&f, 1, text, NULL, text);
	assert_string_equal(ask(&f, "前"), "1");
	assert_string_equal(ask(&f, "后"), "");
	memset(text, '1', 1000000);
	text[1000000] = 0;
	put(&f, 2, text, text, text);
	assert_string_equal(ask(&f, "11111"), "2");
	memset(text, 'z', 1000000);
	put(&f, 3, text, text, text);
	assert_string_equal(ask(&f, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), "3");
	free(text);
	fix_done(&f);
}

/* ---- pinyin ---- */

TEST(names_sort_by_pinyin_then_character)
{
	static const char *const sorted[] = {"Alice", "白小", "李一", "李一二", "李义", "理一", "林一", "单雄", "曾国", "张小", "章小"};
	char a[FIND_SORT_MAX], b[FIND_SORT_MAX];

	for (size_t i = 0; i + 1 < ARRAY_LEN(sorted); i++) {
		find_name_sort(a, sorted[i]);
		find_name_sort(b, sorted[i + 1]);
		assert_true(strcmp(a, b) < 0);
	}
	find_name_sort(a, "");
	assert_string_equal(a, "");
	find_name_sort(a, NULL);
	assert_string_equal(a, "");
	find_name_sort(a, "李 Li");
	assert_string_equal(a, "li 李 li");
}

TEST(surnames_are_read_as_surnames)
{
	static const char *const names[][2] = {
		{"张小丽", "zhang xiao li"}, {"单雄信", "shan xiong xin"}, {"曾国藩", "zeng guo fan"}, {"仇英", "qiu ying"}, {"解缙", "xie jin"},
		{"查良镛", "zha liang yong"}, {"区小明", "ou xiao ming"}, {"任小华", "ren xiao hua"}, {"尉迟恭", "yu chi gong"}, {"万俟", "mo qi"},
		{"欧阳修", "ou yang xiu"}, {"重庆行", "chong qing xing"}, {"盖小华", "ge xiao hua"}, {"华小盖", "hua xiao gai"}, {"朴一", "piao yi"},
		{"小单", "xiao dan"}, {"吕布", "lu bu"}, {"John 张", "john zhang"}, {"A公司B", "a gong si b"}, {"", ""}, {"---", ""},
	};
	char s[100];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		find_pinyin(s, sizeof(s), names[i][0]);
		assert_string_equal(s, names[i][1]);
	}
	find_initials(s, sizeof(s), "曾小丽");
	assert_string_equal(s, "zxl");
	find_initials(s, sizeof(s), "John Smith 张");
	assert_string_equal(s, "jsz");
	find_pinyin(s, 12, "张张张张张张");
	assert_true(strlen(s) < 12);
	find_initials(s, 3, "张张张张张张");
	assert_string_equal(s, "zz");
}
