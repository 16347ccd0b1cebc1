/*
 * parser_check - judges a head whose start line llhttp has taken apart and
 * whose fields parser_scan.h has found. The subjects are framing, host and
 * target, other wishes of the sender.
 */
#ifndef PARSER_CHECK_H
#define PARSER_CHECK_H

#include <stdint.h>

#include "head.h"
#include "parser_error.h"

/* Fills in the head's facts about framing, host and path, and takes the white
 * space from the values. body_max: of a request's Content-Length; 0: none. */
enum parser_error parser_check(struct head *head, uint64_t body_max);

#endif
