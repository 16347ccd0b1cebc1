/*
 * chunk - the chunked coding (RFC 9112 section 7.1), both ways. Pure.
 *
 * The decoder is strict, and the same beside any version of llhttp. Lines end
 * with CRLF. Sizes have at most 16 digits and are below 2^63. Extensions follow
 * the grammar of section 7.1.1 (with BWS), trailer lines the grammar of section
 * 5.
 *
 * Size lines and trailers are not part of a body, so the body's cap does not
 * cover them. Framing has a cap of its own. A peer that sends one byte per
 * chunk with 16 KiB of extension is stopped.
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
	CHUNK_END,     /* before the CRLF at the chunk's end */
	CHUNK_TRAILER, /* after the last chunk's size line */
	CHUNK_DONE,
	CHUNK_BAD,     /* malformed */
	CHUNK_BLOATED, /* more framing than framing_max */
};

/* Zeroed but for framing_max: ready for a body. */
struct chunk_decoder {
	enum chunk_state state;
	uint64_t left; /* of the chunk's data, or of the CRLF after it */
	/* Bytes of size lines and trailers. Each byte of data makes up for
	 * CHUNK_ALLOWANCE bytes. */
	uint64_t framing;
	uint64_t framing_max; /* 0: no cap */
};

/* Above 5: the framing of the smallest chunk. */
#define CHUNK_ALLOWANCE 16

/* The result of one chunk_decode() call. */
struct chunk_piece {
	const char *data; /* decoded, inside the given bytes */
	size_t len;
	const char *trailers; /* once DONE: lines, each with its CRLF */
	size_t trailers_len;
};

/*
 * Decodes in place: data of several chunks is moved together into one piece.
 * Returns the bytes taken.
 *
 * Decoding stops after the trailer section's end (DONE), at an error (BAD,
 * BLOATED), and before an incomplete size line or trailer section. The caller
 * gives the incomplete bytes again with the bytes behind; the incomplete part
 * is always shorter than framing_max.
 */
size_t chunk_decode(
    struct chunk_decoder *d, char *data, size_t len, struct chunk_piece *piece);

#define CHUNK_IOV 5
#define CHUNK_SIZE_LINE 20

/*
 * Frames data as one chunk. last: also ends the body, with trailers (lines,
 * each with its CRLF; trailers_len may be 0). The pieces point at data, at
 * size_line, at trailers and at static text. Returns the number of used iov
 * entries; 0 for no data without `last`.
 */
int chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len);
int chunk_frame_last(struct iovec iov[CHUNK_IOV],
    char size_line[CHUNK_SIZE_LINE], const void *data, size_t len,
    const void *trailers, size_t trailers_len);

#endif
