/* Announcements that ship with the program, known without anybody teaching them. */
#pragma once

#include <stddef.h>

struct hear_taught;

/** Made once, at the first call; constant for the process. Ids are 1, 2 ... ; @names: "zh/line-off" and so on. */
size_t ready_sounds(const struct hear_taught **ret, const char *const **names);
