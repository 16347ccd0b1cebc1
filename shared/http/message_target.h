/*
 * message_target - the target and the host of a request: which are valid, and
 * the path that a target names.
 */
#ifndef MESSAGE_TARGET_H
#define MESSAGE_TARGET_H

#include <stdbool.h>

#include "head.h"
#include "message_error.h"

/* Sets path and, from an absolute URI, host. */
enum message_error message_target_check(struct head *head);
/* host [":" port], RFC 9110 section 7.2. */
bool message_target_is_host(struct slice host);

#endif
