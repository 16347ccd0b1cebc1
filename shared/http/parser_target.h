/*
 * parser_target - the target and the host of a request: validity, and the path
 * of a target, in its normal form.
 */
#ifndef PARSER_TARGET_H
#define PARSER_TARGET_H

#include <stdbool.h>

#include "head.h"
#include "parser_error.h"
#include "path.h"

/* Sets path and, from an absolute URI, host. The query is known. */
enum parser_error parser_target_check(struct head *head);
/* Gives a checked target's path its normal form, in `room`, which is as large
 * as the target. */
enum parser_error parser_target_normalise(
    struct head *head, const struct path_rules *rules, char *room);
/* host [":" port], RFC 9110 section 7.2. */
bool parser_target_is_host(struct slice host);

#endif
