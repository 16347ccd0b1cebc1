/*
 * record_scene - in place of the access log: the last record of a request is
 * kept.
 */
#ifndef RECORD_SCENE_H
#define RECORD_SCENE_H

#include "request.h"

struct access_log {
	unsigned count;
	struct record last;
};

static struct access_log observed;

static inline void
observe(struct access_log *log, const struct record *r,
    const struct record_field *fields)
{
	(void)fields;
	log->count++;
	log->last = *r;
}

const struct request_hooks request_hooks = {.log = observe};

#endif
