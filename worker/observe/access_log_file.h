/*
 * access_log_file - the file behind an access log: buffers, the thread, losses.
 * Worker only; a part of access_log, whose calls from open to close are here.
 */
#ifndef ACCESS_LOG_FILE_H
#define ACCESS_LOG_FILE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "config.h"
#include "log.h"
#include "text.h"

#define ACCESS_LOG_LINE_MAX PIPE_BUF
#define ACCESS_LOG_BYTES 65536

struct log_writer;

/* The thread's job under way. */
enum access_log_job { ACCESS_LOG_IDLE, ACCESS_LOG_WRITES, ACCESS_LOG_OPENS };

struct access_log {
	int fd;
	bool is_file; /* regular: takes everything, as far as known */
	bool is_socket;
	bool is_json;
	char *path; /* NULL: standard output */
	char instance[CONFIG_NAME_MAX + 1];
	unsigned worker;
	const struct config_log_field *fields;
	size_t field_count;
	bool torn;      /* the first line's beginning has been written */
	bool reopens;   /* the file is to be opened anew */
	int error;      /* why nothing more was taken */
	uint64_t lost;  /* since the log has last said a number */
	bool announced; /* the begin of the present loss is in the log */
	uint64_t said_ns;
	_Atomic uint64_t *lost_total; /* or NULL */
	time_t second;                /* the second of `when` */
	char when[32];
	/* Of a file. NULL: no thread could be started, and writes may wait. */
	struct log_writer *writer;
	enum access_log_job job;
	bool hangs;      /* the job took too long, and is under way */
	size_t back_len; /* older lines, first to write; the job's, if any */
	struct text lines;
	char back[ACCESS_LOG_BYTES];
	char data[ACCESS_LOG_BYTES];
};

struct access_log_options {
	const char *path; /* "stdout" or a file's */
	enum log_format format;
	const char *instance;
	unsigned worker;        /* as people count: from 1 */
	_Atomic uint64_t *lost; /* total of lost lines; NULL: not counted */
	/* Of the configuration: not copied. */
	const struct config_log_field *fields;
	size_t field_count;
};

/* All else in options is copied. NULL with errno when the file can't be opened.
 */
struct access_log *access_log_open(const struct access_log_options *options);
/* Writes the gathered lines, within a second; NULL is left alone. */
void access_log_close(struct access_log *log);
void access_log_flush(struct access_log *log);
/* Writes the gathered lines and waits for the thread, wait_us at most. False:
 * lines are left. */
bool access_log_settle(struct access_log *log, uint64_t wait_us);
/* Writes the gathered lines and opens the file anew by the same name, after a
 * rotation. On an error, logged, the old file stays in use. Standard output is
 * not reopened. */
void access_log_reopen(struct access_log *log);

/* Room for another line; else the line is lost, and counts. */
bool access_log_file_has_room(struct access_log *log);

#endif
