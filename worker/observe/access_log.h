/*
 * access_log - one line per request, to a file or to standard output. Worker
 * only.
 *
 * As text, after nginx's combined format, with `-` for a missing value:
 *
 *   CLIENT TIME "METHOD PATH PROTOCOL" STATUS BYTES TOTAL host=.. route=..
 *   service=.. upstream=.. tries=.. bytes_in=.. queue=.. connect=.. first=..
 *   breaker=.. end=.. reason=.. id=.. instance=.. worker=..
 *
 * in one line, a value with blanks in quotes. With `log.format: json` a line is
 * an object of the same facts, with null for a missing value. The keys are
 * client, time, request, status, bytes, total and the names above. TIME is UTC
 * with milliseconds, the other times are seconds with six digits.
 *
 * A client's text is escaped. Text is printable ASCII: any other byte, a quote
 * or a backslash is \xHH. JSON is valid UTF-8: an invalid byte becomes U+FFFD.
 * A value that is too long ends in `...`: a line never exceeds PIPE_BUF bytes.
 *
 * Lines are gathered and written each tick, or when the buffer is full. The
 * data path makes no system call for lines. Several workers append to one file
 * or pipe, each in whole lines. No request waits for a full pipe or disk:
 * unwritten lines stay in the buffer. Lines without room in the buffer are
 * dropped and counted. The log reports a loss at the begin, and the number of
 * lost lines when the file takes lines again.
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "record.h"

struct access_log;

struct access_log_options {
	const char *path; /* "stdout" or a file's */
	enum log_format format;
	const char *instance;
	unsigned worker;        /* as people count: from 1 */
	_Atomic uint64_t *lost; /* total of lost lines; NULL: not counted */
};

/* options are copied. NULL with errno when the file can't be opened. */
struct access_log *access_log_open(const struct access_log_options *options);
/* Writes the gathered lines; NULL is left alone. */
void access_log_close(struct access_log *log);
void access_log_add(struct access_log *log, const struct record *r);
void access_log_flush(struct access_log *log);
/* Writes the gathered lines and opens the file anew by the same name, after a
 * rotation. On an error, logged, the old file stays in use. Standard output is
 * not reopened. */
void access_log_reopen(struct access_log *log);

#endif
