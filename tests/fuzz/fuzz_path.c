/*
 * Goal: the normal form of a path keeps the promises of path.h, for any bytes
 * and rules: never longer than the path, the same in place, its own normal
 * form, and without segments or escapes that the rules take away. The flags are
 * the rules.
 */
#include "input.h"
#include "octet.h"
#include "path.h"

static struct path_rules
rules_of(uint8_t flags)
{
	return (struct path_rules){
	    .dot_segments = flags & 1,
	    .empty_segments = (flags >> 1 & 3) % 3,
	    .escapes = flags >> 3 & 1,
	    .encoded_slash = flags >> 4 & 1,
	    .backslash = flags >> 5 & 1,
	};
}

static bool
is_dots(const char *at, size_t len)
{
	return (len == 1 && at[0] == '.') ||
	       (len == 2 && at[0] == '.' && at[1] == '.');
}

static void
check_segments(const struct path_rules *rules, const char *at, size_t len)
{
	const char *end = at + len;

	MUST(len > 0 && at[0] == '/');
	while (at < end) {
		const char *next = memchr(at + 1, '/', (size_t)(end - at) - 1);
		size_t n = (size_t)((next != NULL ? next : end) - at) - 1;

		MUST(!is_dots(at + 1, n));
		MUST(n > 0 || next == NULL ||
		     rules->empty_segments == PATH_EMPTY_KEEP);
		at += n + 1;
	}
}

/* Only octets that need an escape have one, in upper case. */
static void
check_escapes(const struct path_rules *rules, const char *at, size_t len)
{
	const char *end = at + len;

	for (; at < end; at++) {
		int octet;

		MUST(*at != '\\' || rules->backslash == PATH_SLASH_KEEP);
		if (*at != '%')
			continue;
		MUST(end - at >= 3);
		MUST(at[1] < 'a' && at[2] < 'a');
		MUST(octet_hex(at[1]) >= 0 && octet_hex(at[2]) >= 0);
		octet = octet_hex(at[1]) << 4 | octet_hex(at[2]);
		MUST(octet != 0 && !octet_is((char)octet, OCTET_UNRESERVED));
		MUST(octet != '/' || rules->encoded_slash == PATH_SLASH_KEEP);
		MUST(octet != '\\' || rules->backslash == PATH_SLASH_KEEP);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in;
	struct path_rules rules;
	char *path, *first, *second;
	size_t first_len, second_len;
	enum parser_error error;

	input_init(&in, data, len);
	rules = rules_of(in.flags);
	if (in.len == 0 || in.data[0] != '/')
		return -1;
	path = input_copy(in.data, in.len);
	first = malloc(in.len);
	MUST(first != NULL);
	error = path_normalise(
	    &rules, (struct slice){path, in.len}, first, &first_len);
	MUST(path_normalise(&rules, (struct slice){path, in.len}, path,
		 &second_len) == error);
	if (error == PARSER_NONE) {
		MUST(first_len <= in.len && first_len == second_len);
		MUST(memcmp(first, path, first_len) == 0);
		check_segments(&rules, first, first_len);
		check_escapes(&rules, first, first_len);
		MUST(!path_has_nul((struct slice){first, first_len}));
		second = input_copy(first, first_len);
		MUST(path_normalise(&rules, (struct slice){first, first_len},
			 second, &second_len) == PARSER_NONE);
		MUST(second_len == first_len);
		MUST(memcmp(first, second, first_len) == 0);
		free(second);
	}
	free(path);
	free(first);
	return 0;
}
