/*
 * log - one line per event, to stderr, as text or JSON. Both processes.
 *
 * A line is `what: object id, reason, numbers`, below 2 KiB. One write(2) per
 * line keeps the lines of several processes apart. A line without a reader (a
 * full pipe) is dropped and counted, never waited for. Nothing per request is
 * logged above debug: requests have an access log. Nothing secret is logged: no
 * URL with a password, no text of a header or a body.
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

/* Exit status for "the configuration is wrong": a supervisor then does not
 * start the process again. EX_CONFIG of <sysexits.h>. */
#define LOG_EXIT_CONFIG 78
/* Exit status for "not now, but later maybe": another process has the port or
 * the folder. A supervisor may try again. EX_TEMPFAIL. */
#define LOG_EXIT_BUSY 75

void log_init(enum log_level level, enum log_format format);
/* Makes a pipe non-blocking; no effect on other files. log_init() calls
 * log_unblock() for standard error. */
void log_unblock(int fd);
/* Opens a log file for appending, and creates a missing file (0640). A FIFO
 * without a reader is ENXIO, not a wait. -1 with errno. */
int log_open_file(const char *path);
/* The name of the writer, "master" or "worker 1"; copied, 31 characters at
 * most. */
void log_ident(const char *ident);
/* For messages that are costly to build. */
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
