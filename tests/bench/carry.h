/*
 * carry - bytes that wait: for the rest of a head, or for a socket that takes
 * no more now. The tools read into one buffer for all connections; only what
 * can't be used at once is kept here, so the usual case copies nothing.
 */
#ifndef CARRY_H
#define CARRY_H

#include <sys/uio.h>
#include <stddef.h>

struct carry {
	char *bytes; /* NULL when empty */
	size_t len;
};

/* Behind what is there. bytes may point into what carry_drop() freed. */
void carry_add(struct carry *carry, const char *bytes, size_t len);
/* Forgets the first bytes. */
void carry_cut(struct carry *carry, size_t len);
void carry_drop(struct carry *carry);

/*
 * Writes all of it to the socket and keeps what that does not take; behind
 * what is kept already, nothing is written. -1 when the connection is broken.
 */
int carry_write(struct carry *carry, int fd, struct iovec *parts, int count);
/* Writes what is kept. -1 when the connection is broken. */
int carry_flush(struct carry *carry, int fd);

#endif
