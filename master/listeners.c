#include "listeners.h"

#include <errno.h>
#include <stdio.h>
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

static noreturn void
fail(const char *file, unsigned line, const char *key, const char *address)
{
	if (errno == EADDRINUSE)
		fatal_busy("%s:%u: %s: can't listen on %s: %s", file, line, key,
		    address, strerror(errno));
	fatal("%s:%u: %s: can't listen on %s: %s", file, line, key, address,
	    strerror(errno));
}

static int
listen_or_die(const struct config *config, const struct config_listen *listen,
    unsigned flags)
{
	char key[48];
	int fd;

	snprintf(
	    key, sizeof(key), "listen[%td].address", listen - config->listen);
	fd = sock_listen(
	    &listen->addr, flags | (listen->dual ? SOCK_LISTEN_DUAL : 0));
	if (fd == -1)
		fail(config->path, listen->line, key, listen->text);
	return fd;
}

static void
open_shared(struct listeners *l, const struct config_listen *listen, int *fds)
{
	int fd = listen_or_die(l->config, listen, 0);

	for (unsigned w = 0; w < l->workers; w++)
		fds[w] = fd;
}

static void
open_group(struct listeners *l, const struct config_listen *listen, int *fds)
{
	/* SO_REUSEPORT would share the address with another process of the same
	 * user. A first socket without the option checks that the address is
	 * free. */
	close(listen_or_die(l->config, listen, 0));
	for (unsigned w = 0; w < l->workers; w++)
		fds[w] =
		    listen_or_die(l->config, listen, SOCK_LISTEN_REUSEPORT);
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
	l->admin_fd = sock_listen(
	    &config->admin.addr, config->admin.dual ? SOCK_LISTEN_DUAL : 0);
	if (l->admin_fd == -1)
		fail(config->path, config->lines.admin, "admin.address",
		    config->admin.text);
}

static void
remove_file(const struct sock_addr *addr)
{
	/* unlink(2) may fail: after the change of user the directory may be
	 * another's. */
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
