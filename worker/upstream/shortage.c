#include "shortage.h"

#include <errno.h>
#include <stdio.h>

bool
shortage_is_of_address(int error)
{
	return error == EADDRNOTAVAIL || error == EADDRINUSE || error == EAGAIN;
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
		return true;
	default:
		return shortage_is_of_address(error);
	}
}

void
shortage_note(struct shortage *s, int error, const char *where)
{
	s->error = error;
	snprintf(s->where, sizeof(s->where), "%s", where);
	s->count++;
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
