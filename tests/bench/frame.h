/*
 * frame - WebSocket frames (RFC 6455 section 5.2) and the handshake, for an
 * echo: whole messages of at most 64 KiB, in one frame each.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>

/* The key and the answer of RFC 6455 section 1.3. No peer of the bench needs a
 * fresh key: the tools need no SHA-1. */
#define FRAME_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define FRAME_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define FRAME_HEAD_MAX 8
#define FRAME_BYTES_MAX 65535

struct frame {
	size_t head_bytes;
	size_t bytes;
	bool is_masked;
	unsigned char mask[4];
};

/* False while the head is incomplete. */
bool frame_parse(struct frame *frame, const char *bytes, size_t len);
/* The head of a binary message of the given size; returns its length. mask: a
 * client's, else NULL. */
size_t frame_head(char *head, size_t bytes, const unsigned char *mask);
void frame_mask(char *bytes, size_t len, const unsigned char *mask);

#endif
