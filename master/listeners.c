#include "listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sock.h"

static bool
is_shared(const struct config_listen *listen)
{
	return listen->accept == CONFIG_ACCEPT_SHARED ||
	       listen->addr.sa.sa_family == AF_UNIX;
}

static int
listen_or_die(const struct config *config, const struct config_listen *listen,
    bool reuseport)
{
	int fd = sock_listen(&listen->addr, reuseport);

	if (fd == -1)
		fatal("%s:%u: listen[%zu].address: can't listen on %s: %s",
		    config->path, listen->line,
		    (size_t)(listen - config->listen), listen->text,
		    strerror(errno));
	return fd;
}

static void
open_shared(struct listeners *l, const struct config_listen *listen, int *fds)
{
	int fd = listen_or_die(l->config, listen, false);

	for (unsigned w = 0; w < l->workers; w++)
		fds[w] = fd;
}

static void
open_group(struct listeners *l, const struct config_listen *listen, int *fds)
{
	/* SO_REUSEPORT would let us in beside somebody else of the same user:
	 * look first whether the address is free. */
	close(listen_or_die(l->config, listen, false));
	for (unsigned w = 0; w < l->workers; w++)
		fds[w] = listen_or_die(l->config, listen, true);
}

void
listeners_open(
    struct listeners *l, const struct config *config, unsigned workers)
{
	l->config = config;
	l->workers = workers;
	l->count = config->listen_count * workers;
	l->fds = calloc(l->count + 1, sizeof(*l->fds));
	if (l->fds == NULL)
		fatal("no memory for %zu listeners", l->count);
	for (size_t a = 0; a < config->listen_count; a++) {
		const struct config_listen *listen = &config->listen[a];

		if (is_shared(listen))
			open_shared(l, listen, &l->fds[a * workers]);
		else
			open_group(l, listen, &l->fds[a * workers]);
	}
	l->admin_fd = -1;
	if (!config->admin.enabled)
		return;
	l->admin_fd = sock_listen(&config->admin.addr, false);
	if (l->admin_fd == -1)
		fatal("%s:%u: admin.address: can't listen on %s: %s",
		    config->path, config->lines.admin, config->admin.text,
		    strerror(errno));
}

static void
remove_file(const struct sock_addr *addr)
{
	/* May fail where its directory is not the user's that we became. */
	if (addr->sa.sa_family == AF_UNIX && unlink(addr->un.sun_path) == -1)
		log_debug(
		    "can't remove %s: %s", addr->un.sun_path, strerror(errno));
}

void
listeners_close(struct listeners *l)
{
	const struct config *config = l->config;

	for (size_t a = 0; a < config->listen_count; a++) {
		int *fds = &l->fds[a * l->workers];

		for (unsigned w = 0; w < l->workers; w++)
			if (w == 0 || fds[w] != fds[0])
				close(fds[w]);
		remove_file(&config->listen[a].addr);
	}
	free(l->fds);
	if (l->admin_fd == -1)
		return;
	close(l->admin_fd);
	remove_file(&config->admin.addr);
}
