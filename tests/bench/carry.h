/*
 * carry - waiting bytes: for the rest of a head, or for a socket that is full.
 * The tools read into one buffer for all connections. Only bytes that can't be
 * used at once are kept here: the usual case copies nothing.
 */
#ifndef CARRY_H
#define CARRY_H

#include <sys/uio.h>
#include <stddef.h>

struct carry {
	char *bytes; /* NULL when empty */
	size_t len;
};

/* Behind the kept bytes. bytes may point into memory freed by carry_drop(). */
void carry_add(struct carry *carry, const char *bytes, size_t len);
/* Forgets the first bytes. */
void carry_cut(struct carry *carry, size_t len);
void carry_drop(struct carry *carry);

/*
 * Writes the parts to the socket and keeps the rest. Behind kept bytes nothing
 * is written. -1: the connection is broken.
 */
int carry_write(struct carry *carry, int fd, struct iovec *parts, int count);
/* Writes the kept bytes. -1: the connection is broken. */
int carry_flush(struct carry *carry, int fd);

#endif
