#include "deaths.h"

#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

void
deaths_add(struct deaths *d, const struct death *death)
{
	d->ring[d->count++ % DEATHS_KEPT] = *death;
	d->by_slot[death->slot]++;
}

const struct death *
deaths_get(const struct deaths *d, size_t index)
{
	if (index >= d->count || index >= DEATHS_KEPT)
		return NULL;
	return &d->ring[(d->count - 1 - index) % DEATHS_KEPT];
}

const char *
deaths_cause(int wait_status, char buf[DEATHS_CAUSE_MAX])
{
	const char *name;

	if (WIFEXITED(wait_status)) {
		snprintf(buf, DEATHS_CAUSE_MAX, "exit status %d",
		    WEXITSTATUS(wait_status));
		return buf;
	}
	name = sigdescr_np(WTERMSIG(wait_status));
	snprintf(buf, DEATHS_CAUSE_MAX, "signal %d (%s)", WTERMSIG(wait_status),
	    name != NULL ? name : "unknown");
	return buf;
}
