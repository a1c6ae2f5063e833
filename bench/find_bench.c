/*
 * Search at size: find_bench URL CUSTOMERS NOTES fills a new database (a file's path, or postgresql://...) and asks what people ask; one
 * JSON object a kind of question: p50, p99 and the worst in ms, and how many rows were found. Names have China's commonest surnames in
 * their shares (公安部 2020), given names and notes are drawn from lists below, everything from one seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "db/engine.h"
#include "find/find.h"

#define CENTRE 1
#define AGENT_ROWS 500 /* an agent's customers */
#define BATCH 5000
#define TIMES 20

static const char *const surnames[] = {"王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "高",
				       "林", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田", "董", "袁",
				       "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕", "丁", "任", "沈", "欧阳", "单"};
static const int share[] = {721, 719, 683, 538, 453, 308, 223, 206, 200, 187, 169, 152, 129, 127, 118, 113, 108, 98, 96, 90, 88, 86, 80, 78, 74, 74,
			    72, 68, 66, 64, 60, 58, 56, 54, 52, 50, 48, 46, 44, 44, 42, 42, 40, 40, 38, 38, 36, 36, 34, 34, 6, 3};
static const char given[] = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂玉华文建国红小晓梅海波婷雪琳佳欣怡子涵梓轩浩宇雨泽一诺思源俊凯志鹏飞"
			    "云龙春燕晨阳嘉慧颖倩莹璐瑶博睿昊天宁乐长行锋毅峰斌辉旭东亮健成林森鑫淼焱垚";
static const char *const phrases[] = {
	"客户", "咨询", "订单", "退款", "发货", "物流", "催货", "投诉", "产品", "质量", "问题", "已经", "处理", "完成", "回访", "满意", "不满意",
	"电话", "无人接听", "下次联系", "明天上午", "下午三点", "需要", "发票", "地址", "修改", "确认", "价格", "优惠", "活动", "会员", "积分",
	"的", "了", "要求", "尽快", "安排", "师傅", "上门", "安装", "维修", "保修期", "过期", "更换", "配件", "颜色", "尺寸", "不合适", "拒收",
	"快递", "签收", "家人", "代收", "微信", "支付", "银行卡", "扣款", "两次", "合同", "签订", "对公", "转账", "审核", "通过", "主管", "同意",
	"VIP", "iPhone", "wifi", "路由器", "断网", "重启", "升级", "套餐", "流量", "宽带", "账单", "密码", "重置", "验证码", "收不到", "短信",
};

static struct rng rng;

static uint32_t below(uint32_t n)
{
	return (uint32_t)rng_below(&rng, n);
}

static void add_given(struct strb *b)
{
	strb_add(b, given + 3 * below((sizeof(given) - 1) / 3), 3);
}

static void make_name(struct strb *b)
{
	static int sum;
	int at;
	size_t i = 0;

	for (size_t k = sum ? ARRAY_LEN(share) : 0; k < ARRAY_LEN(share); k++)
		sum += share[k];
	for (at = (int)below((uint32_t)sum); at >= share[i]; i++)
		at -= share[i];
	strb_puts(b, surnames[i]);
	add_given(b);
	if (below(100) < 75)
		add_given(b);
}

static void make_number(struct strb *b)
{
	static const char *const begins[] = {"138", "139", "135", "136", "137", "150", "151", "158", "159", "186", "188", "133", "177", "199"};

	strb_printf(b, "+86%s%08u", begins[below(ARRAY_LEN(begins))], below(100000000));
}

static void make_note(struct strb *b)
{
	for (uint32_t i = 0, n = 6 + below(14); i < n; i++) {
		uint32_t a = below(ARRAY_LEN(phrases)), c = below(ARRAY_LEN(phrases));

		strb_puts(b, phrases[a < c ? a : c]); /* the first ones are common */
		if (below(5) == 0)
			strb_puts(b, "，");
		if (below(12) == 0)
			add_given(b), add_given(b);
	}
	if (below(4) == 0)
		strb_printf(b, " 单号%u", below(100000000));
}

static void must(int r, struct db *db, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %d %s\n", what, r, db ? db_error(db) : "");
	exit(1);
}

static double now_ms(void)
{
	return (double)clock_mono_us() / 1e3;
}

static int64_t id_of(int64_t i)
{
	return (INT64_C(1) << 50) + i * 4096;
}

static void fill(struct db *db, const char *kind, int64_t n)
{
	double start = now_ms();
	struct strb name, number, note;
	char sort[FIND_SORT_MAX];

	strb_init(&name, 400), strb_init(&number, 100), strb_init(&note, 4000);
	for (int64_t i = 0; i < n; i++) {
		struct find_text t = {0};

		if (i % BATCH == 0)
			must(db_begin(db), db, "begin");
		strb_clear(&name), strb_clear(&number), strb_clear(&note);
		if (kind[0] == 'c') {
			make_name(&name), make_number(&number);
			t = (struct find_text){name.buf, number.buf, NULL};
			find_name_sort(sort, name.buf);
			must(db_run(db, "INSERT INTO bench_customers (id, centre_id, owner_id, name_sort) VALUES ($1, $2, $3, $4)", "iiit", id_of(i),
				    (int64_t)CENTRE, i % (n / AGENT_ROWS + 1), sort),
			     db, "insert");
		} else {
			make_note(&note);
			t.text = note.buf;
		}
		must(find_put(db, CENTRE, kind, id_of(i), &t), db, "put");
		if (i % BATCH == BATCH - 1 || i == n - 1)
			must(db_commit(db), db, "commit");
	}
	start = now_ms() - start;
	printf("{\"fill\": \"%s\", \"rows\": %lld, \"s\": %.1f, \"us_a_row\": %.1f}\n", kind, (long long)n, start / 1000, start * 1000 / (double)n);
	fflush(stdout);
	strb_done(&name), strb_done(&number), strb_done(&note);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

enum how { ROWS, LIST, OWN_WIDE, OWN_FEW };

/* A page of a list and its count, as the page asks for it. */
static int64_t ask_list(struct db *db, const struct find_ask *a, enum how how, int64_t agent)
{
	struct strb match, where, sql;
	struct db_stmt *st;
	int64_t n = 0;

	strb_init(&match, 1 << 16), strb_init(&where, 4000), strb_init(&sql, 8000);
	must(find_match(&match, db, a), db, "match");
	strb_printf(&where, " FROM bench_customers t WHERE %st.centre_id = $1%s", how == OWN_FEW ? "" : "+", how == LIST ? "" : " AND t.owner_id = $3");
	find_where(&where, a->kind, 2, how == OWN_FEW ? FIND_FEW : FIND_WIDE);
	for (int k = 0; k < 2; k++) {
		strb_clear(&sql);
		strb_printf(&sql, k ? "SELECT t.id%s ORDER BY t.name_sort, t.id LIMIT 50" : "SELECT COUNT(*)%s", where.buf);
		must(db_prepare(&st, db, sql.buf), db, "prepare");
		db_bind_i64(st, 1, CENTRE);
		db_bind_text(st, 2, match.buf);
		if (how != LIST)
			db_bind_i64(st, 3, agent);
		while (db_step(st) == DB_ROW)
			n = k ? n : db_i64(st, 0);
		db_done(st);
	}
	strb_done(&match), strb_done(&where), strb_done(&sql);
	return n;
}

static int64_t ask_rows(struct db *db, const struct find_ask *a)
{
	int64_t ids[50];
	size_t n = 0;

	must(find_rows(ids, ARRAY_LEN(ids), &n, db, a), db, a->text);
	return (int64_t)n;
}

/* @make writes a question; the same each time when it is fixed. */
static void measure(struct db *db, const char *kind, const char *what, enum how how, const char *fixed, void (*make)(struct strb *b), bool masked)
{
	static const char *const hows[] = {"rows", "list", "own wide", "own few"};
	double ms[TIMES];
	int64_t found = 0, n;
	struct strb b;

	strb_init(&b, 400);
	for (int i = 0; i < TIMES; i++) {
		struct find_ask a = {CENTRE, kind, fixed, masked};

		strb_clear(&b);
		if (make)
			make(&b), a.text = b.buf;
		ms[i] = now_ms();
		n = how == ROWS ? ask_rows(db, &a) : ask_list(db, &a, how, i);
		ms[i] = now_ms() - ms[i];
		found = n > found ? n : found;
	}
	qsort(ms, TIMES, sizeof(ms[0]), by_size);
	printf("{\"kind\": \"%s\", \"ask\": \"%s\", \"how\": \"%s\", \"like\": \"%s\", \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"found_max\": %lld}\n", kind, what,
	       hows[how], fixed ? fixed : b.buf, ms[TIMES / 2], ms[TIMES - 1], (long long)found);
	fflush(stdout);
	strb_done(&b);
}

static void four_digits(struct strb *b)
{
	strb_printf(b, "%04u", below(10000));
}
static void seven_digits(struct strb *b)
{
	strb_printf(b, "138%04u", below(10000));
}
static void whole_number(struct strb *b)
{
	make_number(b);
}
static void two_characters(struct strb *b)
{
	add_given(b), add_given(b);
}
static void whole_name(struct strb *b)
{
	make_name(b);
}
static void name_pinyin(struct strb *b)
{
	struct strb name;
	char s[100];

	strb_init(&name, 400);
	make_name(&name);
	find_pinyin(s, sizeof(s), name.buf);
	for (const char *c = s; *c; c++)
		if (*c != ' ')
			strb_putc(b, *c);
	strb_done(&name);
}
static void name_initials(struct strb *b)
{
	struct strb name;
	char s[100];

	strb_init(&name, 400);
	make_name(&name);
	find_initials(s, sizeof(s), name.buf);
	strb_puts(b, s);
	strb_done(&name);
}

static void ask_customers(struct db *db, enum how how)
{
	static const struct {
		const char *what, *fixed;
		void (*make)(struct strb *b);
		bool masked;
	} asks[] = {
		{"3 digits, common", "138"}, {"3 digits, rare", "044"}, {"4 digits", NULL, four_digits}, {"last 4, masked", NULL, four_digits, true},
		{"7 digits", NULL, seven_digits}, {"whole number", NULL, whole_number}, {"whole number, masked", NULL, whole_number, true},
		{"8 digits, common parts", "13813813"}, {"common surname", "王"}, {"rare surname", "单"}, {"a given character", "婷"},
		{"two characters", NULL, two_characters}, {"whole name", NULL, whole_name}, {"surname pinyin", "wang"}, {"pinyin begun", "zha"},
		{"two letters", "li"}, {"two letters, many syllables", "sh"}, {"name pinyin", NULL, name_pinyin}, {"zhang xiao", "zhang xiao"},
		{"mixed", "zhangxl"}, {"initials", NULL, name_initials}, {"one letter", "w"}, {"surname and digits", "王 138"},
		{"surname and last digits", "王8000"}, {"nothing like it", "鑾"}, {"common and rare", "王 单"},
	};

	for (size_t i = 0; i < ARRAY_LEN(asks); i++)
		measure(db, "customers", asks[i].what, how, asks[i].fixed, asks[i].make, asks[i].masked);
}

static void ask_notes(struct db *db)
{
	static const char *const asks[] = {"客户", "收不到", "客户咨询订单", "订单退款投诉", "验证码收不到短信", "户客", "退", "的", "单", "短信 客户",
					   "VIP", "iph", "ip", "1234", "12345678", "单号", "垚焱", "客户满意 退款 发票 VIP"};

	for (size_t i = 0; i < ARRAY_LEN(asks); i++)
		measure(db, "notes", "words", ROWS, asks[i], NULL, false);
}

int main(int argc, char **argv)
{
	struct db *db;
	int64_t customers, notes;

	if (argc != 4) {
		fprintf(stderr, "usage: find_bench URL CUSTOMERS NOTES (0 0: of what is there)\n");
		return 2;
	}
	log_set_level(LOG_L_ERROR);
	rng_init(&rng, 7);
	customers = atoll(argv[2]), notes = atoll(argv[3]);
	must(db_open(&db, argv[1], DB_RW), NULL, "open");
	must(db_migrate(db), db, "migrate");
	if (customers || notes) {
		must(db_script(db, "CREATE TABLE bench_customers (id BIGINT PRIMARY KEY, centre_id BIGINT NOT NULL, owner_id BIGINT,"
				   " name_sort TEXT); CREATE INDEX bench_owner ON bench_customers (centre_id, owner_id, name_sort, id);"
				   " CREATE INDEX bench_sort ON bench_customers (centre_id, name_sort, id)"),
		     db, "table");
		fill(db, "customers", customers);
		fill(db, "notes", notes);
		if (!strcmp(db_engine_name(db), "postgresql"))
			must(db_script(db, "ANALYZE"), db, "analyze"); /* its server does so by itself, sooner or later */
	}
	db_close(db);
	must(db_open(&db, argv[1], DB_RO), NULL, "open");
	rng_init(&rng, 7);
	ask_customers(db, ROWS);
	ask_notes(db);
	ask_customers(db, LIST);
	ask_customers(db, OWN_FEW);
	db_close(db);
	return 0;
}
