/*
 * session_reply - a whole response in one call. Part of session.h, which has
 * the contract.
 */
#ifndef SESSION_REPLY_H
#define SESSION_REPLY_H

#include <stddef.h>

struct session;

/*
 * type: NULL for no body. extra: NULL, or
 * complete header lines, each ending in CRLF.
 */
void session_reply(struct session *s, unsigned status, const char *type,
    const char *extra, const void *body, size_t len);
/* A JSON error {"error":what,"status":status}, as every error here is. */
void session_reply_error(struct session *s, unsigned status, const char *what);

#endif
