#include "head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t
head_find(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);

	return end ? (size_t)(end - bytes) + 4 : 0;
}

const char *
head_field(const char *head, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	const char *end = head + len;
	const char *line = head;

	while ((line = memchr(line, '\n', (size_t)(end - line)))) {
		line++;
		if ((size_t)(end - line) < name_len)
			return NULL;
		if ((*line | 0x20) == *name &&
		    strncasecmp(line, name, name_len) == 0) {
			line += name_len;
			while (*line == ' ')
				line++;
			return line;
		}
	}
	return NULL;
}

bool
head_length(const char *head, size_t len, uint64_t *length)
{
	const char *value = head_field(head, len, "content-length:");

	/* A head ends with an empty line: the digits end before. */
	if (value)
		*length = strtoull(value, NULL, 10);
	return value != NULL;
}

unsigned
head_status(const char *head, size_t len)
{
	if (len < 13 || memcmp(head, "HTTP/1.", 7) != 0)
		return 0;
	return (unsigned)strtoul(head + 9, NULL, 10);
}
