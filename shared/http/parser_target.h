/*
 * parser_target - the target and the host of a request: validity, and the path
 * of a target.
 */
#ifndef PARSER_TARGET_H
#define PARSER_TARGET_H

#include <stdbool.h>

#include "head.h"
#include "parser_error.h"

/* Sets path and, from an absolute URI, host. */
enum parser_error parser_target_check(struct head *head);
/* host [":" port], RFC 9110 section 7.2. */
bool parser_target_is_host(struct slice host);

#endif
