#include "shortage.h"

#include <errno.h>
#include <stdio.h>

bool
shortage_is_of_ports(int error)
{
	return error == EADDRNOTAVAIL || error == EADDRINUSE;
}

bool
shortage_is(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC: /* epoll's watches */
	case EAGAIN: /* the listen queue of a unix socket */
		return true;
	default:
		return shortage_is_of_ports(error);
	}
}

void
shortage_note(struct shortage *s, int error, const char *where, uint64_t now_us)
{
	s->error = error;
	snprintf(s->where, sizeof(s->where), "%s", where);
	s->count++;
	s->until_us = now_us + 2 * SHORTAGE_RETRY_US;
}

unsigned
shortage_take_line(struct shortage *s, uint64_t now_us)
{
	unsigned count = s->count;

	if (count == 0 || now_us < s->line_us)
		return 0;
	s->line_us = now_us + SHORTAGE_LINE_US;
	s->count = 0;
	return count;
}
