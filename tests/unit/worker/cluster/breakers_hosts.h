/*
 * breakers_hosts - hosts that share a Redis and are about to call the same
 * service, for the tests of breakers.h.
 */
#ifndef BREAKERS_HOSTS_H
#define BREAKERS_HOSTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "breakers.h"
#include "log.h"
#include "redis_server.h"

#define HOSTS 2
#define OPEN_FOR_US 300000

static char cluster[] = "test";
static char pay[] = "payments";
static struct config_service services[] = {{
    .name = pay,
    .breaker = {.failures = 3,
	.window_us = 5000000,
	.open_for_us = OPEN_FOR_US},
}};
static struct config config = {
    .cluster = cluster, .services = services, .service_count = 1};

/* An instance with a single worker. */
struct host {
	struct loop *loop;
	struct scoreboard *scoreboard;
	struct redis *redis;
	struct breakers *breakers;
	struct breakers_ticket ticket;
	bool answered, admitted;
	unsigned settled;
};

struct fixture {
	struct redis_server server;
	struct loop *loop;
	struct host hosts[HOSTS];
	struct timer look; /* polls the awaited condition */
	bool (*is_so)(struct fixture *f);
	bool done;
};

static inline void
on_up(void *arg)
{
	struct host *h = arg;

	breakers_on_up(h->breakers);
}

static inline void
on_asked(void *arg, bool admitted)
{
	struct host *h = arg;

	assert_false(h->answered);
	h->answered = true;
	h->admitted = admitted;
}

static inline void
on_settled(void *arg)
{
	struct host *h = arg;

	h->settled++;
}

static inline void
host_open(struct host *h, struct loop *loop, const struct redis_server *server,
    unsigned number)
{
	struct redis_options redis = {
	    .url = redis_server_url(server),
	    .name = "test",
	    .scripts = {&breakers_script, &breakers_peek_script},
	    .script_count = 2,
	    .on_up = on_up,
	    .arg = h,
	};
	struct breakers_options options = {
	    .loop = loop, .config = &config, .who = "worker 1"};

	memset(h, 0, sizeof(*h));
	config.redis.url = redis.url;
	h->loop = loop;
	h->scoreboard = aligned_alloc(64, sizeof(*h->scoreboard));
	assert_non_null(h->scoreboard);
	memset(h->scoreboard, 0, sizeof(*h->scoreboard));
	snprintf(h->scoreboard->incarnation, sizeof(h->scoreboard->incarnation),
	    "%016x", number + 1);
	h->redis = redis_new(loop, NULL, &redis);
	options.redis = h->redis;
	options.scoreboard = h->scoreboard;
	h->breakers = breakers_new(&options);
	assert_non_null(h->breakers);
	breakers_ticket_init(&h->ticket, on_asked, on_settled, h);
}

static inline void
host_close(struct host *h)
{
	breakers_free(h->breakers);
	redis_free(h->redis);
	free(h->scoreboard);
}

static inline bool
both_up(struct fixture *f)
{
	return redis_is_up(f->hosts[0].redis) && redis_is_up(f->hosts[1].redis);
}

static inline void
on_look(void *arg)
{
	struct fixture *f = arg;

	f->done = f->is_so(f);
	if (!f->done)
		loop_timer_after(f->loop, &f->look, 500);
}

static inline void
await(struct fixture *f, bool (*is_so)(struct fixture *))
{
	f->is_so = is_so;
	f->done = false;
	loop_timer_after(f->loop, &f->look, 0);
	assert_true(redis_server_run(f->loop, &f->done));
}

static inline int
start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	redis_server_start(&f->server);
	f->loop = loop_new();
	for (unsigned i = 0; i < HOSTS; i++)
		host_open(&f->hosts[i], f->loop, &f->server, i);
	timer_init(&f->look, on_look, f);
	await(f, both_up);
	*state = f;
	return 0;
}

static inline int
stop(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < HOSTS; i++)
		host_close(&f->hosts[i]);
	loop_timer_clear(f->loop, &f->look);
	loop_free(f->loop);
	redis_server_stop(&f->server);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

#endif
