#include "parser_scan.h"

#include <string.h>

#include "octet.h"

enum scan {
	SCAN_START, /* a request begins here, or an empty line before it */
	SCAN_START_LF,
	SCAN_METHOD,
	SCAN_TARGET,
	SCAN_VERSION,  /* of a request, and the CR */
	SCAN_RESPONSE, /* a response begins here */
	SCAN_STATUS,   /* its version and status */
	SCAN_REASON_SPACE,
	SCAN_REASON,
	SCAN_LINE_LF,
	SCAN_LINE, /* a field, or the end, begins here */
	SCAN_NAME,
	SCAN_VALUE,
	SCAN_END_LF,
	SCAN_WHOLE,
};

typedef const char *scan_fn(
    struct parser_scan *s, const char *at, const char *end);

/* Most of a head comes at once, hence each step continues with the next by
 * itself: go_on(). */
static scan_fn scan_method, scan_target, scan_status, scan_version,
    scan_reason_space, scan_reason, scan_line_lf, scan_name, scan_value,
    scan_end_lf;

static void
enter(struct parser_scan *s, enum scan scan, const char *mark)
{
	s->state = (uint8_t)scan;
	s->mark = mark;
}

/* The next step, if some of the step's bytes are here. */
static inline const char *
go_on(scan_fn *next, struct parser_scan *s, const char *at, const char *end)
{
	return at < end ? next(s, at, end) : at;
}

static const char *
fail(struct parser_scan *s, enum parser_error error, const char *at)
{
	s->error = error;
	s->wrong = at;
	return at;
}

/* RFC 9112 section 2.2: empty lines before a request are passed over. */
static const char *
scan_start(struct parser_scan *s, const char *at, const char *end)
{
	if (*at == '\n')
		return fail(s, PARSER_LINE_ENDS, at);
	if (*at == '\r') {
		enter(s, SCAN_START_LF, at);
		return at + 1;
	}
	s->start = at;
	enter(s, SCAN_METHOD, at);
	return scan_method(s, at, end);
}

static const char *
scan_response(struct parser_scan *s, const char *at, const char *end)
{
	s->start = at;
	enter(s, SCAN_STATUS, at);
	return scan_status(s, at, end);
}

static const char *
scan_start_lf(struct parser_scan *s, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return fail(s, PARSER_LINE_ENDS, at);
	enter(s, SCAN_START, at);
	return at + 1;
}

static const char *
scan_method(struct parser_scan *s, const char *at, const char *end)
{
	at = octet_skip(at, end, OCTET_TOKEN);
	if (at == end)
		return at;
	if (*at != ' ' || at == s->mark)
		return fail(s, PARSER_SYNTAX, at);
	enter(s, SCAN_TARGET, at + 1);
	return go_on(scan_target, s, at + 1, end);
}

/* The target's bytes up to `to`, or to a byte that ends the target. Only bytes
 * outside OCTET_SEGMENT get a second look. The byte before a slash or dot tells
 * an empty segment, or the begin of a dot segment. */
static const char *
skip_target(struct parser_scan *s, const char *at, const char *to)
{
	if (s->query != NULL)
		return octet_skip(at, to, OCTET_TARGET);
	while ((at = octet_skip(at, to, OCTET_SEGMENT)) < to) {
		if (*at == '/' || *at == '.') {
			s->is_odd |= at[-1] == '/';
		} else if (*at == '?') {
			s->query = at;
			return octet_skip(at, to, OCTET_TARGET);
		} else if (octet_is(*at, OCTET_TARGET)) {
			s->is_odd = true;
		} else {
			break;
		}
		at++;
	}
	return at;
}

static const char *
scan_target(struct parser_scan *s, const char *at, const char *end)
{
	size_t max = s->target_max;
	const char *to = end;

	if (max != 0 && (size_t)(end - s->mark) > max)
		to = s->mark + max + 1;
	at = skip_target(s, at, to);
	if (max != 0 && (size_t)(at - s->mark) > max)
		return fail(s, PARSER_TARGET_TOO_LONG, at);
	if (at == to)
		return at;
	/* "GET /" and the end of the line is HTTP/0.9. */
	if (*at == '\r' || *at == '\n' || (*at == ' ' && at == s->mark))
		return fail(s, PARSER_SYNTAX, at);
	if (*at != ' ')
		return fail(s, PARSER_TARGET, at);
	enter(s, SCAN_VERSION, at + 1);
	return go_on(scan_version, s, at + 1, end);
}

/* Compares each byte with pattern; `0` is any digit. NULL: no match, an error.
 */
static const char *
match(
    struct parser_scan *s, const char *at, const char *end, const char *pattern)
{
	for (pattern += at - s->mark; at < end && *pattern != '\0';
	    at++, pattern++) {
		if (*pattern == '0' ? !octet_is(*at, OCTET_DIGIT)
				    : *at != *pattern) {
			(void)fail(s, PARSER_SYNTAX, at);
			return NULL;
		}
	}
	return at;
}

/* RFC 9112 section 2.3. HTTP/0.9 has no version: naming the version is an
 * error. */
static enum parser_error
check_version(const struct parser_scan *s, const char *version)
{
	const char *major = version + strlen("HTTP/");

	if (major[0] == '1' && (major[2] == '0' || major[2] == '1'))
		return PARSER_NONE;
	if (strncmp(s->start, "PRI * HTTP/2.0", 14) == 0)
		return PARSER_PREFACE;
	return major[0] == '0' ? PARSER_SYNTAX : PARSER_VERSION;
}

static const char *
scan_version(struct parser_scan *s, const char *at, const char *end)
{
	static const char pattern[] = "HTTP/0.0\r", usual[] = "HTTP/1.1\r";
	const char *to = at + strlen(usual);

	if (at != s->mark || end - at < (ptrdiff_t)strlen(usual) ||
	    memcmp(at, usual, strlen(usual)) != 0)
		to = match(s, at, end, pattern);

	if (to == NULL)
		return at;
	if ((size_t)(to - s->mark) < strlen(pattern))
		return to;
	s->error = check_version(s, s->mark);
	if (s->error != PARSER_NONE)
		return to;
	enter(s, SCAN_LINE_LF, to);
	return go_on(scan_line_lf, s, to, end);
}

static const char *
scan_status(struct parser_scan *s, const char *at, const char *end)
{
	static const char pattern[] = "HTTP/0.0 000", usual[] = "HTTP/1.1 ";
	const char *to = at;

	/* A quick comparison for the usual case. */
	if (at == s->mark && end - at >= (ptrdiff_t)strlen(pattern) &&
	    memcmp(at, usual, strlen(usual)) == 0)
		to += strlen(usual);
	to = match(s, to, end, pattern);
	if (to == NULL)
		return at;
	if ((size_t)(to - s->mark) < strlen(pattern))
		return to;
	s->error = check_version(s, s->mark);
	if (s->error != PARSER_NONE)
		return to;
	if (to[-3] == '0')
		return fail(s, PARSER_SYNTAX, to - 3);
	enter(s, SCAN_REASON_SPACE, to);
	return go_on(scan_reason_space, s, to, end);
}

/* Some senders omit the space when the reason is empty. */
static const char *
scan_reason_space(struct parser_scan *s, const char *at, const char *end)
{
	bool has_reason = *at == ' ';

	if (!has_reason && *at != '\r')
		return fail(s, PARSER_SYNTAX, at);
	enter(s, has_reason ? SCAN_REASON : SCAN_LINE_LF, at + 1);
	return go_on(has_reason ? scan_reason : scan_line_lf, s, at + 1, end);
}

/* The bytes of a value or a reason, and the CR. NULL: more bytes have to come,
 * or an error: `control`, at a control character. */
static const char *
skip_text(struct parser_scan *s, const char **at, const char *end,
    enum parser_error control)
{
	const char *stop = octet_skip_text(*at, end);

	*at = stop;
	if (stop == end)
		return NULL;
	if (*stop != '\r') {
		(void)fail(s, *stop == '\n' ? PARSER_LINE_ENDS : control, stop);
		return NULL;
	}
	return stop;
}

static const char *
scan_reason(struct parser_scan *s, const char *at, const char *end)
{
	const char *stop = skip_text(s, &at, end, PARSER_REASON);

	if (stop == NULL)
		return at;
	enter(s, SCAN_LINE_LF, stop + 1);
	return go_on(scan_line_lf, s, stop + 1, end);
}

static const char *
scan_value(struct parser_scan *s, const char *at, const char *end)
{
	const char *stop = skip_text(s, &at, end, PARSER_FIELD_VALUE);

	if (stop == NULL)
		return at;
	s->field[-1].value = (struct slice){s->mark, (size_t)(stop - s->mark)};
	enter(s, SCAN_LINE_LF, stop + 1);
	return go_on(scan_line_lf, s, stop + 1, end);
}

/* scan_line(), with room for more fields. Rare, and a call at the end, so that
 * the scan of a line saves no registers. */
__attribute__((noinline, cold)) static const char *
scan_line_grow(struct parser_scan *s, const char *at, const char *end)
{
	size_t count = (size_t)(s->field - s->head->fields);

	if (head_grow(s->head, count) == -1)
		return fail(s, PARSER_MEMORY, at);
	s->field = s->head->fields + count;
	s->fields_end = s->field + count;
	enter(s, SCAN_NAME, at);
	return scan_name(s, at, end);
}

static const char *
scan_line(struct parser_scan *s, const char *at, const char *end)
{
	/* The line before is folded, or lacks the CR. */
	if (octet_is_blank(*at) || *at == '\n')
		return fail(s, PARSER_LINE_ENDS, at);
	if (*at == '\r') {
		enter(s, SCAN_END_LF, at);
		return go_on(scan_end_lf, s, at + 1, end);
	}
	if (s->field == s->fields_end)
		return scan_line_grow(s, at, end);
	enter(s, SCAN_NAME, at);
	return scan_name(s, at, end);
}

static const char *
scan_line_lf(struct parser_scan *s, const char *at, const char *end)
{
	if (*at != '\n')
		return fail(s, PARSER_LINE_ENDS, at);
	enter(s, SCAN_LINE, at + 1);
	return go_on(scan_line, s, at + 1, end);
}

/* The index of the fields is made on the way. */
static const char *
scan_name(struct parser_scan *s, const char *at, const char *end)
{
	struct head_field *h;

	at = octet_skip(at, end, OCTET_TOKEN);
	if (at == end)
		return at;
	if (*at != ':' || at == s->mark)
		return fail(s, PARSER_FIELD_NAME, at);
	h = s->field++;
	h->name = (struct slice){s->mark, (size_t)(at - s->mark)};
	h->id = head_field_id_of(h->name);
	h->nominated = false;
	enter(s, SCAN_VALUE, at + 1);
	return go_on(scan_value, s, at + 1, end);
}

static const char *
scan_end_lf(struct parser_scan *s, const char *at, const char *end)
{
	(void)end;
	if (*at != '\n')
		return fail(s, PARSER_LINE_ENDS, at);
	enter(s, SCAN_WHOLE, NULL);
	return at + 1;
}

static scan_fn *const scanners[] = {
    [SCAN_START] = scan_start,
    [SCAN_START_LF] = scan_start_lf,
    [SCAN_METHOD] = scan_method,
    [SCAN_TARGET] = scan_target,
    [SCAN_VERSION] = scan_version,
    [SCAN_RESPONSE] = scan_response,
    [SCAN_STATUS] = scan_status,
    [SCAN_REASON_SPACE] = scan_reason_space,
    [SCAN_REASON] = scan_reason,
    [SCAN_LINE_LF] = scan_line_lf,
    [SCAN_LINE] = scan_line,
    [SCAN_NAME] = scan_name,
    [SCAN_VALUE] = scan_value,
    [SCAN_END_LF] = scan_end_lf,
};

static void
init(
    struct parser_scan *s, enum scan scan, struct head *head, size_t target_max)
{
	*s = (struct parser_scan){
	    .state = (uint8_t)scan,
	    .target_max = target_max,
	    .head = head,
	    .field = head->few,
	    .fields_end = head->few + HEAD_FIELDS_FEW,
	};
}

void
parser_scan_init_request(
    struct parser_scan *s, struct head *head, size_t target_max)
{
	init(s, SCAN_START, head, target_max);
}

void
parser_scan_init_response(struct parser_scan *s, struct head *head)
{
	init(s, SCAN_RESPONSE, head, 0);
}

struct slice
parser_scan_field(const struct parser_scan *s)
{
	/* A name that is wrong ends with the byte before. */
	if (s->state == SCAN_NAME && s->wrong != NULL)
		return (struct slice){s->mark, (size_t)(s->wrong - s->mark)};
	if (s->state < SCAN_LINE_LF || s->state == SCAN_NAME ||
	    s->field == s->head->fields)
		return (struct slice){NULL, 0};
	return s->field[-1].name;
}

/* A method is a token in front of a space, so no byte behind a mismatch is
 * read. */
bool
parser_scan_is_head_method(const struct parser_scan *s)
{
	static const char wanted[] = "HEAD ";
	size_t i = 0;

	if (s->start == NULL || s->state <= SCAN_METHOD)
		return false;
	while (wanted[i] != '\0' && s->start[i] == wanted[i])
		i++;
	return wanted[i] == '\0';
}

bool
parser_scan(struct parser_scan *s, const char **at, const char *end)
{
	while (*at < end && s->error == PARSER_NONE && s->state != SCAN_WHOLE)
		*at = scanners[s->state](s, *at, end);
	return s->state == SCAN_WHOLE;
}
