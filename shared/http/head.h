/*
 * head - the facts of a message of any HTTP version: start line, fields,
 * framing. parser.h fills in a checked head; a reader needs no other part of a
 * message.
 *
 * Both processes, requests and responses. Pure. All slices point into the
 * buffer with the head's bytes, and are valid as long as the buffer; a changed
 * path lies in the room that parser.h asks for.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <llhttp.h>

#include "octet.h"
#include "slice.h"

/* Fields in the struct itself. A head with more has a table from the heap,
 * which grows with the head: the limit of the head's bytes is the limit of
 * both. */
#define HEAD_FIELDS_FEW 100
#define HEAD_NOMINATED_MAX 8
/* The gateway's name in Via. */
#define HEAD_OWN_NAME "drover"

/* Fields that the code has to know without a string comparison. */
enum head_field_id {
	FIELD_OTHER,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_COOKIE,
	FIELD_DATE,
	FIELD_EXPECT,
	FIELD_FORWARDED,
	FIELD_HOST,
	FIELD_HOP_BY_HOP, /* Proxy-Connection, HTTP2-Settings ... */
	FIELD_KEEP_ALIVE,
	FIELD_MAX_FORWARDS,
	FIELD_SHADOW, /* with `_` for `-`, one of the others */
	FIELD_TE,
	FIELD_TRACEPARENT,
	FIELD_TRACESTATE,
	FIELD_TRAILER,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_VIA,
	FIELD_X_FORWARDED, /* -Host, -Port and -Prefix */
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED_PROTO,
	FIELD_X_REAL_IP,
	FIELD_X_REQUEST_ID,
};

struct head_field {
	struct slice name;
	struct slice value; /* without surrounding white space */
	enum head_field_id id;
	bool nominated; /* named by Connection, so hop-by-hop */
};

struct head {
	bool is_response;
	uint8_t method;  /* requests: llhttp_method_t */
	uint8_t minor;   /* of version 1.x */
	uint16_t status; /* responses */
	bool chunked;
	bool has_length;
	bool keep_alive;
	bool asks_keep_alive;  /* Connection: keep-alive */
	bool has_keep_alive;   /* the field Keep-Alive, see keep_alive_s */
	bool expects_continue; /* HTTP/1.1 with a body */
	bool accepts_trailers; /* TE: trailers */
	bool has_date;         /* responses: a Date that may pass */
	bool has_via;
	/* An HTTP/1.1 request without a body asks for a protocol; or a response
	 * is 101 and names a protocol. `upgrade` is the first element of
	 * Upgrade with head_is_protocol(). A request with a body and a response
	 * of status 426 may have `upgrade`, too. */
	bool upgrades;
	int max_forwards;         /* -1: none, or not OPTIONS or TRACE */
	unsigned nominated_count; /* names in Connection, kept or not */
	size_t field_count;
	uint64_t length; /* Content-Length, when has_length */
	/* Keep-Alive, when has_keep_alive: `timeout` in seconds, and `max`
	 * requests more; UINT32_MAX: not said, or no number. */
	uint32_t keep_alive_s;
	uint32_t keep_alive_max;
	struct slice target; /* requests: as sent; but see path */
	/* Requests: origin-form with query, or `*`, in the normal form of
	 * path.h. The URI "http://a?q" has the path "/?q": the slash is
	 * inserted, in the target too. */
	struct slice path;
	struct slice query;  /* of path, behind the `?`; at NULL: none */
	struct slice host;   /* requests: Host, or the URI's */
	struct slice reason; /* responses */
	struct slice upgrade;
	struct head_field *fields; /* `few`, or a table from the heap */
	/* The arrays come last, and are not cleared between messages. Hashes of
	 * the names in Connection, for trailers: the bytes of the head are gone
	 * by then. head_nominates(). */
	uint32_t nominated[HEAD_NOMINATED_MAX];
	struct head_field few[HEAD_FIELDS_FEW];
};

/* Readies h for another message; h has no table from the heap. In two parts,
 * each small enough for the compiler to clear without a loop. */
static inline void
head_init(struct head *h, bool is_response)
{
	const size_t slices = offsetof(struct head, target);

	memset(h, 0, slices);
	memset((char *)h + slices, 0, offsetof(struct head, fields) - slices);
	h->fields = h->few;
	h->is_response = is_response;
	h->max_forwards = -1;
}

/* Makes room for as many fields again, when the table's `count` fields are all
 * there are. -1 with ENOMEM: the table is as before. */
int head_grow(struct head *h, size_t count);
/* For head_drop_fields(). */
__attribute__((noinline, cold)) void head_free_table(struct head *h);

/* No field is needed any more: frees a table from the heap. The head has no
 * field then, and keeps its other facts. */
static inline void
head_drop_fields(struct head *h)
{
	if (h->fields != h->few)
		head_free_table(h);
}

static inline bool
head_has_body(const struct head *h)
{
	return h->chunked || (h->has_length && h->length > 0);
}

/* 1xx: another response follows. */
static inline bool
head_is_interim(const struct head *h)
{
	return h->status / 100 == 1;
}

/* Names, by llhttp_method_t; each ends with a NUL. */
extern const struct slice head_methods[];

/* A request's. */
static inline struct slice
head_method(const struct head *h)
{
	return head_methods[h->method];
}

/* The same, with a NUL. */
static inline const char *
head_method_str(const struct head *h)
{
	return head_method(h).at;
}

bool head_is_idempotent(const struct head *h);
/* The value of a field, or NULL at; name in lower case. */
struct slice head_value(const struct head *h, const char *name);
/* How often Via names HEAD_OWN_NAME (RFC 9110 section 7.6.3). */
unsigned head_own_hops(const struct head *h);
/* The path without its query. */
static inline struct slice
head_path_only(const struct head *h)
{
	size_t query = h->query.at != NULL ? h->query.len + 1 : 0;

	return (struct slice){h->path.at, h->path.len - query};
}

/* A query parameter, not decoded; at NULL: none. */
struct slice head_query(const struct head *h, const char *name);
/* A cookie of the Cookie fields; at NULL: none. */
struct slice head_cookie(const struct head *h, const char *name);

enum head_field_id head_field_id_of(struct slice name);
/* A value without surrounding white space. */
static inline struct slice
head_trim(struct slice s)
{
	const char *at = s.at, *end = s.at + s.len;

	while (at < end && octet_is_blank(*at))
		at++;
	while (at < end && octet_is_blank(end[-1]))
		end--;
	return (struct slice){at, (size_t)(end - at)};
}

/* Takes the next element off a comma-separated list; at NULL: none. Elements
 * may be empty. */
struct slice head_next_element(struct slice *list);
/* An element of Upgrade: valid, and no HTTP. An upgrade to HTTP/2 is between
 * neighbours: a backend that accepted would talk to a client that can't be
 * understood here. */
bool head_is_protocol(struct slice what);
/* Takes the first line off lines (a trailer section's); false: none is left. */
bool head_next_field(
    struct slice *lines, struct slice *name, struct slice *value);

/* Connection names the field: for head_nominates(). */
void head_nominate(struct head *h, struct slice name);
/* Does Connection name the field? The bytes of the head may be gone. Where
 * Connection named more than HEAD_NOMINATED_MAX, any field is named. */
bool head_nominates(const struct head *h, struct slice name);

#endif
