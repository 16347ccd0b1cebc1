/*
 * head - where an HTTP/1.1 head ends and what it says, as far as the bench's
 * tools have to know. They trust each other and the proxies between them: this
 * is no parser to face the world with.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its length with the empty line; 0 when that is not there yet. */
size_t head_find(const char *bytes, size_t len);
/* The value of a field, blanks in front skipped, or NULL. name is lower case
 * and ends with the colon. */
const char *head_field(const char *head, size_t len, const char *name);
/* Its Content-Length; false when it has none. */
bool head_length(const char *head, size_t len, uint64_t *length);
/* A response's status; 0 when that is none. */
unsigned head_status(const char *head, size_t len);

#endif
