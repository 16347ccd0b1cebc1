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

struct access_log;

#define ACCESS_NO_TIME UINT64_MAX

/* One request. Strings may be NULL: not there. */
struct access_record {
	const char *client;  /* its address, without the port */
	const char *request; /* "GET /path?query HTTP/1.1" */
	const char *host;
	const char *route;    /* the path of the configuration */
	const char *service;  /* its name */
	const char *upstream; /* the last endpoint tried */
	const char *breaker;  /* its state when the request was admitted */
	const char *end;      /* how it ended: a word, never NULL */
	const char *id;       /* X-Request-Id */
	unsigned tries;
	unsigned status;    /* 499, as nginx has it: left before an answer */
	uint64_t bytes_in;  /* of the request's body */
	uint64_t bytes_out; /* of the response's body */
	/* Since the one before; ACCESS_NO_TIME: did not come to that. */
	uint64_t queue_us;      /* until a connection was lent */
	uint64_t connect_us;    /* until it was up; 0 for a kept-alive one */
	uint64_t first_byte_us; /* until the response's head */
	uint64_t total_us;      /* from the request's head to the end */
};

/* Nothing is there yet. */
static inline void
access_record_init(struct access_record *r)
{
	*r = (struct access_record){
	    .queue_us = ACCESS_NO_TIME,
	    .connect_us = ACCESS_NO_TIME,
	    .first_byte_us = ACCESS_NO_TIME,
	    .total_us = ACCESS_NO_TIME,
	};
}

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
void access_log_add(struct access_log *log, const struct access_record *r);
void access_log_flush(struct access_log *log);
/* Writes what is gathered, and goes on in a file opened anew by the same name
 * (after a rotation). On an error, logged, goes on with the old one. Of
 * standard output there is no other one: only writes. */
void access_log_reopen(struct access_log *log);

#endif
