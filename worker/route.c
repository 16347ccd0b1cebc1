#include "route.h"

#include <string.h>

static bool
matches(const char *prefix, size_t len, struct message_slice path)
{
	if (len > path.len || memcmp(prefix, path.at, len) != 0)
		return false;
	return len == path.len || prefix[len - 1] == '/' || path.at[len] == '/';
}

const struct config_route *
route_find(
    const struct config_route *routes, size_t count, struct message_slice path)
{
	const struct config_route *best = NULL;
	const char *query = memchr(path.at, '?', path.len);
	size_t best_len = 0;

	if (query != NULL)
		path.len = (size_t)(query - path.at);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(routes[i].path);

		if (len > best_len && matches(routes[i].path, len, path)) {
			best = &routes[i];
			best_len = len;
		}
	}
	return best;
}
