/* Anything as a row's texts and as a question: words keep to their letters, a question always reads back, and both fit their bounds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "db/db.h"
#include "find/find.h"

/* The question is what SQLite takes: its rows are those of the other way to ask. */
static void ask(struct db *db, const char *text, bool masked)
{
	struct find_ask a = {1, "customers", text, masked};
	struct strb match;
	int64_t id, n;
	size_t k = 0;
	int r;

	strb_init(&match, 1 << 16);
	r = find_match(&match, db, &a);
	assert(r >= 0);
	if (!r) {
		assert(!match.overflow && str_is_utf8(match.buf, match.len));
		assert(find_rows(&id, 1, &k, db, &a) == 0);
		assert(db_get_i64(&n, db, "SELECT COUNT(*) FROM find_customers WHERE search_match(words, $1)", "t", match.buf) == 0);
		assert(n == (int64_t)k);
	}
	strb_done(&match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	char sort[FIND_SORT_MAX], small[9];
	struct find_text t;
	char *text, *name, *cut;

	if (!db) {
		log_set_level(LOG_L_ERROR);
		assert(db_open(&db, ":memory:", DB_RW) == 0 && db_migrate(db) == 0);
	}
	text = xstrndup((const char *)data, size);
	name = xstrdup(text);
	cut = strchr(name, '\n');
	if (cut)
		*cut++ = '\0';
	t = (struct find_text){name, cut, text};
	assert(find_put(db, 1, "customers", 5, &t) == 0);
	ask(db, text, false);
	ask(db, name, false);
	ask(db, name, true);
	ask(db, cut ? cut : "", false);
	find_name_sort(sort, text);
	find_pinyin(small, sizeof(small), text);
	find_initials(small, sizeof(small), text);
	assert(strlen(small) < sizeof(small) && str_is_utf8(sort, strlen(sort)));
	(void)find_is_digits(text);
	free(text);
	free(name);
	return 0;
}
