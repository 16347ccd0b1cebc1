#include "signals.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <unistd.h>

/* Read per wake-up; the rest comes with the next. */
#define BATCH 64

static void
on_event(void *arg, uint32_t events)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	(void)events;
	/* Whoever is called may close us. */
	for (int i = 0; i < BATCH && s->loop != NULL; i++) {
		if (read(s->watch.fd, &info, sizeof(info)) != sizeof(info))
			return;
		s->fn(s->arg, (int)info.ssi_signo);
	}
}

int
signals_open(struct signals *s, struct loop *loop, const sigset_t *set,
    signals_fn *fn, void *arg)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL) == -1)
		return -1;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return -1;
	loop_watch_init(&s->watch, on_event, s);
	if (loop_watch_add(loop, &s->watch, fd, EPOLLIN) == -1) {
		close(fd);
		return -1;
	}
	s->loop = loop;
	s->fn = fn;
	s->arg = arg;
	return 0;
}

void
signals_close(struct signals *s)
{
	int fd = s->watch.fd;

	if (s->loop == NULL)
		return;
	loop_watch_del(s->loop, &s->watch);
	close(fd);
	s->loop = NULL;
}
