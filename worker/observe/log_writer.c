#include "log_writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "log.h"

#define NS_PER_S UINT64_C(1000000000)

enum phase {
	PHASE_IDLE,
	PHASE_GIVEN, /* to the thread */
	PHASE_DONE,  /* the outcome waits */
	PHASE_ENDING,
};

struct log_writer {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	pthread_cond_t done;
	/* Under the mutex. */
	enum phase phase;
	/* The job, the thread's while GIVEN. */
	const char *path; /* NULL: a write */
	int fd;
	const char *data;
	size_t len;
	struct log_writer_outcome outcome;
};

static void
do_write(struct log_writer *w)
{
	struct log_writer_outcome *o = &w->outcome;

	while (o->done < w->len && o->error == 0) {
		ssize_t n = write(w->fd, w->data + o->done, w->len - o->done);

		if (n > 0)
			o->done += (size_t)n;
		else if (n == 0)
			o->error = ENOSPC;
		else if (errno != EINTR)
			o->error = errno;
	}
}

static void
do_open(struct log_writer *w)
{
	w->outcome.fd = log_open_file(w->path);
	if (w->outcome.fd == -1)
		w->outcome.error = errno;
}

static void *
thread_main(void *arg)
{
	struct log_writer *w = arg;

	pthread_mutex_lock(&w->mutex);
	while (w->phase != PHASE_ENDING) {
		if (w->phase != PHASE_GIVEN) {
			pthread_cond_wait(&w->given, &w->mutex);
			continue;
		}
		pthread_mutex_unlock(&w->mutex);
		if (w->path != NULL)
			do_open(w);
		else
			do_write(w);
		pthread_mutex_lock(&w->mutex);
		w->phase = PHASE_DONE;
		pthread_cond_signal(&w->done);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

struct log_writer *
log_writer_new(void)
{
	struct log_writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int error;

	if (w == NULL)
		return NULL;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->given, NULL);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	error = pthread_create(&w->thread, NULL, thread_main, w);
	if (error == 0)
		return w;
	pthread_cond_destroy(&w->given);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	errno = error;
	return NULL;
}

bool
log_writer_free(struct log_writer *w)
{
	bool hangs;

	if (w == NULL)
		return true;
	pthread_mutex_lock(&w->mutex);
	hangs = w->phase == PHASE_GIVEN;
	if (!hangs)
		w->phase = PHASE_ENDING;
	pthread_cond_signal(&w->given);
	pthread_mutex_unlock(&w->mutex);
	if (hangs) {
		pthread_detach(w->thread);
		return false;
	}
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->given);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	return true;
}

static void
give(struct log_writer *w)
{
	pthread_mutex_lock(&w->mutex);
	CHECK(w->phase == PHASE_IDLE);
	w->outcome = (struct log_writer_outcome){.fd = -1};
	w->phase = PHASE_GIVEN;
	pthread_cond_signal(&w->given);
	pthread_mutex_unlock(&w->mutex);
}

void
log_writer_write(struct log_writer *w, int fd, const char *data, size_t len)
{
	w->path = NULL;
	w->fd = fd;
	w->data = data;
	w->len = len;
	give(w);
}

void
log_writer_open(struct log_writer *w, const char *path)
{
	w->path = path;
	give(w);
}

bool
log_writer_collect(
    struct log_writer *w, uint64_t wait_us, struct log_writer_outcome *outcome)
{
	uint64_t until_ns = clock_ns() + wait_us * 1000;
	struct timespec until = {
	    .tv_sec = (time_t)(until_ns / NS_PER_S),
	    .tv_nsec = (long)(until_ns % NS_PER_S),
	};
	bool done;

	pthread_mutex_lock(&w->mutex);
	while (wait_us != 0 && w->phase == PHASE_GIVEN &&
	       pthread_cond_timedwait(&w->done, &w->mutex, &until) == 0)
		;
	done = w->phase == PHASE_DONE;
	if (done) {
		*outcome = w->outcome;
		w->phase = PHASE_IDLE;
	}
	pthread_mutex_unlock(&w->mutex);
	return done;
}
