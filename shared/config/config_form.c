#include "config_form.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buffer.h"
#include "config.h"
#include "config_names.h"

#define FILE_BYTES_MAX 1023
#define PATH_BYTES_MAX 255
#define RANDOM "{{random}}"
#define OF_RESPONSE "response:"
_Static_assert(
    CONFIG_NAME_MAX + sizeof(OF_RESPONSE) - 1 == CONFIG_LOG_FIELD_TEXT_MAX,
    "the longest field of the log");
#define BLANK " \t\r\n"

bool
config_form_parse(const struct config_form *form, const char *text,
    void *member, char why[CONFIG_WHY_MAX])
{
	if (form->parse != NULL)
		return form->parse(text, member, why);
	if (form->is_good != NULL && !form->is_good(text))
		return config_value_wrong(
		    why, "`%.120s` %s", text, form->wrong);
	return config_value_copy(text, member, why);
}

void
config_form_release(const struct config_form *form, void *member)
{
	if (form->release != NULL)
		form->release(member);
	else
		free(*(char **)((char *)member + form->text_at));
}

/* ---- text ---- */

static bool
is_file(const char *text)
{
	return text[0] == '/' && strlen(text) <= FILE_BYTES_MAX;
}

static bool
is_path(const char *text)
{
	if (text[0] != '/' || strlen(text) > PATH_BYTES_MAX)
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '?' ||
		    *text == '#')
			return false;
	return true;
}

#define FRAGMENT_MAX 256

static bool
is_fragment(const char *text)
{
	return strlen(text) <= FRAGMENT_MAX;
}

const struct config_form config_form_fragment = {"text of up to 256 bytes",
    .is_good = is_fragment, .wrong = "is longer than 256 bytes"};
const struct config_form config_form_text = {.says = "text"};
const struct config_form config_form_name = {"name",
    .is_good = config_value_is_name,
    .wrong = "is not a name; 1 to 63 of A-Z a-z 0-9 . _ -"};
const struct config_form config_form_cookie = {"name",
    .is_good = config_value_is_token,
    .wrong = "is not a cookie's name, such as backend"};
const struct config_form config_form_file = {"absolute path",
    .is_good = is_file,
    .wrong = "is not an absolute path, such as /run/drover"};
const struct config_form config_form_path = {"path", .is_good = is_path,
    .wrong = "is not a path, such as /api/users (at most 255 characters, no "
	     "spaces, ? or #)"};

static bool
parse_access(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	/* `off` is a boolean to YAML, hence the other spellings. */
	if (strcmp(text, "off") == 0 || strcmp(text, "no") == 0 ||
	    strcmp(text, "false") == 0)
		return true;
	if (strcmp(text, "stdout") != 0 && text[0] != '/')
		return config_value_wrong(why,
		    "`%.60s` is not off, stdout or an absolute path", text);
	return config_value_copy(text, member, why);
}

const struct config_form config_form_access = {
    "`off`, `stdout` or absolute path", .parse = parse_access};

/* Fields that a log must not have: who reads the log could act for the
 * client. */
static bool
is_secret(const char *name)
{
	static const char *const secrets[] = {
	    "authorization", "proxy-authorization", "cookie", "set-cookie"};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		if (strcmp(name, secrets[i]) == 0)
			return true;
	return false;
}

static bool
parse_log_field(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_log_field *field = member;
	size_t prefix = strlen(OF_RESPONSE);

	if (!config_value_copy(text, &field->text, why))
		return false;
	config_value_lower(field->text);
	field->is_of_response = strncmp(field->text, OF_RESPONSE, prefix) == 0;
	field->name = field->text + (field->is_of_response ? prefix : 0);
	if (!config_value_is_token(field->name) ||
	    strlen(field->name) > CONFIG_NAME_MAX)
		return config_value_wrong(why,
		    "`%.120s` is not a field's name, such as User-Agent or "
		    "response:X-Cache (at most %d characters)",
		    text, CONFIG_NAME_MAX);
	if (is_secret(field->name))
		return config_value_wrong(
		    why, "`%s` is a secret, and is never logged", text);
	return true;
}

const struct config_form config_form_log_field = {
    "`User-Agent`, `response:X-Cache`", .parse = parse_log_field,
    .text_at = offsetof(struct config_log_field, text)};

/* ---- json ---- */

static bool
parse_json(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	char **body = member, *at;
	json_error_t error;
	json_t *value;

	if (!config_value_copy(text, body, why))
		return false;
	if (text[0] == '\0')
		return true;
	/* Digits keep the syntax valid, and take less room than the random
	 * text. */
	for (at = *body; (at = strstr(at, RANDOM)) != NULL;)
		memset(at, '1', strlen(RANDOM));
	value = json_loads(*body, JSON_DECODE_ANY, &error);
	if (value == NULL)
		return config_value_wrong(
		    why, "is not valid JSON: %s", error.text);
	json_decref(value);
	if (strlen(text) > BUFFER_BYTES)
		return config_value_wrong(
		    why, "is longer than %d bytes", BUFFER_BYTES);
	return config_value_copy(text, body, why);
}

const struct config_form config_form_json = {"JSON", .parse = parse_json};

/* ---- addresses ---- */

static bool
parse_address(const char *text, struct sock_addr *addr, char **copy,
    char why[CONFIG_WHY_MAX])
{
	if (sock_addr_parse(addr, text) == -1)
		return config_value_wrong(why,
		    "`%.120s` is not an address to listen on; write *:3000, "
		    "127.0.0.1:3000, [::]:3000 or unix:/path",
		    text);
	/* Port 0 would give each worker's socket a different port. */
	if (addr->sa.sa_family != AF_UNIX && sock_addr_port(addr) == 0)
		return config_value_wrong(
		    why, "`%.120s` needs a port from 1 to 65535", text);
	return config_value_copy(text, copy, why);
}

/* 0.0.0.0 and [::] mean a single family. */
static bool
is_dual(const char *text)
{
	return text[0] == '*';
}

static bool
parse_listen(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_listen *l = member;

	l->dual = is_dual(text);
	return parse_address(text, &l->addr, &l->text, why);
}

const struct config_form config_form_listen = {
    "`*:3000`, `127.0.0.1:3000`, `[::]:3000`, `unix:/path`",
    .parse = parse_listen, .text_at = offsetof(struct config_listen, text)};

static bool
parse_admin(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_admin *a = member;

	a->dual = is_dual(text);
	a->enabled = parse_address(text, &a->addr, &a->text, why);
	return a->enabled;
}

const struct config_form config_form_admin = {"as of `listen`",
    .parse = parse_admin, .text_at = offsetof(struct config_admin, text)};

static bool
parse_cidr(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	if (cidr_parse(member, text) == 0)
		return true;
	return config_value_wrong(why,
	    "`%.120s` is not a network, an address or unix; write 10.0.0.0/8, "
	    "fd00::/8, 192.0.2.7 or unix",
	    text);
}

static void
free_cidr(void *member)
{
	memset(member, 0, sizeof(struct cidr));
}

const struct config_form config_form_cidr = {
    "`10.0.0.0/8`, `fd00::/8`, `192.0.2.7`, `unix`", .parse = parse_cidr,
    .release = free_cidr};

/* Messages never quote the URL: a URL may hold a password. */
static bool
parse_redis(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	if (strncmp(text, "rediss:", 7) == 0)
		return config_value_wrong(
		    why, "TLS (rediss://) is not supported");
	if (redis_url_parse(member, text) == -1)
		return config_value_wrong(why,
		    "is not a Redis URL; write "
		    "redis://[[user]:password@]host[:port][/db] "
		    "or unix:///path[?db=N], with %%40 for an @");
	return true;
}

static void
free_redis(void *member)
{
	explicit_bzero(member, sizeof(struct redis_url));
}

const struct config_form config_form_redis = {
    "`redis://[[user]:password@]host[:port][/db]`, `unix:///path[?db=N]`",
    .parse = parse_redis, .release = free_redis};

/* ---- hash ---- */

/* "header X-Tenant": the kind and, except with path, a name. */
static bool
parse_hash_words(char *text, struct config_hash *h, char why[CONFIG_WHY_MAX])
{
	const char *kind = strtok_r(text, BLANK, &text);
	const char *name = strtok_r(text, BLANK, &text);
	unsigned i;

	if (kind == NULL || strtok_r(text, BLANK, &text) != NULL ||
	    !config_value_choice(kind, config_names_hash, 0, &i, why) ||
	    (i == CONFIG_HASH_PATH) != (name == NULL) ||
	    (name != NULL && !config_value_is_token(name)))
		return config_value_wrong(why, "is wrong");
	h->on = (enum config_hash_on)i;
	if (name == NULL)
		return true;
	if (!config_value_copy(name, &h->name, why))
		return false;
	/* Headers are looked up in lower case. */
	if (h->on == CONFIG_HASH_HEADER)
		config_value_lower(h->name);
	return true;
}

static bool
parse_hash(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	char *copy = NULL;
	bool good = config_value_copy(text, &copy, why) &&
		    parse_hash_words(copy, member, why);

	free(copy);
	return good || config_value_wrong(why,
			   "`%.120s` is not path, header NAME, cookie NAME or "
			   "query NAME",
			   text);
}

const struct config_form config_form_hash = {
    "`path`, `header NAME`, `cookie NAME`, `query NAME`", .parse = parse_hash,
    .text_at = offsetof(struct config_hash, name)};

/* ---- retry_on ---- */

static bool
parse_retry_on(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	unsigned *bits = member, i;

	if (!config_value_choice(text, config_names_retry_on, 0, &i, why))
		return false;
	if ((*bits & 1U << i) != 0)
		return config_value_wrong(why, "`%s` is listed twice", text);
	*bits |= 1U << i;
	return true;
}

/* The member has no memory of its own. */
static void
keep_bits(void *member)
{
	(void)member;
}

const struct config_form config_form_retry_on = {
    "`connect`, `reset`, `timeout`, `502`, `503`, `504`",
    .parse = parse_retry_on, .release = keep_bits};
