/*
 * Logging: one line, one event, facts as key=value. Any thread. A line is one write(2) to stderr, with the
 * level as systemd's <n> prefix when stderr is not a terminal.
 *   error  someone must act     warn   we went on, and say how
 *   info   what an operator follows a call by     debug  ours
 */
#pragma once

#include <stddef.h>

enum log_level { LOG_L_ERROR, LOG_L_WARN, LOG_L_INFO, LOG_L_DEBUG };

void log_set_level(enum log_level max);
enum log_level log_get_level(void);
int log_level_parse(enum log_level *ret, const char *name); /* -EINVAL on an unknown name */

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_L_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_L_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_L_DEBUG, __VA_ARGS__)

/** What came from outside must neither forge a second line nor drive a terminal (8-bit control characters do): control characters
    become blanks, what is not UTF-8 question marks. Applied to every line. */
void log_clean(char *line, size_t n);
/** A telephone number as it may stand in a log: 138****5678. Valid until the thread's fourth next call. */
const char *log_num(const char *number);
