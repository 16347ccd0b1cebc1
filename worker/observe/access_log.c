#include "access_log.h"

#include <string.h>
#include <time.h>

#include "access_log_file.h"
#include "escape.h"
#include "text.h"

#define LINE_MAX_BYTES ACCESS_LOG_LINE_MAX
/* The longest values, escaped and in quotes: with names and numbers they fit
 * into a line, for any request. */
#define REQUEST_MAX 1536
#define TEXT_MAX 256 /* host, route, upstream, reason */
#define WORD_MAX 160 /* client, service, breaker, end, id, instance */
#define REST_MAX 512 /* all names, all numbers, the time */
_Static_assert(
    REQUEST_MAX + 4 * TEXT_MAX + 6 * WORD_MAX + REST_MAX <= LINE_MAX_BYTES,
    "a line has to fit");
/* The fields of `log.fields`: in JSON around all, and around the name of each;
 * as text, they take no more. A value takes more than the least only where the
 * line has room. */
#define FIELDS_AROUND (sizeof(",\"fields\":{}") - 1)
#define FIELD_AROUND (sizeof(",\"\":") - 1)
#define FIELD_LEAST (sizeof("\"...\"") - 1)
/* A whole value of plain bytes, its quotes, and room that a cut would take. */
#define FIELD_MAX (RECORD_FIELD_MAX - 1 + FIELD_LEAST)
#define FIELDS_ROOM                                                            \
	(LINE_MAX_BYTES - 4 * TEXT_MAX - 6 * WORD_MAX - REST_MAX -             \
	    FIELDS_AROUND)
_Static_assert(CONFIG_LOG_FIELDS_MAX *(
		   FIELD_AROUND + CONFIG_LOG_FIELD_TEXT_MAX + FIELD_LEAST) +
		       WORD_MAX <=
		   FIELDS_ROOM,
    "every name has to fit, beside a short request");

/* ---- a line ---- */

/* A text line names only values behind the first; the first have fixed
 * places. */
struct name {
	const char *text;
	const char *json;
};

#define NAMED(key) ((struct name){" " key "=", ",\"" key "\":"})
#define PLACED(key) ((struct name){" ", ",\"" key "\":"})

static void
add_name(struct access_log *log, struct name name)
{
	text_add_str(&log->lines, log->is_json ? name.json : name.text);
}

/* In at most max bytes. */
static void
add_escaped(struct access_log *log, const char *string, size_t max)
{
	const unsigned char *s = (const unsigned char *)string;
	size_t room = max - strlen("...");

	while (*s != '\0') {
		size_t run = 0;

		while (run < room && escape_is_plain(s[run]))
			run++;
		text_add(&log->lines, s, run);
		s += run;
		room -= run;
		if (*s != '\0') {
			struct escape e = escape_of(s, log->is_json);

			if (e.len > room) {
				text_add(&log->lines, "...", 3);
				return;
			}
			text_add(&log->lines, e.text, e.len);
			s += e.from_len;
			room -= e.len;
		}
	}
}

static void
add_quoted(
    struct access_log *log, struct name name, const char *value, size_t max)
{
	add_name(log, name);
	if (value == NULL && log->is_json) {
		text_add(&log->lines, "null", 4);
		return;
	}
	text_add(&log->lines, "\"", 1);
	add_escaped(log, value != NULL ? value : "-", max - 2);
	text_add(&log->lines, "\"", 1);
}

/* As text, quoted only when empty or with a blank. */
static void
add_string(
    struct access_log *log, struct name name, const char *value, size_t max)
{
	if (log->is_json ||
	    (value != NULL && (value[0] == '\0' || strchr(value, ' ')))) {
		add_quoted(log, name, value, max);
		return;
	}
	add_name(log, name);
	add_escaped(log, value != NULL ? value : "-", max);
}

static void
add_number(struct access_log *log, struct name name, uint64_t n)
{
	add_name(log, name);
	text_add_uint(&log->lines, n);
}

static void
add_seconds(struct access_log *log, struct name name, uint64_t us)
{
	char fraction[7] = ".000000";

	add_name(log, name);
	if (us == RECORD_NO_TIME) {
		text_add_str(&log->lines, log->is_json ? "null" : "-");
		return;
	}
	text_add_uint(&log->lines, us / 1000000);
	for (size_t i = 6, rest = us % 1000000; i > 0; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	text_add(&log->lines, fraction, sizeof(fraction));
}

/* "2026-01-31T12:00:00.123Z": all but the milliseconds once a second. */
static const char *
stamp(struct access_log *log)
{
	struct timespec now;
	struct tm tm;
	char *ms = log->when + strlen("2026-01-31T12:00:00.");
	long rest;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != log->second) {
		log->second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(log->when, sizeof(log->when), "%Y-%m-%dT%H:%M:%S.000Z",
		    &tm);
	}
	rest = now.tv_nsec / 1000000;
	for (int i = 2; i >= 0; i--, rest /= 10)
		ms[i] = (char)('0' + rest % 10);
	return log->when;
}

/* The bytes that the fields take at least, all but FIELDS_AROUND. */
static size_t
fields_least(const struct access_log *log)
{
	size_t least = log->field_count * (FIELD_AROUND + FIELD_LEAST);

	for (size_t i = 0; i < log->field_count; i++)
		least += strlen(log->fields[i].text);
	return least;
}

/* The line that began at start: a value takes what the later fields leave. */
static void
add_fields(
    struct access_log *log, const struct record_field *fields, size_t start)
{
	size_t end = start + LINE_MAX_BYTES - strlen("}}\n");
	size_t least = fields_least(log);

	text_add_str(&log->lines, log->is_json ? ",\"fields\":{" : "");
	for (size_t i = 0; i < log->field_count; i++) {
		const char *text = log->fields[i].text;
		bool is_there = fields != NULL && fields[i].is_there;
		const char *before = i == 0 ? "\"" : ",\"";
		size_t room;

		text_add_str(&log->lines, log->is_json ? before : " ");
		text_add_str(&log->lines, text);
		least -= FIELD_AROUND + strlen(text) + FIELD_LEAST;
		room = end - log->lines.len - least - strlen("\":");
		add_string(log, (struct name){"=", "\":"},
		    is_there ? fields[i].value : NULL,
		    room < FIELD_MAX ? room : FIELD_MAX);
	}
	text_add_str(&log->lines, log->is_json ? "}" : "");
}

/* The request is shortened where many fields need the room. */
static size_t
request_max(const struct access_log *log)
{
	size_t room = FIELDS_ROOM - fields_least(log);

	return room < REQUEST_MAX ? room : REQUEST_MAX;
}

static void
add_line(struct access_log *log, const struct record *r,
    const struct record_field *fields)
{
	size_t start = log->lines.len;

	add_string(log, (struct name){"", "{\"client\":"}, r->client, WORD_MAX);
	add_string(log, PLACED("time"), stamp(log), WORD_MAX);
	add_quoted(log, PLACED("request"), r->request,
	    log->field_count > 0 ? request_max(log) : REQUEST_MAX);
	add_number(log, PLACED("status"), r->status);
	add_number(log, PLACED("bytes"), r->bytes_out);
	add_seconds(log, PLACED("total"), r->total_us);
	add_string(log, NAMED("host"), r->host, TEXT_MAX);
	add_string(log, NAMED("route"), r->route, TEXT_MAX);
	add_string(log, NAMED("service"), r->service, WORD_MAX);
	add_string(log, NAMED("upstream"), r->upstream, TEXT_MAX);
	add_number(log, NAMED("tries"), r->tries);
	add_number(log, NAMED("head_in"), r->head_in);
	add_number(log, NAMED("bytes_in"), r->bytes_in);
	add_seconds(log, NAMED("queue"), r->queue_us);
	add_seconds(log, NAMED("connect"), r->connect_us);
	add_seconds(log, NAMED("first"), r->first_byte_us);
	add_string(log, NAMED("breaker"), r->breaker, WORD_MAX);
	add_string(log, NAMED("end"), r->end, WORD_MAX);
	add_string(log, NAMED("reason"), r->reason, TEXT_MAX);
	add_string(log, NAMED("id"), r->id, WORD_MAX);
	add_string(log, NAMED("instance"), log->instance, WORD_MAX);
	add_number(log, NAMED("worker"), log->worker);
	if (log->field_count > 0)
		add_fields(log, fields, start);
	text_add_str(&log->lines, log->is_json ? "}\n" : "\n");
}

void
access_log_add(struct access_log *log, const struct record *r,
    const struct record_field *fields)
{
	if (access_log_file_has_room(log))
		add_line(log, r, fields);
}
