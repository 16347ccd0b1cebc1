/* Goal: a worker accepts from its own listeners, and after the barrier from the
 * listeners of blocked neighbours. */
#include "runtime_scene.h"

#include <sys/resource.h>
#include <fcntl.h>

#include "acceptor.h"
#include "client.h"

#define ADDRESSES 2
#define CLIENTS_MAX 64

/* ---- the clients: only counted ---- */

struct clients {
	unsigned count;
};

static struct clients clients;

void
clients_accept(struct clients *c, int fd, const struct sock_addr *peer)
{
	assert_ptr_equal(c, &clients);
	assert_int_equal(peer->sa.sa_family, AF_INET);
	c->count++;
	close(fd);
}

/* ---- two workers' listeners, for each of two addresses ---- */

static int listeners[ADDRESSES * SCENE_SLOTS];
static uint16_t ports[ADDRESSES * SCENE_SLOTS];
static int connected[CLIENTS_MAX];
static unsigned connected_count;
static struct worker_boot boot;
static struct acceptor *acceptor;

static unsigned
place_of(unsigned address, unsigned slot)
{
	return address * SCENE_SLOTS + slot;
}

/* accept: the mode of the two addresses; index: the worker's. */
static void
open_acceptor(const char *accept, unsigned index)
{
	scene_open("listen:\n"
		   "- { address: '*:1', accept: %s }\n"
		   "- { address: '*:2', accept: %s }\n",
	    accept, accept);
	scene.rt.index = index;
	scene.rt.slot = &scene.rt.scoreboard->slots[index];
	for (unsigned i = 0; i < ADDRESSES * SCENE_SLOTS; i++)
		listeners[i] = scene_listen(&ports[i]);
	if (strcmp(accept, "shared") == 0)
		for (unsigned a = 0; a < ADDRESSES; a++) {
			close(listeners[place_of(a, 1)]);
			listeners[place_of(a, 1)] = listeners[place_of(a, 0)];
			ports[place_of(a, 1)] = ports[place_of(a, 0)];
		}
	boot = (struct worker_boot){.config = scene.config,
	    .scoreboard = scene.rt.scoreboard,
	    .slot = index,
	    .workers = SCENE_SLOTS,
	    .listeners = listeners,
	    .master_fd = -1};
	clients.count = 0;
	connected_count = 0;
	acceptor = acceptor_new(&scene.rt, &boot, &clients);
	assert_non_null(acceptor);
}

static int
teardown(void **state)
{
	(void)state;
	acceptor_free(acceptor);
	scene_close();
	for (unsigned i = 0; i < connected_count; i++)
		close(connected[i]);
	for (unsigned a = 0; a < ADDRESSES; a++) {
		close(listeners[place_of(a, 0)]);
		if (listeners[place_of(a, 1)] != listeners[place_of(a, 0)])
			close(listeners[place_of(a, 1)]);
	}
	return 0;
}

/* Connects a client, which waits to be accepted on return. */
static void
connect_to(unsigned address, unsigned slot)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(ports[place_of(address, slot)]),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_in_range(connected_count, 0, CLIENTS_MAX - 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	connected[connected_count++] = fd;
}

static bool
all_are_accepted(void)
{
	return clients.count == connected_count;
}

/* Some turns of the loop, in which a permitted accept would happen. */
static void
assert_nobody_is_accepted(void)
{
	unsigned before = clients.count;

	scene_pass(20000);
	assert_int_equal(clients.count, before);
}

/* ---- own listeners and neighbours' ---- */

static void
own_connections_are_taken(void **state)
{
	(void)state;
	open_acceptor("reuseport", 1);
	for (unsigned a = 0; a < ADDRESSES; a++)
		connect_to(a, 1);
	WAIT_UNTIL(all_are_accepted);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), 0);
}

static void
the_neighbours_are_taken_once_joined(void **state)
{
	(void)state;
	open_acceptor("reuseport", 1);
	for (unsigned a = 0; a < ADDRESSES; a++)
		connect_to(a, 0);
	assert_nobody_is_accepted();
	acceptor_join(acceptor);
	WAIT_UNTIL(all_are_accepted);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), ADDRESSES);
	/* A second barrier changes nothing. */
	acceptor_join(acceptor);
	connect_to(0, 0);
	connect_to(0, 1);
	WAIT_UNTIL(all_are_accepted);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), ADDRESSES + 1);
}

static void
where_nobody_stands_in_the_neighbours_wait(void **state)
{
	(void)state;
	open_acceptor("reuseport_plain", 0);
	acceptor_join(acceptor);
	acceptor_rejoin(acceptor, 1);
	connect_to(0, 1);
	assert_nobody_is_accepted();
	atomic_store(&scene.rt.scoreboard->slots[1].busy_since_ns, 1);
	acceptor_rescue(acceptor);
	assert_int_equal(clients.count, 0);
}

static void
a_shared_listener_is_polled_once(void **state)
{
	(void)state;
	open_acceptor("shared", 0);
	acceptor_join(acceptor);
	acceptor_rejoin(acceptor, 1);
	for (unsigned a = 0; a < ADDRESSES; a++)
		connect_to(a, 1);
	WAIT_UNTIL(all_are_accepted);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), 0);
}

static void
a_neighbour_forked_anew_is_stood_in_for_again(void **state)
{
	(void)state;
	open_acceptor("reuseport", 0);
	/* Not before the barrier; never for the own slot or for no slot. */
	acceptor_rejoin(acceptor, 1);
	connect_to(0, 1);
	assert_nobody_is_accepted();
	acceptor_join(acceptor);
	acceptor_rejoin(acceptor, 1);
	acceptor_rejoin(acceptor, 0);
	acceptor_rejoin(acceptor, SCENE_SLOTS);
	connect_to(1, 1);
	connect_to(1, 0);
	WAIT_UNTIL(all_are_accepted);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), 2);
}

/* ---- each tick ---- */

static void
busy_for_ms(unsigned slot, uint64_t ms)
{
	atomic_store(&scene.rt.scoreboard->slots[slot].busy_since_ns,
	    loop_now_us(scene.rt.loop) * 1000 - ms * 1000000);
}

static void
a_busy_neighbour_is_rescued(void **state)
{
	(void)state;
	open_acceptor("reuseport", 0);
	scene_turn();
	for (unsigned a = 0; a < ADDRESSES; a++) {
		connect_to(a, 1);
		connect_to(a, 0);
	}
	busy_for_ms(1, 50);
	/* Before the barrier a worker rescues no neighbour. */
	acceptor_rescue(acceptor);
	assert_int_equal(clients.count, 0);
	acceptor_join(acceptor);
	busy_for_ms(1, 9);
	acceptor_rescue(acceptor);
	assert_int_equal(clients.count, 0);
	/* A worker can't rescue its own slot. */
	busy_for_ms(0, 50);
	acceptor_rescue(acceptor);
	assert_int_equal(clients.count, 0);
	busy_for_ms(1, 10);
	acceptor_rescue(acceptor);
	assert_int_equal(clients.count, ADDRESSES);
	assert_int_equal(scene_total(SCOREBOARD_STOOD_IN), ADDRESSES);
}

static void
before_it_goes_all_its_listeners_are_swept(void **state)
{
	(void)state;
	open_acceptor("reuseport", 1);
	assert_false(acceptor_sweep(acceptor));
	connect_to(1, 0);
	assert_false(acceptor_sweep(acceptor));
	connect_to(1, 1);
	assert_true(acceptor_sweep(acceptor));
	assert_int_equal(clients.count, 1);
	connect_to(0, 1);
	assert_true(acceptor_sweep(acceptor));
	assert_int_equal(clients.count, 2);
	assert_false(acceptor_sweep(acceptor));
}

/* ---- many, and no descriptors ---- */

static void
a_crowd_is_taken_whole(void **state)
{
	(void)state;
	open_acceptor("reuseport", 0);
	for (unsigned i = 0; i < 50; i++)
		connect_to(0, 0);
	/* A single sweep leaves connections for later turns. */
	assert_true(acceptor_sweep(acceptor));
	assert_in_range(clients.count, 1, 49);
	WAIT_UNTIL(all_are_accepted);
}

/* A waiting client would wake the worker for ever. */
static void
without_descriptors_one_client_is_refused(void **state)
{
	struct rlimit old, none;
	char byte;
	int lowest;

	(void)state;
	open_acceptor("reuseport", 0);
	connect_to(0, 0);
	connect_to(0, 0);
	lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(lowest, -1);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	(void)acceptor_sweep(acceptor);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(clients.count, 0);
	assert_int_equal(scene_total(SCOREBOARD_REFUSED), 1);
	assert_int_equal(recv(connected[0], &byte, 1, 0), 0);
	/* The next client is served. */
	assert_true(acceptor_sweep(acceptor));
	assert_int_equal(clients.count, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(own_connections_are_taken),
	    TEST(the_neighbours_are_taken_once_joined),
	    TEST(where_nobody_stands_in_the_neighbours_wait),
	    TEST(a_shared_listener_is_polled_once),
	    TEST(a_neighbour_forked_anew_is_stood_in_for_again),
	    TEST(a_busy_neighbour_is_rescued),
	    TEST(before_it_goes_all_its_listeners_are_swept),
	    TEST(a_crowd_is_taken_whole),
	    TEST(without_descriptors_one_client_is_refused),
	};

	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
