#include "notify.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static void
on_datagram(void *arg, uint32_t events)
{
	struct notify *n = arg;
	char text[256];
	ssize_t len = recv(n->watch.fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)events;
	if (len <= 0)
		return;
	text[len] = '\0';
	/* Lines of VARIABLE=value; STATUS=... may precede READY=1. */
	if (strstr(text, "READY=1") != NULL)
		n->on_ready(n->arg);
}

/* A socket bound without a name gets an abstract address from the kernel: NUL
 * and five digits. sd_notify(3) writes the NUL as '@'. */
static int
bind_anywhere(int fd, char address[NOTIFY_ADDRESS_MAX])
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(un);
	size_t text_len;

	if (bind(fd, (struct sockaddr *)&un, sizeof(un.sun_family)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&un, &len) == -1)
		return -1;
	text_len = len - offsetof(struct sockaddr_un, sun_path);
	if (text_len == 0 || text_len >= NOTIFY_ADDRESS_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address, un.sun_path, text_len);
	address[0] = '@';
	address[text_len] = '\0';
	return 0;
}

int
notify_open(
    struct notify *n, struct loop *loop, void (*on_ready)(void *arg), void *arg)
{
	int fd, saved;

	n->loop = loop;
	n->on_ready = on_ready;
	n->arg = arg;
	loop_watch_init(&n->watch, on_datagram, n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (bind_anywhere(fd, n->address) == 0 &&
	    loop_watch_add(loop, &n->watch, fd, EPOLLIN) == 0)
		return 0;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void
notify_close(struct notify *n)
{
	int fd = n->watch.fd;

	if (fd == -1)
		return;
	loop_watch_del(n->loop, &n->watch);
	close(fd);
}
