/*
 * chunk - the chunked coding (RFC 9112 section 7.1), both ways. Pure.
 *
 * The decoder is strict, and the same whatever version of llhttp is beside
 * it: CRLF only, sizes of at most 16 digits and below 2^63, extensions by the
 * grammar of section 7.1.1 (with BWS), trailer lines by that of section 5.
 *
 * Size lines and trailers are part of no body, so its cap says nothing of them.
 * They have one of their own: a peer that sends one byte in a chunk with 16 KiB
 * of extension, again and again, is stopped.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <sys/uio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunk_state {
	CHUNK_SIZE,    /* before a size line */
	CHUNK_DATA,    /* inside a chunk's data */
	CHUNK_END,     /* before the CRLF that ends it */
	CHUNK_TRAILER, /* after the last chunk's size line */
	CHUNK_DONE,
	CHUNK_BAD,     /* malformed */
	CHUNK_BLOATED, /* more framing than framing_max allows */
};

/* Zeroed but for framing_max: ready for a body. */
struct chunk_decoder {
	enum chunk_state state;
	uint64_t left; /* of the chunk's data, or of the CRLF after it */
	/* Bytes of size lines and trailers, of which each byte of data makes
	 * up for CHUNK_ALLOWANCE. */
	uint64_t framing;
	uint64_t framing_max; /* 0: no cap */
};

/* Above the 5 bytes that a chunk of one byte can't do without. */
#define CHUNK_ALLOWANCE 16

/* What one call of chunk_decode() found. */
struct chunk_piece {
	const char *data; /* decoded, inside what was given */
	size_t len;
	const char *trailers; /* once DONE: lines, each with its CRLF */
	size_t trailers_len;
};

/*
 * Decodes in place: data of several chunks is moved together into one piece.
 * Returns the bytes taken; stops after the trailer section's end (DONE), at an
 * error (BAD, BLOATED), and before a size line or a trailer section that is not
 * whole: that is to be given again with what follows, and is always shorter
 * than framing_max.
 */
size_t chunk_decode(
    struct chunk_decoder *d, char *data, size_t len, struct chunk_piece *piece);

#define CHUNK_IOV 5
#define CHUNK_SIZE_LINE 20

/*
 * Frames data as one chunk; last: and ends the body after it, with trailers
 * (lines, each with its CRLF; trailers_len may be 0). The pieces point at data,
 * at size_line, at trailers and at static text. Returns how many of iov are
 * used; 0 for no data that is not the last.
 */
int chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len);
int chunk_frame_last(struct iovec iov[CHUNK_IOV],
    char size_line[CHUNK_SIZE_LINE], const void *data, size_t len,
    const void *trailers, size_t trailers_len);

#endif
