/*
 * chunk - the chunked coding, on the way out (RFC 9112 section 7.1). Pure.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <sys/uio.h>
#include <stdbool.h>
#include <stddef.h>

#define CHUNK_IOV 3
#define CHUNK_SIZE_LINE 20

/*
 * Frames data as one chunk; last: and ends the body after it. The pieces point
 * at data, at size_line and at static text. Returns how many of iov are used;
 * 0 for no data that is not the last.
 */
int chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len, bool last);

#endif
