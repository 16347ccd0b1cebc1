#include "frame.h"

#include <string.h>

#define FIN_BINARY 0x82
#define MASKED 0x80
#define LONG 126 /* two more bytes have the length */

bool
frame_parse(struct frame *frame, const char *bytes, size_t len)
{
	const unsigned char *head = (const unsigned char *)bytes;
	size_t at = 2;

	if (len < at)
		return false;
	frame->is_masked = head[1] & MASKED;
	frame->bytes = head[1] & ~MASKED & 0xff;
	if (frame->bytes == LONG) {
		if (len < 4)
			return false;
		frame->bytes = (size_t)head[2] << 8 | head[3];
		at = 4;
	}
	if (frame->is_masked) {
		if (len < at + 4)
			return false;
		memcpy(frame->mask, head + at, 4);
		at += 4;
	}
	frame->head_bytes = at;
	return true;
}

size_t
frame_head(char *head, size_t bytes, const unsigned char *mask)
{
	unsigned char *out = (unsigned char *)head;
	unsigned char bit = mask ? MASKED : 0;
	size_t len = 2;

	out[0] = FIN_BINARY;
	if (bytes < LONG) {
		out[1] = (unsigned char)bytes | bit;
	} else {
		out[1] = LONG | bit;
		out[2] = (unsigned char)(bytes >> 8);
		out[3] = (unsigned char)bytes;
		len = 4;
	}
	if (mask) {
		memcpy(out + len, mask, 4);
		len += 4;
	}
	return len;
}

void
frame_mask(char *bytes, size_t len, const unsigned char *mask)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)((unsigned char)bytes[i] ^ mask[i % 4]);
}
