/* chunk: what goes out is what RFC 9112 section 7.1 says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chunk.h"

static void
assert_framed(const void *data, size_t len, bool last, const char *want)
{
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE], out[256];
	size_t at = 0;
	int count = last ? chunk_frame_last(iov, size_line, data, len, NULL, 0)
			 : chunk_frame(iov, size_line, data, len);

	for (int i = 0; i < count; i++) {
		memcpy(out + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, strlen(want));
	assert_memory_equal(out, want, at);
}

static void
frames(void **state)
{
	(void)state;
	assert_framed("hello", 5, false, "5\r\nhello\r\n");
	assert_framed("hello", 5, true, "5\r\nhello\r\n0\r\n\r\n");
	assert_framed(
	    "0123456789abcdefg", 17, false, "11\r\n0123456789abcdefg\r\n");
	assert_framed(NULL, 0, true, "0\r\n\r\n");
	/* An empty chunk would end the body. */
	assert_framed(NULL, 0, false, "");
}

static void
the_largest_size_fits(void **state)
{
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE];

	(void)state;
	assert_int_equal(
	    chunk_frame_last(iov, size_line, "", SIZE_MAX, NULL, 0), 3);
	assert_memory_equal(iov[0].iov_base, "ffffffffffffffff\r\n", 18);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames),
	    cmocka_unit_test(the_largest_size_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
