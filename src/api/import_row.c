/* One line of a sheet: what it means, why it is refused, and how it is written. */
#include "api/import_int.h"

#include <sodium.h>

static const struct {
	const char *code, *zh, *en;
} reasons[] = {
	{"required", "必填", "is required"},
	{"without_phone", "没有电话时必填", "is required without a telephone"},
	{"type", "格式不对", "has the wrong form"},
	{"range", "太长、太短或超出范围", "is too long, too short or out of range"},
	{"format", "格式不对", "has the wrong form"},
	{"number", "不是电话号码", "is no telephone number"},
	{"enum", "不在可选范围内", "is none of the choices"},
	{"ref", "找不到这一项", "is not there"},
	{"ambiguous", "有多项同名，请用编号或登录名", "is the name of several; use a number or login"},
	{"unique", "已经有同样的了", "is already taken"},
	{"unknown", "不认识", "is not known"},
	{"readonly", "不能填写", "cannot be set"},
	{"create_only", "建好以后不能改", "cannot be changed later"},
	{"reserved", "系统保留，换一个", "is reserved"},
	{"few_digits", "号码位数不够", "has too few digits for a telephone number"},
	{"rounded", "超过 15 位，Excel 已把后面的数字改掉；请在原表把这一列设成文本再填", "has more than 15 digits, and Excel has altered the last ones; make the column text and enter it again"},
	{"digits_lost", "被写成了科学计数法，后面的数字已丢失；请在原表把这一列设成文本再填", "was turned into scientific notation, and its last digits are lost; make the column text and enter it again"},
	{"cell_error", "单元格里是公式错误", "holds a formula's error"},
	{"exists", "已经有了（选择了保持不变）", "The row is there already (existing rows are to stay as they are)"},
	{"twice", "表里有重复，前一次在第 %u 行", "is in the sheet twice, first in row %u"},
	{"taken", "已经有人负责", "Somebody else looks after it already"},
	{"several", "这一行的号码分属不同的记录", "The row's values belong to different records"},
	{"too_many", "一行里太多了", "has too many in one row"},
	{"weak", "密码太容易猜", "is too easy to guess"},
	{"short", "太短了", "is too short"},
	{"conflict", "别人刚刚改过", "was just changed by somebody else"},
};

const char *import_reason(const struct job *j, const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (!strcmp(reasons[i].code, code))
			return j->lang[0] == 'e' ? reasons[i].en : reasons[i].zh;
	return api_sentence(code, j->lang);
}

static bool in_english(const struct pass *p)
{
	return p->j->lang[0] == 'e';
}

/* "phones.0.number" is of the column phones. */
static const char *label_of(const struct job *j, const char *field)
{
	char name[64];
	int t, i;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(field ? field : "", "."), field ? field : "");
	t = *name ? res_target_find(j->d, name) : -1;
	i = *name ? res_field_find(j->d, name) : -1;

	if (i >= 0)
		return res_field_label(&j->d->fields[i], j->lang);
	if (t < RES_TARGET_CHILD)
		return "";
	return j->lang[0] == 'e' ? j->d->child->columns[t - RES_TARGET_CHILD].en : j->d->child->columns[t - RES_TARGET_CHILD].zh;
}

void import_why(struct pass *p, struct line *l, const char *field, const char *code, unsigned row)
{
	const struct job *j = p->j;
	bool en = in_english(p);
	const char *label = label_of(j, field), *parting = *label ? (en ? " " : "：") : "";
	char text[256];

	if (row)
		(void)snprintf(text, sizeof(text), import_reason(j, code), row);
	else
		(void)str_copy(text, sizeof(text), import_reason(j, code));
	strb_printf(&l->why, "%s%s%s%s", l->why.len ? (en ? "; " : "；") : "", label, parting, text);
	if (l->code[0])
		return;
	(void)str_copy(l->code, sizeof(l->code), code);
	l->gist = row ? xstrdup(en ? "In the sheet twice" : "表里有重复") : xasprintf("%s%s%s", label, parting, text);
}

void import_line_done(struct line *l)
{
	json_decref(l->cells);
	json_decref(l->body);
	json_decref(l->children);
	json_decref(l->later);
	free(l->gist);
	strb_done(&l->why);
	res_error_done(&l->error);
	res_ctx_done(&l->ctx);
	memset(l, 0, sizeof(*l));
}

/* ---- times ---- */

static bool valid_day(int y, int mo, int d, int h, int mi, int s)
{
	return y >= 1900 && y <= 9999 && mo >= 1 && mo <= 12 && d >= 1 && d <= 31 && h >= 0 && h <= 23 && mi >= 0 && mi <= 59 && s >= 0 && s <= 59;
}

/* 2026-11-22 8:30, 2026/11/22, 2026.11.22, 2026年11月22日 8时30分, 20261122. */
static bool wall_of(int64_t *wall, const char *text)
{
	int y, mo, d, h = 0, mi = 0, s = 0, n, at = 0;
	struct tm tm;

	n = sscanf(text, "%4d年%2d月%2d日%n", &y, &mo, &d, &at);
	if (n == 3)
		(void)(sscanf(text + at, " %2d:%2d:%2d", &h, &mi, &s) > 0 || sscanf(text + at, " %2d时%2d分%2d", &h, &mi, &s));
	else if (strlen(text) == 8 && strspn(text, "0123456789") == 8)
		n = sscanf(text, "%4d%2d%2d", &y, &mo, &d);
	else
		n = sscanf(text, "%4d%*[-/.]%2d%*[-/.]%2d%*[ T]%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &s);
	if (n < 3 || !valid_day(y, mo, d, h, mi, s))
		return false;
	tm = (struct tm){.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s};
	*wall = (int64_t)timegm(&tm) * 1000;
	return true;
}

/* A day that lost its format is the number that Excel counts it by. */
static int parse_time(json_t **ret, const char **what, struct pass *p, const char *text)
{
	int64_t wall;
	char *end;
	double serial = strtod(text, &end);

	if (end != text && !*end && serial >= 1 && serial < 300000)
		wall = ((int64_t)serial - 25569 + (serial < 60)) * 86400000 + (int64_t)((serial - (double)(int64_t)serial) * 86400.0 + 0.5) * 1000;
	else if (!wall_of(&wall, text)) {
		*what = "type";
		return 1;
	}
	*ret = json_integer(p->zone ? zone_utc_ms(p->zone, wall) : wall);
	return 0;
}

/* A text that is a day, however it is written. */
static int parse_day(json_t **ret, const char **what, const char *text)
{
	char *end, day[32];
	double serial = strtod(text, &end);
	int64_t wall = ((int64_t)serial - 25569) * 86400000;
	struct tm tm;
	time_t t;

	if ((end == text || *end || serial < 60 || serial >= 100000) && !wall_of(&wall, text)) {
		*what = "format";
		return 1;
	}
	t = (time_t)(wall / 1000);
	(void)gmtime_r(&t, &tm);
	(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	*ret = json_string(day);
	return 0;
}

/* ---- cells ---- */

static const char *cell_bad(const char *text)
{
	return text[0] == 'r' ? "rounded" : text[0] == 'e' ? "cell_error" : NULL;
}

/* As much of a text as a reason repeats, whole characters. */
static size_t shown_bytes(const char *s)
{
	size_t n = strnlen(s, 60);

	while (n && !str_is_utf8(s, n))
		n--;
	return n;
}

static void why_cell(struct pass *p, struct line *l, const char *field, const char *what, const char *text)
{
	import_why(p, l, field, what, 0);
	if (strcmp(what, "rounded") != 0)
		strb_printf(&l->why, in_english(p) ? " (%.*s)" : "（%.*s）", (int)shown_bytes(text), text);
}

/* A row above in the same sheet may be meant, which is not written yet. */
static bool is_above(const struct pass *p, const struct res_field *f, const char *text)
{
	return p->names && f->ref && !strcmp(f->ref, p->j->d->name) && json_object_get(p->names, text);
}

/* References repeat; within a piece each is looked up once. */
static int parse_cell(json_t **v, const char **what, struct pass *p, struct line *l, const struct res_field *f, const char *text)
{
	char *key = f->ref ? xasprintf("%s=%s", f->name, text) : NULL;
	int r = 0;

	*v = key ? json_incref(json_object_get(p->refs, key)) : NULL;
	if (!*v)
		r = res_value_parse(v, what, &l->ctx, f, text);
	if (!r && key)
		(void)json_object_set(p->refs, key, *v);
	free(key);
	return r;
}

static int take_cell(struct pass *p, struct line *l, const struct res_field *f, const char *text)
{
	const char *what = cell_bad(text);
	json_t *v = NULL;
	int r = 0;

	text++;
	if (what && (strcmp(what, "rounded") != 0 || f->type != RES_INT))
		r = 1;
	else if (f->type == RES_TIME)
		r = parse_time(&v, &what, p, text);
	else if (f->flags & RES_DAY)
		r = parse_day(&v, &what, text);
	else
		r = parse_cell(&v, &what, p, l, f, text);
	if (!r) {
		(void)json_object_set_new(l->body, f->name, v);
	} else if (r > 0 && !strcmp(what, "ref") && is_above(p, f, text)) {
		if (!l->later)
			l->later = json_object();
		(void)json_object_set_new(l->later, f->name, json_string(text));
	} else if (r > 0) {
		if (f->type == RES_SECRET)
			import_why(p, l, f->name, what, 0);
		else
			why_cell(p, l, f->name, what, text);
	}
	return r < 0 ? r : 0;
}

/* ---- child rows ---- */

struct values {
	struct pass *p;
	struct line *l;
	int target, r;
};

static bool has_child(const struct line *l, const char *value)
{
	const json_t *v;
	size_t i;

	json_array_foreach(l->children, i, v)
		if (!strcmp(json_string_value(json_array_get(v, 1)), value))
			return true;
	return false;
}

/* Where the hash is, or would be. */
static struct seen *seen_at(struct seen *table, size_t room, uint64_t hash)
{
	size_t i = (size_t)hash & (room - 1);

	while (table[i].row && table[i].hash != hash)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static void seen_grow(struct pass *p)
{
	size_t room = p->seen_room ? p->seen_room * 2 : 1024;
	struct seen *table = xcalloc(room, sizeof(*table));

	for (size_t i = 0; i < p->seen_room; i++)
		if (p->seen[i].row)
			*seen_at(table, room, p->seen[i].hash) = p->seen[i];
	free(p->seen);
	p->seen = table;
	p->seen_room = room;
}

static void see(struct pass *p, struct line *l, const char *key)
{
	uint64_t hash;
	struct seen *s;

	if (p->seen_n * 2 >= p->seen_room)
		seen_grow(p);
	(void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key, strlen(key), p->seen_key);
	s = seen_at(p->seen, p->seen_room, hash);
	if (s->row && s->row != l->number) {
		import_why(p, l, NULL, "twice", s->row);
	} else if (!s->row) {
		*s = (struct seen){hash, l->number};
		p->seen_n++;
	}
}

static void take_value(void *arg, const char *text)
{
	struct values *v = arg;
	struct line *l = v->l;
	const char *what = "format", *name = res_target_name(v->p->j->d, v->target);
	char stored[256];
	int r;

	if (v->r)
		return;
	r = res_child_value(stored, sizeof(stored), &what, &l->ctx, v->p->j->d, text);
	if (r < 0) {
		v->r = r;
	} else if (r > 0) {
		why_cell(v->p, l, name, what, text);
	} else if (!has_child(l, stored)) {
		if (json_array_size(l->children) == IMPORT_CHILDREN_MAX) {
			import_why(v->p, l, name, "too_many", 0);
			return;
		}
		(void)json_array_append_new(l->children, json_pack("[i, s, b]", v->target, stored, 0));
	}
}

static int take_children(struct pass *p, struct line *l, int target, const char *text)
{
	const struct res_def *d = p->j->d, *kid = res_find(d->child->resource);
	bool numbers = d->child->normal || (kid->fields[res_field_find(kid, d->child->value)].flags & RES_NUMBER);
	struct values v = {.p = p, .l = l, .target = target};
	const char *what = cell_bad(text);
	char clean[4096];
	int r;

	text++;
	if (what) {
		why_cell(p, l, res_target_name(d, target), what, text);
		return 0;
	}
	if (!l->children)
		l->children = json_array();
	if (!numbers) {
		res_cell_split(text, false, take_value, &v);
		return v.r;
	}
	/* Line breaks part values, so blanks are only made plain afterwards. */
	for (const char *s = text; *s && !v.r; s += strcspn(s, "\r\n"), s += strspn(s, "\r\n")) {
		char *part = xstrndup(s, strcspn(s, "\r\n"));

		r = res_number_clean(clean, sizeof(clean), part);
		if (r)
			why_cell(p, l, res_target_name(d, target), r == 2 ? "digits_lost" : "range", part);
		else
			res_cell_split(clean, true, take_value, &v);
		free(part);
	}
	return v.r;
}

/* Which of the piece's values are there already, and whose. */
static int find_parents(json_t *parents, struct pass *p, const struct line *lines, size_t line_n)
{
	const char **values = xcalloc(line_n * IMPORT_CHILDREN_MAX + 1, sizeof(*values));
	struct res_ctx c = {.db = p->db, .who = &p->j->who};
	size_t n = 0, k;
	json_t *v;
	int r;

	for (size_t i = 0; i < line_n; i++)
		json_array_foreach(lines[i].children, k, v)
			values[n++] = json_string_value(json_array_get(v, 1));
	r = n ? res_child_parents(parents, &c, p->j->d, values, n) : 0;
	free(values);
	return r;
}

static void meet_parents(struct pass *p, struct line *l, const json_t *parents)
{
	json_t *v;
	size_t i;

	json_array_foreach(l->children, i, v) {
		int64_t parent = json_integer_value(json_object_get(parents, json_string_value(json_array_get(v, 1))));

		if (!parent)
			continue;
		(void)json_array_set_new(v, 2, json_true());
		if (l->id && l->id != parent)
			import_why(p, l, NULL, "several", 0);
		l->id = parent;
	}
}

/* ---- which row is meant ---- */

static int find_row(struct pass *p, struct line *l)
{
	const json_t *v;
	int64_t by_child = l->id;
	char *key = NULL;
	size_t i;
	int r = res_row_find(&l->id, &key, &l->ctx, p->j->d, l->body);

	if (!r && key)
		see(p, l, key);
	free(key);
	json_array_foreach(l->children, i, v) {
		key = xasprintf("child=%s", json_string_value(json_array_get(v, 1)));
		if (!l->why.len)
			see(p, l, key);
		free(key);
	}
	if (by_child && l->id && by_child != l->id)
		import_why(p, l, NULL, "several", 0);
	l->id = l->id ? l->id : by_child;
	return r;
}

static void take_error(struct pass *p, struct line *l)
{
	const char *field;
	json_t *code;

	json_object_foreach(l->error.fields, field, code)
		import_why(p, l, field, json_string_value(code), 0);
	if (!json_object_size(l->error.fields) && l->error.code)
		import_why(p, l, NULL, l->error.code, 0);
	res_error_done(&l->error);
}

/* Only what the row has no value for yet. */
static void fill_only(const struct job *j, struct line *l, const json_t *old)
{
	for (size_t i = 0; i < j->d->field_n; i++) {
		const char *name = j->d->fields[i].name;
		const json_t *have = json_object_get(old, name);

		if (j->d->fields[i].flags & RES_ADDS)
			continue;
		if (j->d->fields[i].type == RES_SECRET || (have && !json_is_null(have)))
			(void)json_object_del(l->body, name);
	}
}

/* Says the line nothing that its row does not say already? Then the writer need not be asked. A secret is in no row that was read. */
static bool says_nothing_new(const struct line *l, const json_t *old)
{
	const char *name;
	json_t *v;
	size_t i;

	json_array_foreach(l->children, i, v)
		if (!json_is_true(json_array_get(v, 2)))
			return false;
	json_object_foreach(l->body, name, v)
		if (!json_object_get(old, name) || !json_equal(json_object_get(old, name), v))
			return false;
	return !l->later;
}

static int take_existing(struct pass *p, struct line *l)
{
	const struct job *j = p->j;
	json_t *old = NULL;
	int r = res_get(&old, &l->ctx, j->d, l->id);

	if (r > 0) {
		res_error_done(&l->error);
		import_why(p, l, NULL, "taken", 0);
		return 0;
	}
	if (!r && j->d->import_existing) {
		r = j->d->import_existing(&l->ctx, old, l->body);
		if (r >= 0 && l->error.code) {
			take_error(p, l);
			r = 0;
		}
	}
	if (!r && !l->why.len && j->wish.existing == EXISTING_LEAVE)
		import_why(p, l, NULL, "exists", 0);
	if (!r && !l->why.len && j->wish.existing == EXISTING_FILL)
		fill_only(j, l, old);
	if (!r && !l->why.len && says_nothing_new(l, old)) {
		l->outcome = SAME;
		l->done = true;
	}
	json_decref(old);
	return r;
}

/* What the importer said of every row, where its own columns say nothing. */
static void add_values(const struct pass *p, struct line *l)
{
	const char *name;
	json_t *v;

	json_object_foreach(p->j->wish.values, name, v)
		if (!json_object_get(l->body, name))
			(void)json_object_set(l->body, name, v);
}

static void add_name(const struct pass *p, const struct line *l)
{
	const struct res_def *d = p->j->d;

	for (size_t i = 0; p->names && i < d->field_n; i++) {
		const json_t *v = json_object_get(l->body, d->fields[i].name);

		if (json_is_string(v) && ((d->fields[i].flags & RES_UNIQUE) || (d->label && !strcmp(d->label, d->fields[i].name))))
			(void)json_object_set_new(p->names, json_string_value(v), json_true());
	}
}

static int read_cells(struct pass *p, struct line *l)
{
	const struct job *j = p->j;
	int r = 0;

	l->body = json_object();
	strb_init(&l->why, 4000);
	l->ctx = (struct res_ctx){.db = p->db, .who = &j->who, .error = &l->error, .now_ms = clock_utc_ms(), .dry = p->dry};
	for (size_t i = 0; !r && i < p->column_n; i++) {
		const char *text = json_string_value(json_array_get(l->cells, i));

		if (p->columns[i] < 0 || !text || !text[0] || !text[1])
			continue;
		r = p->columns[i] >= RES_TARGET_CHILD ? take_children(p, l, p->columns[i], text) : take_cell(p, l, &j->d->fields[p->columns[i]], text);
	}
	add_values(p, l);
	return r;
}

static int find_meaning(struct pass *p, struct line *l, const json_t *parents)
{
	int r = 0;

	meet_parents(p, l, parents);
	if (!l->why.len)
		r = find_row(p, l);
	if (!r && !l->why.len && l->id)
		r = take_existing(p, l);
	if (!r && !l->why.len)
		add_name(p, l);
	if (!r && !l->why.len && !l->done) {
		r = res_prepare(&l->ctx, p->j->d, l->id, l->body);
		if (r > 0) {
			take_error(p, l);
			r = 0;
		}
	}
	return r;
}

static int understand(struct pass *p, struct line *lines, size_t n)
{
	json_t *parents = json_object();
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = read_cells(p, &lines[i]);
	if (!r)
		r = find_parents(parents, p, lines, n);
	for (size_t i = 0; !r && i < n; i++)
		r = find_meaning(p, &lines[i], parents);
	json_decref(parents);
	return r;
}

/* All look-ups of a piece at once; where a line may refer to one above, line by line. */
int import_understand(struct pass *p)
{
	size_t step = p->names ? 1 : p->line_n;
	int r = 0;

	p->refs = json_object();
	for (size_t i = 0; !r && i < p->line_n; i += step)
		r = understand(p, p->lines + i, step);
	json_decref(p->refs);
	p->refs = NULL;
	return r;
}

/* ---- on the writer ---- */

/* Those that are new, into the body's list of child rows; there the list is what there is to be afterwards. */
static size_t add_children(struct line *l, const struct res_def *d, const json_t *old)
{
	json_t *list = json_array(), *v;
	size_t n = 0, i;

	json_array_foreach(json_object_get(old, res_child_list_name(d)), i, v)
		(void)json_array_append_new(list, json_pack("{s:O}", "id", json_object_get(v, "id")));
	json_array_foreach(l->children, i, v) {
		if (json_is_true(json_array_get(v, 2)))
			continue;
		(void)json_array_append_new(list, res_child_body(d, (int)json_integer_value(json_array_get(v, 0)), json_string_value(json_array_get(v, 1))));
		n++;
	}
	if (n)
		(void)json_object_set(l->body, res_child_list_name(d), list);
	json_decref(list);
	return n;
}

/* Rows above are written by now; in a check those of other pieces are not, and are left out. */
static int resolve_later(struct pass *p, struct line *l)
{
	const char *name, *what = NULL;
	json_t *text;

	json_object_foreach(l->later, name, text) {
		const struct res_field *f = &p->j->d->fields[res_field_find(p->j->d, name)];
		json_t *v = NULL;
		int r = res_value_parse(&v, &what, &l->ctx, f, json_string_value(text));

		if (r < 0)
			return r;
		if (!r)
			(void)json_object_set_new(l->body, name, v);
		else if (!p->dry)
			why_cell(p, l, name, what, json_string_value(text));
	}
	return l->why.len ? 1 : 0;
}

/* The fields that a sheet can bring and that are others now. */
static json_t *before_of(const struct res_def *d, const json_t *old, const json_t *row)
{
	json_t *before = json_object();

	for (size_t i = 0; i < d->field_n; i++) {
		const char *name = d->fields[i].name;
		json_t *was = json_object_get(old, name);

		if (res_field_importable(&d->fields[i]) && was && !json_equal(was, json_object_get(row, name)))
			(void)json_object_set(before, name, was);
	}
	return before;
}

/* Ids that are in @all and not in @had. */
static json_t *new_ids(const json_t *all, const json_t *had)
{
	json_t *ids = json_array(), *v, *h;
	size_t i, k;

	json_array_foreach((json_t *)all, i, v) {
		bool old = false;

		json_array_foreach((json_t *)had, k, h)
			old |= json_equal(json_array_get(h, 0), json_array_get(v, 0));
		if (!old)
			(void)json_array_append(ids, json_array_get(v, 0));
	}
	return ids;
}

/* @children, @mine: [[id, rev], ...]; NULL: none. */
static int keep_row(struct db *db, const struct job *j, const struct line *l, int64_t id, int64_t rev, const json_t *before, const json_t *children, const json_t *mine)
{
	char *b = before ? json_dumps(before, JSON_COMPACT) : NULL;
	char *all = children ? json_dumps(children, JSON_COMPACT) : NULL;
	char *ids = json_array_size(mine) ? json_dumps(mine, JSON_COMPACT) : NULL;
	int r = db_run(db, "INSERT INTO import_rows (import_id, line, row_id, done, rev_after, before_json, children, added_children) "
			   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		       "iiitittt", j->import_id, (int64_t)l->number, id, l->outcome == NEW ? "added" : "changed", rev, b, all, ids);

	free(b);
	free(all);
	free(ids);
	return r;
}

static int keep_for_undo(const struct job *j, struct line *l, int64_t id, const json_t *before, const json_t *had)
{
	json_t *children = NULL, *mine;
	int64_t rev = 0;
	int r = res_row_revs(&rev, &children, &l->ctx, j->d, id);

	if (r)
		return r;
	mine = l->outcome == CHANGED ? new_ids(children, had) : NULL; /* a new row's go with it */
	r = keep_row(l->ctx.db, j, l, id, rev, before, children, mine);
	json_decref(children);
	json_decref(mine);
	return r;
}

static int write_new(struct pass *p, struct line *l, int64_t *id)
{
	json_t *row = NULL;
	int r;

	(void)add_children(l, p->j->d, NULL);
	r = res_create(&row, &l->ctx, p->j->d, l->body);
	if (r)
		return r;
	l->outcome = NEW;
	*id = strtoll(json_string_value(json_object_get(row, "id")), NULL, 10);
	json_decref(row);
	return 0;
}

static int write_old(struct pass *p, struct line *l, json_t **before)
{
	const struct res_def *d = p->j->d;
	json_t *row = NULL, *old = NULL;
	int r = res_get(&old, &l->ctx, d, l->id);

	if (!r) {
		(void)add_children(l, d, old);
		r = res_update(&row, &l->ctx, d, l->id, l->body, json_integer_value(json_object_get(old, "rev")));
	}
	if (!r) {
		l->outcome = json_equal(json_object_get(old, "rev"), json_object_get(row, "rev")) ? SAME : CHANGED;
		*before = before_of(d, old, row);
	}
	json_decref(row);
	json_decref(old);
	return r;
}

static int write_all(struct pass *p, struct line *l)
{
	json_t *before = NULL, *had = NULL;
	int64_t id = l->id, rev;
	int r = l->later ? resolve_later(p, l) : 0;

	if (!r && id && !p->dry && json_array_size(l->children))
		r = res_row_revs(&rev, &had, &l->ctx, p->j->d, id);
	if (!r)
		r = id ? write_old(p, l, &before) : write_new(p, l, &id);
	if (!r && !p->dry && l->outcome != SAME)
		r = keep_for_undo(p->j, l, id, before, had);
	json_decref(before);
	json_decref(had);
	return r;
}

int import_write(struct pass *p, struct db *db, struct line *l)
{
	int r = db_run(db, "SAVEPOINT import_row", "");

	l->ctx.db = db;
	if (!r)
		r = write_all(p, l);
	if (r > 0) {
		take_error(p, l);
		if (!l->why.len)
			import_why(p, l, NULL, "conflict", 0);
		r = db_run(db, "ROLLBACK TO SAVEPOINT import_row", "");
	}
	return r ? r : db_run(db, "RELEASE SAVEPOINT import_row", "");
}

/* ---- many at once ---- */

int import_many_look(struct pass *p, bool enough)
{
	const struct res_def *d = p->j->d;
	struct import_many *m = &p->many;
	int r;

	if (!res_can_many(d))
		return 0;
	m->ctx = (struct res_ctx){.db = p->db, .who = &p->j->who, .now_ms = clock_utc_ms(), .dry = p->dry};
	for (size_t i = 0; i < p->line_n; i++) {
		struct line *l = &p->lines[i];

		if (l->why.len || l->id || l->later)
			continue;
		(void)add_children(l, d, NULL);
		m->lines[m->n] = l;
		m->rows[m->n++].body = l->body;
	}
	r = m->n ? res_many_look(m->rows, m->n, &m->ctx, d) : 0;
	for (size_t i = 0; i < m->n; i++) {
		m->lines[i]->done = enough && m->rows[i].id;
		m->lines[i]->outcome = NEW;
	}
	return r;
}

/* New rows and child rows have the first rev, and ids that rise. */
static int keep_many(struct db *db, void *arg)
{
	const struct pass *p = arg;
	const struct import_many *m = &p->many;
	int r = 0;

	for (size_t i = 0; !r && i < m->n; i++) {
		json_t *children = p->j->d->child ? json_array() : NULL;

		for (size_t k = 0; k < m->rows[i].kid_n; k++)
			(void)json_array_append_new(children, json_pack("[I, i]", (json_int_t)m->rows[i].kids[k].id, 1));
		if (m->rows[i].id)
			r = keep_row(db, p->j, m->lines[i], m->rows[i].id, 1, NULL, children, NULL);
		json_decref(children);
	}
	return r;
}

int import_many_write(struct pass *p, struct db *db)
{
	struct import_many *m = &p->many;
	int r;

	if (!m->n)
		return 0;
	m->ctx.db = db;
	r = res_many_write(m->rows, m->n, &m->ctx, p->j->d);
	if (r)
		return r > 0 ? 0 : r;
	for (size_t i = 0; i < m->n; i++)
		m->lines[i]->done = m->rows[i].id != 0;
	return p->dry ? 0 : db_batch(db, keep_many, p);
}

void import_many_done(struct pass *p)
{
	res_many_done(p->many.rows, p->many.n);
	memset(&p->many, 0, sizeof(p->many));
}
