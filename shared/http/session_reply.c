#include "session_reply.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "session_state.h"
#include "session_write.h"

void
session_reply(struct session *s, unsigned status, const char *type,
    const char *extra, const void *body, size_t len)
{
	struct session_response response = {.status = status, .length = len};
	struct text *head;

	if (!session_is_answerable(s))
		return;
	response.no_body = s->turn->message.head_done &&
			   s->turn->message.head.method == HTTP_HEAD;
	head = session_begin(s, &response);
	text_add_str(head, "Server: drover\r\n");
	if (type != NULL) {
		text_add_str(head, "Content-Type: ");
		text_add_str(head, type);
		text_add(head, "\r\n", 2);
	}
	if (extra != NULL)
		text_add_str(head, extra);
	session_write(s, body, len, true);
}

void
session_reply_error(struct session *s, unsigned status, const char *what)
{
	json_t *json =
	    json_pack("{s:s, s:i}", "error", what, "status", (int)status);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text != NULL)
		session_reply(
		    s, status, "application/json", NULL, text, strlen(text));
	else
		session_reply(s, status, NULL, NULL, NULL, 0);
	free(text);
	json_decref(json);
}
