#include "config_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#define HOST_MAX 253
#define BLANK " \t"

/* ---- host ---- */

/* A name or a numeric address by sock's rules, without a port. */
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

static bool
parse_host(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	char **host = member;

	if (strncmp(text, "*.", 2) == 0 ? text[2] == '[' || !is_host(text + 2)
					: !is_host(text))
		return config_value_wrong(why,
		    "`%.120s` is not a host; write api.example.org, "
		    "*.example.org or [::1], without a port",
		    text);
	if (!config_value_copy(text, host, why))
		return false;
	config_value_lower(*host);
	return true;
}

const struct config_form config_match_host = {
    "`api.example.org`, `*.example.org`, `\"[::1]\"`", .parse = parse_host};

/* ---- methods ---- */

/* The bit of an HTTP method; 0 for an unknown name. CONNECT has no bit:
 * sessions refuse CONNECT before routing. */
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

static bool
parse_method(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	uint64_t *methods = member, bit = method_bit(text);

	if (bit == 0)
		return config_value_wrong(why,
		    "`%.60s` is not a method, such as GET or POST, in "
		    "capitals",
		    text);
	if ((*methods & bit) != 0)
		return config_value_wrong(why, "`%s` is listed twice", text);
	*methods |= bit;
	return true;
}

const struct config_form config_match_method = {
    "method in capitals", .parse = parse_method};

/* ---- headers and query ---- */

/* The syntax of an entry of `headers` or `query`. */
struct kind {
	char separator;
	bool any_case; /* names are kept in lower case */
	bool (*is_name)(const char *text);
	bool (*is_value)(const char *text);
	const char *example;
};

/* Part of a raw query, where any other character is %-encoded. */
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

static const struct kind header_kind = {':', true, config_value_is_token,
    config_value_is_field_value,
    "a header, such as \"X-Tenant: a\", or \"X-Tenant\" for any value"};
static const struct kind query_kind = {'=', false, is_query_name,
    is_query_value,
    "a parameter as it is sent, such as \"tenant=a\", or \"tenant\" for any "
    "value"};

/* Takes an entry apart; text is consumed, and value may be NULL. */
static bool
split(
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

static bool
parse_match(const struct kind *kind, const char *text, struct config_match *m,
    char why[CONFIG_WHY_MAX])
{
	const char *name, *value;
	char *copy = NULL;
	bool good;

	if (!config_value_copy(text, &copy, why))
		return false;
	if (!split(kind, copy, &name, &value))
		good = config_value_wrong(
		    why, "`%.120s` is not %s", text, kind->example);
	else if (value != NULL && value[0] == '\0')
		/* The usual cause is an unset variable. */
		good = config_value_wrong(why,
		    "has no value after the %c; write `%.120s` for any",
		    kind->separator, name);
	else
		good =
		    config_value_copy(name, &m->name, why) &&
		    (value == NULL || config_value_copy(value, &m->value, why));
	if (good && kind->any_case)
		config_value_lower(m->name);
	free(copy);
	return good;
}

static bool
parse_header(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	return parse_match(&header_kind, text, member, why);
}

static bool
parse_parameter(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	return parse_match(&query_kind, text, member, why);
}

static void
free_match(void *member)
{
	struct config_match *m = member;

	free(m->name);
	free(m->value);
}

const struct config_form config_match_header = {
    "`\"Name: value\"`, `Name`", .parse = parse_header, .release = free_match};
const struct config_form config_match_parameter = {
    "`name=value`, `name`", .parse = parse_parameter, .release = free_match};

/* ---- all conditions of a route ---- */

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

/* In any order; a list names nothing twice. */
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
