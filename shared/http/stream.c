#include "stream.h"

#include <string.h>

/* The bytes of HTTP/1 around the path. */
#define AROUND_PATH (sizeof("  HTTP/1.1\r\n") - 1)

const struct machine_state stream_outs[] = {
    [STREAM_OUT_NONE] = {"none",
	MACHINE_TO(STREAM_OUT_BEGUN) | MACHINE_TO(STREAM_OUT_GONE)},
    [STREAM_OUT_BEGUN] = {"begun", MACHINE_TO(STREAM_OUT_ENDED) |
				       MACHINE_TO(STREAM_OUT_GONE) |
				       MACHINE_TO(STREAM_OUT_NONE)},
    [STREAM_OUT_ENDED] = {"ended", MACHINE_TO(STREAM_OUT_BEGUN) |
				       MACHINE_TO(STREAM_OUT_GONE) |
				       MACHINE_TO(STREAM_OUT_NONE)},
    [STREAM_OUT_GONE] = {"gone", MACHINE_TO(STREAM_OUT_NONE)},
};

void
stream_lay_out(
    struct stream_start *start, struct fields *fields, char *data, size_t len)
{
	size_t before = start->method.len + start->path.len + AROUND_PATH;
	char *path = data + start->method.len + 1;

	start->fields = fields;
	if (before + STREAM_BEHIND_FIELDS > len) {
		fields_init(fields, NULL, 0);
		fields->lines.full = true;
		return;
	}
	if (start->path.at == data)
		memmove(path, data, start->path.len);
	else
		memcpy(path, start->path.at, start->path.len);
	start->path.at = path;
	fields_init(fields, data + before, len - before - STREAM_BEHIND_FIELDS);
}
