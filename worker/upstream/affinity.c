#include "affinity.h"

#include <inttypes.h>
#include <string.h>

#include "hash.h"

#define NUMBER_DIGITS 16

static uint64_t
hash_of(const char *data, size_t len)
{
	return hash_mix(hash_bytes(HASH_START, data, len));
}

/* The key of consistent_hash; of length 0 when the request has none. */
static struct slice
key_of(const struct config_service *service, const struct head *request)
{
	switch (service->hash.on) {
	case CONFIG_HASH_HEADER:
		return head_value(request, service->hash.name);
	case CONFIG_HASH_COOKIE:
		return head_cookie(request, service->hash.name);
	case CONFIG_HASH_QUERY:
		return head_query(request, service->hash.name);
	case CONFIG_HASH_PATH:
		break;
	}
	return head_path_only(request);
}

/* The exact format of the cookie; 0 for anything else. */
static uint64_t
parse_number(struct slice text)
{
	uint64_t number = 0;

	if (text.len != NUMBER_DIGITS)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		else
			return 0;
	}
	return number;
}

void
affinity_of_request(struct affinity *a, const struct config_service *service,
    const struct head *request, const char *client)
{
	struct slice key = {NULL, 0};

	*a = (struct affinity){0};
	if (service->sticky_cookie != NULL)
		a->sticky =
		    parse_number(head_cookie(request, service->sticky_cookie));
	if (service->policy == CONFIG_POLICY_CONSISTENT_HASH)
		key = key_of(service, request);
	else if (service->policy != CONFIG_POLICY_IP_HASH)
		return;
	a->hash = key.len != 0 ? hash_of(key.at, key.len)
			       : hash_of(client, strlen(client));
}

uint64_t
affinity_number(const char *address)
{
	uint64_t number = hash_of(address, strlen(address));

	return number != 0 ? number : 1;
}

void
affinity_add_cookie(
    struct fields *out, const struct config_service *service, uint64_t endpoint)
{
	struct text *value = fields_open(out, "Set-Cookie");

	text_add_str(value, service->sticky_cookie);
	text_addf(
	    value, "=%016" PRIx64 "; Path=/; HttpOnly; SameSite=Lax", endpoint);
	fields_close(out);
}
