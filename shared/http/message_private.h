/*
 * message_private - the parts of message.h: message.c feeds, message_scan.c
 * finds the head's end, message_check.c judges the head that llhttp has taken
 * apart, with message_fields.c for its fields and message_target.c for its
 * target and host.
 */
#ifndef MESSAGE_PRIVATE_H
#define MESSAGE_PRIVATE_H

#include "message.h"

/*
 * Goes on with the head's raw bytes, each seen once: true at its end, *at being
 * behind it. It alone says where that is. Checks the start line's form and
 * version, how lines end, and that names are tokens and values have no control
 * characters (RFC 9112 sections 2.2 to 5), so that whatever pieces a head comes
 * in it is refused for the same thing, and as early as can be. Fills in
 * m->headers: values with the white space around them.
 */
bool message_scan(struct message *m, const char **at, const char *end);

/* The rest, when llhttp has taken the start line apart: fills in m's facts
 * about framing, host and path, and takes the white space from the values. */
enum message_error message_check_head(struct message *m);

enum message_field message_field_of(struct slice name);
/* Connection names it: for message_nominates(). */
void message_nominate(struct message *m, struct slice name);
/* A value without the white space around it. */
struct slice message_trim(struct slice s);
/* Takes the next element off a comma-separated list; at NULL: there is none.
 * Elements may be empty. */
struct slice message_next_element(struct slice *list);

/* Sets path and, from an absolute URI, host. */
enum message_error message_check_target(struct message *m);
/* host [":" port], RFC 9110 section 7.2. */
bool message_is_host(struct slice host);

#endif
