/* Inside api/: what export and import share. */
#pragma once

#include "sheet/sheet.h"

struct api;
struct ask;
struct db;
struct zone;

#define SHEET_XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

const char *sheet_dir(const struct api *a); /* where files of ours lie meanwhile */
char *sheet_temp(struct ask *k);            /* a new file's path, the request's; NULL after answering */
void sheet_take_lang(struct ask *k);        /* from ?lang= */
struct zone *sheet_zone(struct db *db);     /* the centre's; freed by the caller; NULL: even UTC is missing */
void sheet_send(struct ask *k, const char *path, enum sheet_format format, const char *name);
