/*
 * offload - a small thread pool for work that would block the loop. Worker
 * only.
 *
 * A thread touches nothing of the worker but its job. Finished jobs come back
 * through an eventfd, and done() is called on the loop.
 */
#ifndef OFFLOAD_H
#define OFFLOAD_H

#include <stdbool.h>

#include "loop.h"

#define OFFLOAD_THREADS 2
#define OFFLOAD_JOBS_MAX 64

struct offload;

/* Embedded in an owner, which must keep the job until done() was called. */
struct offload_job {
	/* In a thread; to come back soon once *stopping is true. */
	void (*run)(struct offload_job *job, const _Atomic bool *stopping);
	void (*done)(struct offload_job *job); /* on the loop */
	struct offload_job *next;
};

/* Starts no thread before the first job. NULL with errno. */
struct offload *offload_new(struct loop *loop);
/* Tells the running jobs to stop, waits for them, and calls done() for every
 * job. */
void offload_free(struct offload *o);
/* False when OFFLOAD_JOBS_MAX are under way, or no thread can be started. */
bool offload_submit(struct offload *o, struct offload_job *job);

#endif
