#include "request.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

static FILE *
begin(struct request *request)
{
	FILE *text = open_memstream(&request->text, &request->len);

	if (!text)
		err(1, "open_memstream");
	return text;
}

static void
end(FILE *text)
{
	if (fclose(text) != 0)
		err(1, "out of memory");
}

static void
fill(FILE *text, size_t len)
{
	while (len-- > 0)
		fputc('x', text);
}

struct request
request_batch(const struct plan *plan, unsigned route)
{
	struct request request;
	FILE *text = begin(&request);

	for (unsigned i = 0; i < plan->pipeline; i++) {
		fputs(plan->is_post ? "POST " : "GET ", text);
		if (plan->paths > 0)
			fprintf(text, "/r%u", route);
		fprintf(text,
		    "%s HTTP/1.1\r\n"
		    "Host: bench.example\r\n"
		    "User-Agent: load\r\n"
		    "Accept: */*\r\n",
		    plan->path);
		if (plan->is_post)
			fprintf(text,
			    "Content-Type: application/octet-stream\r\n"
			    "Content-Length: %zu\r\n",
			    plan->post_bytes);
		if (plan->closes)
			fputs("Connection: close\r\n", text);
		fputs("\r\n", text);
		if (plan->is_post)
			fill(text, plan->post_bytes);
	}
	end(text);
	return request;
}

struct request
request_handshake(const struct plan *plan)
{
	struct request request;
	FILE *text = begin(&request);

	fprintf(text,
	    "GET %s HTTP/1.1\r\n"
	    "Host: bench.example\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: " FRAME_KEY "\r\n\r\n",
	    plan->path);
	end(text);
	return request;
}

struct request
request_message(const struct plan *plan)
{
	static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	struct request request;
	FILE *text = begin(&request);
	char head[FRAME_HEAD_MAX];
	size_t head_len = frame_head(head, plan->post_bytes, mask);

	fwrite(head, 1, head_len, text);
	fill(text, plan->post_bytes);
	end(text);
	frame_mask(request.text + head_len, plan->post_bytes, mask);
	return request;
}
