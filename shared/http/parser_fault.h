/*
 * parser_fault - why a message was refused, in words: the limit and the key
 * that sets the limit, the wrong byte, the field.
 *
 * Both processes. Pure. Of a field's value, only Content-Length and
 * Transfer-Encoding are shown: values may be secret. All is printable ASCII.
 */
#ifndef PARSER_FAULT_H
#define PARSER_FAULT_H

#include <stddef.h>

#include "parser.h"

/* Cuts nothing but a long field's name or value. */
#define PARSER_FAULT_MAX 256

/* The reason for m->error, such as "head or trailers too large (client.headers:
 * 16384 bytes)". section: of the limits' keys; NULL: no key sets the limits. */
void parser_fault_reason(
    const struct parser *m, const char *section, char text[PARSER_FAULT_MAX]);
/* The same, and the place: ": byte 0x01 at 57, in field X-Id". Valid input as
 * long as the head's bytes. */
void parser_fault_full(
    const struct parser *m, const char *section, char text[PARSER_FAULT_MAX]);

#endif
