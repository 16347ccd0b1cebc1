/*
 * session_stream - the table of calls by which a session is the front of a
 * stream: those of session_write.h, and those that read.
 */
#ifndef SESSION_STREAM_H
#define SESSION_STREAM_H

#include "stream.h"

extern const struct stream_ops session_stream_ops;

#endif
