/*
 * log_writer - a thread that writes to a file, or opens a file, so that a disk
 * that hangs (a frozen file system, a lost NFS server) holds up no loop. Worker
 * only.
 *
 * One job at a time. The job's bytes, path and descriptor stay the owner's, and
 * in place until the outcome has been collected. Signals are to be blocked in
 * the caller.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_writer;

struct log_writer_outcome {
	size_t done; /* bytes written, from the first on */
	int fd;      /* of the opened file, or -1 */
	int error;   /* errno of what is missing; 0: nothing */
};

/* NULL with errno. */
struct log_writer *log_writer_new(void);
/* Ends the thread. False: the thread hangs in a job; thread, writer and the
 * job's memory stay until the process ends. */
bool log_writer_free(struct log_writer *w);

/* Without another job under way. */
void log_writer_write(
    struct log_writer *w, int fd, const char *data, size_t len);
/* Opens as log_open_file(). */
void log_writer_open(struct log_writer *w, const char *path);
/* The outcome of the job, for which the call waits wait_us at most. False: the
 * job is under way. */
bool log_writer_collect(
    struct log_writer *w, uint64_t wait_us, struct log_writer_outcome *outcome);

#endif
