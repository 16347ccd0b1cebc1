#include "sequence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "log.h"
#include "redis.h"

#define RETRY_MS 50
#define BLOCK_TTL_S "3600"
#define US_PER_MS UINT64_C(1000)
#define KEY_MAX (2 * CONFIG_NAME_MAX + 48)

/* Embedded from sequence.lua. */
extern const char sequence_lua[];

struct redis_script sequence_script = {
    .name = "sequence", .body = sequence_lua};

TAILQ_HEAD(sequence_list, sequence_wait);

struct sequence_queue {
	struct sequence_list list;
	unsigned count;
};

struct sequence {
	struct loop *loop;
	struct redis *redis;
	_Atomic uint64_t *block;       /* block number, in the scoreboard */
	struct sequence_queue waiting; /* for the next block */
	struct sequence_queue asking;  /* for the block under way */
	struct sequence_queue refused;
	bool is_settled; /* Redis was up, or could not be reached */
	bool is_asking;  /* a reply is to come */
	bool is_refused; /* by an error, and logged */
	unsigned length; /* of the block asked for; 0: none */
	struct loop_deferred work;
	struct timer deadline; /* of the oldest request */
	struct timer retry;
	char key[KEY_MAX];
	char block_key[KEY_MAX];
};

static void
queue_init(struct sequence_queue *queue)
{
	TAILQ_INIT(&queue->list);
	queue->count = 0;
}

static struct sequence_wait *
first(const struct sequence_queue *queue)
{
	return TAILQ_FIRST(&queue->list);
}

static void
queue_add(struct sequence_queue *queue, struct sequence_wait *wait)
{
	TAILQ_INSERT_TAIL(&queue->list, wait, entry);
	wait->queue = queue;
	queue->count++;
}

static void
queue_remove(struct sequence_wait *wait)
{
	struct sequence_queue *queue = wait->queue;

	CHECK(queue != NULL);
	TAILQ_REMOVE(&queue->list, wait, entry);
	wait->queue = NULL;
	queue->count--;
}

static void
queue_move(struct sequence_queue *to, struct sequence_queue *from)
{
	struct sequence_wait *wait;

	while ((wait = first(from)) != NULL) {
		queue_remove(wait);
		queue_add(to, wait);
	}
}

static void
answer(struct sequence_wait *wait, bool ok, uint64_t number)
{
	queue_remove(wait);
	wait->fn(wait->arg, ok, number);
}

static void
set_deadline(struct sequence *s)
{
	/* The requests in `asking` came before all in `waiting`. */
	const struct sequence_wait *oldest =
	    first(&s->asking) != NULL ? first(&s->asking) : first(&s->waiting);

	if (oldest != NULL)
		loop_timer_set(s->loop, &s->deadline, oldest->due_us);
	else
		loop_timer_clear(s->loop, &s->deadline);
}

static void on_block(void *arg, const redisReply *reply);

/* Asks for the block in hand, for the first time or again. */
static void
ask(struct sequence *s)
{
	char block[24], length[16];
	const char *argv[] = {s->key, s->block_key, block, length, BLOCK_TTL_S};

	(void)snprintf(block, sizeof(block), "%" PRIu64,
	    atomic_load_explicit(s->block, memory_order_relaxed));
	(void)snprintf(length, sizeof(length), "%u", s->length);
	if (redis_is_up(s->redis) && redis_eval(s->redis, &sequence_script,
					 on_block, s, 2, 5, argv) == 0)
		s->is_asking = true;
	else
		loop_timer_after(s->loop, &s->retry, RETRY_MS * US_PER_MS);
}

/* Starts the next question, unless one is under way. */
static void
go_on(struct sequence *s)
{
	set_deadline(s);
	if (s->is_asking || timer_is_pending(&s->retry))
		return;
	if (s->asking.count == 0) {
		/* All requests of the last block are served or gone. */
		s->length = 0;
		if (s->waiting.count == 0 || !redis_is_up(s->redis))
			return;
		queue_move(&s->asking, &s->waiting);
		s->length = s->asking.count;
		counter_add(s->block, 1);
	}
	ask(s);
}

static void
on_block(void *arg, const redisReply *reply)
{
	struct sequence *s = arg;
	uint64_t last, length;

	s->is_asking = false;
	if (s->redis == NULL)
		return;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 2) {
		if (reply != NULL && !s->is_refused) {
			s->is_refused = true;
			log_warn("sequence: redis refuses: %s",
			    reply->type == REDIS_REPLY_ERROR ? reply->str
							     : "odd reply");
		}
		/* Perhaps done, perhaps not: the same block again, soon. */
		loop_timer_after(s->loop, &s->retry, RETRY_MS * US_PER_MS);
		return;
	}
	s->is_refused = false;
	last = (uint64_t)reply->element[0]->integer;
	length = (uint64_t)reply->element[1]->integer;
	/* Requests that left leave a gap at the end of the block. */
	for (; length != 0 && first(&s->asking) != NULL; length--)
		answer(first(&s->asking), true, last - length + 1);
	/* Should not happen: the block is too short. No number is given twice.
	 */
	while (first(&s->asking) != NULL)
		answer(first(&s->asking), false, 0);
	go_on(s);
}

static void
on_retry(void *arg)
{
	go_on(arg);
}

static void
on_deadline(void *arg)
{
	struct sequence *s = arg;
	uint64_t now_us = loop_now_us(s->loop);
	struct sequence_queue *queues[] = {&s->asking, &s->waiting};

	for (size_t i = 0; i < 2; i++)
		while (first(queues[i]) != NULL &&
		       first(queues[i])->due_us <= now_us)
			answer(first(queues[i]), false, 0);
	go_on(s);
}

/* At the end of the iteration: all requests of the iteration share a block. */
static void
on_work(void *arg)
{
	struct sequence *s = arg;
	unsigned count = s->refused.count;

	/* Counted: a refused request may try again at once, for the next round.
	 */
	for (; count != 0 && first(&s->refused) != NULL; count--)
		answer(first(&s->refused), false, 0);
	go_on(s);
}

void
sequence_take(
    struct sequence *s, struct sequence_wait *wait, sequence_fn *fn, void *arg)
{
	bool full = s->waiting.count + s->asking.count >= SEQUENCE_WAITING_MAX;
	/* A new worker has no connection yet, which is no reason to refuse. */
	bool away =
	    s->redis == NULL || (s->is_settled && !redis_is_up(s->redis));

	CHECK(wait->queue == NULL);
	wait->fn = fn;
	wait->arg = arg;
	wait->due_us = loop_now_us(s->loop) + SEQUENCE_TIMEOUT_MS * US_PER_MS;
	queue_add(away || full ? &s->refused : &s->waiting, wait);
	loop_defer(s->loop, &s->work);
}

void
sequence_cancel(struct sequence_wait *wait)
{
	if (wait->queue != NULL)
		queue_remove(wait);
}

void
sequence_on_up(struct sequence *s)
{
	s->is_settled = true;
	loop_timer_clear(s->loop, &s->retry);
	go_on(s);
}

void
sequence_on_unreachable(struct sequence *s)
{
	if (s->is_settled)
		return;
	s->is_settled = true;
	queue_move(&s->refused, &s->asking);
	queue_move(&s->refused, &s->waiting);
	loop_defer(s->loop, &s->work);
}

struct sequence *
sequence_new(struct loop *loop, struct redis *redis,
    const struct config *config, struct scoreboard *scoreboard, unsigned slot)
{
	struct sequence *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->loop = loop;
	s->redis = redis;
	s->block = &scoreboard->slots[slot].sequence_block;
	queue_init(&s->waiting);
	queue_init(&s->asking);
	queue_init(&s->refused);
	loop_deferred_init(&s->work, on_work, s);
	timer_init(&s->deadline, on_deadline, s);
	timer_init(&s->retry, on_retry, s);
	(void)snprintf(
	    s->key, sizeof(s->key), "drover:{%s}:count", config->cluster);
	(void)snprintf(s->block_key, sizeof(s->block_key),
	    "drover:{%s}:count:%s:%u", config->cluster, scoreboard->incarnation,
	    slot);
	return s;
}

void
sequence_free(struct sequence *s)
{
	if (s == NULL)
		return;
	while (first(&s->waiting) != NULL)
		queue_remove(first(&s->waiting));
	while (first(&s->asking) != NULL)
		queue_remove(first(&s->asking));
	while (first(&s->refused) != NULL)
		queue_remove(first(&s->refused));
	loop_defer_cancel(s->loop, &s->work);
	loop_timer_clear(s->loop, &s->deadline);
	loop_timer_clear(s->loop, &s->retry);
	/* The redis still holds a pointer for the last reply. */
	s->redis = NULL;
	loop_bury(s->loop, s, free);
}
