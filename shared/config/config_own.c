#include "config_own.h"

#include <strings.h>

#include "config_listen.h"

static bool
receives_name(const struct config_listen *l, const struct sock_name *name)
{
	return strcasecmp(name->host, "localhost") == 0 &&
	       config_listen_receives_localhost(l, name->port);
}

const struct config_listen *
config_own_listener(
    const struct config *c, const struct config_endpoint *endpoint)
{
	for (size_t i = 0; i < c->listen_count; i++) {
		const struct config_listen *l = &c->listen[i];

		/* A listener without a text has a fault. */
		if (l->text != NULL &&
		    (endpoint->is_name
			    ? receives_name(l, &endpoint->name)
			    : config_listen_receives(l, &endpoint->addr)))
			return l;
	}
	return NULL;
}
