/*
 * Goal: a header of the PROXY protocol is read alike for any cut into pieces; a
 * verdict stands whatever follows; no header is longer than the cap.
 */
#include "input.h"
#include "proxy_protocol.h"

/* Reads a piece more each time, until a verdict. Only given bytes may be
 * read. */
static enum proxy_protocol_result
read_in_pieces(char *data, struct input *in, struct proxy_protocol *h)
{
	enum proxy_protocol_result result = PROXY_PROTOCOL_MORE;
	size_t end = 0;

	while (result == PROXY_PROTOCOL_MORE && end < in->len) {
		end += input_next(in, in->len - end);
		input_show(data, in->len, 0, end);
		result = proxy_protocol_parse(data, end, h);
		input_show_all(data, in->len);
		MUST(result != PROXY_PROTOCOL_MORE || end < PROXY_PROTOCOL_MAX);
		MUST(result != PROXY_PROTOCOL_DONE || h->len <= end);
	}
	return result;
}

/* A source that was read is written and read again, in both versions. */
static void
round_trip(const struct sock_addr *source)
{
	struct sock_host from = sock_host_of(source),
			 none = {.family = AF_UNIX};
	char out[PROXY_PROTOCOL_WRITE_MAX];
	struct proxy_protocol h;

	for (unsigned version = 1; version <= 2; version++) {
		size_t len = proxy_protocol_write(out, version, &from, &none);

		MUST(len <= sizeof(out));
		MUST(proxy_protocol_parse(out, len, &h) == PROXY_PROTOCOL_DONE);
		MUST(h.len == len && h.has_source);
		MUST(sock_addr_equal(&h.source, source));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in;
	struct proxy_protocol whole, pieces;
	enum proxy_protocol_result result;
	char *data;

	input_init(&in, bytes, len);
	data = input_copy(in.data, in.len);
	result = proxy_protocol_parse(data, in.len, &whole);
	pieces = whole;
	MUST(read_in_pieces(data, &in, &pieces) == result);
	MUST(result != PROXY_PROTOCOL_MORE || in.len < PROXY_PROTOCOL_MAX);
	if (result == PROXY_PROTOCOL_DONE) {
		MUST(whole.len > 0 && whole.len <= PROXY_PROTOCOL_MAX);
		MUST(whole.len == pieces.len);
		MUST(whole.has_source == pieces.has_source);
		MUST(!whole.has_source ||
		     sock_addr_equal(&whole.source, &pieces.source));
		if (whole.has_source)
			round_trip(&whole.source);
		/* Without its last byte a header is not whole. */
		MUST(proxy_protocol_parse(data, whole.len - 1, &pieces) ==
		     PROXY_PROTOCOL_MORE);
	}
	free(data);
	return 0;
}
