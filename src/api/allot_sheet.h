/*
 * The certificate of an allocation: a sheet with everything that the draw is made of, and what came of it; read again, it is drawn again.
 *
 *   项目         编号      姓名  权重  上限  手工人数  结果
 *   算法         share-1
 *   种子         9f3c...
 *   人员         user's id name  2     50    -         34 (how many he got)
 *   客户         her id          -     -     手工 or -  user's id
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sheet/sheet.h"

struct allot;

/** Writes it, titles in @lang. 0 or negative. */
int allot_sheet_write(const char *path, enum sheet_format format, const struct allot *a, const char *lang, const char *tmp_dir);
struct allot_verdict {
	bool equal;
	size_t customers, people;
	char first[200]; /* the first difference, or why it cannot be read; in @lang */
};
/** Reads a certificate and draws again. 0 with the verdict; 1: no certificate, first says why; or negative. */
int allot_sheet_verify(struct allot_verdict *ret, const char *path, const char *lang);
