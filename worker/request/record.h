/*
 * record - what is known of one request when it is over, for those who observe
 * it, such as the access log. Worker only.
 *
 * The request fills it in as it goes; whoever answers adds what it knows.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

#define RECORD_NO_TIME UINT64_MAX

/* One request. Strings may be NULL: not there. */
struct record {
	const char *client;  /* its address, without the port */
	const char *request; /* "GET /path?query HTTP/1.1" */
	const char *host;
	const char *route;    /* the path of the configuration */
	const char *service;  /* its name */
	const char *upstream; /* the last endpoint tried */
	const char *breaker;  /* its state when the request was admitted */
	const char *end;      /* how it ended: a word, never NULL */
	const char *id;       /* X-Request-Id */
	unsigned tries;
	unsigned status;    /* 499, as nginx has it: left before an answer */
	uint64_t bytes_in;  /* of the request's body */
	uint64_t bytes_out; /* of the response's body */
	/* Since the one before; RECORD_NO_TIME: did not come to that. */
	uint64_t queue_us;      /* until a connection was lent */
	uint64_t connect_us;    /* until it was up; 0 for a kept-alive one */
	uint64_t first_byte_us; /* until the response's head */
	uint64_t total_us;      /* from the request's head to the end */
};

/* Nothing is there yet. */
static inline void
record_init(struct record *r)
{
	*r = (struct record){
	    .queue_us = RECORD_NO_TIME,
	    .connect_us = RECORD_NO_TIME,
	    .first_byte_us = RECORD_NO_TIME,
	    .total_us = RECORD_NO_TIME,
	};
}

#endif
