#include "carry.h"

#include <sys/socket.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void
carry_add(struct carry *carry, const char *bytes, size_t len)
{
	char *grown;

	if (len == 0)
		return;
	grown = realloc(carry->bytes, carry->len + len);
	if (!grown)
		err(1, "realloc");
	carry->bytes = grown;
	memcpy(carry->bytes + carry->len, bytes, len);
	carry->len += len;
}

void
carry_cut(struct carry *carry, size_t len)
{
	carry->len -= len;
	if (carry->len == 0)
		carry_drop(carry);
	else
		memmove(carry->bytes, carry->bytes + len, carry->len);
}

void
carry_drop(struct carry *carry)
{
	free(carry->bytes);
	*carry = (struct carry){0};
}

static bool
is_full(void)
{
	/* A socket that is still connecting gives EAGAIN, too. */
	return errno == EAGAIN || errno == EINTR;
}

int
carry_write(struct carry *carry, int fd, struct iovec *parts, int count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
	ssize_t sent = 0;

	if (carry->len == 0)
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (sent < 0) {
		if (!is_full())
			return -1;
		sent = 0;
	}
	for (int i = 0; i < count; i++) {
		size_t gone = parts[i].iov_len;

		if ((size_t)sent < gone)
			gone = (size_t)sent;
		sent -= (ssize_t)gone;
		carry_add(carry, (const char *)parts[i].iov_base + gone,
		    parts[i].iov_len - gone);
	}
	return 0;
}

int
carry_flush(struct carry *carry, int fd)
{
	ssize_t sent;

	if (carry->len == 0)
		return 0;
	sent = send(fd, carry->bytes, carry->len, MSG_NOSIGNAL);
	if (sent < 0)
		return is_full() ? 0 : -1;
	carry_cut(carry, (size_t)sent);
	return 0;
}
