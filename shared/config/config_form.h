/*
 * config_form - values beyond numbers and choices. Each form turns text into a
 * member of struct config, and frees the member. Pure.
 *
 * config_endpoint and config_match define further forms.
 */
#ifndef CONFIG_FORM_H
#define CONFIG_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "config_value.h"

struct config_form {
	const char *says; /* the syntax, for the manual */
	/* Of a text kept as written, in a char *: is_good (NULL: always) and
	 * the message "`text` WRONG". */
	bool (*is_good)(const char *text);
	const char *wrong;
	/* Of any other member, zeroed before the call. False with the reason in
	 * why. */
	bool (*parse)(const char *text, void *member, char why[CONFIG_WHY_MAX]);
	size_t text_at; /* offset of the kept char * in the member */
	void (*release)(void *member); /* NULL: frees the text at text_at */
};

/* The text is not empty, unless the row's default is. */
bool config_form_parse(const struct config_form *form, const char *text,
    void *member, char why[CONFIG_WHY_MAX]);
void config_form_release(const struct config_form *form, void *member);

extern const struct config_form config_form_name;
extern const struct config_form config_form_file; /* an absolute path */
extern const struct config_form config_form_path; /* a URL's path */
extern const struct config_form config_form_cookie;
extern const struct config_form config_form_text;
extern const struct config_form config_form_fragment; /* up to 256 bytes */

extern const struct config_form config_form_json;   /* a char * */
extern const struct config_form config_form_access; /* a char *; NULL: off */

/* A struct config_log_field. */
extern const struct config_form config_form_log_field;

extern const struct config_form config_form_listen; /* a struct config_listen */
extern const struct config_form config_form_admin;  /* a struct config_admin */
extern const struct config_form config_form_cidr;   /* a struct cidr */
extern const struct config_form config_form_redis;  /* a struct redis_url */
extern const struct config_form config_form_hash;   /* a struct config_hash */
/* An entry of a list: adds its bit to an unsigned. */
extern const struct config_form config_form_retry_on;

#endif
