#include "route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hash.h"

/* Longer than any DNS name with its port. */
#define HOST_MAX 320

struct condition {
	struct slice name;
	struct slice value; /* at NULL: any */
};

/* A route, with the lengths of its text. */
struct entry {
	const struct config_route *route;
	size_t path_len;
	bool exact;
	/* in the form that routes_of_host() wants */
	struct slice host;
	uint64_t methods;             /* all bits: any */
	struct condition *conditions; /* headers, then parameters */
	size_t header_count;
	size_t condition_count;
};

/* The routes of one path: neighbours in table->entries, sorted. */
struct prefix {
	const char *path;
	size_t len;
	uint64_t hash;
	const struct prefix *shorter; /* longest prefix above this prefix */
	const struct entry *entries;
	size_t count;
	bool has_hosts;
};

struct route_table {
	struct entry *entries;
	size_t count;
	struct condition *conditions; /* of all entries */
	struct prefix *prefixes;
	size_t prefix_count;
	const struct prefix **slots; /* by hash, open addressing */
	size_t mask;
	size_t longest; /* prefix */
	bool has_hosts;
};

/* The request's facts during a search. */
struct request {
	const struct head *head;
	struct slice path;
	size_t exact_len;         /* of the path; 0: no path, but "*" */
	struct slice query;       /* at NULL: none */
	char host_text[HOST_MAX]; /* in lower case */
	struct slice host;
	uint64_t method;
	uint64_t others; /* methods of routes that fail by method only */
};

static struct slice
slice_of(const char *text)
{
	return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static int
compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* ---- the table ---- */

/* A byte at a time: the hash of each prefix is on the way. */
static uint64_t
hash_add(uint64_t hash, char c)
{
	return hash_bytes(hash, &c, 1);
}

static const struct prefix *
find_prefix(const struct route_table *table, const char *path, size_t len,
    uint64_t hash)
{
	const struct prefix *p;

	for (size_t i = hash & table->mask; (p = table->slots[i]) != NULL;
	    i = (i + 1) & table->mask)
		if (p->hash == hash && p->len == len &&
		    memcmp(p->path, path, len) == 0)
			return p;
	return NULL;
}

/* The longest prefix of the path, of at most max bytes. */
static const struct prefix *
find_longest(
    const struct route_table *table, const char *path, size_t len, size_t max)
{
	const struct prefix *longest = NULL, *p;
	uint64_t hash = HASH_START;

	if (max > len)
		max = len;
	for (size_t i = 1; i <= max; i++) {
		hash = hash_add(hash, path[i - 1]);
		if (i < len && path[i] != '/' && path[i - 1] != '/')
			continue;
		p = find_prefix(table, path, i, hash);
		if (p != NULL)
			longest = p;
	}
	return longest;
}

/* By path, by host, then more conditions first, then as in the file. */
static int
compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = compare_bytes(
	    a->route->path, a->path_len, b->route->path, b->path_len);

	if (order == 0)
		order = compare_bytes(
		    a->host.at, a->host.len, b->host.at, b->host.len);
	if (order != 0)
		return order;
	if (a->exact != b->exact)
		return a->exact ? -1 : 1;
	if (a->condition_count != b->condition_count)
		return a->condition_count > b->condition_count ? -1 : 1;
	if ((a->methods == UINT64_MAX) != (b->methods == UINT64_MAX))
		return a->methods != UINT64_MAX ? -1 : 1;
	return a->route < b->route ? -1 : 1;
}

static struct condition *
add_conditions(
    struct condition *to, const struct config_match *matches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*to++ = (struct condition){
		    slice_of(matches[i].name), slice_of(matches[i].value)};
	return to;
}

static void
fill_entries(struct route_table *table, const struct config_route *routes)
{
	struct condition *next = table->conditions;

	for (size_t i = 0; i < table->count; i++) {
		const struct config_route *r = &routes[i];
		struct entry *e = &table->entries[i];

		e->route = r;
		e->path_len = strlen(r->path);
		e->exact = r->exact;
		/* "*.a" is kept as ".a", and none as "". */
		e->host = slice_of(r->host != NULL ? r->host : "");
		if (e->host.len > 0 && e->host.at[0] == '*')
			e->host = slice_of(e->host.at + 1);
		e->methods = r->methods != 0 ? r->methods : UINT64_MAX;
		if ((e->methods & (UINT64_C(1) << HTTP_GET)) != 0)
			e->methods |= UINT64_C(1) << HTTP_HEAD;
		e->conditions = next;
		e->header_count = r->header_count;
		e->condition_count = r->header_count + r->query_count;
		next = add_conditions(next, r->headers, r->header_count);
		next = add_conditions(next, r->query, r->query_count);
	}
	qsort(table->entries, table->count, sizeof(*table->entries),
	    compare_entries);
}

static void
add_to_slots(struct route_table *table, struct prefix *p)
{
	size_t i;

	p->hash = HASH_START;
	for (size_t k = 0; k < p->len; k++)
		p->hash = hash_add(p->hash, p->path[k]);
	for (i = p->hash & table->mask; table->slots[i] != NULL;)
		i = (i + 1) & table->mask;
	table->slots[i] = p;
	if (p->len > table->longest)
		table->longest = p->len;
}

/* A prefix for each run of entries with the same path. */
static void
fill_prefixes(struct route_table *table)
{
	struct prefix *p = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct entry *e = &table->entries[i];

		if (p == NULL || strcmp(e->route->path, p->path) != 0) {
			p = &table->prefixes[table->prefix_count++];
			p->path = e->route->path;
			p->len = e->path_len;
			p->entries = e;
			add_to_slots(table, p);
		}
		p->count++;
		p->has_hosts = p->has_hosts || e->host.len > 0;
		table->has_hosts = table->has_hosts || p->has_hosts;
	}
	for (size_t i = 0; i < table->prefix_count; i++) {
		p = &table->prefixes[i];
		p->shorter = find_longest(table, p->path, p->len, p->len - 1);
	}
}

struct route_table *
route_table_new(const struct config_route *routes, size_t count)
{
	struct route_table *table = calloc(1, sizeof(*table));
	size_t conditions = 0, slots = 2;

	if (table == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		conditions += routes[i].header_count + routes[i].query_count;
	while (slots < 2 * count)
		slots *= 2;
	table->count = count;
	table->mask = slots - 1;
	table->entries = calloc(count + 1, sizeof(*table->entries));
	table->conditions = calloc(conditions + 1, sizeof(*table->conditions));
	table->prefixes = calloc(count + 1, sizeof(*table->prefixes));
	table->slots = calloc(slots, sizeof(*table->slots));
	if (table->entries == NULL || table->conditions == NULL ||
	    table->prefixes == NULL || table->slots == NULL) {
		route_table_free(table);
		return NULL;
	}
	fill_entries(table, routes);
	fill_prefixes(table);
	return table;
}

void
route_table_free(struct route_table *table)
{
	if (table == NULL)
		return;
	free(table->entries);
	free(table->conditions);
	free(table->prefixes);
	free(table->slots);
	free(table);
}

/* ---- a search ---- */

static bool
is_value(const struct condition *c, struct slice value)
{
	return c->value.at == NULL ||
	       (c->value.len == value.len &&
		   memcmp(c->value.at, value.at, value.len) == 0);
}

static bool
has_header(const struct head *head, const struct condition *c)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *h = &head->fields[i];

		if (h->name.len == c->name.len &&
		    strncasecmp(h->name.at, c->name.at, c->name.len) == 0 &&
		    is_value(c, h->value))
			return true;
	}
	return false;
}

static bool
has_parameter(struct slice query, const struct condition *c)
{
	const char *at = query.at, *end, *next, *equals;
	struct slice value;
	size_t len;

	if (at == NULL)
		return false;
	for (end = at + query.len; at <= end; at = next + 1) {
		next = memchr(at, '&', (size_t)(end - at));
		if (next == NULL)
			next = end;
		equals = memchr(at, '=', (size_t)(next - at));
		len = (size_t)((equals != NULL ? equals : next) - at);
		if (len != c->name.len || memcmp(at, c->name.at, len) != 0)
			continue;
		value.at = equals != NULL ? equals + 1 : next;
		value.len = (size_t)(next - value.at);
		if (is_value(c, value))
			return true;
	}
	return false;
}

static bool
holds(const struct entry *e, const struct request *r)
{
	if (e->exact && e->path_len != r->exact_len)
		return false;
	for (size_t i = 0; i < e->condition_count; i++)
		if (i < e->header_count
			? !has_header(r->head, &e->conditions[i])
			: !has_parameter(r->query, &e->conditions[i]))
			return false;
	return true;
}

/* The prefix's first entry with the host, or the place for such an entry. */
static const struct entry *
find_host(const struct prefix *p, struct slice host)
{
	const struct entry *low = p->entries, *high = low + p->count, *middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_bytes(middle->host.at, middle->host.len, host.at,
			host.len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct config_route *
among_host(const struct prefix *p, struct slice host, struct request *r)
{
	const struct entry *end = p->entries + p->count;

	for (const struct entry *e = find_host(p, host);
	    e < end &&
	    compare_bytes(e->host.at, e->host.len, host.at, host.len) == 0;
	    e++) {
		if (!holds(e, r))
			continue;
		if ((e->methods & r->method) != 0)
			return e->route;
		r->others |= e->methods;
	}
	return NULL;
}

static const struct config_route *
among_prefix(const struct prefix *p, struct request *r)
{
	const struct config_route *route = NULL;
	struct slice host = r->host;

	if (p->has_hosts && host.len > 0) {
		route = among_host(p, host, r);
		/* ".b.c" and ".c" of "a.b.c". */
		for (size_t i = 1; i < host.len && route == NULL; i++)
			if (host.at[i] == '.')
				route = among_host(p,
				    (struct slice){host.at + i, host.len - i},
				    r);
	}
	if (route == NULL)
		route = among_host(p, (struct slice){"", 0}, r);
	return route;
}

/* Without port and final dot, in lower case. Stays "" for a text that can't be
 * the host of a route. */
static void
read_host(struct request *r, struct slice host)
{
	const char *colon = NULL;

	if (host.at == NULL || host.len == 0 || host.len > HOST_MAX ||
	    host.at[0] == '.')
		return;
	if (host.at[0] == '[')
		colon = memchr(host.at, ']', host.len);
	colon = memchr(colon != NULL ? colon : host.at, ':',
	    host.len - (colon != NULL ? (size_t)(colon - host.at) : 0));
	if (colon != NULL)
		host.len = (size_t)(colon - host.at);
	if (host.len > 1 && host.at[host.len - 1] == '.')
		host.len--;
	for (size_t i = 0; i < host.len; i++)
		r->host_text[i] = host.at[i] >= 'A' && host.at[i] <= 'Z'
				      ? (char)(host.at[i] + ('a' - 'A'))
				      : host.at[i];
	r->host.len = host.len;
}

static void
read_target(struct request *r, const struct head *head)
{
	r->path = head_path_only(head);
	r->query = head->query;
	r->exact_len = r->path.len;
	if (r->path.len == 1 && r->path.at[0] == '*') {
		r->path.at = "/";
		r->exact_len = 0;
	}
}

enum route_result
route_find(const struct route_table *table, const struct head *request,
    const struct config_route **route, uint64_t *methods)
{
	const struct prefix *p;
	struct request r;

	r.head = request;
	r.method = UINT64_C(1) << request->method;
	r.others = 0;
	read_target(&r, request);
	r.host = (struct slice){r.host_text, 0};
	if (table->has_hosts)
		read_host(&r, request->host);
	*route = NULL;
	for (p = find_longest(table, r.path.at, r.path.len, table->longest);
	    p != NULL && *route == NULL; p = p->shorter)
		*route = among_prefix(p, &r);
	*methods = *route == NULL ? r.others : 0;
	if (*route != NULL)
		return ROUTE_FOUND;
	return r.others != 0 ? ROUTE_NO_METHOD : ROUTE_NONE;
}

void
route_add_methods(struct text *out, uint64_t methods)
{
	bool first = true;

	for (unsigned i = 0; i < 64; i++) {
		if ((methods >> i & 1) == 0)
			continue;
		if (!first)
			text_add(out, ", ", 2);
		text_add_str(out, llhttp_method_name((llhttp_method_t)i));
		first = false;
	}
}
