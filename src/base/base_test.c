#include <string.h>

#include "base/base.h"
#include "base/test.h"

struct item {
	struct ilink link;
	int v;
};

TEST(list_keeps_order_and_survives_unlinking_while_walking)
{
	struct ilink head = ILIST_INIT(head);
	struct item it[4];
	int sum = 0;

	memset(it, 0, sizeof(it));
	for (int i = 0; i < 4; i++) {
		it[i].v = i;
		ilist_push_back(&head, &it[i].link);
	}
	ilist_each_entry(&head, p, struct item, link) {
		sum = sum * 10 + p->v;
		ilink_unlink(&p->link);
		ilink_unlink(&p->link);
	}
	assert_int_equal(sum, 123);
	assert_true(ilist_empty(&head));
}

static int destroyed;
static void count_destroy(void *p)
{
	destroyed++;
}

TEST(object_is_destroyed_with_its_last_reference)
{
	void *p = obj_new(8, count_destroy);

	destroyed = 0;
	(void)obj_ref(p);
	assert_null(obj_unref(p));
	assert_int_equal(destroyed, 0);
	assert_null(obj_unref(p));
	assert_int_equal(destroyed, 1);
	assert_null(obj_unref(NULL));
}

TEST(map_finds_what_was_set_through_growth_and_deletion)
{
	struct hmap m;
	static int v[1000];
	size_t pos = 0, n = 0;

	hmap_init(&m, false);
	for (uint64_t i = 0; i < 1000; i++)
		assert_null(hmap_set(&m, i * 64, &v[i]));
	for (uint64_t i = 0; i < 1000; i += 2)
		assert_ptr_equal(hmap_del(&m, i * 64), &v[i]);
	for (uint64_t i = 0; i < 1000; i++)
		assert_ptr_equal(hmap_get(&m, i * 64), i % 2 ? &v[i] : NULL);
	while (hmap_next(&m, &pos))
		n++;
	assert_int_equal(n, 500);
	hmap_done(&m);

	hmap_init(&m, true);
	(void)hmap_set_str(&m, "a", &v[0]);
	assert_ptr_equal(hmap_set_str(&m, "a", &v[1]), &v[0]);
	assert_ptr_equal(hmap_get_str(&m, "a"), &v[1]);
	assert_null(hmap_get_str(&m, "b"));
	hmap_done(&m);
}

TEST(heap_gives_entries_by_key_then_by_insertion)
{
	struct heap h = {0};
	struct heap_entry e[100];
	struct rng r;
	int64_t last = -1;
	uint64_t last_seq = 0;

	memset(e, 0, sizeof(e));
	rng_init(&r, 1);
	for (int i = 0; i < 100; i++)
		heap_set(&h, &e[i], (int64_t)rng_below(&r, 20));
	for (int i = 0; i < 100; i += 3)
		heap_del(&h, &e[i]);
	heap_set(&h, &e[1], 7);
	for (struct heap_entry *m; (m = heap_min(&h));) {
		assert_true(m->key > last || (m->key == last && m->seq > last_seq));
		last = m->key;
		last_seq = m->seq;
		heap_del(&h, m);
	}
	heap_done(&h);
}

TEST(json_writer_escapes_and_never_emits_broken_utf8)
{
	char buf[256];
	struct strb b;
	struct jw w;

	strb_init_fixed(&b, buf, sizeof(buf));
	jw_init(&w, &b);
	jw_obj(&w, NULL);
	jw_str(&w, "a", "x\"\\\n\xff话");
	jw_int(&w, "i", INT64_MIN);
	jw_id(&w, "id", 9);
	jw_arr(&w, "l");
	jw_num(&w, NULL, 0.1);
	jw_null(&w, NULL);
	jw_end_arr(&w);
	jw_obj(&w, "o");
	jw_end_obj(&w);
	jw_bool(&w, "b", true);
	jw_end_obj(&w);
	assert_string_equal(buf, "{\"a\":\"x\\\"\\\\\\u000a\xef\xbf\xbd话\",\"i\":-9223372036854775808,\"id\":\"9\","
				 "\"l\":[0.10000000000000001,null],\"o\":{},\"b\":true}");
}

TEST(builder_stops_at_its_bound)
{
	char buf[8];
	struct strb b;

	strb_init_fixed(&b, buf, sizeof(buf));
	strb_puts(&b, "1234567");
	assert_false(b.overflow);
	strb_puts(&b, "8");
	assert_true(b.overflow);
	assert_string_equal(buf, "1234567");
}

TEST(utf8_check_refuses_overlong_surrogates_and_truncation)
{
	assert_true(str_is_utf8("话务 ok", 9));
	assert_false(str_is_utf8("\xc0\x80", 2));
	assert_false(str_is_utf8("\xed\xa0\x80", 3));
	assert_false(str_is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(str_is_utf8("\xe8\xaf", 2));
}

TEST(control_characters_are_those_of_unicode)
{
	assert_false(str_has_control("话务 \xc2\xa0 ok", false)); /* U+00A0 is a space */
	assert_true(str_has_control("a\xc2\x85", true)); /* U+0085, next line */
	assert_true(str_has_control("a\x7f", true));
	assert_true(str_has_control("a\r\n", true));
	assert_true(str_has_control("a\nb", false));
	assert_false(str_has_control("a\n\tb", true));
}

TEST(integers_parse_whole_and_in_range_only)
{
	int64_t v = 5;

	assert_true(str_to_i64(&v, "-12", -20, 20));
	assert_int_equal(v, -12);
	assert_false(str_to_i64(&v, "12x", 0, 99));
	assert_false(str_to_i64(&v, "", 0, 99));
	assert_false(str_to_i64(&v, " 1", 0, 99));
	assert_false(str_to_i64(&v, "100", 0, 99));
	assert_false(str_to_i64(&v, "99999999999999999999", 0, INT64_MAX));
	assert_int_equal(v, -12);
}

TEST(ids_grow_also_in_a_burst_and_tell_their_time)
{
	struct idgen g;
	int64_t last = 0, now = 1800000000000;

	idgen_init(&g, 3);
	for (int i = 0; i < 10000; i++) {
		int64_t id = idgen_next(&g, now);

		assert_true(id > last);
		last = id;
	}
	assert_in_range(id_utc_ms(last), now, now + 3);
	assert_true(idgen_next(&g, now - 1000) > last);
}

/* First output of xoshiro256** seeded by splitmix64(0), computed with the authors' reference algorithm by hand in Python. */
TEST(random_numbers_are_the_published_generators)
{
	struct rng r;

	rng_init(&r, 0);
	assert_int_equal(rng_u64(&r), 0x99ec5f36cb75f2b4u);
	for (int i = 0; i < 1000; i++) {
		double u = rng_unit(&r);

		assert_true(u > 0 && u < 1);
		assert_true(rng_below(&r, 7) < 7);
	}
}

TEST(log_masks_numbers)
{
	assert_string_equal(log_num("13812345678"), "138****5678");
	assert_string_equal(log_num("110"), "110");
	assert_string_equal(log_num(NULL), "-");
}

TEST(log_lines_hold_no_control_characters_and_no_broken_utf8)
{
	char line[] = "a\nb\x1b[2J\x7f \xc2\x9b" "1m 话 \xff\xfe\x9b \xe8\xaf";

	log_clean(line, sizeof(line) - 1);
	assert_string_equal(line, "a b [2J    1m 话 ??? ??");
}

TEST(arena_gives_zeroed_pieces_and_can_be_reused)
{
	struct arena *a = arena_new(64);

	for (int i = 0; i < 100; i++) {
		char *p = arena_alloc(a, (size_t)i);

		for (int k = 0; k < i; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xaa, (size_t)i);
	}
	assert_string_equal(arena_printf(a, "%s-%d", arena_strdup(a, "x"), 5), "x-5");
	arena_reset(a);
	assert_string_equal(arena_strndup(a, "hello", 4), "hell");
	arena_free(a);
}

TEST(what_is_not_utf8_becomes_question_marks)
{
	char s[] = "话\xe8\xaf" "a\0b\xc0\xaf\xf0\x9f\x98\x80\xed\xa0\x80", good[] = "话务 ok";

	str_mend_utf8(s, sizeof(s) - 1);
	assert_string_equal(s, "话??a?b??\xf0\x9f\x98\x80???");
	str_mend_utf8(good, sizeof(good) - 1);
	assert_string_equal(good, "话务 ok");
}
