/*
 * record - the facts of a finished request, for observers such as the access
 * log. Worker only.
 *
 * The request fills in the record step by step; stages add their own facts.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>

#define RECORD_NO_TIME UINT64_MAX

/* A request's facts. Strings may be NULL: no such fact. */
struct record {
	const char *client;  /* the address, behind trusted proxies too */
	const char *request; /* "GET /path?query HTTP/1.1"; of a refused request
			      * what was read of the line */
	const char *host;
	const char *route;    /* the path of the configuration */
	const char *service;  /* name of the service */
	const char *upstream; /* the last endpoint tried */
	const char *breaker;  /* state of the breaker at admission */
	const char *end;      /* how the request ended: a word, never NULL */
	const char *reason;   /* the words behind `end`, for a message that a
			       * limit or a check has refused */
	const char *id;       /* X-Request-Id */
	uint16_t tries;
	uint16_t status;    /* 499, as in nginx: left before a response */
	uint32_t head_in;   /* bytes of the request's head, as far as read */
	uint64_t bytes_in;  /* of the request's body */
	uint64_t bytes_out; /* of the response's body */
	/* Since the step before; RECORD_NO_TIME: the step was not reached. */
	uint64_t queue_us;      /* until a connection was lent */
	uint64_t connect_us;    /* until the connection was up; 0: reused */
	uint64_t first_byte_us; /* until the response's head */
	uint64_t total_us;      /* from the request's head to the end */
};

#define RECORD_FIELD_MAX 256

/* A field of `log.fields`: the first of the name, cut with a mark. */
struct record_field {
	bool is_there;
	char value[RECORD_FIELD_MAX];
};

/* An empty record. */
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
