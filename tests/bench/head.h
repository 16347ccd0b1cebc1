/*
 * head - the end and the fields of an HTTP/1.1 head, for the bench's tools. The
 * tools trust each other and the proxies between: head is no parser for the
 * open network.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head's length with the empty line; 0: no empty line yet. */
size_t head_find(const char *bytes, size_t len);
/* The value of a field, blanks in front skipped, or NULL. name is lower case
 * and ends with the colon. */
const char *head_field(const char *head, size_t len, const char *name);
/* The head's Content-Length; false: none. */
bool head_length(const char *head, size_t len, uint64_t *length);
/* A response's status; 0: no response. */
unsigned head_status(const char *head, size_t len);

#endif
