#include "config_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#define HOST_MAX 253
#define BLANK " \t"

/* ---- host ---- */

/* A name or a numeric address as sock knows them, without a port. */
static bool
is_host(const char *text)
{
	char with_port[HOST_MAX + sizeof(":1")];
	struct sock_name name;
	size_t len = strlen(text);

	if (len == 0 || len > HOST_MAX || text[len - 1] == '.')
		return false;
	snprintf(with_port, sizeof(with_port), "%s:1", text);
	return sock_name_parse(&name, with_port) == 0;
}

static char *
check_host(struct config_value *v, const char *raw)
{
	char *text = config_value_text(v, "host", raw, NULL);
	bool good;

	if (text == NULL)
		return NULL;
	if (strncmp(text, "*.", 2) == 0)
		good = text[2] != '[' && is_host(text + 2);
	else
		good = is_host(text);
	if (!good)
		config_value_fail(v, "host",
		    "`%.120s` is not a host; write api.example.org, "
		    "*.example.org or [::1], without a port",
		    text);
	config_value_lower(text);
	return text;
}

/* ---- methods ---- */

/* The bit of a method of HTTP; 0 when there is none of that name. CONNECT is
 * refused before it comes to routes. */
static uint64_t
method_bit(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} methods[] = {
#define X(number, symbol, string) {#string, number},
	    HTTP_METHOD_MAP(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(methods[i].name, name) == 0 &&
		    methods[i].number != HTTP_CONNECT)
			return UINT64_C(1) << methods[i].number;
	return 0;
}

static uint64_t
check_methods(struct config_value *v, const struct config_raw_route *raw)
{
	uint64_t methods = 0, bit;
	char key[32], *text;

	for (size_t i = 0; i < raw->methods_count; i++) {
		snprintf(key, sizeof(key), "methods[%zu]", i);
		text = config_value_required(v, key, raw->methods[i]);
		if (text == NULL)
			continue;
		bit = method_bit(text);
		if (bit == 0)
			config_value_fail(v, key,
			    "`%.60s` is not a method, such as GET or POST, in "
			    "capitals",
			    text);
		else if ((methods & bit) != 0)
			config_value_fail(v, key, "`%s` is listed twice", text);
		methods |= bit;
		free(text);
	}
	return methods;
}

/* ---- headers and query ---- */

/* One of the two lists: how an entry is written, and what may be in it. */
struct kind {
	const char *key;
	char separator;
	bool any_case; /* names are, and are kept in lower case */
	bool (*is_name)(const char *text);
	bool (*is_value)(const char *text);
	const char *example;
};

/* RFC 9110 section 5.5, without the blanks around it. */
static bool
is_field_value(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') ||
		    *text == 0x7f)
			return false;
	return true;
}

/* Part of a query as it is sent: what is not plain is %-encoded there. */
static bool
is_query_value(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '&' ||
		    *text == '#')
			return false;
	return true;
}

static bool
is_query_name(const char *text)
{
	return text[0] != '\0' && is_query_value(text);
}

static const struct kind header_kind = {"headers", ':', true,
    config_value_is_token, is_field_value,
    "a header, such as \"X-Tenant: a\", or \"X-Tenant\" for any value"};
static const struct kind query_kind = {"query", '=', false, is_query_name,
    is_query_value,
    "a parameter as it is sent, such as \"tenant=a\", or \"tenant\" for any "
    "value"};

/* Takes an entry apart; text is consumed, and value may be NULL. */
static bool
parse_match(
    const struct kind *kind, char *text, const char **name, const char **value)
{
	char *at = strchr(text, kind->separator), *end;

	*name = text;
	*value = NULL;
	if (at != NULL) {
		*at++ = '\0';
		at += strspn(at, BLANK);
		end = at + strlen(at);
		while (end > at && strchr(BLANK, end[-1]) != NULL)
			*--end = '\0';
		*value = at;
	}
	return kind->is_name(text) && (at == NULL || kind->is_value(at));
}

static void
keep_match(struct config_value *v, const char *key, struct config_match *m,
    const char *name, const char *value)
{
	m->name = strdup(name);
	if (value != NULL)
		m->value = strdup(value);
	if (m->name == NULL || (value != NULL && m->value == NULL))
		config_value_fail(v, key, "no memory");
}

static void
check_match(struct config_value *v, const struct kind *kind, const char *raw,
    struct config_match *matches, size_t i)
{
	const char *name, *value;
	char key[32], *text, *copy;

	snprintf(key, sizeof(key), "%s[%zu]", kind->key, i);
	text = config_value_required(v, key, raw);
	copy = text != NULL ? strdup(text) : NULL;
	if (copy == NULL) {
		config_value_fail(v, key, "no memory");
	} else if (!parse_match(kind, copy, &name, &value)) {
		config_value_fail(
		    v, key, "`%.120s` is not %s", text, kind->example);
	} else if (value != NULL && value[0] == '\0') {
		/* Most likely a variable that is not set. */
		config_value_fail(v, key,
		    "has no value after the %c; write `%.120s` for any",
		    kind->separator, name);
	} else {
		keep_match(v, key, &matches[i], name, value);
		if (kind->any_case && matches[i].name != NULL)
			config_value_lower(matches[i].name);
	}
	for (size_t j = 0; j < i && matches[i].name != NULL; j++)
		if (matches[j].name != NULL &&
		    strcmp(matches[i].name, matches[j].name) == 0)
			config_value_fail(v, key, "`%.120s` is listed twice",
			    matches[i].name);
	free(copy);
	free(text);
}

static struct config_match *
check_matches(
    struct config_value *v, const struct kind *kind, char **raw, size_t *count)
{
	struct config_match *matches = NULL;

	if (*count != 0)
		matches = calloc(*count, sizeof(*matches));
	if (*count != 0 && matches == NULL) {
		config_value_fail(v, kind->key, "no memory");
		*count = 0;
	}
	for (size_t i = 0; i < *count; i++)
		check_match(v, kind, raw[i], matches, i);
	return matches;
}

/* ---- all of them ---- */

void
config_match_check(struct config_value *v, const struct config_raw_route *raw,
    struct config_route *r)
{
	r->exact = config_value_bool(v, "exact", raw->exact, false);
	r->host = check_host(v, raw->host);
	r->methods = check_methods(v, raw);
	r->header_count = raw->headers_count;
	r->headers =
	    check_matches(v, &header_kind, raw->headers, &r->header_count);
	r->query_count = raw->query_count;
	r->query = check_matches(v, &query_kind, raw->query, &r->query_count);
}

static bool
is_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
has_match(const struct config_match *in, size_t count,
    const struct config_match *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (is_same_text(in[i].name, wanted->name))
			return is_same_text(in[i].value, wanted->value);
	return false;
}

/* In whatever order; no name is in a list twice. */
static bool
is_same_list(const struct config_match *a, size_t a_count,
    const struct config_match *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!has_match(b, b_count, &a[i]))
			return false;
	return true;
}

bool
config_match_equal(const struct config_route *a, const struct config_route *b)
{
	return a->exact == b->exact && is_same_text(a->host, b->host) &&
	       a->methods == b->methods &&
	       is_same_list(
		   a->headers, a->header_count, b->headers, b->header_count) &&
	       is_same_list(a->query, a->query_count, b->query, b->query_count);
}
