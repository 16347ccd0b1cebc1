/*
 * access_log - one line per request, to a file or to standard output. Worker
 * only.
 *
 *   CLIENT TIME "METHOD PATH" STATUS BODY_BYTES SECONDS [cut]
 *
 * Lines are gathered and written each tick, or when BUFFER_BYTES are full, so
 * that the data path makes no system call for them. Several workers append to
 * one file, each in whole lines. What a pipe does not take is dropped.
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include <stdbool.h>

#include "session.h"

struct access_log;

/* path: "stdout" or a file's. NULL with errno when it can't be opened. */
struct access_log *access_log_open(const char *path);
void access_log_close(struct access_log *log);
/* line: "GET /path". status: what the client got; 499, as nginx has it, when
 * it left before an answer. complete: the response ended as it should. */
void access_log_add(struct access_log *log, const struct session *s,
    const char *line, unsigned status, bool complete);
void access_log_flush(struct access_log *log);

#endif
