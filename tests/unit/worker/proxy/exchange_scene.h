/*
 * exchange_scene - a client, an exchange and two backends on one loop, for the
 * tests of exchange.h. The test speaks for client and backends.
 */
#ifndef EXCHANGE_SCENE_H
#define EXCHANGE_SCENE_H

#include "client_scene.h"
#include "record_scene.h"

#include "admission.h"
#include "breakers.h"
#include "exchange.h"
#include "no_route.h"
#include "pool.h"
#include "service.h"

const struct stage *const chain_stages[] = {
    &no_route_stage, &admission_stage, &exchange_stage, NULL};

/* ---- the worker's parts ---- */

static struct backend first, second;
static struct service *services[1];

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
	services[0] = service_new(&scene.rt, 0);
	assert_non_null(services[0]);
	assert_non_null(pool_new(services[0]));
	scene.rt.services = services;
	memset(&observed, 0, sizeof(observed));
	open_clients(&observed);
}

static inline int
setup(void **state)
{
	(void)state;
	backend_open(&first);
	backend_open(&second);
	return 0;
}

/* No exchange may leave anything behind, whatever its end. */
static inline int
teardown(void **state)
{
	const struct scoreboard_slot *slot = scene.rt.slot;

	(void)state;
	close_clients();
	assert_int_equal(atomic_load(&slot->service_in_flight[0]), 0);
	for (size_t i = 0; i < services[0]->endpoint_count; i++) {
		uint32_t id = services[0]->endpoints[i]->id;

		assert_int_equal(atomic_load(&slot->endpoint_in_flight[id]), 0);
	}
	assert_int_equal(services[0]->live, 0);
	assert_int_equal(services[0]->retried, 0);
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

static inline bool
is_answered(void)
{
	backend_look(&first);
	backend_look(&second);
	client_look();
	return strstr(said, wanted) != NULL;
}

/* To the client. */
static inline void
expect(const char *text)
{
	wanted = text;
	scene_wait(is_answered, text);
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

/* The exchange closes connection i to the backend. */
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
