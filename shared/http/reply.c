#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "stream.h"

void
reply_send(struct stream *s, const struct reply *reply)
{
	struct stream_start start = {
	    .status = reply->status,
	    .length = reply->len,
	    .no_body = s->head != NULL && s->head->method == HTTP_HEAD,
	};
	struct fields *fields;

	if (!stream_is_answerable(s))
		return;
	fields = stream_begin(s, &start);
	fields_add(fields, "Server", "drover");
	if (reply->type != NULL)
		fields_add(fields, "Content-Type", reply->type);
	fields_add_all(fields, reply->fields);
	stream_write(
	    s, &(struct stream_piece){
		   .data = reply->body, .len = reply->len, .last = true});
}

void
reply_error(struct stream *s, unsigned status, const char *what)
{
	json_t *json =
	    json_pack("{s:s, s:i}", "error", what, "status", (int)status);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	struct reply reply = {.status = status};

	if (text != NULL) {
		reply.type = "application/json";
		reply.body = text;
		reply.len = strlen(text);
	}
	reply_send(s, &reply);
	free(text);
	json_decref(json);
}
