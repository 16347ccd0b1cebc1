#include "config_endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

#define BLANK " \t\r\n"
#define WEIGHT "weight="
#define WEIGHT_MAX 100

/* An endpoint is an address to connect to: no wildcard, no port 0. */
static bool
parse_address(struct config_endpoint *e)
{
	if (sock_addr_parse(&e->addr, e->text) == 0)
		return e->text[0] != '*' && (e->addr.sa.sa_family == AF_UNIX ||
						sock_addr_port(&e->addr) != 0);
	e->is_name = sock_name_parse(&e->name, e->text) == 0;
	return e->is_name && e->name.port != 0;
}

static bool
read_weight(const char *text, unsigned *weight)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 3 || text[len] != '\0')
		return false;
	*weight = (unsigned)strtoul(text, NULL, 10);
	return *weight <= WEIGHT_MAX;
}

/* The options behind the address; words is consumed. */
static bool
parse_words(struct config_endpoint *e, char *words, char why[CONFIG_WHY_MAX])
{
	bool weighed = false;
	char *word;

	while ((word = strtok_r(words, BLANK, &words)) != NULL) {
		if (strncmp(word, WEIGHT, strlen(WEIGHT)) != 0)
			return config_value_wrong(why,
			    "unknown word `%.60s`; after the address there "
			    "may be weight=N",
			    word);
		if (!read_weight(word + strlen(WEIGHT), &e->weight))
			return config_value_wrong(why,
			    "`%.60s` is not weight=N with a whole number from "
			    "0 to %d",
			    word, WEIGHT_MAX);
		if (weighed)
			return config_value_wrong(
			    why, "has more than one weight");
		weighed = true;
	}
	return true;
}

static bool
parse_endpoint(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_endpoint *e = member;
	char *words = NULL, *rest, *address;
	bool good;

	if (!config_value_copy(text, &words, why))
		return false;
	rest = words;
	address = strtok_r(rest, BLANK, &rest);
	e->weight = 1;
	if (!config_value_copy(address != NULL ? address : "", &e->text, why))
		good = false;
	else if (!parse_address(e))
		good = config_value_wrong(why,
		    "`%.120s` is not host:port, [v6]:port or unix:/path",
		    e->text);
	else
		good = parse_words(e, rest, why);
	free(words);
	return good;
}

const struct config_form config_endpoint_form = {
    "`host:port`, `[v6]:port`, `unix:/path`", .parse = parse_endpoint,
    .text_at = offsetof(struct config_endpoint, text)};

/* ---- source ---- */

static bool
parse_source(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_source *s = member;

	if (sock_addr_from_host(&s->addr, text, 0) == -1 ||
	    sock_addr_is_any(&s->addr))
		return config_value_wrong(why,
		    "`%.120s` is not an address to connect from, such as "
		    "10.0.0.7 or fd00::7, without a port",
		    text);
	return config_value_copy(text, &s->text, why);
}

const struct config_form config_endpoint_source_form = {
    "address, without a port", .parse = parse_source,
    .text_at = offsetof(struct config_source, text)};
