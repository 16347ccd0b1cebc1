/*
 * message_private - the two halves of message.h: message.c drives llhttp,
 * message_check.c looks at what llhttp leaves to us.
 */
#ifndef MESSAGE_PRIVATE_H
#define MESSAGE_PRIVATE_H

#include "message.h"

/*
 * RFC 9112 sections 2.2 and 5.2, on the bytes as they came: each line ends in
 * CRLF, no other CR, LF or NUL, no line folded. The head's length goes to
 * *len.
 */
enum message_error message_check_lines(
    const char *head, size_t available, size_t *len);

/* The rest, on the head as llhttp has parsed it: fills in m's facts about
 * framing, host and path, and each header's field. */
enum message_error message_check_head(struct message *m);

#endif
