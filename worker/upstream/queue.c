#include "queue.h"

#include "log.h"
#include "runtime.h"
#include "service.h"

static struct loop *
loop_of(const struct queue *q)
{
	return q->service->runtime->loop;
}

static bool
is_short(const struct queue *q)
{
	return shortage_lasts(&q->service->shortage, loop_now_us(loop_of(q)));
}

static struct shed_queue
shed_queue_of(const struct queue *q)
{
	/* A name without an answer yet is no overload, nor is a shortage of
	 * this host. */
	if (q->count == 0 || q->service->endpoint_count == 0 || is_short(q))
		return (struct shed_queue){.count = 0};
	return (struct shed_queue){
	    .count = q->count,
	    .oldest_us = TAILQ_FIRST(&q->places)->since_us,
	};
}

/* Sets the timer for the oldest request's end, or the policy's next look. */
static void
arm(struct queue *q)
{
	struct shed_queue queue = shed_queue_of(q);
	uint64_t due_us = shed_due_us(&q->shed, &queue);
	uint64_t end_us = UINT64_MAX;

	if (q->count > 0)
		end_us =
		    TAILQ_FIRST(&q->places)->since_us + shed_limit_us(&q->shed);
	if (end_us < due_us)
		due_us = end_us;
	if (due_us != UINT64_MAX &&
	    (!timer_is_pending(&q->timer) || due_us < q->timer.due_us))
		loop_timer_set(loop_of(q), &q->timer, due_us);
}

static void
look(struct queue *q)
{
	struct shed_queue queue = shed_queue_of(q);

	shed_look(&q->shed, &queue, loop_now_us(loop_of(q)));
}

/* ---- refusals ---- */

static void
note_refusal(struct queue *q, enum shed_reason why)
{
	/* A shortage has log lines of its own. */
	if (!is_short(q) && shed_on_refusal(&q->shed, loop_now_us(loop_of(q))))
		log_warn("service %s: overloaded, requests are refused: %s; "
			 "%u connections in use, %u waiting",
		    q->service->config->name, shed_reason_str(why), q->lent,
		    q->count);
}

static void
end_episode(struct queue *q, const char *what)
{
	uint64_t lasted_us, refused = shed_end_episode(&q->shed, &lasted_us);

	log_info("service %s: %s: %llu requests refused in %llu ms",
	    q->service->config->name, what, (unsigned long long)refused,
	    (unsigned long long)(lasted_us / 1000));
}

void
queue_refuse(struct queue *q, unsigned lent, enum shed_reason why)
{
	q->lent = lent;
	note_refusal(q, why);
	arm(q);
}

/* ---- places ---- */

bool
queue_enter(struct queue *q, struct queue_place *place, unsigned lent)
{
	shed_on_arrival(&q->shed, lent, true);
	if (q->count >= q->service->config->pool.queue) {
		queue_refuse(q, lent, SHED_FULL);
		return false;
	}
	q->lent = lent;
	TAILQ_INSERT_TAIL(&q->places, place, entry);
	q->count++;
	place->is_taken = true;
	place->since_us = loop_now_us(loop_of(q));
	arm(q);
	return true;
}

static void
remove_place(struct queue *q, struct queue_place *place)
{
	TAILQ_REMOVE(&q->places, place, entry);
	q->count--;
	place->is_taken = false;
	look(q);
}

void
queue_leave(struct queue *q, struct queue_place *place)
{
	if (!place->is_taken)
		return;
	remove_place(q, place);
	arm(q);
}

struct queue_place *
queue_next(const struct queue *q)
{
	return shed_is_newest_first(&q->shed)
		   ? TAILQ_LAST(&q->places, queue_places)
		   : TAILQ_FIRST(&q->places);
}

static bool
is_due(const struct queue *q)
{
	const struct queue_place *oldest = TAILQ_FIRST(&q->places);

	return oldest != NULL && loop_now_us(loop_of(q)) >=
				     oldest->since_us + shed_limit_us(&q->shed);
}

static void
on_timer(void *arg)
{
	struct queue *q = arg;

	look(q);
	while (is_due(q)) {
		struct queue_place *oldest = TAILQ_FIRST(&q->places);
		enum shed_reason why =
		    shed_is_newest_first(&q->shed) ? SHED_OVERLOAD : SHED_LATE;

		note_refusal(q, why);
		remove_place(q, oldest);
		q->on_refusal(q->arg, oldest, why);
	}
	if (shed_episode_is_over(&q->shed, loop_now_us(loop_of(q))))
		end_episode(q, "overload is over");
	arm(q);
}

void
queue_init(struct queue *q, const struct service *service, queue_fn *on_refusal,
    void *arg)
{
	q->service = service;
	q->on_refusal = on_refusal;
	q->arg = arg;
	q->count = 0;
	q->lent = 0;
	TAILQ_INIT(&q->places);
	timer_init(&q->timer, on_timer, q);
	shed_init(&q->shed,
	    &(struct shed_limits){
		.target_us = service->config->pool.queue_target_us,
		.interval_us = service->config->pool.queue_interval_us,
		.timeout_us = service->config->pool.queue_timeout_us,
	    });
}

void
queue_fini(struct queue *q)
{
	if (q->shed.refused != 0)
		end_episode(q, "overloaded to the end");
	loop_timer_clear(loop_of(q), &q->timer);
}
