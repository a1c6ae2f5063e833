#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct CMUnitTest *tests;
static size_t count;

void test_register(const char *name, void (*fn)(void **))
{
	tests = realloc(tests, (count + 1) * sizeof(*tests));
	if (!tests)
		abort();
	tests[count++] = (struct CMUnitTest){name, fn, NULL, NULL, NULL};
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (argc < 2 || strstr(tests[i].name, argv[1]))
			tests[n++] = tests[i];
	if (!n) {
		fprintf(stderr, "no such test\n");
		return 2;
	}
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL) ? 1 : 0;
}
