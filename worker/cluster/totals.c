#include "totals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "redis.h"
#include "text.h"

#define FLUSH_MS 100
/* When nothing changes: to learn the others' totals and to keep the writer's
 * key alive. */
#define REFRESH_US 1000000
#define WRITER_TTL_S "2592000" /* 30 days */
#define US_PER_MS UINT64_C(1000)
#define KEY_MAX (2 * CONFIG_NAME_MAX + 48)

/* Totals of a slot, added up over the cluster. */
static const enum scoreboard_total kept[] = {
    SCOREBOARD_REQUESTS,
    SCOREBOARD_RESPONSES_1XX,
    SCOREBOARD_RESPONSES_2XX,
    SCOREBOARD_RESPONSES_3XX,
    SCOREBOARD_RESPONSES_4XX,
    SCOREBOARD_RESPONSES_5XX,
};
#define KEPT (sizeof(kept) / sizeof(*kept))
#define FIELDS_MAX                                                             \
	(KEPT + (size_t)CONFIG_SERVICES_MAX * SCOREBOARD_SERVICE_TOTAL_COUNT)
#define FIELD_MAX (CONFIG_NAME_MAX + 32)
#define NUMBER_MAX 21

/* Embedded from totals.lua. */
extern const char totals_lua[];

struct redis_script totals_script = {.name = "totals", .body = totals_lua};

struct field {
	_Atomic uint64_t *cell;
	uint64_t sent;   /* in the flush under way */
	uint64_t stored; /* acknowledged */
	char name[FIELD_MAX];
};

struct totals {
	struct loop *loop;
	struct redis *redis;
	struct scoreboard *scoreboard;
	struct timer timer;
	bool is_flushing;
	bool is_wanted;  /* flush again after the reply */
	bool is_refused; /* logged once */
	uint64_t acknowledged_us;
	bool is_known; /* cluster_requests */
	uint64_t cluster_requests;
	char key[KEY_MAX];
	char writer[KEY_MAX];
	size_t count;
	struct field fields[FIELDS_MAX]; /* the first: requests */
};

static uint64_t
value_of(const struct field *f)
{
	return atomic_load_explicit(f->cell, memory_order_relaxed);
}

static bool
is_changed(const struct totals *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (value_of(&t->fields[i]) != t->fields[i].stored)
			return true;
	return false;
}

/* Adopts the reply. False when nothing was stored. */
static bool
take_reply(struct totals *t, const redisReply *reply)
{
	if (reply == NULL)
		return false;
	if (reply->type != REDIS_REPLY_STRING) {
		if (!t->is_refused)
			log_warn("totals: redis does not take them, they are "
				 "kept and sent again: %s",
			    reply->type == REDIS_REPLY_ERROR ? reply->str
							     : "odd reply");
		t->is_refused = true;
		return false;
	}
	if (t->is_refused)
		log_info("totals: redis takes them again");
	t->is_refused = false;
	t->is_known = true;
	t->cluster_requests = strtoull(reply->str, NULL, 10);
	for (size_t i = 0; i < t->count; i++)
		t->fields[i].stored = t->fields[i].sent;
	t->acknowledged_us = loop_now_us(t->loop);
	return true;
}

static void
on_reply(void *arg, const redisReply *reply)
{
	struct totals *t = arg;
	bool again = t->is_wanted;

	t->is_flushing = false;
	t->is_wanted = false;
	if (take_reply(t, reply) && again && is_changed(t))
		totals_flush(t);
}

void
totals_flush(struct totals *t)
{
	const char *argv[3 + 2 * FIELDS_MAX] = {
	    t->key, t->writer, WRITER_TTL_S};
	char numbers[FIELDS_MAX][NUMBER_MAX];
	int argc = 3;

	if (t->is_flushing) {
		t->is_wanted = true;
		return;
	}
	if (t->redis == NULL || !redis_is_up(t->redis))
		return;
	for (size_t i = 0; i < t->count; i++) {
		struct field *f = &t->fields[i];

		f->sent = value_of(f);
		(void)snprintf(
		    numbers[i], sizeof(numbers[i]), "%" PRIu64, f->sent);
		argv[argc++] = f->name;
		argv[argc++] = numbers[i];
	}
	if (redis_eval(t->redis, &totals_script, on_reply, t, 2, argc, argv) ==
	    0)
		t->is_flushing = true;
}

static void
on_timer(void *arg)
{
	struct totals *t = arg;
	uint64_t age_us = loop_now_us(t->loop) - t->acknowledged_us;

	loop_timer_after(t->loop, &t->timer, FLUSH_MS * US_PER_MS);
	if (!t->is_flushing && (is_changed(t) || age_us >= REFRESH_US))
		totals_flush(t);
}

bool
totals_is_settled(const struct totals *t)
{
	if (t->redis == NULL || !redis_is_up(t->redis))
		return true;
	return !t->is_flushing && !is_changed(t);
}

uint64_t
totals_cluster_requests(const struct totals *t)
{
	const struct field *requests = &t->fields[0];

	if (!t->is_known)
		return scoreboard_sum(t->scoreboard, SCOREBOARD_REQUESTS);
	return t->cluster_requests + value_of(requests) - requests->stored;
}

static struct field *
add_field(struct totals *t, _Atomic uint64_t *cell)
{
	struct field *f = &t->fields[t->count++];

	f->cell = cell;
	return f;
}

/* A field has the name of a service: instances with different configurations
 * mean the same service. */
static void
add_fields(
    struct totals *t, const struct config *config, struct scoreboard_slot *slot)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct field *f = add_field(t, &slot->totals[kept[i]]);

		(void)snprintf(f->name, sizeof(f->name), "%s",
		    scoreboard_total_str(kept[i]));
	}
	for (size_t s = 0; s < config->service_count; s++)
		for (unsigned i = 0; i < SCOREBOARD_SERVICE_TOTAL_COUNT; i++) {
			struct field *f = add_field(t, &slot->services[s][i]);

			(void)snprintf(f->name, sizeof(f->name), "%s:%s",
			    scoreboard_service_total_str(
				(enum scoreboard_service_total)i),
			    config->services[s].name);
		}
}

struct totals *
totals_new(struct loop *loop, struct redis *redis, const struct config *config,
    struct scoreboard *scoreboard, unsigned slot)
{
	struct totals *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->loop = loop;
	t->redis = redis;
	t->scoreboard = scoreboard;
	(void)snprintf(
	    t->key, sizeof(t->key), "drover:{%s}:totals", config->cluster);
	(void)snprintf(t->writer, sizeof(t->writer), "drover:{%s}:writer:%s:%u",
	    config->cluster, scoreboard->incarnation, slot);
	add_fields(t, config, &scoreboard->slots[slot]);
	timer_init_early(&t->timer, on_timer, t, LOOP_EARLY_US);
	if (redis != NULL)
		loop_timer_after(loop, &t->timer, FLUSH_MS * US_PER_MS);
	return t;
}

void
totals_free(struct totals *t)
{
	if (t == NULL)
		return;
	loop_timer_clear(t->loop, &t->timer);
	/* The redis still holds a pointer for the last reply. */
	loop_bury(t->loop, t, free);
}
