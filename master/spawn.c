#include "spawn.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "log.h"

void
spawn_signals(sigset_t *set)
{
	const int signals[] = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGCHLD,
	    SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

static int
by_value(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Closes all descriptors but stdin, stdout, stderr and those in keep. */
static int
close_all_but(int *keep, size_t count)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), by_value);
	for (size_t i = 0; i < count; i++) {
		unsigned fd = (unsigned)keep[i];

		if (fd < from)
			continue;
		if (fd > from && close_range(from, fd - 1, 0) == -1)
			return -1;
		from = fd + 1;
	}
	return close_range(from, ~0U, 0);
}

/* The signals stay blocked: an early one stays pending until the worker reads
 * its signalfd. */
static noreturn void
be_worker(const struct worker_boot *boot, const struct listeners *listeners)
{
	int *keep = calloc(listeners->count + 2, sizeof(*keep));
	char ident[32];

	snprintf(ident, sizeof(ident), "worker %u", boot->slot + 1);
	log_ident(ident);
	CHECK(keep != NULL);
	memcpy(keep, listeners->fds, listeners->count * sizeof(*keep));
	keep[listeners->count] = boot->master_fd;
	keep[listeners->count + 1] = boot->scoreboard->lock_fd;
	CHECK(close_all_but(keep, listeners->count + 2) == 0);
	free(keep);
	exit(worker_main(boot));
}

pid_t
spawn_worker(const struct worker_boot *boot, const struct listeners *listeners,
    int *parent_fd)
{
	struct worker_boot child = *boot;
	int pair[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, pair) == -1)
		return -1;
	child.master_fd = pair[1];
	/* Both processes would write the text that stdio still holds. */
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		be_worker(&child, listeners);
	saved = errno;
	close(pair[1]);
	if (pid == -1)
		close(pair[0]);
	else
		*parent_fd = pair[0];
	errno = saved;
	return pid;
}

struct program {
	char *const *argv;
	const char *out;
	const char *notify;
};

static int
prepare_program(const struct program *program, pid_t parent)
{
	int in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out_fd =
	    open(program->out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	sigset_t none;

	if (in_fd == -1 || out_fd == -1 || dup2(in_fd, STDIN_FILENO) == -1 ||
	    dup2(out_fd, STDOUT_FILENO) == -1 ||
	    dup2(out_fd, STDERR_FILENO) == -1)
		return -1;
	if (setpgid(0, 0) == -1 || prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		return -1;
	/* The parent may have died before prctl(2) asked for the signal. */
	if (getppid() != parent) {
		errno = ESRCH;
		return -1;
	}
	if (setenv("NOTIFY_SOCKET", program->notify, 1) == -1)
		return -1;
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static noreturn void
be_program(const struct program *program, pid_t parent, int error_fd)
{
	int error;

	/* Every descriptor here is close-on-exec, but for the pid file's: see
	 * pidlock.h. */
	if (prepare_program(program, parent) == 0)
		execvp(program->argv[0], program->argv);
	error = errno;
	if (write(error_fd, &error, sizeof(error)) == -1)
		_exit(126);
	_exit(127);
}

pid_t
spawn_program(char *const argv[], const char *out, const char *notify)
{
	const struct program program = {argv, out, notify};
	pid_t parent = getpid(), pid;
	int pipe_fd[2], error = 0;
	ssize_t got;

	if (pipe2(pipe_fd, O_CLOEXEC) == -1)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		be_program(&program, parent, pipe_fd[1]);
	if (pid == -1)
		error = errno;
	close(pipe_fd[1]);
	/* Ends as soon as the child has executed the program or has not. */
	do
		got = read(pipe_fd[0], &error, sizeof(error));
	while (got == -1 && errno == EINTR);
	close(pipe_fd[0]);
	if (error == 0)
		return pid;
	errno = error;
	return -1;
}
