/*
 * outbox - what callbacks write in one iteration of the loop, and is small,
 * leaves at its end, all of it together.
 *
 * Both processes; one per process, below those who write through it (io). An
 * outbox keeps bytes, and knows their owner by its outbox_writer alone: when
 * the bytes leave, and when an owner has to hear of it, is decided here; how
 * they are sent is the owner's. A process that now reads, now writes, for each
 * request, pays more for both than one that reads for all and then writes for
 * all: the kernel's code for the one drives the other's out of the caches, and
 * the other side is woken for every piece instead of once for many
 * (docs/performance.md). What is marked `urgent` leaves before the rest:
 * requests, on which a backend can work while the answers leave.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <sys/uio.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct outbox;
struct outbox_entry;

/* Sends the bytes of writer->batched, marks that entry `sent`, and calls
 * nobody. has_polled: the poll has just told of every descriptor. */
typedef void outbox_send_fn(void *arg, bool has_polled);
typedef void outbox_stuck_fn(void *arg);

/* Embedded in the owner, who sets the fields; the outbox sets `batched` and
 * clears is_stuck. */
struct outbox_writer {
	struct outbox *box;           /* NULL: nothing is ever batched */
	struct outbox_entry *batched; /* in the box; NULL: nothing */
	outbox_send_fn *send;
	outbox_stuck_fn *on_stuck;
	void *arg;
	bool urgent;       /* leaves before those that are not */
	bool expects_more; /* this iteration may well write again */
	/* Some bytes could not leave: on_stuck() is called at the end of the
	 * iteration if the writer has an entry by then. */
	bool is_stuck;
};

/*
 * Of how many descriptors a poll has to tell for all that follows to be held:
 * where it is fewer, little is saved, and who waits for the first would wait
 * for the last, too. So a proxy that is not busy answers sooner
 * (docs/performance.md).
 */
#define OUTBOX_READY_MIN 4

/* What one writer has in the outbox, its bytes behind it. */
struct outbox_entry {
	struct outbox_writer *writer; /* NULL: taken back */
	uint32_t len;
	bool sent;
};

/* Ends each iteration of the loop from now on; in those whose poll told of
 * fewer than ready_min it holds only what `expects_more` joins. NULL with
 * ENOMEM. */
struct outbox *outbox_new(struct loop *loop, unsigned ready_min);
/* Once nothing is held any more. */
void outbox_free(struct outbox *box);

/* Sends what is held, and calls nobody: for a callback that is about to keep
 * the loop from its end. */
void outbox_send(struct outbox *box);

/*
 * Keeps a copy until the end of the iteration; then the outbox calls send() of
 * its writer, whose box is not NULL. needs_poll: these bytes wait for one poll
 * more, and all others with them. False: nothing is kept, since the iteration
 * is a short one, or there is no room, or the bytes are too many to be copied,
 * or another writer's entry stands behind this writer's.
 */
bool outbox_add(struct outbox_writer *writer, const struct iovec *iov,
    int count, bool needs_poll);

/* The writer's bytes do not leave, or have left by another way. */
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
