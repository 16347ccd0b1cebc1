/*
 * h1_stream - the table of calls by which a connection is the front of a
 * stream: those of h1_write.h, and those that read.
 */
#ifndef H1_STREAM_H
#define H1_STREAM_H

#include "stream.h"

extern const struct stream_ops h1_stream_ops;

#endif
