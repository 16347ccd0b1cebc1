/* Goal: the pool lends connections to the service's endpoints within its cap,
 * and keeps idle connections while they are good. Waiting requests are served
 * in order, in time, or not at all. */
#include <sys/syscall.h>

#include "runtime_scene.h"

#include "pool.h"
#include "service.h"

static struct backend first, second;
static struct service *service;

/* No local port is free for this one of a backend; 0: each has some. */
static uint16_t no_port_to;

int
connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct sockaddr_in in;
	int type = 0;
	socklen_t type_len = sizeof(type);

	memcpy(&in, addr.__sockaddr__, sizeof(in));
	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (type == SOCK_STREAM && no_port_to != 0 &&
	    ntohs(in.sin_port) == no_port_to) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	return (int)syscall(SYS_connect, fd, addr.__sockaddr__, len);
}

/* A borrower of a connection. */
struct customer {
	struct pool_wait wait;
	struct upstream *up; /* lent, or NULL */
	enum pool_result result;
	unsigned calls;  /* of the pool's */
	unsigned events; /* of the connection's */
	bool in_acquire;
};

static struct customer customers[4];

static void
on_event(void *arg, struct back *b, enum back_event event)
{
	struct customer *c = arg;

	assert_ptr_equal(upstream_of(b), c->up);
	assert_int_equal(event, BACK_CONNECTED);
	c->events++;
}

static void
take(struct customer *c, struct upstream *up)
{
	c->up = up;
	upstream_set_owner(up, on_event, c);
}

static void
on_pool(void *arg, enum pool_result result, struct upstream *up)
{
	struct customer *c = arg;

	assert_false(c->in_acquire);
	c->result = result;
	c->calls++;
	if (result == POOL_LENT)
		take(c, up);
}

static enum pool_result
acquire(struct customer *c)
{
	struct upstream *up = NULL;

	c->calls = 0;
	c->in_acquire = true;
	c->result = pool_acquire(&c->wait, &up);
	c->in_acquire = false;
	if (c->result == POOL_LENT)
		take(c, up);
	return c->result;
}

/* As an exchange does after a good end. */
static void
give_back(struct customer *c)
{
	pool_release(c->up);
	c->up = NULL;
}

static void
open_service(const char *options)
{
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:%u', '127.0.0.1:%u']\n"
		   "%s",
	    first.port, second.port, options);
	service = service_new(&scene.rt, 0);
	assert_non_null(service);
	assert_non_null(pool_new(service));
	for (size_t i = 0; i < 4; i++)
		pool_wait_init(
		    &customers[i].wait, service->pool, on_pool, &customers[i]);
}

static int
setup(void **state)
{
	(void)state;
	memset(customers, 0, sizeof(customers));
	backend_open(&first);
	backend_open(&second);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		pool_cancel(&customers[i].wait);
		if (customers[i].up != NULL)
			pool_discard(customers[i].up);
	}
	no_port_to = 0;
	pool_free(service->pool);
	service_free(service);
	scene_close();
	backend_close(&first);
	backend_close(&second);
	return 0;
}

static bool
is_up(void)
{
	backend_look(&first);
	backend_look(&second);
	return customers[0].events > 0;
}

static bool
second_is_called(void)
{
	return customers[1].calls > 0;
}

static bool
third_is_called(void)
{
	return customers[2].calls > 0;
}

static bool
second_is_up(void)
{
	backend_look(&second);
	return customers[1].events > 0;
}

static bool
first_peer_has_ended(void)
{
	backend_look(&first);
	return first.ended[0];
}

/* Customer 0 has a connection to the first endpoint, and the connection is
 * up. */
static void
connect_first(void)
{
	assert_int_equal(acquire(&customers[0]), POOL_LENT);
	assert_int_equal(customers[0].up->state, UPSTREAM_CONNECTING);
	WAIT_UNTIL(is_up);
	assert_int_equal(customers[0].up->state, UPSTREAM_LENT);
	assert_int_equal(first.count, 1);
}

/* ---- connections ---- */

static void
a_connection_given_back_is_lent_again(void **state)
{
	struct customer *c = &customers[0];
	struct upstream *up;

	(void)state;
	open_service("");
	connect_first();
	up = c->up;
	assert_int_equal(up->back.use, BACK_FRESH);
	give_back(c);
	/* The second endpoint's turn, and back to the first. */
	assert_int_equal(acquire(&customers[1]), POOL_LENT);
	assert_int_equal(acquire(c), POOL_LENT);
	assert_ptr_equal(c->up, up);
	assert_int_equal(up->back.use, BACK_REUSED);
	assert_int_equal(scene_total(SCOREBOARD_UP_CONNECTS), 2);
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 1);
	scene_turn();
	backend_look(&first);
	assert_int_equal(first.count, 1);
}

/* `fresh`: after a reused connection was found closed. */
static void
who_wants_a_fresh_one_gets_no_idle_one(void **state)
{
	struct customer *c = &customers[0];
	struct upstream *up;

	(void)state;
	open_service("  pool: { connections: 4 }\n");
	connect_first();
	up = c->up;
	give_back(c);
	c->wait.must_be_new = true;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(acquire(c), POOL_LENT);
		assert_ptr_not_equal(c->up, up);
		pool_discard(c->up);
		c->up = NULL;
	}
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 0);
}

static bool
has_let_go(void)
{
	return TAILQ_EMPTY(&service->endpoints[0]->idle) &&
	       TAILQ_EMPTY(&service->endpoints[1]->idle);
}

static void
an_idle_one_that_the_backend_closes_is_dropped(void **state)
{
	(void)state;
	open_service("  pool: { idle: 60s }\n");
	connect_first();
	give_back(&customers[0]);
	assert_false(has_let_go());
	backend_hang_up(&first, 0);
	WAIT_UNTIL(has_let_go);
	assert_int_equal(service->endpoints[0]->connections, 0);
}

static void
an_idle_one_that_speaks_is_dropped(void **state)
{
	(void)state;
	open_service("  pool: { idle: 60s }\n");
	connect_first();
	give_back(&customers[0]);
	backend_say(&first, 0, "HTTP/1.1 408 Request Timeout\r\n\r\n");
	WAIT_UNTIL(has_let_go);
	WAIT_UNTIL(first_peer_has_ended);
}

/* The poll has not reported the close yet. */
static void
who_can_not_repeat_has_the_socket_looked_at(void **state)
{
	struct customer *c = &customers[0];

	(void)state;
	open_service("");
	connect_first();
	c->wait.probe = true;
	for (int closed = 0; closed < 2; closed++) {
		give_back(c);
		if (closed)
			backend_hang_up(&first, 0);
		assert_int_equal(acquire(&customers[1]), POOL_LENT);
		pool_discard(customers[1].up);
		customers[1].up = NULL;
		assert_int_equal(acquire(c), POOL_LENT);
		assert_int_equal(
		    c->up->back.use, closed ? BACK_FRESH : BACK_CHECKED);
	}
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 1);
}

static void
an_idle_one_is_kept_for_pool_idle(void **state)
{
	uint64_t from_us;

	(void)state;
	open_service("  pool: { idle: 100ms }\n");
	connect_first();
	from_us = clock_ns() / 1000;
	give_back(&customers[0]);
	WAIT_UNTIL(first_peer_has_ended);
	assert_true(clock_ns() / 1000 - from_us >= 95000);
	assert_true(has_let_go());
}

/* ---- the cap and the queue ---- */

static void
past_the_cap_one_waits_for_what_is_given_back(void **state)
{
	struct upstream *up;

	(void)state;
	open_service("  pool: { total: 1, queue: 1, idle: 60s }\n");
	connect_first();
	up = customers[0].up;
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	assert_int_equal(acquire(&customers[2]), POOL_SHED);
	scene_turn();
	assert_int_equal(customers[1].calls, 0);
	/* A place for a new connection, since the other endpoint is next. */
	give_back(&customers[0]);
	assert_int_equal(customers[1].calls, 0);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[1].result, POOL_LENT);
	assert_ptr_not_equal(customers[1].up, up);
	assert_int_equal(scene_total(SCOREBOARD_UP_CONNECTS), 2);
	/* The new connection took the idle connection's place. */
	WAIT_UNTIL(first_peer_has_ended);
	assert_int_equal(customers[1].calls, 1);
	assert_int_equal(customers[2].calls, 0);
}

static void
a_full_endpoint_is_passed_over(void **state)
{
	(void)state;
	open_service("  pool: { connections: 1, queue: 1, idle: 60s }\n");
	connect_first();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(acquire(&customers[1]), POOL_LENT);
		assert_ptr_equal(
		    customers[1].up->endpoint, service->endpoints[1]);
		pool_discard(customers[1].up);
		customers[1].up = NULL;
	}
}

static void
with_all_endpoints_full_one_waits_for_any(void **state)
{
	struct upstream *up;

	(void)state;
	open_service("  pool: { connections: 1, queue: 1, idle: 60s }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_LENT);
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	assert_int_equal(acquire(&customers[3]), POOL_SHED);
	/* Whoever's turn comes next, the free connection is used. */
	up = customers[1].up;
	WAIT_UNTIL(second_is_up);
	give_back(&customers[1]);
	WAIT_UNTIL(third_is_called);
	assert_int_equal(customers[2].result, POOL_LENT);
	assert_ptr_equal(customers[2].up, up);
	assert_int_equal(scene_total(SCOREBOARD_UP_CONNECTS), 2);
}

/* The idle connection counts, and a request that may not have it needs its
 * place. */
static void
a_fresh_one_takes_the_place_of_an_idle_one_of_its_endpoint(void **state)
{
	struct customer *c = &customers[0];

	(void)state;
	open_service("  pool: { connections: 1, idle: 60s }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_LENT);
	give_back(c);
	c->wait.must_be_new = true;
	assert_int_equal(acquire(c), POOL_LENT);
	assert_ptr_equal(c->up->endpoint, service->endpoints[0]);
	assert_int_equal(service->endpoints[0]->pooled, 1);
	WAIT_UNTIL(first_peer_has_ended);
}

static void
a_tunnel_leaves_its_place_to_others(void **state)
{
	(void)state;
	open_service("  pool: { total: 1, tunnels: 1 }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	assert_false(pool_is_full_of_tunnels(service->pool));
	assert_true(pool_set_tunnel(customers[0].up));
	assert_true(pool_is_full_of_tunnels(service->pool));
	assert_int_equal(service->endpoints[0]->pooled, 0);
	assert_int_equal(service->endpoints[0]->connections, 1);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[1].result, POOL_LENT);
	WAIT_UNTIL(second_is_up);
	/* Too many; this one goes on as a request. */
	assert_false(pool_set_tunnel(customers[1].up));
	pool_discard(customers[0].up);
	customers[0].up = NULL;
	assert_true(pool_set_tunnel(customers[1].up));
}

static void
those_who_wait_are_served_in_their_order(void **state)
{
	(void)state;
	open_service("  pool: { total: 1 }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	pool_discard(customers[0].up);
	customers[0].up = NULL;
	/* A late customer is not served before the waiting customers. */
	assert_int_equal(acquire(&customers[3]), POOL_WAITING);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[1].result, POOL_LENT);
	assert_int_equal(customers[2].calls, 0);
	assert_int_equal(customers[3].calls, 0);
}

static void
who_leaves_the_queue_is_not_called(void **state)
{
	(void)state;
	open_service("  pool: { total: 1, queue: 1 }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	pool_cancel(&customers[1].wait);
	/* The place is free. */
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	give_back(&customers[0]);
	scene_turn();
	scene_turn();
	assert_int_equal(customers[1].calls, 0);
	assert_int_equal(customers[2].result, POOL_LENT);
}

static void
who_waits_too_long_is_shed(void **state)
{
	uint64_t from_us;

	(void)state;
	open_service("  pool: { total: 1, queue_timeout: 100ms }\n");
	connect_first();
	from_us = clock_ns() / 1000;
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[1].result, POOL_SHED);
	assert_int_equal(customers[1].wait.shed, SHED_LATE);
	assert_true(clock_ns() / 1000 - from_us >= 95000);
	assert_false(customers[1].wait.place.is_taken);
}

static bool
first_and_second_are_called(void)
{
	return customers[1].calls > 0 && customers[2].calls > 0;
}

/* Two have waited for longer than the target, for the interval. */
static void
a_standing_queue_is_shed_and_then_the_newest_is_first(void **state)
{
	(void)state;
	open_service("  pool: { total: 1, queue_target: 40s, "
		     "queue_interval: 1ms }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	customers[1].wait.place.since_us -= 45000000;
	customers[2].wait.place.since_us -= 45000000;
	assert_int_equal(acquire(&customers[3]), POOL_WAITING);
	WAIT_UNTIL(first_and_second_are_called);
	assert_int_equal(customers[1].result, POOL_SHED);
	assert_int_equal(customers[1].wait.shed, SHED_OVERLOAD);
	assert_int_equal(customers[2].wait.shed, SHED_OVERLOAD);
	/* Within a quarter of the target. */
	assert_int_equal(customers[3].calls, 0);
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	pool_discard(customers[0].up);
	customers[0].up = NULL;
	customers[2].calls = 0;
	WAIT_UNTIL(third_is_called);
	assert_int_equal(customers[2].result, POOL_LENT);
	assert_int_equal(customers[3].calls, 0);
}

static void
without_a_target_the_queue_stays_in_turn(void **state)
{
	(void)state;
	open_service("  pool: { total: 1, queue_target: 0, "
		     "queue_interval: 1ms, queue_timeout: 60s }\n");
	connect_first();
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	assert_int_equal(acquire(&customers[2]), POOL_WAITING);
	customers[1].wait.place.since_us -= 45000000;
	assert_int_equal(acquire(&customers[3]), POOL_WAITING);
	pool_discard(customers[0].up);
	customers[0].up = NULL;
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[1].result, POOL_LENT);
}

/* ---- where to ---- */

static void
a_further_try_avoids_the_last_endpoint(void **state)
{
	struct customer *c = &customers[0];
	struct endpoint *failed;

	(void)state;
	open_service("");
	connect_first();
	failed = c->up->endpoint;
	c->wait.avoid = true;
	for (int i = 0; i < 4; i++) {
		pool_discard(c->up);
		c->wait.endpoint = failed;
		assert_int_equal(acquire(c), POOL_LENT);
		assert_ptr_not_equal(c->up->endpoint, failed);
		assert_ptr_equal(c->wait.endpoint, c->up->endpoint);
	}
}

/* ---- for whom ---- */

/* The bytes that name a client lie in another place each time. */
static void
name(struct customer *c, char *room, const char *client)
{
	c->wait.preface = (struct slice){room, strlen(client)};
	memcpy(room, client, strlen(client) + 1);
}

static void
a_connection_is_lent_for_the_client_that_it_names(void **state)
{
	char rooms[4][16];
	struct upstream *up;

	(void)state;
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:%u']\n"
		   "  pool: { connections: 2 }\n",
	    first.port);
	service = service_new(&scene.rt, 0);
	assert_non_null(pool_new(service));
	for (size_t i = 0; i < 4; i++)
		pool_wait_init(
		    &customers[i].wait, service->pool, on_pool, &customers[i]);
	name(&customers[0], rooms[0], "one");
	name(&customers[1], rooms[1], "two");
	name(&customers[2], rooms[2], "one");
	name(&customers[3], rooms[3], "three");
	connect_first();
	up = customers[0].up;
	give_back(&customers[0]);
	assert_int_equal(acquire(&customers[1]), POOL_LENT);
	assert_ptr_not_equal(customers[1].up, up);
	assert_int_equal(acquire(&customers[2]), POOL_LENT);
	assert_ptr_equal(customers[2].up, up);
	give_back(&customers[2]);
	/* All places are taken: the idle connection makes room. */
	assert_int_equal(acquire(&customers[3]), POOL_LENT);
	assert_ptr_not_equal(customers[3].up, up);
	assert_int_equal(scene_total(SCOREBOARD_UP_CONNECTS), 3);
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 1);
	WAIT_UNTIL(first_peer_has_ended);
}

/* ---- age ---- */

static bool
has_no_idle(void)
{
	return TAILQ_EMPTY(&service->endpoints[0]->idle) &&
	       TAILQ_EMPTY(&service->endpoints[1]->idle);
}

static void
one_of_the_greatest_age_is_closed(void **state)
{
	uint64_t from_us;

	(void)state;
	open_service("  pool: { max_age: 500ms }\n");
	from_us = clock_ns() / 1000;
	connect_first();
	give_back(&customers[0]);
	assert_false(has_no_idle());
	/* While idle ... */
	WAIT_UNTIL(has_no_idle);
	assert_true(clock_ns() / 1000 - from_us >= 440000);
	/* ... and when given back. */
	assert_int_equal(acquire(&customers[0]), POOL_LENT);
	scene_pass(550000);
	give_back(&customers[0]);
	assert_true(has_no_idle());
}

static void
one_has_so_many_requests(void **state)
{
	struct customer *c = &customers[0];

	(void)state;
	open_service("  pool: { max_requests: 2 }\n");
	connect_first();
	give_back(c);
	assert_false(has_no_idle());
	/* The second endpoint's turn, and back to the first. */
	assert_int_equal(acquire(&customers[1]), POOL_LENT);
	assert_int_equal(acquire(c), POOL_LENT);
	assert_int_equal(scene_total(SCOREBOARD_UP_REUSES), 1);
	give_back(c);
	assert_true(has_no_idle());
}

/* ---- what this host lacks ---- */

static void
out_of_descriptors_one_waits_and_is_served(void **state)
{
	(void)state;
	open_service("");
	scene_limit_descriptors(true);
	assert_int_equal(acquire(&customers[0]), POOL_WAITING);
	assert_true(pool_is_short(service->pool));
	/* Behind the first, without another attempt. */
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	scene_limit_descriptors(false);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[0].result, POOL_LENT);
	assert_int_equal(customers[1].result, POOL_LENT);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(service->endpoints[i]->failures, 0);
	assert_int_equal(scene_total(SCOREBOARD_UP_CONNECTS), 2);
}

/* The endpoint in turn has none; another has. */
static void
out_of_descriptors_an_idle_connection_will_do(void **state)
{
	struct customer *c = &customers[0];
	struct upstream *up;

	(void)state;
	open_service("");
	connect_first();
	up = c->up;
	give_back(c);
	scene_limit_descriptors(true);
	assert_int_equal(acquire(c), POOL_LENT);
	assert_ptr_equal(c->up, up);
	assert_ptr_equal(c->wait.endpoint, service->endpoints[0]);
	/* A new connection is asked for: there is none. */
	customers[1].wait.must_be_new = true;
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	scene_limit_descriptors(false);
}

/* The same, but for an idle connection that names another client. */
static void
out_of_descriptors_a_connection_of_another_client_will_not_do(void **state)
{
	char rooms[3][16];
	struct upstream *up;

	(void)state;
	open_service("");
	name(&customers[0], rooms[0], "one");
	name(&customers[1], rooms[1], "two");
	name(&customers[2], rooms[2], "one");
	connect_first();
	up = customers[0].up;
	give_back(&customers[0]);
	scene_limit_descriptors(true);
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	pool_cancel(&customers[1].wait);
	assert_int_equal(acquire(&customers[2]), POOL_LENT);
	assert_ptr_equal(customers[2].up, up);
	scene_limit_descriptors(false);
}

static void
in_a_shortage_one_waits_no_longer_than_others(void **state)
{
	(void)state;
	open_service("  pool: { queue_timeout: 250ms }\n");
	scene_limit_descriptors(true);
	assert_int_equal(acquire(&customers[0]), POOL_WAITING);
	assert_int_equal(acquire(&customers[1]), POOL_WAITING);
	WAIT_UNTIL(second_is_called);
	assert_int_equal(customers[0].result, POOL_SHED);
	assert_int_equal(customers[1].result, POOL_SHED);
	assert_true(pool_is_short(service->pool));
	scene_limit_descriptors(false);
	assert_int_equal(acquire(&customers[0]), POOL_LENT);
}

/* No local port to the first address, but to the second. */
static void
out_of_ports_another_endpoint_will_do(void **state)
{
	(void)state;
	open_service("");
	no_port_to = first.port;
	assert_int_equal(acquire(&customers[0]), POOL_LENT);
	assert_ptr_equal(customers[0].wait.endpoint, service->endpoints[1]);
	assert_int_equal(service->endpoints[0]->failures, 0);
	no_port_to = 0;
}

static void
drained_endpoints_take_nobody(void **state)
{
	(void)state;
	scene_open("services:\n"
		   "- name: users\n"
		   "  endpoints: ['127.0.0.1:%u weight=0']\n",
	    first.port);
	service = service_new(&scene.rt, 0);
	assert_non_null(pool_new(service));
	pool_wait_init(
	    &customers[0].wait, service->pool, on_pool, &customers[0]);
	assert_int_equal(acquire(&customers[0]), POOL_NO_ENDPOINT);
	assert_false(customers[0].wait.place.is_taken);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_connection_given_back_is_lent_again),
	    TEST(who_wants_a_fresh_one_gets_no_idle_one),
	    TEST(an_idle_one_that_the_backend_closes_is_dropped),
	    TEST(an_idle_one_that_speaks_is_dropped),
	    TEST(who_can_not_repeat_has_the_socket_looked_at),
	    TEST(an_idle_one_is_kept_for_pool_idle),
	    TEST(past_the_cap_one_waits_for_what_is_given_back),
	    TEST(a_full_endpoint_is_passed_over),
	    TEST(with_all_endpoints_full_one_waits_for_any),
	    TEST(a_fresh_one_takes_the_place_of_an_idle_one_of_its_endpoint),
	    TEST(a_tunnel_leaves_its_place_to_others),
	    TEST(those_who_wait_are_served_in_their_order),
	    TEST(who_leaves_the_queue_is_not_called),
	    TEST(who_waits_too_long_is_shed),
	    TEST(a_standing_queue_is_shed_and_then_the_newest_is_first),
	    TEST(without_a_target_the_queue_stays_in_turn),
	    TEST(a_further_try_avoids_the_last_endpoint),
	    TEST(a_connection_is_lent_for_the_client_that_it_names),
	    TEST(one_of_the_greatest_age_is_closed),
	    TEST(one_has_so_many_requests),
	    TEST(out_of_descriptors_one_waits_and_is_served),
	    TEST(out_of_descriptors_an_idle_connection_will_do),
	    TEST(out_of_descriptors_a_connection_of_another_client_will_not_do),
	    TEST(in_a_shortage_one_waits_no_longer_than_others),
	    TEST(out_of_ports_another_endpoint_will_do),
	    TEST(drained_endpoints_take_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
