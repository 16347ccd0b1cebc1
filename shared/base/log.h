/*
 * log - one line per event, to stderr, as text or JSON. Both processes.
 *
 * A line is `what: object id, reason, numbers`, below 2 KiB, written with one
 * write(2), so lines of several processes do not mix. A line that nobody takes
 * (a full pipe) is dropped and counted, never waited for. Nothing per request
 * is logged above debug (the access log is its own thing), and nothing secret:
 * never a URL with a password, never a header's or body's text.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdnoreturn.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Exit status for "the configuration is wrong": a supervisor that sees it
 * does not start the process again. EX_CONFIG of <sysexits.h>. */
#define LOG_EXIT_CONFIG 78
/* For "not now, but later maybe": somebody else has the port or the folder. A
 * supervisor may try again. EX_TEMPFAIL. */
#define LOG_EXIT_BUSY 75

void log_init(enum log_level level, enum log_format format);
/* Makes fd non-blocking if it is a pipe: log_init() does that for standard
 * error. */
void log_unblock(int fd);
/* Opens a log file to append to; makes it (0640) if it is not there. A FIFO
 * that nobody reads is ENXIO, not a wait. -1 with errno. */
int log_open_file(const char *path);
/* Who writes, "master" or "worker 1"; copied, 31 characters at most. */
void log_ident(const char *ident);
/* For what would be dear to put together. */
bool log_is_debug(void);

#define LOG_PRINTF __attribute__((format(printf, 1, 2)))
LOG_PRINTF void log_error(const char *fmt, ...);
LOG_PRINTF void log_warn(const char *fmt, ...);
LOG_PRINTF void log_info(const char *fmt, ...);
LOG_PRINTF void log_debug(const char *fmt, ...);

/* Start-up only: says why, then exits with LOG_EXIT_CONFIG. */
LOG_PRINTF noreturn void fatal(const char *fmt, ...);
/* The same with LOG_EXIT_BUSY. */
LOG_PRINTF noreturn void fatal_busy(const char *fmt, ...);

#endif
