#include "pidlock.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <libutil.h>

#include "log.h"

/* mkdir -p */
static int
make_directories(const char *dir)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) == -1 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(path, 0755) == -1 && errno != EEXIST ? -1 : 0;
}

static struct pidfh *
lock_file(const char *state_dir, pid_t *other)
{
	char path[PATH_MAX];

	*other = 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/" PIDLOCK_NAME,
		state_dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return pidfile_open(path, 0644, other);
}

/* A private Redis inherits the lock, so the lock may outlive its master. */
static bool
is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) == -1 && errno == ESRCH;
}

static noreturn void
refuse(const struct config *config, pid_t other)
{
	if (is_gone(other))
		fatal_busy(
		    "%s:%u: state_dir: the redis-server of the drover that "
		    "was pid %d still runs in %s",
		    config->path, config->lines.state_dir, (int)other,
		    config->state_dir);
	fatal_busy("%s:%u: state_dir: another drover runs in %s, pid %d",
	    config->path, config->lines.state_dir, config->state_dir,
	    (int)other);
}

/* Taken once, and held to the end of the process. */
static struct pidfh *held;

void
pidlock_take(const struct config *config)
{
	const char *state_dir = config->state_dir;
	unsigned line = config->lines.state_dir;
	pid_t other;

	if (make_directories(state_dir) == -1)
		fatal("%s:%u: state_dir: can't make %s: %s", config->path, line,
		    state_dir, strerror(errno));
	held = lock_file(state_dir, &other);
	if (held == NULL && errno == EEXIST)
		refuse(config, other);
	if (held == NULL || pidfile_write(held) == -1 ||
	    fcntl(pidfile_fileno(held), F_SETFD, 0) == -1)
		fatal("%s:%u: state_dir: can't write %s/" PIDLOCK_NAME ": %s",
		    config->path, line, state_dir, strerror(errno));
}

void
pidlock_release(void)
{
	if (pidfile_remove(held) == -1)
		log_debug("can't remove " PIDLOCK_NAME ": %s", strerror(errno));
	held = NULL;
}

int
pidlock_signal(const char *state_dir, int signal)
{
	struct pidfh *lock;
	pid_t other;

	lock = lock_file(state_dir, &other);
	if (lock != NULL)
		pidfile_remove(lock);
	if (lock != NULL || errno == ENOENT) {
		log_error("no drover runs in %s", state_dir);
		return -1;
	}
	if (errno != EEXIST || other <= 0) {
		log_error("can't read %s/" PIDLOCK_NAME ": %s", state_dir,
		    strerror(errno));
		return -1;
	}
	if (kill(other, signal) == 0)
		return 0;
	if (errno == ESRCH) {
		log_error("no drover runs in %s", state_dir);
		return -1;
	}
	log_error("can't signal pid %d: %s", (int)other, strerror(errno));
	return -1;
}
