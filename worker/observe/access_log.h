/*
 * access_log - one line per request, to a file or to standard output. Worker
 * only.
 *
 * As text, after nginx's combined format, with `-` for what is not there:
 *
 *   CLIENT TIME "METHOD PATH PROTOCOL" STATUS BYTES TOTAL host=.. route=..
 *   service=.. upstream=.. tries=.. bytes_in=.. queue=.. connect=.. first=..
 *   breaker=.. end=.. id=.. instance=.. worker=..
 *
 * in one line, a value with blanks in quotes; or, with `log.format: json`, as
 * one object of the same facts: client, time, request, status, bytes, total
 * and the names above, with null for what is not there. TIME is UTC with
 * milliseconds, the other times are seconds with six digits.
 *
 * What a client sent is escaped. Text is printable ASCII: any other byte, a
 * quote or a backslash is \xHH. JSON is valid UTF-8: a byte that is none
 * becomes U+FFFD. A value that is too long ends in `...`, so that a line never
 * exceeds PIPE_BUF bytes.
 *
 * Lines are gathered and written each tick, or when the buffer is full, so
 * that the data path makes no system call for them. Several workers append to
 * one file or pipe, each in whole lines. Nobody waits for a full pipe or disk:
 * what it does not take stays in the buffer; what that has no room for is
 * dropped, counted, and said once in the log when it is over.
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "record.h"

struct access_log;

struct access_log_options {
	const char *path; /* "stdout" or a file's */
	enum log_format format;
	const char *instance;
	unsigned worker; /* as people count: from 1 */
};

/* options are copied. NULL with errno when it can't be opened. */
struct access_log *access_log_open(const struct access_log_options *options);
/* Writes what is gathered; NULL is left alone. */
void access_log_close(struct access_log *log);
void access_log_add(struct access_log *log, const struct record *r);
void access_log_flush(struct access_log *log);
/* Writes what is gathered, and goes on in a file opened anew by the same name
 * (after a rotation). On an error, logged, goes on with the old one. Of
 * standard output there is no other one: only writes. */
void access_log_reopen(struct access_log *log);

#endif
