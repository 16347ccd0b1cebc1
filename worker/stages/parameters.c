#include "parameters.h"

#include <string.h>

#include "config_parameters.h"
#include "reply.h"
#include "request.h"

#define TEXT_MAX 256

/* NAME=VALUE; value at NULL: no `=`. */
struct parameter {
	struct slice name;
	struct slice value;
};

static bool
is_exactly(struct slice s, const char *text)
{
	return s.at != NULL && s.len == strlen(text) &&
	       memcmp(s.at, text, s.len) == 0;
}

/* Takes the next parameter off the query. Empty ones are passed over. */
static bool
next_parameter(struct slice *query, struct parameter *p)
{
	const char *end = query->at + query->len, *stop, *equals;

	while (query->at < end && *query->at == '&')
		query->at++;
	query->len = (size_t)(end - query->at);
	if (query->len == 0)
		return false;
	stop = memchr(query->at, '&', query->len);
	if (stop == NULL)
		stop = end;
	p->name = (struct slice){query->at, (size_t)(stop - query->at)};
	p->value = (struct slice){NULL, 0};
	equals = memchr(query->at, '=', p->name.len);
	if (equals != NULL) {
		p->name.len = (size_t)(equals - query->at);
		p->value =
		    (struct slice){equals + 1, (size_t)(stop - (equals + 1))};
	}
	*query = (struct slice){stop, (size_t)(end - stop)};
	return true;
}

static bool
is_condition(const struct config_route *route, struct slice name)
{
	for (size_t i = 0; i < route->query_count; i++)
		if (is_exactly(name, route->query[i].name))
			return true;
	return false;
}

static const struct config_parameter *
find(enum config_handler handler, struct slice name)
{
	const struct config_parameter *row = config_parameters;

	while (row->name != NULL &&
	       (row->handler != handler || !is_exactly(name, row->name)))
		row++;
	return row->name != NULL ? row : NULL;
}

static bool
is_allowed(const struct config_parameter *row, struct slice value)
{
	if (row->choices == NULL)
		return value.at != NULL;
	for (size_t i = 0; row->choices[i] != NULL; i++)
		if (is_exactly(value, row->choices[i]))
			return true;
	return false;
}

static void
refuse_name(const struct request *r)
{
	const struct config_parameter *row = config_parameters;
	char what[TEXT_MAX];
	unsigned count = 0;
	struct text t;

	text_init(&t, what, sizeof(what) - 1);
	text_add_str(&t, "unknown parameter; known here: ");
	for (; row->name != NULL; row++)
		if (row->handler == r->route->handler)
			text_addf(
			    &t, "%s%s", count++ == 0 ? "" : ", ", row->name);
	for (size_t i = 0; i < r->route->query_count; i++)
		text_addf(&t, "%s%s", count++ == 0 ? "" : ", ",
		    r->route->query[i].name);
	text_add_str(&t, count == 0 ? "none" : "");
	what[t.len] = '\0';
	reply_error(r->stream, 400, what);
}

static void
refuse_value(const struct request *r, const struct config_parameter *row)
{
	char what[TEXT_MAX];
	struct text t;

	text_init(&t, what, sizeof(what) - 1);
	text_addf(&t, "%s must be ", row->name);
	for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++)
		text_addf(&t, "%s%s", i == 0 ? "" : " or ", row->choices[i]);
	text_add_str(&t, row->says != NULL ? row->says : "");
	what[t.len] = '\0';
	reply_error(r->stream, 400, what);
}

static bool
is_for(const struct config_route *route)
{
	return route != NULL && route->handler != CONFIG_HANDLER_NONE;
}

static enum stage_verdict
begin(struct request *r, void *state)
{
	struct slice query = r->stream->head->path;
	const char *mark = memchr(query.at, '?', query.len);
	const struct config_parameter *row;
	struct parameter p;

	(void)state;
	if (mark == NULL)
		return STAGE_NEXT;
	query.len -= (size_t)(mark + 1 - query.at);
	query.at = mark + 1;
	while (next_parameter(&query, &p)) {
		row = find(r->route->handler, p.name);
		if (row == NULL && is_condition(r->route, p.name))
			continue;
		if (row != NULL && is_allowed(row, p.value))
			continue;
		if (row == NULL)
			refuse_name(r);
		else
			refuse_value(r, row);
		return STAGE_DONE;
	}
	return STAGE_NEXT;
}

const struct stage parameters_stage = {
    .name = "parameters", .is_for = is_for, .begin = begin};
