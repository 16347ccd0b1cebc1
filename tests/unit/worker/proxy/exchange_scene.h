/*
 * exchange_scene - a client, an exchange and two backends on one loop, for the
 * tests of exchange.h. The test speaks for client and backends.
 */
#ifndef EXCHANGE_SCENE_H
#define EXCHANGE_SCENE_H

#include "runtime_scene.h"

#include "admission.h"
#include "breakers.h"
#include "client.h"
#include "exchange.h"
#include "no_route.h"
#include "pool.h"
#include "route.h"
#include "service.h"

#define SAID_MAX (256 * 1024)

/* ---- what observes: the last record is kept ---- */

struct access_log {
	unsigned count;
	struct record last;
};

static struct access_log observed;

static inline void
observe(struct access_log *log, const struct record *r)
{
	log->count++;
	log->last = *r;
}

const struct request_hooks request_hooks = {.log = observe};

const struct stage *const chain_stages[] = {
    &no_route_stage, &admission_stage, &exchange_stage, NULL};

/* ---- the worker's parts ---- */

static struct backend first, second;
static struct service *services[1];
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
	said_len = 0;
	said[0] = '\0';
	ended = false;
	clients_accept(clients, fds[0], &peer);
}

/* endpoints: first alone, or both. */
enum endpoints { ONE, BOTH };

static inline void
open_exchange(enum endpoints endpoints, const char *options)
{
	char list[64];
	struct breakers_options breakers = {.who = "worker 1"};

	if (endpoints == ONE)
		snprintf(list, sizeof(list), "'127.0.0.1:%u'", first.port);
	else
		snprintf(list, sizeof(list), "'127.0.0.1:%u', '127.0.0.1:%u'",
		    first.port, second.port);
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: [%s]\n"
		   "%s"
		   "routes:\n"
		   "- { path: /, service: users }\n",
	    list, options);
	breakers.loop = scene.rt.loop;
	breakers.config = scene.config;
	breakers.scoreboard = scene.rt.scoreboard;
	scene.rt.breakers = breakers_new(&breakers);
	assert_non_null(scene.rt.breakers);
	assert_int_equal(trace_source_init(&trace), 0);
	scene.rt.trace = &trace;
	services[0] = service_new(&scene.rt, 0);
	assert_non_null(services[0]);
	assert_non_null(pool_new(services[0]));
	scene.rt.services = services;
	routes =
	    route_table_new(scene.config->routes, scene.config->route_count);
	chains =
	    chain_table_new(scene.config->routes, scene.config->route_count);
	requests_init(&requests, &scene.rt, routes, chains);
	memset(&observed, 0, sizeof(observed));
	requests.log = &observed;
	clients = clients_new(&scene.rt, &requests);
	connect_client();
}

static inline int
setup(void **state)
{
	(void)state;
	backend_open(&first);
	backend_open(&second);
	return 0;
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

/* Nothing may be left of any exchange, whatever became of it. */
static inline int
teardown(void **state)
{
	const struct scoreboard_slot *slot = scene.rt.slot;

	(void)state;
	hang_up();
	if (!all_have_left())
		WAIT_UNTIL(all_have_left);
	assert_int_equal(atomic_load(&slot->in_flight), 0);
	assert_int_equal(atomic_load(&slot->service_in_flight[0]), 0);
	for (size_t i = 0; i < services[0]->endpoint_count; i++) {
		uint32_t id = services[0]->endpoints[i]->id;

		assert_int_equal(atomic_load(&slot->endpoint_in_flight[id]), 0);
	}
	assert_int_equal(services[0]->live, 0);
	assert_int_equal(services[0]->retried, 0);
	clients_free(clients);
	route_table_free(routes);
	chain_table_free(chains);
	pool_free(services[0]->pool);
	service_free(services[0]);
	breakers_free(scene.rt.breakers);
	scene_turn();
	requests_fini(&requests);
	scene_close();
	backend_close(&first);
	backend_close(&second);
	return 0;
}

/* ---- what they say ---- */

static inline void
say(const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static inline bool
is_answered(void)
{
	ssize_t n;

	backend_look(&first);
	backend_look(&second);
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
	return strstr(said, wanted) != NULL;
}

/* To the client. */
static inline void
expect(const char *text)
{
	wanted = text;
	scene_wait(is_answered, text);
}

static inline void
forget(void)
{
	said_len = 0;
	said[0] = '\0';
}

static inline bool
has_ended(void)
{
	(void)is_answered();
	return ended;
}

static struct backend *awaited;
static unsigned awaited_peer;

static inline bool
is_asked(void)
{
	backend_look(&first);
	backend_look(&second);
	return awaited_peer < awaited->count &&
	       strstr(awaited->text[awaited_peer], wanted) != NULL;
}

/* By connection i of the backend. */
static inline void
expect_of(struct backend *b, unsigned i, const char *text)
{
	awaited = b;
	awaited_peer = i;
	wanted = text;
	scene_wait(is_asked, text);
}

static inline bool
is_left(void)
{
	backend_look(&first);
	backend_look(&second);
	return awaited->ended[awaited_peer];
}

/* The exchange closes its connection i to the backend. */
static inline void
expect_end_of(struct backend *b, unsigned i)
{
	awaited = b;
	awaited_peer = i;
	WAIT_UNTIL(is_left);
}

static inline uint64_t
service_total(enum scoreboard_service_total total)
{
	return atomic_load(&scene.rt.slot->services[0][total]);
}

#define GET "GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n"
#define POST                                                                   \
	"POST /a HTTP/1.1\r\nHost: example.org\r\nContent-Length: 6\r\n\r\n"
#define PUT "PUT /a HTTP/1.1\r\nHost: example.org\r\nContent-Length: 6\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
