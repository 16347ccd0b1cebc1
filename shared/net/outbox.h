/*
 * outbox - write batching: the small writes of one loop iteration leave
 * together at the end of the iteration.
 *
 * Both processes; one outbox per process, below its users (io). The outbox
 * keeps bytes and decides when bytes leave and which owner is notified. The
 * owner, known by an outbox_writer alone, does the sending.
 *
 * Reading and writing in turn for each request is expensive. The kernel's code
 * for either drives the other's out of the caches, and the peer is woken for
 * every piece. Reading for all requests and then writing for all is cheaper
 * (docs/performance.md). Urgent writers leave first: requests, on which a
 * backend can work while the responses leave.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <sys/uio.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct outbox;
struct outbox_entry;

/* Sends the bytes of writer->batched and marks the entry `sent`, without other
 * callbacks. has_polled: a poll is just over and was complete. */
typedef void outbox_send_fn(void *arg, bool has_polled);
typedef void outbox_stuck_fn(void *arg);

/* Embedded in the owner. The owner sets the fields; the outbox sets `batched`
 * and clears is_stuck. */
struct outbox_writer {
	struct outbox *box;           /* NULL: no batching */
	struct outbox_entry *batched; /* in the box, or NULL */
	outbox_send_fn *send;
	outbox_stuck_fn *on_stuck;
	void *arg;
	bool urgent;       /* leaves before writers that are not urgent */
	bool expects_more; /* another write is likely in this iteration */
	/* Bytes could not leave. At the end of the iteration on_stuck() is
	 * called, if the writer has an entry by then. */
	bool is_stuck;
};

/*
 * Iterations are batched when the poll reports at least as many descriptors. A
 * smaller iteration saves little, and the first response would wait for the
 * last. A proxy that is not busy answers sooner without (docs/performance.md).
 */
#define OUTBOX_READY_MIN 4

/* An entry of one writer; the bytes follow the struct. */
struct outbox_entry {
	struct outbox_writer *writer; /* NULL: withdrawn */
	uint32_t len;
	bool sent;
};

/* The outbox acts at the end of each iteration (loop_at_end()). ready_min: see
 * OUTBOX_READY_MIN. In smaller iterations a writer is batched if it
 * expects_more, or has an entry already. NULL with ENOMEM. */
struct outbox *outbox_new(struct loop *loop, unsigned ready_min);
/* The outbox must be empty. */
void outbox_free(struct outbox *box);

/* Sends all batched bytes now, without on_stuck(): for a callback that is about
 * to block the loop. */
void outbox_send(struct outbox *box);

/*
 * Copies the bytes until the end of the iteration, when the outbox calls send()
 * of the writer. The box of the writer must not be NULL. needs_poll: the whole
 * batch waits for one more poll.
 *
 * False when nothing was copied. The iteration is small or at its end, the room
 * is full, or the bytes are too many to be worth a copy. Or the entry of the
 * writer cannot grow, since the entry was sent or is not the last.
 */
bool outbox_add(struct outbox_writer *writer, const struct iovec *iov,
    int count, bool needs_poll);

/* Removes the entry of the writer: the bytes need not leave, or have left. */
static inline void
outbox_withdraw(struct outbox_writer *writer)
{
	if (writer->batched != NULL)
		writer->batched->writer = NULL;
	writer->batched = NULL;
}

static inline const char *
outbox_bytes(const struct outbox_entry *entry)
{
	return (const char *)(entry + 1);
}

#endif
