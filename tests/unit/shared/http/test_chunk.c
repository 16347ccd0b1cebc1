/* Goal: a sent body follows RFC 9112 section 7.1, and a received body is
 * decoded by the same rule, for any cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chunk.h"

/* ---- framing ---- */

static size_t
gather(const struct iovec *iov, int count, char *out)
{
	size_t len = 0;

	assert_in_range(count, 0, CHUNK_IOV);
	for (int i = 0; i < count; i++) {
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void
assert_framed(
    const char *data, bool last, const char *trailers, const char *want)
{
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE], out[256];
	size_t len;
	int count = last ? chunk_frame_last(iov, size_line, data, strlen(data),
			       trailers, strlen(trailers))
			 : chunk_frame(iov, size_line, data, strlen(data));

	len = gather(iov, count, out);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
}

static void
test_frames(void **state)
{
	(void)state;
	assert_framed("hello", false, "", "5\r\nhello\r\n");
	assert_framed("hello", true, "", "5\r\nhello\r\n0\r\n\r\n");
	assert_framed(
	    "0123456789abcdefg", false, "", "11\r\n0123456789abcdefg\r\n");
	assert_framed("", true, "", "0\r\n\r\n");
	assert_framed("", true, "A: 1\r\n", "0\r\nA: 1\r\n\r\n");
	assert_framed("hello", true, "A: 1\r\nB: 2\r\n",
	    "5\r\nhello\r\n0\r\nA: 1\r\nB: 2\r\n\r\n");
	/* An empty chunk would end the body. */
	assert_framed("", false, "", "");
}

static void
test_the_largest_size_fits(void **state)
{
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE];

	(void)state;
	assert_int_equal(
	    chunk_frame_last(iov, size_line, "", SIZE_MAX, NULL, 0), 3);
	assert_memory_equal(iov[0].iov_base, "ffffffffffffffff\r\n", 18);
}

/* ---- decoding ---- */

struct decoded {
	struct chunk_decoder d;
	char body[512];
	size_t len;
	char trailers[256];
	size_t trailers_len;
	size_t taken;
};

/* Like the reader of a connection: gives the rest and the new bytes, here step
 * bytes at once after the first. */
static void
decode(struct decoded *out, const char *text, size_t first, size_t step)
{
	size_t len = strlen(text), at = 0, end = 0;
	char *data = malloc(len + 1);

	assert_non_null(data);
	while (end < len && out->d.state < CHUNK_DONE) {
		size_t n = end == 0 && first > 0 ? first : step;
		struct chunk_piece piece;
		size_t taken;

		if (n > len - end)
			n = len - end;
		memcpy(data + end, text + end, n);
		end += n;
		taken = chunk_decode(&out->d, data + at, end - at, &piece);
		assert_true(taken <= end - at);
		if (piece.len > 0) {
			assert_true(piece.data >= data + at &&
				    piece.data + piece.len <= data + end);
			memcpy(out->body + out->len, piece.data, piece.len);
			out->len += piece.len;
		}
		if (piece.trailers_len > 0)
			memcpy(
			    out->trailers, piece.trailers, piece.trailers_len);
		out->trailers_len = piece.trailers_len;
		at += taken;
	}
	out->taken = at;
	free(data);
}

/* In every way: whole, by 1 to 9 bytes, in two at each place. */
static void
decode_way(struct decoded *out, const char *text, size_t way, uint64_t max)
{
	memset(out, 0, sizeof(*out));
	out->d.framing_max = max;
	if (way < 10)
		decode(out, text, 0, way == 0 ? strlen(text) : way);
	else
		decode(out, text, way - 9, strlen(text));
}

#define WAYS(text) (strlen(text) + 9)

static const struct {
	const char *text, *body, *trailers;
	size_t left; /* bytes outside the body */
} good[] = {
    {"0\r\n\r\n", "", "", 0},
    {"0\r\n\r\nGET", "", "", 3},
    {"000\r\n\r\n\r\n", "", "", 2},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"1\r\nh\r\n2\r\nel\r\n02\r\nlo\r\n000\r\n\r\n", "hello", "", 0},
    {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", "", 0},
    {"A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij",
	"", 0},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", "", 0},
    {"3\r\n0\r\n\r\n0\r\n\r\n", "0\r\n", "", 0},
    {"5;a\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5;a=b;c;d=e\r\nhello\r\n0;last\r\n\r\n", "hello", "", 0},
    {"5;a=\"b\"\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5;a=\"\\\"\\\\;=,\t\xff\";b\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5 ;a\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5 \t; \ta \t= \tb ;c\t;\td=\"e\" ;f\r\nhello\r\n0\r\n\r\n", "hello", "",
	0},
    {"5;!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~\r\nhello\r\n0\r\n\r\n", "hello", "", 0},
    {"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\nGET", "hello", "X-Sum: 1\r\n", 3},
    {"0\r\nA:\r\nb: \t1\t2 \xff:;\"\r\n\r\n", "",
	"A:\r\nb: \t1\t2 \xff:;\"\r\n", 0},
};

static void
test_decodes(void **state)
{
	static struct decoded out;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t way = 0; way < WAYS(good[i].text); way++) {
			decode_way(&out, good[i].text, way, 0);
			if (out.d.state != CHUNK_DONE)
				print_error("%s, way %zu\n", good[i].text, way);
			assert_int_equal(out.d.state, CHUNK_DONE);
			assert_int_equal(
			    out.taken, strlen(good[i].text) - good[i].left);
			assert_int_equal(out.len, strlen(good[i].body));
			assert_memory_equal(out.body, good[i].body, out.len);
			assert_int_equal(
			    out.trailers_len, strlen(good[i].trailers));
			assert_memory_equal(
			    out.trailers, good[i].trailers, out.trailers_len);
		}
}

static const char *const bad[] = {
    /* The size. */
    "\r\n",
    "\n",
    "x\r\n",
    "g\r\n",
    "-1\r\n",
    "+1\r\na",
    "0x1\r\na",
    " 1\r\na",
    "\t1\r\na",
    "1 1\r\na",
    "1h\r\na",
    "1\x80\r\na",
    ";a\r\n",
    "10000000000000000\r\na",
    "00000000000000001\r\na",
    "8000000000000000\r\na",
    "ffffffffffffffff\r\na",
    /* How the line ends. */
    "1\na\r\n0\r\n\r\n",
    "1\ra\r\n0\r\n\r\n",
    "1\r\r\na\r\n0\r\n\r\n",
    "1 \r\na\r\n0\r\n\r\n",
    "1\t\r\na\r\n0\r\n\r\n",
    "0\n\r\n",
    "0\n\n",
    /* How the data ends. */
    "1\r\na\n0\r\n\r\n",
    "1\r\nab\r\n0\r\n\r\n",
    "1\r\na0\r\n\r\n",
    "1\r\na\r0\r\n\r\n",
    "1\r\na\r\r\n0\r\n\r\n",
    "1\r\na\n\r0\r\n\r\n",
    "1\r\n\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "1\r\na\r\n\r\n",
    /* Extensions. */
    "1;\r\na\r\n0\r\n\r\n",
    "1; \r\na",
    "1;;a\r\na",
    "1;a;\r\na",
    "1;=b\r\na",
    "1;a=\r\na",
    "1;a= \r\na",
    "1;a=;b\r\na",
    "1;a==b\r\na",
    "1;a=b=c\r\na",
    "1;a=b c\r\na",
    "1;a b\r\na",
    "1 a\r\na",
    "1;a \r\na",
    "1;a=b \r\na",
    "1,a\r\na",
    "1;a=\"b\r\na",
    "1;a=\"b\"c\r\na",
    "1;a=b\"c\"\r\na",
    "1;a=\"\n\"\r\na",
    "1;a=\"\x01\"\r\na",
    "1;a=\"\\\x01\"\r\na",
    "1;a=\"\\\r\n\"\r\na",
    "1;a=\"\x7f\"\r\na",
    "1;a(\r\na",
    "1;a=(\r\na",
    "1;\"a\"\r\na",
    "1;\xc3\xa9\r\na",
    "1;a\n0\r\n\r\n",
    "1;\na\r\n",
    "1;a\x01\r\na",
    "1;a\x0b=b\r\na",
    "1;a\n\r\na",
    "1;a\r \r\na",
    "0;\r\n\r\n",
    /* Trailers. */
    "0\r\nA\r\n\r\n",
    "0\r\n:1\r\n\r\n",
    "0\r\nA :1\r\n\r\n",
    "0\r\nA\t:1\r\n\r\n",
    "0\r\n A:1\r\n\r\n",
    "0\r\nA:1\n\r\n",
    "0\r\nA:1\r\n\n",
    "0\r\nA:1\r\n b\r\n\r\n",
    "0\r\nA:1\r\n\tb\r\n\r\n",
    "0\r\nA:1\rb\r\n\r\n",
    "0\r\nA:\x01\r\n\r\n",
    "0\r\nA:\x7f\r\n\r\n",
    "0\r\nA(:1\r\n\r\n",
    "0\r\n\xc3\xa9:1\r\n\r\n",
    "0\r\nA:1\r\n\rX",
    "0\r\n\n",
    "0\r\n\rX",
    "0\r\nGET / HTTP/1.1\r\nA: 1\r\n\r\n",
};

static void
test_refuses(void **state)
{
	static struct decoded out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t way = 0; way < WAYS(bad[i]); way++) {
			decode_way(&out, bad[i], way, 0);
			if (out.d.state != CHUNK_BAD)
				print_error("%s, way %zu\n", bad[i], way);
			assert_int_equal(out.d.state, CHUNK_BAD);
			/* The error stays. */
			decode(&out, "0\r\n\r\n", 0, 5);
			assert_int_equal(out.d.state, CHUNK_BAD);
		}
}

static void
test_refuses_nul(void **state)
{
	static const char text[] =
	    "2 ; a = \"\\b\"\r\nok\r\n0;c\r\nA: 1\r\n\r\n";
	const size_t data_at = strlen("2 ; a = \"\\b\"\r\n");

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		struct chunk_decoder d = {.state = CHUNK_SIZE};
		struct chunk_piece piece;
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		copy[at] = '\0';
		(void)chunk_decode(&d, copy, sizeof(text) - 1, &piece);
		assert_int_equal(d.state, at == data_at || at == data_at + 1
					      ? CHUNK_DONE
					      : CHUNK_BAD);
	}
}

static void
test_the_largest_chunk(void **state)
{
	struct chunk_decoder d = {.state = CHUNK_SIZE};
	struct chunk_piece piece;
	char text[] = "7FffffffffffffFF\r\na";

	(void)state;
	assert_int_equal(
	    chunk_decode(&d, text, strlen(text), &piece), strlen(text));
	assert_int_equal(d.state, CHUNK_DATA);
	assert_true(d.left == INT64_MAX - 1);
	assert_int_equal(piece.len, 1);
}

/* Only whole lines are taken; data and its end are taken as received. */
static void
test_what_is_left(void **state)
{
	static const struct {
		const char *text;
		size_t taken;
	} cases[] = {{"5", 0}, {"5;a", 0}, {"5\r", 0}, {"5\r\n", 3},
	    {"5\r\nhe", 5}, {"5\r\nhello", 8}, {"5\r\nhello\r", 9},
	    {"5\r\nhello\r\n", 10}, {"5\r\nhello\r\n0", 10}, {"0\r\n", 3},
	    {"0\r\n\r", 3}, {"0\r\nA: 1\r\n", 3}, {"0\r\nA: 1\r\n\r", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chunk_decoder d = {.state = CHUNK_SIZE};
		struct chunk_piece piece;
		char text[32];

		strcpy(text, cases[i].text);
		assert_int_equal(chunk_decode(&d, text, strlen(text), &piece),
		    cases[i].taken);
		assert_true(d.state < CHUNK_DONE);
	}
}

/* The cap on framing, to the byte, for any pieces. */
static void
test_framing_cap(void **state)
{
	static const struct {
		const char *text;
		uint64_t needs;
	} cases[] = {
	    {"0\r\n\r\n", 5},
	    {"0;abc\r\n\r\n", 9},
	    {"0\r\nA: 1\r\n\r\n", 11},
	    {"1;a=aaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n0\r\n\r\n", 29},
	    /* A byte of data makes up for 16: 29 - 16 + 29. */
	    {"1;a=aaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n"
	     "1;a=aaaaaaaaaaaaaaaaaaaaaaa\r\ny\r\n0\r\n\r\n",
		42},
	    {"2;a=aaaaaaaaaaaaaaaaaaaaaaa\r\nxx\r\n"
	     "2;a=aaaaaaaaaaaaaaaaaaaaaaa\r\nyy\r\n0\r\n\r\n",
		29},
	};
	static struct decoded out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t way = 0; way < WAYS(cases[i].text); way++) {
			decode_way(&out, cases[i].text, way, cases[i].needs);
			assert_int_equal(out.d.state, CHUNK_DONE);
			decode_way(
			    &out, cases[i].text, way, cases[i].needs - 1);
			assert_int_equal(out.d.state, CHUNK_BLOATED);
		}
}

/* Framed data is decoded: a block of chunks of every size in one piece. */
static void
test_there_and_back(void **state)
{
	static char data[16384], wire[32768];
	struct chunk_decoder d = {.state = CHUNK_SIZE};
	struct chunk_piece piece;
	struct iovec iov[CHUNK_IOV];
	char size_line[CHUNK_SIZE_LINE];
	size_t at = 0, len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 31);
	for (size_t n = 0; at + n <= sizeof(data); at += n, n++)
		len += gather(
		    iov, chunk_frame(iov, size_line, data + at, n), wire + len);
	len += gather(iov,
	    chunk_frame_last(
		iov, size_line, data + at, sizeof(data) - at, NULL, 0),
	    wire + len);
	assert_int_equal(chunk_decode(&d, wire, len, &piece), len);
	assert_int_equal(d.state, CHUNK_DONE);
	assert_int_equal(piece.len, sizeof(data));
	assert_memory_equal(piece.data, data, sizeof(data));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_the_largest_size_fits),
	    cmocka_unit_test(test_decodes),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_refuses_nul),
	    cmocka_unit_test(test_the_largest_chunk),
	    cmocka_unit_test(test_what_is_left),
	    cmocka_unit_test(test_framing_cap),
	    cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
