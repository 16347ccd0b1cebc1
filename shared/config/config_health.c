#include "config_health.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t"
#define STATUS_MIN 100
#define STATUS_MAX 599
#define BITS 64
_Static_assert(STATUS_MAX - STATUS_MIN < CONFIG_STATUS_WORDS * BITS,
    "a bit for each status");

/* ---- host ---- */

/* RFC 3986 section 3.2.2, as far as a Host field has to be safe to send. */
static bool
is_host(const char *text)
{
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) &&
		    strchr("-._~:[]", *text) == NULL)
			return false;
	return true;
}

const struct config_form config_health_host = {"`host` or `host:port`",
    .is_good = is_host,
    .wrong = "is not a host; write app.example.org, with a port if need be"};

/* ---- headers ---- */

static bool
is_ours(const char *name)
{
	static const char *const ours[] = {"Host", "Connection",
	    "Content-Length", "Transfer-Encoding", "Expect", "TE", "Trailer",
	    "Upgrade", "Keep-Alive"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return false;
}

static bool
parse_header(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_field *field = member;
	const char *colon = strchr(text, ':');

	if (!config_value_copy(text, &field->name, why))
		return false;
	if (colon == NULL)
		return config_value_wrong(
		    why, "`%.120s` is not \"Name: value\"", text);
	field->name[colon - text] = '\0';
	colon += 1 + strspn(colon + 1, BLANK);
	if (!config_value_is_token(field->name) ||
	    !config_value_is_field_value(colon))
		return config_value_wrong(
		    why, "`%.120s` is not \"Name: value\"", text);
	if (is_ours(field->name))
		return config_value_wrong(why, "`%.60s` can't be set here%s",
		    field->name,
		    strcasecmp(field->name, "Host") == 0 ? "; write host" : "");
	return config_value_copy(colon, &field->value, why);
}

static void
free_header(void *member)
{
	struct config_field *field = member;

	free(field->name);
	free(field->value);
}

const struct config_form config_health_header = {
    "`\"Name: value\"`", .parse = parse_header, .release = free_header};

/* ---- statuses ---- */

/* Three digits at text, "xx" for any two behind the first. 0: neither. */
static unsigned
read_status(const char *text, unsigned *last)
{
	unsigned n = 0;

	if (strlen(text) < 3 || text[0] < '1' || text[0] > '5')
		return 0;
	if (strncmp(text + 1, "xx", 2) == 0) {
		n = (unsigned)(text[0] - '0') * 100;
		*last = n + 99;
		return n;
	}
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)text[i]))
			return 0;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	*last = n;
	return n;
}

/* "200", "2xx", "200-204". */
static bool
parse_status(const char *text, void *member, char why[CONFIG_WHY_MAX])
{
	struct config_statuses *s = member;
	unsigned last = 0;
	unsigned first = read_status(text, &last);
	bool good = first != 0;

	if (good && text[3] == '-' && last == first) {
		good = read_status(text + 4, &last) == last && last >= first &&
		       text[7] == '\0';
	} else if (good) {
		good = text[3] == '\0';
	}
	if (!good)
		return config_value_wrong(why,
		    "`%.60s` is not a status from 100 to 599; write 200, 2xx "
		    "or 200-204",
		    text);
	for (unsigned n = first - STATUS_MIN; n <= last - STATUS_MIN; n++)
		s->bits[n / BITS] |= UINT64_C(1) << n % BITS;
	return true;
}

const struct config_form config_health_status = {
    "`200`, `2xx`, `200-204`", .parse = parse_status};

bool
config_health_expects(const struct config_statuses *s, unsigned status)
{
	unsigned n = status - STATUS_MIN;
	uint64_t any = 0;

	for (size_t i = 0; i < CONFIG_STATUS_WORDS; i++)
		any |= s->bits[i];
	if (any == 0)
		return status / 100 == 2 || status / 100 == 3;
	return status >= STATUS_MIN && status <= STATUS_MAX &&
	       (s->bits[n / BITS] >> n % BITS & 1) != 0;
}

size_t
config_health_bytes(const struct config_service *s)
{
	size_t n = strlen(s->health.path);

	n += strlen(s->health.host != NULL ? s->health.host : s->name);
	for (size_t i = 0; i < s->health.header_count; i++)
		n += strlen(s->health.headers[i].name) +
		     strlen(s->health.headers[i].value) + strlen(": \r\n");
	return n;
}
