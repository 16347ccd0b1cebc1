/* Loads a configuration from a string, through a temporary file. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_load.h"

#define SECOND UINT64_C(1000000)

/* Each line begins with the file and is printable. */
static inline void
fixture_check_lines(const char *lines, const char *path)
{
	size_t len;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		assert_true(len > strlen(path) && len < CONFIG_LINE_MAX);
		assert_memory_equal(lines, path, strlen(path));
		assert_int_equal(lines[strlen(path)], ':');
		for (size_t i = 0; i < len; i++)
			assert_true(
			    (unsigned char)lines[i] >= ' ' && lines[i] != 0x7f);
	}
}

static inline struct config *
fixture_try_bytes(const char *text, size_t len, char error[CONFIG_ERROR_MAX])
{
	char path[] = "/tmp/drover-config-XXXXXX";
	int fd = mkstemp(path);
	struct config *c;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	error[0] = '\0';
	c = config_load(path, error);
	unlink(path);
	/* An error if and only if there is no configuration. */
	assert_true((c == NULL) == (error[0] != '\0'));
	fixture_check_lines(error, path);
	if (c != NULL && c->warnings != NULL)
		fixture_check_lines(c->warnings, path);
	return c;
}

static inline struct config *
fixture_try(const char *text, char error[CONFIG_ERROR_MAX])
{
	return fixture_try_bytes(text, strlen(text), error);
}

static inline struct config *
fixture_load(const char *text)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c = fixture_try(text, error);

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

/* The error without its file: "LINE: KEY: what". */
static inline const char *
fixture_message(const char *error)
{
	const char *at = strstr(error, ":");

	assert_non_null(at);
	return at + 1;
}

#define LISTEN "listen: [{ address: '*:1' }]\n"
#define SERVICE LISTEN "services:\n- name: a\n  endpoints: ['h:1']\n"

/* The expected start of the message. */
struct mistake {
	const char *text;
	const char *message;
};

static inline void
fixture_refuses(const struct mistake *mistakes, size_t count)
{
	char error[CONFIG_ERROR_MAX];
	const char *message;

	for (size_t i = 0; i < count; i++) {
		const struct mistake *m = &mistakes[i];

		if (fixture_try(m->text, error) != NULL)
			fail_msg("accepted:\n%s", m->text);
		message = fixture_message(error);
		if (strncmp(message, m->message, strlen(m->message)) != 0)
			fail_msg(
			    "\nwanted: %s\n   got: %s", m->message, message);
	}
}
#define CHECK_ALL(mistakes)                                                    \
	fixture_refuses(mistakes, sizeof(mistakes) / sizeof((mistakes)[0]))

#endif
