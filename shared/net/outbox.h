/*
 * outbox - what callbacks write in one iteration of the loop, and is small,
 * leaves at its end, all of it together.
 *
 * Both processes; one per process, for those io that were told of it
 * (io_hold()). A process that now reads, now writes, for each request, pays
 * more for both than one that reads for all and then writes for all: the
 * kernel's code for the one drives the other's out of the caches, and the other
 * side is woken for every piece instead of once for many (docs/performance.md).
 * What is marked `first` leaves before the rest: requests, on which a backend
 * can work while the answers leave.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <sys/uio.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct io;
struct outbox;

/*
 * Of how many descriptors a poll has to tell for all that follows to be held:
 * where it is fewer, little is saved, and who waits for the first would wait
 * for the last, too. So a proxy that is not busy answers sooner
 * (docs/performance.md).
 */
#define OUTBOX_TOLD_MIN 4

/* What one io has in the outbox, its bytes behind it. */
struct outbox_entry {
	struct io *io; /* NULL: closed meanwhile */
	uint32_t len;
	bool sent;
};

/* Ends each iteration of the loop from now on; in those whose poll told of
 * fewer than told_min it holds only what `more` may join. NULL with ENOMEM. */
struct outbox *outbox_new(struct loop *loop, unsigned told_min);
/* Once nothing is held any more. */
void outbox_free(struct outbox *box);

/* Sends what is held, and calls nobody: for a callback that is about to keep
 * the loop from its end. */
void outbox_send(struct outbox *box);

/*
 * For io.c. Keeps a copy until the end of the iteration, when io_send_held()
 * is called for it, and io->on_ready() if not all of it could leave. What asks
 * (io_begin()) waits for one poll more, and all else with it. False: the
 * iteration is a short one, there is no room, or it is too much to be copied,
 * or behind another io's.
 */
bool outbox_hold(
    struct outbox *box, struct io *io, const struct iovec *iov, int count);

static inline const char *
outbox_bytes(const struct outbox_entry *entry)
{
	return (const char *)(entry + 1);
}

#endif
