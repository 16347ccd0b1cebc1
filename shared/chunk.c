#include "chunk.h"

#include <stdint.h>

#include "text.h"

int
chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len, bool last)
{
	/* The end of a chunk, and the last chunk, which has no data. */
	static char ends[] = "\r\n0\r\n\r\n";
	struct text line;

	if (len == 0) {
		iov[0] = (struct iovec){ends + 2, 5};
		return last ? 1 : 0;
	}
	text_init(&line, size_line, CHUNK_SIZE_LINE);
	text_add_hex(&line, len);
	text_add(&line, "\r\n", 2);
	iov[0] = (struct iovec){line.data, line.len};
	iov[1] = (struct iovec){(void *)(uintptr_t)data, len};
	iov[2] = (struct iovec){ends, last ? 7 : 2};
	return 3;
}
