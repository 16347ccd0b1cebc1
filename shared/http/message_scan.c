#include <string.h>

#include "message_private.h"
#include "octet.h"

enum scan {
	SCAN_START, /* a message begins here, or an empty line before it */
	SCAN_START_LF,
	SCAN_METHOD,
	SCAN_TARGET,
	SCAN_VERSION, /* of a request, and the CR */
	SCAN_STATUS,  /* version and status of a response */
	SCAN_REASON_SPACE,
	SCAN_REASON,
	SCAN_LINE_LF,
	SCAN_LINE, /* a field, or the end, begins here */
	SCAN_NAME,
	SCAN_VALUE,
	SCAN_END_LF,
};

/* Most of a head is there at once, so each step goes on to the next by itself;
 * but the last, which the loop below has to see. */
static const char *scan_name(
    struct message *m, const char *at, const char *end);
static const char *scan_value(
    struct message *m, const char *at, const char *end);
static const char *scan_line_lf(
    struct message *m, const char *at, const char *end);

static void
enter(struct message *m, enum scan scan, const char *mark)
{
	m->scan = (uint8_t)scan;
	m->mark = mark;
}

static const char *
fail(struct message *m, enum message_error error, const char *at)
{
	m->error = error;
	return at;
}

/* RFC 9112 section 2.2: empty lines before a request are passed over. */
static const char *
scan_start(struct message *m, const char *at, const char *end)
{
	(void)end;
	if (m->is_response) {
		m->head = at;
		enter(m, SCAN_STATUS, at);
		return at;
	}
	if (*at == '\n')
		return fail(m, MESSAGE_LINE_ENDS, at);
	if (*at == '\r') {
		enter(m, SCAN_START_LF, at);
		return at + 1;
	}
	m->head = at;
	enter(m, SCAN_METHOD, at);
	return at;
}

static const char *
scan_start_lf(struct message *m, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return fail(m, MESSAGE_LINE_ENDS, at);
	enter(m, SCAN_START, at);
	return at + 1;
}

static const char *
scan_method(struct message *m, const char *at, const char *end)
{
	at = octet_skip(at, end, OCTET_TOKEN);
	if (at == end)
		return at;
	if (*at != ' ' || at == m->mark)
		return fail(m, MESSAGE_SYNTAX, at);
	enter(m, SCAN_TARGET, at + 1);
	return at + 1;
}

static const char *
scan_target(struct message *m, const char *at, const char *end)
{
	size_t max = m->limits.target_bytes;

	if (max != 0 && (size_t)(end - m->mark) > max)
		end = m->mark + max + 1;
	at = octet_skip(at, end, OCTET_TARGET);
	if (max != 0 && (size_t)(at - m->mark) > max)
		return fail(m, MESSAGE_TARGET_TOO_LONG, at);
	if (at == end)
		return at;
	/* "GET /" and the end of the line is HTTP/0.9. */
	if (*at == '\r' || *at == '\n' || (*at == ' ' && at == m->mark))
		return fail(m, MESSAGE_SYNTAX, at);
	if (*at != ' ')
		return fail(m, MESSAGE_TARGET, at);
	enter(m, SCAN_VERSION, at + 1);
	return at + 1;
}

/* Each byte as pattern has it, `0` being any digit. NULL: it is not. */
static const char *
match(const struct message *m, const char *at, const char *end,
    const char *pattern)
{
	for (pattern += at - m->mark; at < end && *pattern != '\0';
	    at++, pattern++) {
		if (*pattern == '0' ? !octet_is(*at, OCTET_DIGIT)
				    : *at != *pattern)
			return NULL;
	}
	return at;
}

/* RFC 9112 section 2.3. HTTP/0.9 has no version; who names it errs. */
static enum message_error
check_version(const struct message *m, const char *version)
{
	const char *major = version + strlen("HTTP/");

	if (major[0] == '1' && (major[2] == '0' || major[2] == '1'))
		return MESSAGE_NONE;
	if (!m->is_response && strncmp(m->head, "PRI * HTTP/2.0", 14) == 0)
		return MESSAGE_PREFACE;
	return major[0] == '0' ? MESSAGE_SYNTAX : MESSAGE_VERSION;
}

static const char *
scan_version(struct message *m, const char *at, const char *end)
{
	static const char pattern[] = "HTTP/0.0\r", usual[] = "HTTP/1.1\r";
	const char *to = at + strlen(usual);

	if (at != m->mark || end - at < (ptrdiff_t)strlen(usual) ||
	    memcmp(at, usual, strlen(usual)) != 0)
		to = match(m, at, end, pattern);

	if (to == NULL)
		return fail(m, MESSAGE_SYNTAX, at);
	if ((size_t)(to - m->mark) < strlen(pattern))
		return to;
	m->error = check_version(m, m->mark);
	enter(m, SCAN_LINE_LF, to);
	return to;
}

static const char *
scan_status(struct message *m, const char *at, const char *end)
{
	static const char pattern[] = "HTTP/0.0 000", usual[] = "HTTP/1.1 ";
	const char *to = at;

	/* What is most often so is seen at a glance. */
	if (at == m->mark && end - at >= (ptrdiff_t)strlen(pattern) &&
	    memcmp(at, usual, strlen(usual)) == 0)
		to += strlen(usual);
	to = match(m, to, end, pattern);
	if (to == NULL)
		return fail(m, MESSAGE_SYNTAX, at);
	if ((size_t)(to - m->mark) < strlen(pattern))
		return to;
	m->error = check_version(m, m->mark);
	if (m->error == MESSAGE_NONE && to[-3] == '0')
		m->error = MESSAGE_SYNTAX;
	enter(m, SCAN_REASON_SPACE, to);
	return to;
}

/* Some leave it out where there is no reason. */
static const char *
scan_reason_space(struct message *m, const char *at, const char *end)
{
	(void)end;
	if (*at != ' ' && *at != '\r')
		return fail(m, MESSAGE_SYNTAX, at);
	enter(m, *at == ' ' ? SCAN_REASON : SCAN_LINE_LF, at + 1);
	return at + 1;
}

/* What a value or a reason may be, and the CR. NULL: there is more to come, or
 * it failed. */
static const char *
skip_text(struct message *m, const char **at, const char *end)
{
	const char *stop = octet_skip_text(*at, end);

	*at = stop;
	if (stop == end)
		return NULL;
	if (*stop != '\r') {
		m->error = *stop == '\n' ? MESSAGE_LINE_ENDS : MESSAGE_SYNTAX;
		return NULL;
	}
	return stop;
}

static const char *
scan_reason(struct message *m, const char *at, const char *end)
{
	const char *stop = skip_text(m, &at, end);

	if (stop == NULL)
		return at;
	enter(m, SCAN_LINE_LF, stop + 1);
	return stop + 1;
}

static const char *
scan_value(struct message *m, const char *at, const char *end)
{
	const char *stop = skip_text(m, &at, end);

	if (stop == NULL)
		return at;
	m->headers[m->header_count - 1].value =
	    (struct slice){m->mark, (size_t)(stop - m->mark)};
	enter(m, SCAN_LINE_LF, stop + 1);
	return stop + 1 < end ? scan_line_lf(m, stop + 1, end) : end;
}

static const char *
scan_line(struct message *m, const char *at, const char *end)
{
	/* The line before is folded, or its CR is missing. */
	if (octet_is_blank(*at) || *at == '\n')
		return fail(m, MESSAGE_LINE_ENDS, at);
	if (*at == '\r') {
		enter(m, SCAN_END_LF, at);
		return at + 1;
	}
	if (m->header_count == MESSAGE_HEADERS_MAX)
		return fail(m, MESSAGE_HEAD_TOO_LARGE, at);
	enter(m, SCAN_NAME, at);
	return scan_name(m, at, end);
}

static const char *
scan_line_lf(struct message *m, const char *at, const char *end)
{
	if (*at != '\n')
		return fail(m, MESSAGE_LINE_ENDS, at);
	enter(m, SCAN_LINE, at + 1);
	return at + 1 < end ? scan_line(m, at + 1, end) : end;
}

/* The index of the fields is made here, on the way. */
static const char *
scan_name(struct message *m, const char *at, const char *end)
{
	struct message_header *h;

	at = octet_skip(at, end, OCTET_TOKEN);
	if (at == end)
		return at;
	if (*at != ':' || at == m->mark)
		return fail(m, MESSAGE_SYNTAX, at);
	h = &m->headers[m->header_count++];
	h->name = (struct slice){m->mark, (size_t)(at - m->mark)};
	h->field = message_field_of(h->name);
	h->nominated = false;
	enter(m, SCAN_VALUE, at + 1);
	return scan_value(m, at + 1, end);
}

static const char *
scan_end_lf(struct message *m, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return fail(m, MESSAGE_LINE_ENDS, at);
	enter(m, SCAN_START, NULL);
	return at + 1;
}

typedef const char *scan_fn(struct message *m, const char *at, const char *end);

static scan_fn *const scanners[] = {
    [SCAN_START] = scan_start,
    [SCAN_START_LF] = scan_start_lf,
    [SCAN_METHOD] = scan_method,
    [SCAN_TARGET] = scan_target,
    [SCAN_VERSION] = scan_version,
    [SCAN_STATUS] = scan_status,
    [SCAN_REASON_SPACE] = scan_reason_space,
    [SCAN_REASON] = scan_reason,
    [SCAN_LINE_LF] = scan_line_lf,
    [SCAN_LINE] = scan_line,
    [SCAN_NAME] = scan_name,
    [SCAN_VALUE] = scan_value,
    [SCAN_END_LF] = scan_end_lf,
};

bool
message_scan(struct message *m, const char **at, const char *end)
{
	while (*at < end && m->error == MESSAGE_NONE) {
		bool at_end = m->scan == SCAN_END_LF;

		*at = scanners[m->scan](m, *at, end);
		if (at_end)
			return m->error == MESSAGE_NONE;
	}
	return false;
}
