#include "h1_head.h"

static struct slice
standard_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
	    {100, "Continue"},
	    {101, "Switching Protocols"},
	    {200, "OK"},
	    {204, "No Content"},
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {417, "Expectation Failed"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	    {508, "Loop Detected"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return (struct slice){
			    reasons[i].reason, strlen(reasons[i].reason)};
	return (struct slice){"", 0};
}

static const char version[] = " HTTP/1.1\r\n";

void
h1_head_request(
    struct fields *f, struct slice method, struct slice path, unsigned minor)
{
	text_add(&f->lines, method.at, method.len);
	text_add(&f->lines, " ", 1);
	text_add(&f->lines, path.at, path.len);
	text_add_str(&f->lines, minor == 0 ? " HTTP/1.0\r\n" : version);
}

void
h1_head_status(struct fields *f, unsigned status, struct slice reason)
{
	static const char prefix[] = "HTTP/1.1 ";
	char *to;

	if (reason.at == NULL)
		reason = standard_reason(status);
	to = text_reserve(&f->lines, sizeof(prefix) + 5 + reason.len);
	if (to == NULL)
		return;
	memcpy(to, prefix, sizeof(prefix) - 1);
	to += sizeof(prefix) - 1;
	*to++ = (char)('0' + status / 100 % 10);
	*to++ = (char)('0' + status / 10 % 10);
	*to++ = (char)('0' + status % 10);
	*to++ = ' ';
	memcpy(to, reason.at, reason.len);
	to += reason.len;
	*to++ = '\r';
	*to = '\n';
}

void
h1_head_length(struct fields *f, uint64_t length)
{
	fields_add_uint(f, "Content-Length", length);
}

void
h1_head_chunked(struct fields *f)
{
	fields_add(f, "Transfer-Encoding", "chunked");
}

void
h1_head_end(struct fields *f)
{
	text_add(&f->lines, "\r\n", 2);
}

static void
frame_request(struct fields *f, const struct stream_start *start)
{
	if (start->expects_continue)
		fields_add(f, "Expect", "100-continue");
	if (start->no_body)
		return;
	if (start->length == STREAM_LENGTH_UNKNOWN)
		h1_head_chunked(f);
	else
		h1_head_length(f, start->length);
}

struct slice
h1_head_around(const struct stream_start *start)
{
	const struct text *lines = &start->fields->lines;
	char *at = lines->data - (sizeof(version) - 1);
	struct fields behind;

	memcpy(at, version, sizeof(version) - 1);
	at -= start->path.len + 1;
	*at = ' ';
	at -= start->method.len;
	memcpy(at, start->method.at, start->method.len);
	fields_init(&behind, lines->data + lines->len, STREAM_BEHIND_FIELDS);
	frame_request(&behind, start);
	h1_head_end(&behind);
	return (struct slice){
	    at, (size_t)(behind.lines.data + behind.lines.len - at)};
}
