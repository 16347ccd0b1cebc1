#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "h1_head.h"
#include "stream.h"

/* RFC 9110 section 9.3.2. */
static bool
is_to_head(const struct stream *s)
{
	return s->head != NULL ? s->head->method == HTTP_HEAD : s->to_head;
}

void
reply_send(struct stream *s, const struct reply *reply)
{
	struct stream_start start = {
	    .status = reply->status,
	    .length = reply->len,
	    .no_body = is_to_head(s),
	};
	struct fields *fields;

	if (!stream_is_answerable(s))
		return;
	fields = stream_begin(s, &start);
	fields_add(fields, "Server", "drover");
	if (reply->type != NULL)
		fields_add(fields, "Content-Type", reply->type);
	if (s->id.at != NULL)
		fields_add_slice(fields, "X-Request-Id", s->id);
	if (reply->no_store)
		fields_add(fields, "Cache-Control", "no-store");
	fields_add_all(fields, reply->fields);
	stream_write(
	    s, &(struct stream_piece){
		   .data = reply->body, .len = reply->len, .last = true});
}

bool
reply_echo(struct stream *s, char *data, size_t cap,
    bool (*leaves_out)(const struct head_field *field))
{
	const struct head *head = s->head;
	struct fields out;

	fields_init(&out, data, cap);
	h1_head_request(&out, head_method(head), head->target, head->minor);
	for (size_t i = 0; i < head->field_count; i++)
		if (!leaves_out(&head->fields[i]))
			fields_add_line(
			    &out, head->fields[i].name, head->fields[i].value);
	h1_head_end(&out);
	if (fields_are_full(&out))
		return false;
	reply_send(s, &(struct reply){.status = 200,
			  .type = "message/http",
			  .body = out.lines.data,
			  .len = out.lines.len});
	return true;
}

void
reply_error_with(struct stream *s, unsigned status, const char *what,
    const struct field *fields)
{
	json_t *json =
	    json_pack("{s:s, s:i}", "error", what, "status", (int)status);
	struct reply reply = {
	    .status = status, .fields = fields, .no_store = true};
	char *text;

	if (json != NULL && s->id.at != NULL)
		json_object_set_new(
		    json, "requestId", json_stringn(s->id.at, s->id.len));
	text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text != NULL) {
		reply.type = "application/json";
		reply.body = text;
		reply.len = strlen(text);
	}
	reply_send(s, &reply);
	free(text);
	json_decref(json);
}

void
reply_error(struct stream *s, unsigned status, const char *what)
{
	reply_error_with(s, status, what, NULL);
}
