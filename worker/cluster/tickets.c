#include "tickets.h"

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

/* Of tickets.lua, which the build embeds. */
extern const char tickets_lua[];

struct redis_script tickets_script = {.name = "tickets", .body = tickets_lua};

struct tickets {
	struct loop *loop;
	struct redis *redis;
	_Atomic uint64_t *sequence; /* in the scoreboard */
	struct ticket_list waiting; /* for the next block */
	struct ticket_list asking;  /* for the block that is asked for */
	struct ticket_list refused;
	bool is_settled; /* Redis was up, or could not be reached */
	bool is_asking;  /* a reply is to come */
	bool is_refused; /* by an error, and we said so */
	unsigned length; /* of the block asked for; 0: none */
	struct loop_deferred work;
	struct timer deadline; /* of whoever waits longest */
	struct timer retry;
	char key[KEY_MAX];
	char block_key[KEY_MAX];
};

static void
list_init(struct ticket_list *list)
{
	*list = (struct ticket_list){.last = &list->first};
}

static void
list_add(struct ticket_list *list, struct ticket *ticket)
{
	ticket->list = list;
	ticket->next = NULL;
	ticket->at = list->last;
	*list->last = ticket;
	list->last = &ticket->next;
	list->count++;
}

static void
list_remove(struct ticket *ticket)
{
	struct ticket_list *list = ticket->list;

	CHECK(list != NULL);
	*ticket->at = ticket->next;
	if (ticket->next != NULL)
		ticket->next->at = ticket->at;
	else
		list->last = ticket->at;
	list->count--;
	ticket->list = NULL;
}

static void
list_move(struct ticket_list *to, struct ticket_list *from)
{
	struct ticket *ticket;

	while ((ticket = from->first) != NULL) {
		list_remove(ticket);
		list_add(to, ticket);
	}
}

static void
answer(struct ticket *ticket, bool ok, uint64_t number)
{
	list_remove(ticket);
	ticket->fn(ticket->arg, ok, number);
}

static void
set_deadline(struct tickets *t)
{
	/* Whoever asks came before whoever waits. */
	const struct ticket *oldest =
	    t->asking.first != NULL ? t->asking.first : t->waiting.first;

	if (oldest != NULL)
		loop_timer_set(t->loop, &t->deadline, oldest->due_us);
	else
		loop_timer_clear(t->loop, &t->deadline);
}

static void on_block(void *arg, const redisReply *reply);

/* Asks for the block in hand, for the first time or again. */
static void
ask(struct tickets *t)
{
	char sequence[24], length[16];
	const char *argv[] = {
	    t->key, t->block_key, sequence, length, BLOCK_TTL_S};

	(void)snprintf(sequence, sizeof(sequence), "%" PRIu64,
	    atomic_load_explicit(t->sequence, memory_order_relaxed));
	(void)snprintf(length, sizeof(length), "%u", t->length);
	if (redis_is_up(t->redis) &&
	    redis_eval(t->redis, &tickets_script, on_block, t, 2, 5, argv) == 0)
		t->is_asking = true;
	else
		loop_timer_after(t->loop, &t->retry, RETRY_MS * US_PER_MS);
}

/* What the lists call for, once there is nothing under way. */
static void
go_on(struct tickets *t)
{
	set_deadline(t);
	if (t->is_asking || timer_is_pending(&t->retry))
		return;
	if (t->asking.count == 0) {
		/* All of the last block are served or gone. */
		t->length = 0;
		if (t->waiting.count == 0 || !redis_is_up(t->redis))
			return;
		list_move(&t->asking, &t->waiting);
		t->length = t->asking.count;
		counter_add(t->sequence, 1);
	}
	ask(t);
}

static void
on_block(void *arg, const redisReply *reply)
{
	struct tickets *t = arg;
	uint64_t last, length;

	t->is_asking = false;
	if (t->redis == NULL)
		return;
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 2) {
		if (reply != NULL && !t->is_refused) {
			t->is_refused = true;
			log_warn("tickets: redis refuses: %s",
			    reply->type == REDIS_REPLY_ERROR ? reply->str
							     : "odd reply");
		}
		/* Perhaps done, perhaps not: the same block again, soon. */
		loop_timer_after(t->loop, &t->retry, RETRY_MS * US_PER_MS);
		return;
	}
	t->is_refused = false;
	last = (uint64_t)reply->element[0]->integer;
	length = (uint64_t)reply->element[1]->integer;
	/* Who left meanwhile leaves a gap at the end of the block. */
	for (; length != 0 && t->asking.first != NULL; length--)
		answer(t->asking.first, true, last - length + 1);
	/* Not to be, and never to be given the same numbers. */
	while (t->asking.first != NULL)
		answer(t->asking.first, false, 0);
	go_on(t);
}

static void
on_retry(void *arg)
{
	go_on(arg);
}

static void
on_deadline(void *arg)
{
	struct tickets *t = arg;
	uint64_t now_us = loop_now_us(t->loop);
	struct ticket_list *lists[] = {&t->asking, &t->waiting};

	for (size_t i = 0; i < 2; i++)
		while (lists[i]->first != NULL &&
		       lists[i]->first->due_us <= now_us)
			answer(lists[i]->first, false, 0);
	go_on(t);
}

/* At the end of the iteration, so that all that came in it share a block. */
static void
on_work(void *arg)
{
	struct tickets *t = arg;
	unsigned count = t->refused.count;

	/* Counted: who is refused may try again at once, for the next time. */
	for (; count != 0 && t->refused.first != NULL; count--)
		answer(t->refused.first, false, 0);
	go_on(t);
}

void
tickets_take(
    struct tickets *t, struct ticket *ticket, tickets_fn *fn, void *arg)
{
	bool full = t->waiting.count + t->asking.count >= TICKETS_WAITING_MAX;
	/* A worker that is new has no connection yet, and that is no news. */
	bool away =
	    t->redis == NULL || (t->is_settled && !redis_is_up(t->redis));

	CHECK(ticket->list == NULL);
	ticket->fn = fn;
	ticket->arg = arg;
	ticket->due_us = loop_now_us(t->loop) + TICKETS_TIMEOUT_MS * US_PER_MS;
	list_add(away || full ? &t->refused : &t->waiting, ticket);
	loop_defer(t->loop, &t->work);
}

void
tickets_cancel(struct ticket *ticket)
{
	if (ticket->list != NULL)
		list_remove(ticket);
}

void
tickets_on_up(struct tickets *t)
{
	t->is_settled = true;
	loop_timer_clear(t->loop, &t->retry);
	go_on(t);
}

void
tickets_on_unreachable(struct tickets *t)
{
	if (t->is_settled)
		return;
	t->is_settled = true;
	list_move(&t->refused, &t->asking);
	list_move(&t->refused, &t->waiting);
	loop_defer(t->loop, &t->work);
}

struct tickets *
tickets_new(struct loop *loop, struct redis *redis, const struct config *config,
    struct scoreboard *scoreboard, unsigned slot)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->loop = loop;
	t->redis = redis;
	t->sequence = &scoreboard->slots[slot].ticket_seq;
	list_init(&t->waiting);
	list_init(&t->asking);
	list_init(&t->refused);
	loop_deferred_init(&t->work, on_work, t);
	timer_init(&t->deadline, on_deadline, t);
	timer_init(&t->retry, on_retry, t);
	(void)snprintf(
	    t->key, sizeof(t->key), "drover:{%s}:count", config->cluster);
	(void)snprintf(t->block_key, sizeof(t->block_key),
	    "drover:{%s}:count:%s:%u", config->cluster, scoreboard->incarnation,
	    slot);
	return t;
}

void
tickets_free(struct tickets *t)
{
	if (t == NULL)
		return;
	while (t->waiting.first != NULL)
		list_remove(t->waiting.first);
	while (t->asking.first != NULL)
		list_remove(t->asking.first);
	while (t->refused.first != NULL)
		list_remove(t->refused.first);
	loop_defer_cancel(t->loop, &t->work);
	loop_timer_clear(t->loop, &t->deadline);
	loop_timer_clear(t->loop, &t->retry);
	/* redis still holds a pointer for its last reply. */
	t->redis = NULL;
	loop_bury(t->loop, t, free);
}
