/* Goal: every request is one whole line that a reader can take apart, for any
 * bytes of a client. */
#include "access_log_scene.h"

#include "config.h"

/* ---- fields of a line ---- */

static const struct record whole = {
    .client = "192.0.2.1",
    .request = "GET /a?b=c HTTP/1.1",
    .host = "example.org:80",
    .route = "/a",
    .service = "users",
    .upstream = "10.0.0.1:3001",
    .breaker = "closed",
    .end = "closed by the client",
    .reason = "too large",
    .id = "f47ac10b",
    .tries = 2,
    .status = 200,
    .head_in = 90,
    .bytes_in = 7,
    .bytes_out = 18446744073709551615U,
    .queue_us = 0,
    .connect_us = 1234,
    .first_byte_us = 1000000,
    .total_us = 61000001,
};

static void
test_text(void **state)
{
	char *line = line_of(&whole, LOG_FORMAT_TEXT);

	(void)state;
	assert_memory_equal(line, "192.0.2.1 ", 10);
	assert_string_equal(line + 10 + TIME_LEN,
	    " \"GET /a?b=c HTTP/1.1\" 200 18446744073709551615 61.000001"
	    " host=example.org:80 route=/a service=users"
	    " upstream=10.0.0.1:3001 tries=2 head_in=90 bytes_in=7 "
	    "queue=0.000000"
	    " connect=0.001234 first=1.000000 breaker=closed"
	    " end=\"closed by the client\" reason=\"too large\" id=f47ac10b "
	    "instance=here"
	    " worker=2\n");
	free(line);
}

static void
test_json(void **state)
{
	const char *client, *when, *request, *host, *route, *service;
	const char *upstream, *breaker, *end, *reason, *id, *instance;
	double total, queue, connect_s, first;
	int status, tries, head_in, bytes_in, worker;
	struct record r = whole;
	json_int_t bytes;
	json_t *json;

	(void)state;
	r.bytes_out = INT64_MAX;
	json = json_of(&r);
	assert_int_equal(json_object_size(json), 22);
	assert_int_equal(
	    json_unpack(json,
		"{s:s,s:s,s:s,s:i,s:I,s:f,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:f,s:f,"
		"s:f,s:s,s:s,s:s,s:s,s:s,s:i}",
		"client", &client, "time", &when, "request", &request, "status",
		&status, "bytes", &bytes, "total", &total, "host", &host,
		"route", &route, "service", &service, "upstream", &upstream,
		"tries", &tries, "head_in", &head_in, "bytes_in", &bytes_in,
		"queue", &queue, "connect", &connect_s, "first", &first,
		"breaker", &breaker, "end", &end, "reason", &reason, "id", &id,
		"instance", &instance, "worker", &worker),
	    0);
	assert_string_equal(client, "192.0.2.1");
	assert_int_equal(strlen(when), TIME_LEN);
	assert_string_equal(request, "GET /a?b=c HTTP/1.1");
	assert_string_equal(host, "example.org:80");
	assert_string_equal(route, "/a");
	assert_string_equal(service, "users");
	assert_string_equal(upstream, "10.0.0.1:3001");
	assert_string_equal(breaker, "closed");
	assert_string_equal(end, "closed by the client");
	assert_string_equal(reason, "too large");
	assert_string_equal(id, "f47ac10b");
	assert_string_equal(instance, "here");
	assert_int_equal(status, 200);
	assert_true(bytes == INT64_MAX);
	assert_int_equal(tries, 2);
	assert_int_equal(head_in, 90);
	assert_int_equal(bytes_in, 7);
	assert_int_equal(worker, 2);
	assert_true(total == 61.000001 && queue == 0 && connect_s == 0.001234 &&
		    first == 1);
	json_decref(json);
}

static void
test_what_is_not_there(void **state)
{
	static const char *const nulls[] = {"client", "request", "host",
	    "route", "service", "upstream", "breaker", "reason", "id", "total",
	    "queue", "connect", "first"};
	struct record r;
	char *line;
	json_t *json;

	(void)state;
	record_init(&r);
	r.end = "done";
	line = line_of(&r, LOG_FORMAT_TEXT);
	assert_memory_equal(line, "- 2", 3);
	assert_string_equal(line + 2 + TIME_LEN,
	    " \"-\" 0 0 - host=- route=- service=- upstream=- tries=0"
	    " head_in=0 bytes_in=0 queue=- connect=- first=- breaker=- "
	    "end=done reason=- "
	    "id=-"
	    " instance=here worker=2\n");
	free(line);
	json = json_of(&r);
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		assert_true(json_is_null(json_object_get(json, nulls[i])));
	assert_int_equal(json_object_size(json), 22);
	json_decref(json);
}

/* UTC, with the milliseconds of now. */
static void
test_time(void **state)
{
	struct timespec before, after;
	int ms;
	char *line;
	struct tm tm = {0};
	long long at;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	clock_gettime(CLOCK_REALTIME, &before);
	line = line_of(&whole, LOG_FORMAT_TEXT);
	clock_gettime(CLOCK_REALTIME, &after);
	assert_int_equal(sscanf(line, "192.0.2.1 %d-%d-%dT%d:%d:%d.%3dZ ",
			     &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			     &tm.tm_min, &tm.tm_sec, &ms),
	    7);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	at = (long long)timegm(&tm) * 1000 + ms;
	assert_true(
	    at >= (long long)before.tv_sec * 1000 + before.tv_nsec / 1000000);
	assert_true(
	    at <= (long long)after.tv_sec * 1000 + after.tv_nsec / 1000000);
	free(line);
	unsetenv("TZ");
	tzset();
}

/* The date is made once a second, and made again after a second. */
static void
test_time_goes_on(void **state)
{
	struct access_log *log = open_log(path, LOG_FORMAT_TEXT);
	char *text, *second;
	time_t began = time(NULL);

	(void)state;
	assert_non_null(log);
	add(log, "a");
	while (time(NULL) == began)
		usleep(1000);
	add(log, "a");
	access_log_close(log);
	text = file_text(path);
	second = strchr(text, '\n') + 1;
	assert_memory_not_equal(text, second, 10 + TIME_LEN - 5);
	assert_true(strncmp(text, second, 10 + TIME_LEN) < 0);
	free(text);
}

/* ---- a client's bytes ---- */

static void
test_text_escapes(void **state)
{
	struct record r = record("GET /\"\\\x01\n\x7f\xc3\xa9 x");
	char *line;

	(void)state;
	r.id = "a\"b";
	r.host = "";
	r.route = "/a b";
	line = line_of(&r, LOG_FORMAT_TEXT);
	assert_non_null(strstr(
	    line, "Z \"GET /\\x22\\x5c\\x01\\x0a\\x7f\\xc3\\xa9 x\" 200 "));
	assert_non_null(strstr(line, " host=\"\" route=\"/a b\" "));
	assert_non_null(strstr(line, " id=a\\x22b "));
	free(line);
}

/* Every byte alone: an invalid byte becomes U+FFFD. */
static void
test_json_takes_every_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char sent[] = {'a', (char)c, 'b', '\0'};
		struct record r = record(sent);
		json_t *json = json_of(&r);
		const char *got =
		    json_string_value(json_object_get(json, "request"));

		assert_string_equal(got, c < 0x80 ? sent
						  : "a\xef\xbf\xbd"
						    "b");
		json_decref(json);
	}
}

#define BAD "\xef\xbf\xbd"

static void
test_json_utf8(void **state)
{
	static const struct {
		const char *sent, *got;
	} cases[] = {
	    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x95",
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x95"},
	    /* The first and the last of each length. */
	    {"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
		"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
	    {"\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	    /* Cut short, in the middle and at the end. */
	    {"\xc3x", BAD "x"},
	    {"\xc3", BAD},
	    {"\xe2\x82", BAD BAD},
	    {"\xf0\x9f\x90", BAD BAD BAD},
	    {"\xe2\x82\xc3\xa9", BAD BAD "\xc3\xa9"},
	    /* Overlong forms; truncated forms; surrogates; code points too
	     * high. */
	    {"\xc0\xaf", BAD BAD},
	    {"\xc1\xbf", BAD BAD},
	    {"\xe0\x9f\xbf", BAD BAD BAD},
	    {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
	    {"\x80\xbf", BAD BAD},
	    {"\xed\xa0\x80", BAD BAD BAD},
	    {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
	    {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
	    {"\xff\xfe", BAD BAD},
	    /* A terminal would obey: C1. */
	    {"\xc2\x9b", BAD BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record r = record(cases[i].sent);
		json_t *json = json_of(&r);

		assert_string_equal(
		    json_string_value(json_object_get(json, "request")),
		    cases[i].got);
		json_decref(json);
	}
}

/* No control character reaches a terminal that shows the file. */
static void
test_lines_are_printable(void **state)
{
	(void)state;
	for (int f = 0; f < 2; f++)
		for (int c = 1; c < 256; c++) {
			const char sent[] = {(char)c, '\0'};
			struct record r = record(sent);
			char *line = line_of(&r, (enum log_format)f);

			for (char *s = line; *s != '\n'; s++)
				assert_in_range(*s, 0x20, 0x7e);
			free(line);
		}
}

static void
test_long_request_is_cut(void **state)
{
	/* Units of different length: no character may be cut in two. */
	static const char *const units[] = {
	    "x", "\"", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x95"};

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t len = strlen(units[u]);
		char *sent = calloc(20001, 1), *line;
		struct record r;
		const char *got;
		json_t *json;

		assert_non_null(sent);
		for (size_t i = 0; i + len <= 20000; i += len)
			memcpy(sent + i, units[u], len);
		r = record(sent);
		line = line_of(&r, LOG_FORMAT_TEXT);
		assert_non_null(strstr(line, "...\" 200 0 "));
		assert_non_null(strstr(line, " worker=2\n"));
		free(line);
		json = json_of(&r);
		got = json_string_value(json_object_get(json, "request"));
		assert_in_range(strlen(got), 200, 2000);
		assert_string_equal(got + strlen(got) - 3, "...");
		assert_null(strstr(got, BAD));
		assert_memory_equal(got, sent, strlen(got) - 3);
		json_decref(json);
		free(sent);
	}
}

/* The longest possible record is still one line. */
static void
test_everything_is_long(void **state)
{
	static const char all[] = {'\x01', '"', ' ', '\xff'};

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++) {
		char sent[5000];
		struct record r;
		char *line;

		memset(sent, all[i], sizeof(sent) - 1);
		sent[sizeof(sent) - 1] = '\0';
		r = (struct record){
		    .client = sent,
		    .request = sent,
		    .host = sent,
		    .route = sent,
		    .service = sent,
		    .upstream = sent,
		    .breaker = sent,
		    .end = sent,
		    .id = sent,
		    .tries = UINT16_MAX,
		    .status = UINT16_MAX,
		    .head_in = UINT32_MAX,
		    .bytes_in = UINT64_MAX,
		    .bytes_out = UINT64_MAX,
		    .queue_us = UINT64_MAX - 1,
		    .connect_us = UINT64_MAX - 1,
		    .first_byte_us = UINT64_MAX - 1,
		    .total_us = UINT64_MAX - 1,
		};
		line = line_of(&r, LOG_FORMAT_TEXT);
		assert_int_equal(count(line, "..."), 9);
		free(line);
		line = line_of(&r, LOG_FORMAT_JSON);
		assert_int_equal(count(line, "...\""), 9);
		free(line);
	}
}

/* ---- log.fields ---- */

static char *
fields_line(enum log_format format, const struct record *r,
    const struct config_log_field *fields, size_t field_count,
    const struct record_field *values)
{
	const struct access_log_options options = {.path = path,
	    .format = format,
	    .instance = "here",
	    .worker = 2,
	    .fields = fields,
	    .field_count = field_count};

	return line_in(access_log_open(&options), r, values);
}

static char agent_name[] = "user-agent", referer_name[] = "referer",
	    empty_name[] = "x-empty", cache_name[] = "response:x-cache";

static const struct config_log_field four[] = {
    {.text = agent_name},
    {.text = referer_name},
    {.text = empty_name},
    {.text = cache_name},
};

static void
test_fields(void **state)
{
	static const struct record_field values[4] = {{true, "Mozilla \"5\"\n"},
	    {.is_there = false}, {true, ""}, {true, "HIT"}};
	const struct record r = record("GET / HTTP/1.1");
	const char *agent, *empty, *cache;
	json_t *json, *referer;
	char *line;

	(void)state;
	line = fields_line(LOG_FORMAT_TEXT, &r, four, 4, values);
	assert_non_null(strstr(line,
	    " worker=2 user-agent=\"Mozilla \\x225\\x22\\x0a\" referer=- "
	    "x-empty=\"\" response:x-cache=HIT\n"));
	free(line);
	json = json_in(fields_line(LOG_FORMAT_JSON, &r, four, 4, values));
	assert_int_equal(json_object_size(json_object_get(json, "fields")), 4);
	assert_int_equal(json_unpack(json, "{s:{s:s,s:o,s:s,s:s}}", "fields",
			     "user-agent", &agent, "referer", &referer,
			     "x-empty", &empty, "response:x-cache", &cache),
	    0);
	assert_string_equal(agent, "Mozilla \"5\"\n");
	assert_true(json_is_null(referer));
	assert_string_equal(empty, "");
	assert_string_equal(cache, "HIT");
	json_decref(json);
}

/* Of bytes that were no request. */
static void
test_no_field_is_there(void **state)
{
	const struct record r = record("nonsense");
	char *line = fields_line(LOG_FORMAT_TEXT, &r, four, 4, NULL);
	json_t *json = json_in(fields_line(LOG_FORMAT_JSON, &r, four, 4, NULL));

	(void)state;
	assert_non_null(strstr(
	    line, " user-agent=- referer=- x-empty=- response:x-cache=-\n"));
	free(line);
	for (size_t i = 0; i < 4; i++)
		assert_true(json_is_null(json_object_get(
		    json_object_get(json, "fields"), four[i].text)));
	json_decref(json);
}

/* An escaped value has a limit of its own, where the line has room. */
static void
test_a_long_field_is_cut(void **state)
{
	const struct record r = record("GET / HTTP/1.1");
	struct record_field value = {.is_there = true};
	char *line, *at;

	(void)state;
	memset(value.value, '\x01', sizeof(value.value) - 1);
	line = fields_line(LOG_FORMAT_TEXT, &r, four, 1, &value);
	at = strstr(line, " user-agent=\\x01");
	assert_non_null(at);
	assert_in_range(strlen(at + strlen(" user-agent=")), 250, 261);
	assert_string_equal(line + strlen(line) - 4, "...\n");
	free(line);
}

/* The longest record with the most and longest fields is a line that has every
 * name. */
static void
test_fields_share_the_line(void **state)
{
	struct config_log_field fields[CONFIG_LOG_FIELDS_MAX];
	struct record_field values[CONFIG_LOG_FIELDS_MAX];
	char names[CONFIG_LOG_FIELDS_MAX][CONFIG_LOG_FIELD_TEXT_MAX + 1];
	static const char all[] = {'x', '\x01', '"', ' ', '\xff'};
	static const char *const marks[] = {"...", "...\""};

	(void)state;
	for (size_t i = 0; i < CONFIG_LOG_FIELDS_MAX; i++) {
		memset(names[i], 'a' + (int)i, CONFIG_LOG_FIELD_TEXT_MAX);
		names[i][CONFIG_LOG_FIELD_TEXT_MAX] = '\0';
		fields[i] = (struct config_log_field){.text = names[i]};
	}
	for (size_t i = 0; i < sizeof(all); i++) {
		char sent[5000];
		struct record r = record(sent);

		memset(sent, all[i], sizeof(sent) - 1);
		sent[sizeof(sent) - 1] = '\0';
		r.client = r.host = r.route = r.service = r.upstream = sent;
		r.breaker = r.end = r.reason = r.id = sent;
		r.tries = r.status = UINT16_MAX;
		r.head_in = UINT32_MAX;
		r.bytes_in = r.bytes_out = INT64_MAX; /* json_in()'s most */
		r.queue_us = r.connect_us = UINT64_MAX - 1;
		r.first_byte_us = r.total_us = UINT64_MAX - 1;
		for (size_t k = 0; k < CONFIG_LOG_FIELDS_MAX; k++) {
			values[k].is_there = true;
			memset(values[k].value, all[i], RECORD_FIELD_MAX - 1);
			values[k].value[RECORD_FIELD_MAX - 1] = '\0';
		}
		for (int f = 0; f < 2; f++) {
			char *line = fields_line((enum log_format)f, &r, fields,
			    CONFIG_LOG_FIELDS_MAX, values);

			/* A short value may have room. */
			assert_in_range(count(line, marks[f]), 20,
			    10 + CONFIG_LOG_FIELDS_MAX);
			for (size_t k = 0; k < CONFIG_LOG_FIELDS_MAX; k++)
				assert_int_equal(count(line, names[k]), 1);
			if (f == LOG_FORMAT_JSON)
				json_decref(json_in(line));
			else
				free(line);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_text),
	    TEST(test_json),
	    TEST(test_what_is_not_there),
	    TEST(test_time),
	    TEST(test_time_goes_on),
	    TEST(test_text_escapes),
	    TEST(test_json_takes_every_byte),
	    TEST(test_json_utf8),
	    TEST(test_lines_are_printable),
	    TEST(test_long_request_is_cut),
	    TEST(test_everything_is_long),
	    TEST(test_fields),
	    TEST(test_no_field_is_there),
	    TEST(test_a_long_field_is_cut),
	    TEST(test_fields_share_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
