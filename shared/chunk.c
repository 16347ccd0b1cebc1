#include "chunk.h"

#include <string.h>

#include "text.h"

/* The end of a chunk, and the last chunk, which has no data. */
static char ends[] = "\r\n0\r\n\r\n";

int
chunk_frame(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len)
{
	struct text line;

	if (len == 0)
		return 0;
	text_init(&line, size_line, CHUNK_SIZE_LINE);
	text_add_hex(&line, len);
	text_add(&line, "\r\n", 2);
	iov[0] = (struct iovec){line.data, line.len};
	iov[1] = (struct iovec){(void *)(uintptr_t)data, len};
	iov[2] = (struct iovec){ends, 2};
	return 3;
}

int
chunk_frame_last(struct iovec iov[CHUNK_IOV], char size_line[CHUNK_SIZE_LINE],
    const void *data, size_t len, const void *trailers, size_t trailers_len)
{
	int count = chunk_frame(iov, size_line, data, len);
	char *end = count == 0 ? ends + 2 : ends;

	/* The chunk's own CRLF is where the last chunk's line begins. */
	if (count != 0)
		count--;
	if (trailers_len == 0) {
		iov[count++] = (struct iovec){end, strlen(end)};
		return count;
	}
	iov[count++] = (struct iovec){end, strlen(end) - 2};
	iov[count++] =
	    (struct iovec){(void *)(uintptr_t)trailers, trailers_len};
	iov[count++] = (struct iovec){ends, 2};
	return count;
}
