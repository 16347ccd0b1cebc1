#include "offload.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

struct job_list {
	struct offload_job *first;
	struct offload_job **last;
};

struct offload {
	struct loop *loop;
	struct loop_watch watch;
	int event_fd;
	unsigned under_way; /* the loop's; the rest is under the mutex */
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct job_list todo;
	struct job_list finished;
	_Atomic bool stopping;
	pthread_t threads[OFFLOAD_THREADS];
	unsigned thread_count;
};

static void
push(struct job_list *list, struct offload_job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
}

static struct offload_job *
pop(struct job_list *list)
{
	struct offload_job *job = list->first;

	if (job != NULL) {
		list->first = job->next;
		if (list->first == NULL)
			list->last = &list->first;
	}
	return job;
}

static void *
thread_main(void *arg)
{
	struct offload *o = arg;
	struct offload_job *job;

	pthread_mutex_lock(&o->mutex);
	while (!o->stopping) {
		job = pop(&o->todo);
		if (job == NULL) {
			pthread_cond_wait(&o->work, &o->mutex);
			continue;
		}
		pthread_mutex_unlock(&o->mutex);
		job->run(job, &o->stopping);
		pthread_mutex_lock(&o->mutex);
		push(&o->finished, job);
		CHECK(eventfd_write(o->event_fd, 1) == 0);
	}
	pthread_mutex_unlock(&o->mutex);
	return NULL;
}

static void
finish_all(struct offload *o)
{
	struct offload_job *job;

	for (;;) {
		pthread_mutex_lock(&o->mutex);
		job = pop(&o->finished);
		pthread_mutex_unlock(&o->mutex);
		if (job == NULL)
			return;
		o->under_way--;
		job->done(job);
	}
}

static void
on_finished(void *arg, uint32_t events)
{
	struct offload *o = arg;
	eventfd_t count;

	(void)events;
	(void)eventfd_read(o->event_fd, &count);
	finish_all(o);
}

struct offload *
offload_new(struct loop *loop)
{
	struct offload *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->loop = loop;
	o->todo.last = &o->todo.first;
	o->finished.last = &o->finished.first;
	pthread_mutex_init(&o->mutex, NULL);
	pthread_cond_init(&o->work, NULL);
	loop_watch_init(&o->watch, on_finished, o);
	o->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (o->event_fd == -1)
		goto no_eventfd;
	if (loop_watch_add(loop, &o->watch, o->event_fd, EPOLLIN) == -1)
		goto no_watch;
	return o;
no_watch:
	close(o->event_fd);
no_eventfd:
	free(o);
	return NULL;
}

void
offload_free(struct offload *o)
{
	struct offload_job *job;

	if (o == NULL)
		return;
	pthread_mutex_lock(&o->mutex);
	o->stopping = true;
	pthread_cond_broadcast(&o->work);
	pthread_mutex_unlock(&o->mutex);
	for (unsigned i = 0; i < o->thread_count; i++)
		pthread_join(o->threads[i], NULL);
	while ((job = pop(&o->todo)) != NULL)
		push(&o->finished, job);
	finish_all(o);
	loop_watch_del(o->loop, &o->watch);
	close(o->event_fd);
	pthread_cond_destroy(&o->work);
	pthread_mutex_destroy(&o->mutex);
	free(o);
}

/* Adds a thread, up to one per job under way. */
static void
add_thread(struct offload *o)
{
	if (o->thread_count == OFFLOAD_THREADS ||
	    o->thread_count > o->under_way)
		return;
	/* Signals stay blocked in the thread: the loop reads them. */
	if (pthread_create(
		&o->threads[o->thread_count], NULL, thread_main, o) == 0)
		o->thread_count++;
}

bool
offload_submit(struct offload *o, struct offload_job *job)
{
	if (o->under_way == OFFLOAD_JOBS_MAX)
		return false;
	add_thread(o);
	if (o->thread_count == 0)
		return false;
	o->under_way++;
	pthread_mutex_lock(&o->mutex);
	push(&o->todo, job);
	pthread_cond_signal(&o->work);
	pthread_mutex_unlock(&o->mutex);
	return true;
}
