/* An allocation's certificate as a sheet, and the draw again from the sheet alone. */
#include "api/allot_sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/base.h"
#include "people/allot.h"
#include "people/share.h"

enum line { ALGORITHM, SEED, PERSON, CUSTOMER, LINES };
static const struct {
	const char *zh, *en;
} names[LINES] = {{"算法", "Algorithm"}, {"种子", "Seed"}, {"人员", "Person"}, {"客户", "Customer"}};
#define HAND_ZH "手工"
#define HAND_EN "by hand"

/* ---- writing ---- */

static void put_line(struct sheet_writer *w, enum line line, bool en)
{
	sheet_put_text(w, en ? names[line].en : names[line].zh);
}

static void put_id(struct sheet_writer *w, int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)id);
	sheet_put_text(w, id ? text : "");
}

static void put_most(struct sheet_writer *w, int64_t n)
{
	if (n < 0)
		sheet_put_empty(w);
	else
		sheet_put_int(w, n);
}

static int put_word(struct sheet_writer *w, enum line line, const char *text, bool en)
{
	put_line(w, line, en);
	sheet_put_text(w, text);
	return sheet_end_row(w);
}

static int put_person(struct sheet_writer *w, const struct allot_person *p, bool en)
{
	put_line(w, PERSON, en);
	put_id(w, p->id);
	sheet_put_text(w, p->name);
	sheet_put_int(w, p->why ? 0 : (int64_t)p->weight); /* who takes no part draws with weight 0 */
	put_most(w, p->cap);
	put_most(w, p->fixed);
	sheet_put_int(w, p->n);
	return sheet_end_row(w);
}

static int put_customer(struct sheet_writer *w, const struct allot_customer *c, bool en)
{
	put_line(w, CUSTOMER, en);
	put_id(w, c->id);
	sheet_put_empty(w);
	sheet_put_empty(w);
	sheet_put_empty(w);
	if (c->hand)
		sheet_put_text(w, en ? HAND_EN : HAND_ZH);
	else
		sheet_put_empty(w);
	put_id(w, c->to);
	return sheet_end_row(w);
}

int allot_sheet_write(const char *path, enum sheet_format format, const struct allot *a, const char *lang, const char *tmp_dir)
{
	bool en = lang[0] == 'e';
	const struct sheet_column cols[] = {
		{en ? "Item" : "项目", SHEET_TEXT, 12}, {en ? "Id" : "编号", SHEET_TEXT, 36}, {en ? "Name" : "姓名", SHEET_TEXT, 16},
		{en ? "Weight" : "权重", SHEET_NUMBER, 8}, {en ? "At most" : "上限", SHEET_NUMBER, 8}, {en ? "Set by hand" : "手工", SHEET_TEXT, 12},
		{en ? "Result" : "结果", SHEET_TEXT, 24, en ? "Of a person: how many. Of a customer: the person's id." : "人员：分得几位；客户：归谁（人员编号）。"},
	};
	struct sheet_writer *w;
	int r = sheet_writer_open(&w, path, format, en ? "Certificate" : "分配凭证", tmp_dir, cols, ARRAY_LEN(cols)), closed;

	if (r)
		return r;
	r = put_word(w, ALGORITHM, a->version, en);
	if (!r)
		r = put_word(w, SEED, a->seed, en);
	for (size_t i = 0; !r && i < a->m; i++)
		r = put_person(w, &a->people[i], en);
	for (size_t i = 0; !r && i < a->n; i++)
		r = put_customer(w, &a->customers[i], en);
	closed = sheet_writer_close(w);
	return r ? r : closed;
}

/* ---- reading ---- */

struct reading {
	struct allot *a;
	size_t room;
	unsigned row; /* of the first line that means nothing; 0 */
};

static const char *cell(const struct sheet_row *row, size_t i)
{
	return i < row->n ? row->cells[i].text : "";
}

/* An empty cell is @fallback. */
static bool number(int64_t *ret, const struct sheet_row *row, size_t i, int64_t min, int64_t max, int64_t fallback)
{
	const char *s = cell(row, i);

	*ret = fallback;
	return !*s || str_to_i64(ret, s, min, max);
}

static bool take_person(struct reading *x, const struct sheet_row *row)
{
	struct allot *a = x->a;
	int64_t id, weight, cap, fixed, n;

	if (a->m == ALLOT_PEOPLE_MAX || !number(&id, row, 1, 1, INT64_MAX, 0) || !id || !number(&weight, row, 3, 0, SHARE_WEIGHT_MAX, 0) ||
	    !number(&cap, row, 4, 0, ALLOT_MAX * 100LL, -1) || !number(&fixed, row, 5, 0, ALLOT_MAX, -1) || !number(&n, row, 6, 0, ALLOT_MAX, 0))
		return false;
	for (size_t i = 0; i < a->m; i++)
		if (a->people[i].id == id)
			return false;
	a->people[a->m] = (struct allot_person){.id = id, .weight = (unsigned)weight, .cap = cap, .fixed = fixed, .n = n, .why = weight ? NULL : "none"};
	(void)str_copy(a->people[a->m].name, sizeof(a->people[a->m].name), cell(row, 2));
	a->m++;
	return true;
}

static bool take_customer(struct reading *x, const struct sheet_row *row)
{
	struct allot *a = x->a;
	const char *hand = cell(row, 5);
	struct allot_customer c = {.hand = *hand != '\0'};

	if (a->n == ALLOT_MAX || !number(&c.id, row, 1, 1, INT64_MAX, 0) || !c.id || !number(&c.to, row, 6, 1, INT64_MAX, 0) ||
	    (c.hand && strcmp(hand, HAND_ZH) != 0 && strcmp(hand, HAND_EN) != 0))
		return false;
	if (a->n == x->room) {
		x->room = x->room ? x->room * 2 : 1024;
		a->customers = xrealloc(a->customers, x->room * sizeof(*a->customers));
	}
	a->customers[a->n++] = c;
	return true;
}

static int take_row(void *arg, const struct sheet_row *row)
{
	struct reading *x = arg;
	const char *what = cell(row, 0);
	int line = 0;
	bool ok = true;

	if (row->number == 1)
		return 0;
	while (line < LINES && strcmp(what, names[line].zh) != 0 && strcmp(what, names[line].en) != 0)
		line++;
	if (line == ALGORITHM)
		ok = str_copy(x->a->version, sizeof(x->a->version), cell(row, 1));
	else if (line == SEED)
		ok = str_copy(x->a->seed, sizeof(x->a->seed), cell(row, 1)) && *x->a->seed;
	else
		ok = line == PERSON ? take_person(x, row) : line == CUSTOMER && take_customer(x, row);
	if (!ok)
		x->row = row->number;
	return ok ? 0 : SHEET_STOP;
}

static int by_id(const void *a, const void *b)
{
	const struct allot_customer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void why(struct allot_verdict *v, bool en, const char *zh_text, const char *en_text, int64_t id, int64_t said, int64_t drawn)
{
	(void)snprintf(v->first, sizeof(v->first), en ? en_text : zh_text, (long long)id, (long long)said, (long long)drawn);
}

static bool is_person(const struct allot *a, int64_t id)
{
	for (size_t i = 0; i < a->m; i++)
		if (a->people[i].id == id)
			return true;
	return false;
}

/* What the sheet says beside what is drawn. */
static void compare(struct allot_verdict *v, struct allot *a, bool en)
{
	struct allot_customer *said = xcalloc(a->n + 1, sizeof(*said));
	int64_t *n = xcalloc(a->m + 1, sizeof(*n));

	memcpy(said, a->customers, a->n * sizeof(*said));
	for (size_t i = 0; i < a->m; i++)
		n[i] = a->people[i].n;
	for (size_t i = 0; i < a->n; i++)
		if (!a->customers[i].hand)
			a->customers[i].to = 0;
	allot_draw(a);
	v->equal = true;
	for (size_t i = 0; v->equal && i < a->n; i++)
		if (said[i].to != a->customers[i].to || (said[i].hand && said[i].to && !is_person(a, said[i].to))) {
			v->equal = false;
			why(v, en, "客户 %lld：凭证写归 %lld，重算归 %lld", "customer %lld: the certificate says %lld, drawn again it is %lld", said[i].id, said[i].to, a->customers[i].to);
		}
	for (size_t i = 0; v->equal && i < a->m; i++)
		if (n[i] != a->people[i].n) {
			v->equal = false;
			why(v, en, "人员 %lld：凭证写 %lld 位，重算 %lld 位", "person %lld: the certificate says %lld, drawn again it is %lld", a->people[i].id, n[i], a->people[i].n);
		}
	free(said);
	free(n);
}

static int judge(struct allot_verdict *v, struct reading *x, int r, const struct sheet_error *e, bool en)
{
	struct allot *a = x->a;

	if (r == SHEET_BAD)
		(void)snprintf(v->first, sizeof(v->first), en ? "cannot be read: %s" : "读不出来：%s", e->code);
	else if (x->row)
		(void)snprintf(v->first, sizeof(v->first), en ? "row %u is no line of a certificate" : "第 %u 行不是凭证的内容", x->row);
	else if (!*a->version || !*a->seed)
		(void)snprintf(v->first, sizeof(v->first), en ? "algorithm or seed is missing" : "没有算法或种子");
	else if (strcmp(a->version, ALLOT_VERSION) != 0)
		(void)snprintf(v->first, sizeof(v->first), en ? "another algorithm: %s" : "别的算法：%s", a->version);
	if (v->first[0])
		return 1;
	qsort(a->customers, a->n, sizeof(*a->customers), by_id);
	for (size_t i = 1; i < a->n; i++)
		if (a->customers[i].id == a->customers[i - 1].id) {
			why(v, en, "客户 %lld 出现两次", "customer %lld stands there twice", a->customers[i].id, 0, 0);
			return 1;
		}
	v->customers = a->n;
	v->people = a->m;
	compare(v, a, en);
	return 0;
}

int allot_sheet_verify(struct allot_verdict *ret, const char *path, const char *lang)
{
	static const struct sheet_handler on = {.row = take_row};
	const struct sheet_limits limits = {.bytes = 64 << 20, .rows = ALLOT_MAX + ALLOT_PEOPLE_MAX + 10, .columns = 64, .text = 1024};
	struct reading x = {.a = xcalloc(1, sizeof(*x.a))};
	struct sheet_error e = {0};
	int r;

	*ret = (struct allot_verdict){0};
	x.a->people = xcalloc(ALLOT_PEOPLE_MAX, sizeof(*x.a->people));
	x.a->customers = xcalloc(1, sizeof(*x.a->customers)); /* there may be none */
	r = sheet_read_file(path, &on, &x, &limits, &e);
	if (r >= 0)
		r = judge(ret, &x, r, &e, lang[0] == 'e');
	allot_free(x.a);
	return r;
}

int allocate_main(int argc, char **argv)
{
	struct allot_verdict v;
	int r;

	if (argc != 3 || strcmp(argv[1], "--verify") != 0) {
		printf("huawu allocate --verify FILE\n\n"
		       "Draws an allocation of customers again from its certificate (XLSX or CSV) and compares. Needs nothing but the file.\n"
		       "Exit status: 0 equal, 1 not equal, 2 no certificate.\n");
		return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) ? 0 : 2;
	}
	r = allot_sheet_verify(&v, argv[2], "en");
	if (r < 0)
		fprintf(stderr, "huawu allocate: %s: %s\n", argv[2], strerror(-r));
	else if (r)
		fprintf(stderr, "huawu allocate: %s: %s\n", argv[2], v.first);
	else if (v.equal)
		printf("equal: %zu customers, %zu people\n", v.customers, v.people);
	else
		printf("not equal: %s\n", v.first);
	return r ? 2 : v.equal ? 0 : 1;
}
