/*
 * client_scene - a worker's front and a client of it: the routes of the scene's
 * configuration, their chains, the connections, and the test, which speaks for
 * the client. The stages and what observes are the includer's.
 */
#ifndef CLIENT_SCENE_H
#define CLIENT_SCENE_H

#include "runtime_scene.h"

#include "client.h"
#include "request.h"
#include "route.h"

#define SAID_MAX (256 * 1024)

static struct route_table *routes;
static struct chain_table *chains;
static struct requests requests;
static struct clients *clients;
static struct trace_source trace;
static int client = -1;
static char said[SAID_MAX]; /* to the client */
static size_t said_len;
static bool ended; /* by the other side */
static const char *wanted;

static inline void
forget(void)
{
	said_len = 0;
	said[0] = '\0';
}

static inline void
connect_client(void)
{
	struct sock_addr peer = {.in = {.sin_family = AF_INET,
				     .sin_port = htons(7),
				     .sin_addr.s_addr = htonl(0x0a010203)},
	    .len = sizeof(struct sockaddr_in)};
	int fds[2];

	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	client = fds[1];
	forget();
	ended = false;
	clients_accept(clients, fds[0], &peer);
}

/* On an open scene, whose runtime is complete but for the trace. */
static inline void
open_clients(struct access_log *log)
{
	assert_int_equal(trace_source_init(&trace), 0);
	scene.rt.trace = &trace;
	routes =
	    route_table_new(scene.config->routes, scene.config->route_count);
	chains =
	    chain_table_new(scene.config->routes, scene.config->route_count);
	requests_init(&requests, &scene.rt, routes, chains);
	requests.log = log;
	clients = clients_new(&scene.rt, &requests);
	connect_client();
}

static inline void
hang_up(void)
{
	if (client != -1)
		close(client);
	client = -1;
}

static inline bool
all_have_left(void)
{
	return clients_count(clients) == 0;
}

/* Nothing may be left of any request, whatever became of it. Memory of
 * requests, requests_fini(), goes with the scene. */
static inline void
close_clients(void)
{
	hang_up();
	if (!all_have_left())
		WAIT_UNTIL(all_have_left);
	assert_int_equal(atomic_load(&scene.rt.slot->connections), 0);
	assert_int_equal(atomic_load(&scene.rt.slot->in_flight), 0);
	clients_free(clients);
	route_table_free(routes);
	chain_table_free(chains);
}

/* ---- what they say ---- */

static inline void
say(const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static inline void
client_look(void)
{
	ssize_t n;

	while (
	    said_len < SAID_MAX - 1 && (n = recv(client, said + said_len,
					    SAID_MAX - 1 - said_len, 0)) >= 0) {
		if (n == 0) {
			ended = true;
			break;
		}
		said_len += (size_t)n;
		said[said_len] = '\0';
	}
}

#endif
