/*
 * h1_stream - the table of calls for the front of a stream: the calls of
 * h1_write.h, and the reading calls.
 */
#ifndef H1_STREAM_H
#define H1_STREAM_H

#include "stream.h"

extern const struct stream_ops h1_stream_ops;

#endif
