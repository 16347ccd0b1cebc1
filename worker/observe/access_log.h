/*
 * access_log - one line per request, to a file or to standard output. Worker
 * only.
 *
 * As text, after nginx's combined format, with `-` for a missing value:
 *
 *   CLIENT TIME "METHOD PATH PROTOCOL" STATUS BYTES TOTAL host=.. route=..
 *   service=.. upstream=.. tries=.. head_in=.. bytes_in=.. queue=..
 *   connect=.. first=.. breaker=.. end=.. reason=.. id=.. instance=.. worker=..
 *
 * in one line, a value with blanks in quotes. With `log.format: json` a line is
 * an object of the same facts, with null for a missing value. The keys are
 * client, time, request, status, bytes, total and the names above. TIME is UTC
 * with milliseconds, the other times are seconds with six digits.
 *
 * The fields of `log.fields` follow at the line's end, each as NAME=VALUE; in
 * JSON they are the object `fields`. They share the room that the line has
 * left, and every name is there.
 *
 * A client's text is escaped. Text is printable ASCII: any other byte, a quote
 * or a backslash is \xHH. JSON is valid UTF-8: an invalid byte becomes U+FFFD.
 * A value that is too long ends in `...`: a line never exceeds PIPE_BUF bytes.
 *
 * Lines are gathered and written each tick, or when the buffer is full. The
 * data path makes no system call for lines. A thread writes to a file, and
 * opens the file anew: a disk that hangs holds up no loop. Several workers
 * append to one file or pipe, each in whole lines. No request waits for a full
 * pipe or disk: unwritten lines stay in the buffer. Lines without room in the
 * buffer are dropped and counted. The log reports a loss at the begin, and the
 * number of lost lines when the file takes lines again.
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include "access_log_file.h"
#include "record.h"

/* fields: as many as the options have; NULL: none is there. */
void access_log_add(struct access_log *log, const struct record *r,
    const struct record_field *fields);

#endif
