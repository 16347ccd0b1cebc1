/*
 * parser_scan - reads the bytes of an HTTP/1 head, each once, and finds the
 * head's end.
 *
 * The scan checks the start line's form and version, and the line ends. Names
 * must be tokens, and values have no control characters (RFC 9112 sections 2.2
 * to 5). A head is refused as early as possible, and for the same reason
 * however the bytes are cut into pieces.
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
	const char *mark;  /* where the present token began */
	const char
	    *start; /* of the start line; NULL: no byte of one has come */
	const char *wrong; /* with an error: the byte that is wrong */
	const char *query; /* the first `?` of the target; NULL: none */
	/* Before the `?` there may be something for path_normalise(). */
	bool is_odd;
	struct head *head; /* has the fields */
	/* The place of the next field; values keep their surrounding white
	 * space. */
	struct head_field *field;
	const struct head_field *fields_end;
};

/* The fields of a request's or a response's head will stand in `head`. */
void parser_scan_init_request(
    struct parser_scan *s, struct head *head, size_t target_max);
void parser_scan_init_response(struct parser_scan *s, struct head *head);

/* The name of the field in which the scan stands, as far as read; at NULL: in
 * no field. */
struct slice parser_scan_field(const struct parser_scan *s);

/* Goes on from *at to the head's end, or to `end`. True at the head's end, with
 * *at behind the head. False: more bytes have to come, or s->error. */
bool parser_scan(struct parser_scan *s, const char **at, const char *end);

/* The scanned bytes, whole head or not, begin a request of the method HEAD. */
bool parser_scan_is_head_method(const struct parser_scan *s);

#endif
