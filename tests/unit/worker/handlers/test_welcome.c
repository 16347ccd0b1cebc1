/* Goal: the page tells the worker and commands for the routes, in HTML for a
 * browser and as text for curl; no header becomes a command. */
#include "handler_scene.h"

static void
curl_gets_text(void **state)
{
	(void)state;
	ask("GET /welcome", "Accept: */*\r\n");
	assert_says("HTTP/1.1 200 OK\r\n");
	assert_says("Content-Type: text/plain; charset=utf-8\r\n");
	assert_says("Vary: Accept\r\n");
	assert_says_not("<html");
	assert_says("1 of 2\n");
	assert_says("curl example.org/count\n");
	assert_says("curl example.org/users\n");
}

static void
a_browser_gets_html(void **state)
{
	(void)state;
	ask("GET /welcome", "Accept: text/html,*/*\r\n");
	assert_says("Content-Type: text/html; charset=utf-8\r\n");
	assert_says("Content-Security-Policy: default-src 'none';");
	assert_says("<!DOCTYPE html>\n");
	assert_says("<a href=\"/count\">/count</a>");
	assert_says("</html>\n");
}

/* A Host with characters of a shell is legal, but no address. */
static void
a_strange_host_is_no_address(void **state)
{
	static const char *const hosts[] = {"a&b", "-o", "$(x)", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		char text[128];

		if (ended) {
			hang_up();
			connect_client();
		}
		snprintf(text, sizeof(text),
		    "GET /welcome HTTP/1.1\r\nHost: %s\r\n"
		    "Connection: close\r\n\r\n",
		    hosts[i]);
		say(text);
		WAIT_UNTIL(has_hung_up);
		if (strstr(said, "HTTP/1.1 200") == NULL)
			continue; /* refused by the parser */
		assert_says("curl localhost:");
	}
}

static void
the_state_is_told(void **state)
{
	(void)state;
	ask("GET /welcome", "");
	assert_says("serving\n");
	scene.rt.draining = true;
	ask("GET /welcome", "");
	assert_says("draining\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(curl_gets_text),
	    TEST(a_browser_gets_html),
	    TEST(a_strange_host_is_no_address),
	    TEST(the_state_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
