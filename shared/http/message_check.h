/*
 * message_check - judges a head whose start line llhttp has taken apart and
 * whose fields message_scan.h has found: framing, host and target, and the
 * other wishes of the sender.
 */
#ifndef MESSAGE_CHECK_H
#define MESSAGE_CHECK_H

#include <stdint.h>

#include "head.h"
#include "message_error.h"

/* Fills in the head's facts about framing, host and path, and takes the white
 * space from the values. body_max: of a request's Content-Length; 0: none. */
enum message_error message_check(struct head *head, uint64_t body_max);

#endif
