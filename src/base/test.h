/*
 * Tests: TEST(what_it_claims) { ... } in any *_test.c registers itself; asserts are cmocka's.
 * A test program runs all its tests, or those whose name contains its first argument.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void test_register(const char *name, void (*fn)(void **));

#define TEST(name)                                                                                         \
	static void test_##name(void **);                                                                  \
	__attribute__((constructor)) static void register_##name(void)                                     \
	{                                                                                                  \
		test_register(#name, test_##name);                                                         \
	}                                                                                                  \
	static void test_##name(void **state_)
