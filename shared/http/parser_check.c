#include "parser_check.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "parser_target.h"
#include "octet.h"

/* Each name in Connection is searched among all fields: limits of the names,
 * and of the work. */
#define OPTIONS_MAX 100
#define OPTIONS_WORK_MAX 65536

/* The facts of the fields, before the common judgement. */
struct field_facts {
	unsigned hosts;
	unsigned lengths;
	unsigned codings; /* fields */
	unsigned hops;    /* Max-Forwards */
	unsigned options; /* elements of Connection */
	bool close;
	bool keep_alive;
	bool upgrade;
	bool is_chunked; /* the last coding so far is chunked */
	bool bad_coding;
	bool unknown_coding;
	bool bad_expectation;
	bool expects_continue;
	/* Last, and not cleared: each member is set with its field's count. */
	const struct head_field *date; /* responses: the last Date; or NULL */
	struct slice protocol;         /* see read_upgrade() */
	struct slice host;
	struct slice length;
	struct slice hop;
};

static bool
is_1_0(const struct head *head)
{
	return head->minor == 0;
}

/* ---- the fields, one by one ---- */

/* Digits only, up to max. False: no number; *n is max at most. */
static bool
read_number(struct slice s, uint64_t max, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.at[i] - '0');

		if (!octet_is(s.at[i], OCTET_DIGIT))
			return false;
		*n = *n > (max - digit) / 10 ? max : *n * 10 + digit;
	}
	return s.len > 0;
}

/* RFC 9110 section 7.6.1: fields named by Connection belong to this hop. */
static enum parser_error
read_connection(struct head *head, struct field_facts *facts, struct slice list)
{
	struct slice option;

	while ((option = head_next_element(&list)).at != NULL) {
		if (option.len == 0)
			continue;
		facts->options++;
		if (facts->options > OPTIONS_MAX ||
		    facts->options * head->field_count > OPTIONS_WORK_MAX)
			return PARSER_OPTIONS;
		if (slice_is(option, "close"))
			facts->close = true;
		else if (slice_is(option, "keep-alive"))
			facts->keep_alive = true;
		else if (slice_is(option, "upgrade"))
			facts->upgrade = true;
		head_nominate(head, option);
		for (size_t i = 0; i < head->field_count; i++)
			if (head->fields[i].name.len == option.len &&
			    strncasecmp(head->fields[i].name.at, option.at,
				option.len) == 0)
				head->fields[i].nominated = true;
	}
	return PARSER_NONE;
}

/* RFC 9112 section 7: registered codings that we do not support. */
static bool
is_registered_coding(struct slice name)
{
	static const char *const names[] = {
	    "gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

static void
read_codings(struct field_facts *facts, struct slice list)
{
	struct slice coding;

	facts->codings++;
	while ((coding = head_next_element(&list)).at != NULL) {
		const char *end = coding.at + coding.len;
		const char *stop = octet_skip(coding.at, end, OCTET_TOKEN);
		bool has_parameters = stop < end, is_chunked;

		coding.len = (size_t)(stop - coding.at);
		while (stop < end && octet_is_blank(*stop))
			stop++;
		is_chunked = slice_is(coding, "chunked");
		/* Chunked comes once, last, and without parameters. */
		if (coding.len == 0 || facts->is_chunked ||
		    (has_parameters && (is_chunked || *stop != ';')) ||
		    is_registered_coding(coding))
			facts->bad_coding = true;
		else if (!is_chunked)
			facts->unknown_coding = true;
		facts->is_chunked = is_chunked;
	}
}

static void
read_expectations(struct field_facts *facts, struct slice list)
{
	struct slice what;

	while ((what = head_next_element(&list)).at != NULL) {
		if (slice_is(what, "100-continue"))
			facts->expects_continue = true;
		else if (what.len > 0)
			facts->bad_expectation = true;
	}
}

static void
read_te(struct head *head, struct slice list)
{
	struct slice coding;

	while ((coding = head_next_element(&list)).at != NULL)
		if (slice_is(coding, "trailers"))
			head->accepts_trailers = true;
}

static void
read_upgrade(struct field_facts *facts, struct slice list)
{
	struct slice what;

	while (facts->protocol.at == NULL &&
	       (what = head_next_element(&list)).at != NULL)
		if (head_is_protocol(what))
			facts->protocol = what;
}

/* name "=" digits, possibly quoted. UINT32_MAX: another name, or no number. */
static uint32_t
read_parameter(struct slice element, struct slice name)
{
	uint64_t n;

	if (element.len <= name.len ||
	    strncasecmp(element.at, name.at, name.len) != 0)
		return UINT32_MAX;
	element.at += name.len;
	element.len -= name.len;
	if (element.len > 2 && element.at[0] == '"' &&
	    element.at[element.len - 1] == '"')
		element = (struct slice){element.at + 1, element.len - 2};
	return read_number(element, UINT32_MAX, &n) ? (uint32_t)n : UINT32_MAX;
}

/* RFC 2068 section 19.7.1.1; a hint, so no fault can be made of it. */
static void
read_keep_alive(struct head *head, struct slice list)
{
	static const struct slice timeout = {"timeout=", 8}, max = {"max=", 4};
	struct slice element;

	if (!head->has_keep_alive)
		head->keep_alive_s = head->keep_alive_max = UINT32_MAX;
	head->has_keep_alive = true;
	while ((element = head_next_element(&list)).at != NULL) {
		uint32_t s = read_parameter(element, timeout);
		uint32_t n = read_parameter(element, max);

		if (s < head->keep_alive_s)
			head->keep_alive_s = s;
		if (n < head->keep_alive_max)
			head->keep_alive_max = n;
	}
}

static enum parser_error
read_field(
    struct head *head, struct field_facts *facts, const struct head_field *h)
{
	switch (h->id) {
	case FIELD_HOST:
		facts->hosts++;
		facts->host = h->value;
		break;
	case FIELD_CONTENT_LENGTH:
		facts->lengths++;
		facts->length = h->value;
		break;
	case FIELD_TRANSFER_ENCODING:
		read_codings(facts, h->value);
		break;
	case FIELD_CONNECTION:
		return read_connection(head, facts, h->value);
	case FIELD_DATE:
		facts->date = h;
		break;
	case FIELD_EXPECT:
		read_expectations(facts, h->value);
		break;
	case FIELD_TE:
		read_te(head, h->value);
		break;
	case FIELD_UPGRADE:
		read_upgrade(facts, h->value);
		break;
	case FIELD_KEEP_ALIVE:
		read_keep_alive(head, h->value);
		break;
	case FIELD_VIA:
		head->has_via = true;
		break;
	case FIELD_MAX_FORWARDS:
		facts->hops++;
		facts->hop = h->value;
		break;
	default:
		break;
	}
	return PARSER_NONE;
}

static enum parser_error
read_fields(struct head *head, struct field_facts *facts)
{
	enum parser_error error = PARSER_NONE;

	for (size_t i = 0; i < head->field_count && error == PARSER_NONE; i++) {
		struct head_field *h = &head->fields[i];

		h->value = head_trim(h->value);
		error = read_field(head, facts, h);
	}
	return error;
}

/* ---- judged together ---- */

/* RFC 9112 sections 6.1 to 6.3. */
static enum parser_error
check_framing(struct head *head, const struct field_facts *facts)
{
	if (facts->lengths > 1 || (facts->lengths != 0 && facts->codings != 0))
		return PARSER_LENGTH;
	if (facts->codings != 0) {
		if (is_1_0(head) || facts->bad_coding)
			return PARSER_CODING;
		if (facts->unknown_coding)
			return PARSER_CODING_UNKNOWN;
		head->chunked = true;
	}
	if (facts->lengths != 0) {
		if (!read_number(facts->length, (uint64_t)INT64_MAX + 1,
			&head->length) ||
		    head->length > INT64_MAX)
			return PARSER_LENGTH;
		head->has_length = true;
	}
	return PARSER_NONE;
}

/* RFC 9112 section 9.3. */
static bool
keeps_alive(const struct head *head, const struct field_facts *facts)
{
	return !facts->close && (!is_1_0(head) || facts->keep_alive);
}

static enum parser_error
check_host(struct head *head, const struct field_facts *facts)
{
	if (facts->hosts > 1 || (facts->hosts == 0 && !is_1_0(head)))
		return PARSER_HOST;
	if (facts->hosts == 0)
		return PARSER_NONE;
	head->host = facts->host;
	return parser_target_is_host(facts->host) ? PARSER_NONE : PARSER_HOST;
}

/* RFC 9110 section 7.6.2. */
static enum parser_error
check_max_forwards(struct head *head, const struct field_facts *facts)
{
	uint64_t n;

	if (facts->hops == 0 ||
	    (head->method != HTTP_OPTIONS && head->method != HTTP_TRACE))
		return PARSER_NONE;
	if (facts->hops > 1 || !read_number(facts->hop, INT_MAX, &n))
		return PARSER_MAX_FORWARDS;
	head->max_forwards = (int)n;
	return PARSER_NONE;
}

/* Wishes of the client beyond a response. */
static enum parser_error
check_wishes(
    struct head *head, const struct field_facts *facts, uint64_t body_max)
{
	bool has_body = head_has_body(head);

	if (head->method == HTTP_TRACE && has_body)
		return PARSER_TRACE_BODY;
	if (body_max != 0 && head->has_length && head->length > body_max)
		return PARSER_BODY_TOO_LARGE;
	if (is_1_0(head))
		return PARSER_NONE;
	if (facts->bad_expectation)
		return PARSER_EXPECTATION;
	head->expects_continue = facts->expects_continue && has_body;
	if (facts->upgrade && facts->protocol.at != NULL) {
		head->upgrades = !has_body;
		head->upgrade = facts->protocol;
	}
	return PARSER_NONE;
}

static enum parser_error
check_request(
    struct head *head, const struct field_facts *facts, uint64_t body_max)
{
	enum parser_error error = check_host(head, facts);

	if (error == PARSER_NONE)
		error = parser_target_check(head);
	if (error == PARSER_NONE)
		error = check_max_forwards(head, facts);
	if (error == PARSER_NONE)
		error = check_wishes(head, facts, body_max);
	return error;
}

/* RFC 9110 section 15.2.2: a 101 has to name the protocol of the bytes behind.
 */
static enum parser_error
check_response(struct head *head, const struct field_facts *facts)
{
	head->has_date = facts->date != NULL && !facts->date->nominated;
	/* Section 15.5.22: the protocol required of the client. */
	if (head->status == 426)
		head->upgrade = facts->protocol;
	if (head->status != 101)
		return PARSER_NONE;
	if (is_1_0(head) || !facts->upgrade || facts->protocol.at == NULL)
		return PARSER_SWITCH;
	head->upgrades = true;
	head->upgrade = facts->protocol;
	return PARSER_NONE;
}

enum parser_error
parser_check(struct head *head, uint64_t body_max)
{
	struct field_facts facts;
	enum parser_error error;

	memset(&facts, 0, offsetof(struct field_facts, protocol));
	facts.protocol = (struct slice){NULL, 0};
	error = read_fields(head, &facts);
	if (error == PARSER_NONE)
		error = check_framing(head, &facts);
	if (error != PARSER_NONE)
		return error;
	head->keep_alive = keeps_alive(head, &facts);
	head->asks_keep_alive = facts.keep_alive;
	return head->is_response ? check_response(head, &facts)
				 : check_request(head, &facts, body_max);
}
