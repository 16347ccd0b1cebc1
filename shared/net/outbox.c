#include "outbox.h"

#include <stdlib.h>
#include <string.h>

/* A longer write is cheaper without a copy. */
#define ENTRY_MAX 2048
/* 32 KiB: enough for a hundred requests and responses. */
#define ROOM ((size_t)32768 / sizeof(struct outbox_entry))

struct outbox {
	struct loop *loop;
	unsigned ready_min;
	size_t used;               /* of the room */
	struct outbox_entry *last; /* NULL: nothing is batched */
	bool needs_poll;           /* an entry waits for the reuse check */
	bool closed;               /* the end of the iteration is under way */
	/* Entries, each with its bytes behind, in units of an entry. */
	struct outbox_entry room[ROOM];
};

/* Units that an entry takes. */
static size_t
size_of(size_t len)
{
	size_t unit = sizeof(struct outbox_entry);

	return 1 + (len + unit - 1) / unit;
}

static struct outbox_entry *
first_entry(struct outbox *box)
{
	return box->last != NULL ? box->room : NULL;
}

/* NULL after the last entry. */
static struct outbox_entry *
next_entry(const struct outbox *box, struct outbox_entry *entry)
{
	return entry != box->last ? entry + size_of(entry->len) : NULL;
}

static void
send_class(struct outbox *box, bool urgent, bool has_polled)
{
	for (struct outbox_entry *e = first_entry(box); e != NULL;
	    e = next_entry(box, e)) {
		struct outbox_writer *w = e->writer;

		if (w != NULL && !e->sent && w->urgent == urgent)
			w->send(w->arg, has_polled);
	}
}

static void
send_all(struct outbox *box, bool has_polled)
{
	send_class(box, true, has_polled);
	send_class(box, false, has_polled);
}

void
outbox_send(struct outbox *box)
{
	send_all(box, false);
}

/* Notifies the writers whose bytes could not leave, or not yet. */
static void
notify_stuck(struct outbox *box)
{
	for (struct outbox_entry *e = first_entry(box); e != NULL;
	    e = next_entry(box, e)) {
		struct outbox_writer *w = e->writer;

		if (w == NULL)
			continue;
		w->batched = NULL;
		if (w->is_stuck) {
			w->is_stuck = false;
			w->on_stuck(w->arg);
		}
	}
}

static bool
on_end(void *arg, bool has_polled)
{
	struct outbox *box = arg;

	if (box->last == NULL)
		return false;
	if (box->needs_poll && !has_polled)
		return true;
	send_all(box, has_polled && loop_poll_was_complete(box->loop));
	/* A notified writer may write, and may close other writers. */
	box->closed = true;
	notify_stuck(box);
	box->closed = false;
	box->last = NULL;
	box->used = 0;
	box->needs_poll = false;
	return false;
}

struct outbox *
outbox_new(struct loop *loop, unsigned ready_min)
{
	struct outbox *box = malloc(sizeof(*box));

	if (box == NULL)
		return NULL;
	/* The room stays untouched: pages appear on first use. */
	memset(box, 0, offsetof(struct outbox, room));
	box->loop = loop;
	box->ready_min = ready_min;
	loop_at_end(loop, on_end, box);
	return box;
}

void
outbox_free(struct outbox *box)
{
	if (box == NULL)
		return;
	loop_at_end(box->loop, NULL, NULL);
	free(box);
}

static bool
is_worth_it(const struct outbox *box, const struct outbox_writer *writer)
{
	return loop_ready_count(box->loop) >= box->ready_min ||
	       writer->expects_more || writer->batched != NULL;
}

/* The entry of the writer, with room for len bytes more; NULL: impossible. */
static struct outbox_entry *
entry_for(struct outbox *box, struct outbox_writer *writer, size_t len)
{
	struct outbox_entry *e = writer->batched;

	if (e != NULL) {
		/* Only the last entry can grow. */
		if (e->sent || e != box->last)
			return NULL;
		len += e->len;
	} else {
		e = &box->room[box->used];
	}
	if (size_of(len) > (size_t)(&box->room[ROOM] - e))
		return NULL;
	if (writer->batched == NULL) {
		*e = (struct outbox_entry){.writer = writer};
		writer->batched = box->last = e;
	}
	return e;
}

bool
outbox_add(struct outbox_writer *writer, const struct iovec *iov, int count,
    bool needs_poll)
{
	struct outbox *box = writer->box;
	struct outbox_entry *e;
	size_t len = 0;

	if (box->closed || !is_worth_it(box, writer))
		return false;
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (len > ENTRY_MAX)
		return false;
	e = entry_for(box, writer, len);
	if (e == NULL)
		return false;
	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len == 0)
			continue;
		memcpy(
		    (char *)(e + 1) + e->len, iov[i].iov_base, iov[i].iov_len);
		e->len += (uint32_t)iov[i].iov_len;
	}
	box->used = (size_t)(e - box->room) + size_of(e->len);
	box->needs_poll |= needs_poll;
	return true;
}
