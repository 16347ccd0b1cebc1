/*
 * parser_scan - reads the bytes of an HTTP/1 head, each once, and finds the
 * head's end.
 *
 * The scan checks the start line's form and version, how lines end, and that
 * names are tokens and values have no control characters (RFC 9112 sections
 * 2.2 to 5). So a head is refused for the same thing in whatever pieces its
 * bytes come, and as early as can be.
 */
#ifndef PARSER_SCAN_H
#define PARSER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "head.h"
#include "parser_error.h"

struct parser_scan {
	uint8_t state;
	enum parser_error error;
	size_t target_max; /* of a request's target; 0: no limit */
	const char *mark;  /* where the token that is read now began */
	const char *start; /* of the start line */
	/* The next field goes here; values keep the white space around them. */
	struct head_field *field;
	const struct head_field *fields_end;
};

/* The fields of a request's or a response's head will stand in `fields`. */
void parser_scan_init_request(
    struct parser_scan *s, struct head_field *fields, size_t target_max);
void parser_scan_init_response(
    struct parser_scan *s, struct head_field *fields);

/* Goes on from *at to the head's end, or to `end`: true at the head's end, *at
 * being behind it. False: more has to come, or s->error. */
bool parser_scan(struct parser_scan *s, const char **at, const char *end);

#endif
