#include "config_endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\n"
#define WEIGHT "weight="
#define WEIGHT_MAX 100

static uint16_t
port_of(const struct sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port
					      : addr->in.sin_port;
}

/* An endpoint is somewhere to connect to: no wildcard, no port 0. */
static bool
parse_address(struct config_endpoint *e)
{
	if (sock_addr_parse(&e->addr, e->text) == 0)
		return e->text[0] != '*' && (e->addr.sa.sa_family == AF_UNIX ||
						port_of(&e->addr) != 0);
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

/* What follows the address; words is consumed. */
static void
read_words(struct config_value *v, const char *key, struct config_endpoint *e,
    char *words)
{
	bool weighed = false;
	char *word;

	e->weight = 1;
	while ((word = strtok_r(words, BLANK, &words)) != NULL) {
		if (strncmp(word, WEIGHT, strlen(WEIGHT)) != 0)
			config_value_fail(v, key,
			    "unknown word `%.60s`; after the address there "
			    "may be weight=N",
			    word);
		else if (!read_weight(word + strlen(WEIGHT), &e->weight))
			config_value_fail(v, key,
			    "`%.60s` is not weight=N with a whole number from "
			    "0 to %d",
			    word, WEIGHT_MAX);
		else if (weighed)
			config_value_fail(v, key, "has more than one weight");
		weighed = true;
	}
}

static void
check_endpoint(struct config_value *v, const char *key, const char *raw,
    struct config_endpoint *e)
{
	char *text, *address, *words;

	text = config_value_required(v, key, raw);
	if (text == NULL)
		return;
	words = text;
	address = strtok_r(words, BLANK, &words);
	e->text = strdup(address != NULL ? address : "");
	if (e->text == NULL)
		config_value_fail(v, key, "no memory");
	else if (!parse_address(e))
		config_value_fail(v, key,
		    "`%.120s` is not host:port, [v6]:port or unix:/path",
		    e->text);
	else
		read_words(v, key, e, words);
	free(text);
}

static void
check_unique(struct config_value *v, const char *key,
    const struct config_service *s, size_t i)
{
	const char *text = s->endpoints[i].text;

	for (size_t j = 0; j < i && text != NULL; j++)
		if (s->endpoints[j].text != NULL &&
		    strcmp(s->endpoints[j].text, text) == 0)
			config_value_fail(
			    v, key, "`%.120s` is listed twice", text);
}

void
config_endpoint_check(struct config_value *v,
    const struct config_raw_service *raw, struct config_service *s)
{
	char key[32];

	s->endpoints = calloc(raw->endpoints_count, sizeof(*s->endpoints));
	if (s->endpoints == NULL) {
		config_value_fail(v, "endpoints", "no memory");
		return;
	}
	s->endpoint_count = raw->endpoints_count;
	for (size_t i = 0; i < s->endpoint_count; i++) {
		snprintf(key, sizeof(key), "endpoints[%zu]", i);
		check_endpoint(v, key, raw->endpoints[i], &s->endpoints[i]);
		check_unique(v, key, s, i);
	}
}
