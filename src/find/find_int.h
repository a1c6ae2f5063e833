/* What the files of src/find share. */
#pragma once

struct db;
struct strb;
struct find_ask;

/** find_match, with the prefix of the centre's words. @alone: characters of texts are words by themselves. */
int find_question(struct strb *ret, const struct db *db, const char *prefix, const struct find_ask *a, bool alone);
