#include "config_manual.h"

#include <inttypes.h>

#include "config_keys.h"
#include "config_names.h"
#include "config_parameters.h"
#include "text.h"

static const char intro[] =
    "# Configuration\n"
    "\n"
    "<!-- Made by `drover -K` from shared/config/config_keys.c. -->\n"
    "\n"
    "A YAML file per process. `drover -t -c FILE` checks the file and lists\n"
    "every fault, a line each with file, line and key: unknown keys, wrong\n"
    "types, impossible values. The files in this folder are examples to start\n"
    "from.\n"
    "\n"
    "`${VAR}`, `${VAR:-default}` (also `-`, `:?`, `?`) in a value come from\n"
    "the environment, as in compose files; `$$` is a dollar. An empty value\n"
    "counts as absent. A `${VAR}` without value and default is empty, with a\n"
    "warning. Durations: `250ms`, `10s`, `5m`, `1h`, up to 24h. Sizes: `512`,\n"
    "`16k`, `16m`, `1g`. Indent with spaces. A required key\n"
    "of optional pairs, such as `health.path`, is required when the pairs are\n"
    "present.\n";

static const char outro[] =
    "\n"
    "Routes with the same `path` differ in conditions. The order among such\n"
    "routes: an exact `host`, then `*.`, then no `host`; then `exact`; then\n"
    "more `headers` and `query`; then `methods`; then the order of the file. "
    "A\n"
    "route whose conditions fail is passed over, in the end for a shorter\n"
    "`path`. When only the method is wrong, the response is a 405 with Allow;\n"
    "without any route, a 404.\n"
    "\n"
    "## Parameters of handlers\n"
    "\n"
    "The query of a request to a `handler`. The names in the route's `query`\n"
    "are allowed, too; any other name, and a wrong value, is a 400 that\n"
    "lists the right ones. Handlers that are not listed have none.\n"
    "\n"
    "| handler | parameter | value | default | meaning |\n"
    "|---|---|---|---|---|\n";

static void
print_choice(FILE *f, const struct config_key *k)
{
	for (uint64_t i = k->min; k->names[i] != NULL; i++)
		fprintf(f, "%s`%s`", i == k->min ? "" : ", ", k->names[i]);
}

static void
print_parameter(FILE *f, const struct config_parameter *p)
{
	fprintf(
	    f, "| `%s` | `%s` | ", config_names_handler[p->handler], p->name);
	for (size_t i = 0; p->choices != NULL && p->choices[i] != NULL; i++)
		fprintf(f, "%s`%s`", i == 0 ? "" : ", ", p->choices[i]);
	fprintf(f, "%s | `%s` | %s |\n", p->says != NULL ? p->says : "",
	    p->otherwise, p->help);
}

/* The allowed values. */
static void
print_value(FILE *f, const struct config_key *k)
{
	char min[24], max[24];

	switch (k->type) {
	case CONFIG_NUMBER:
		fprintf(f, "%s%s%s%" PRIu64 " to %" PRIu64,
		    k->word != NULL ? "`" : "", k->word != NULL ? k->word : "",
		    k->word != NULL ? "`, " : "", k->min, k->max);
		break;
	case CONFIG_SIZE:
		fprintf(f, "%s to %s", config_value_size_str(k->min, min),
		    config_value_size_str(k->max, max));
		break;
	case CONFIG_DURATION:
		fprintf(f, "duration%s", k->min == 0 ? " or 0" : "");
		break;
	case CONFIG_BOOL:
		fputs("`true`, `false`", f);
		break;
	case CONFIG_CHOICE:
		print_choice(f, k);
		break;
	case CONFIG_LIST:
		fprintf(f, "list of up to %" PRIu64 ": ", k->max);
		fputs(k->form->says, f);
		break;
	default:
		fputs(k->form->says, f);
	}
}

static void
print_default(FILE *f, const struct config_key *k)
{
	if (k->required)
		fputs("required", f);
	else if (k->otherwise == NULL)
		fputs("—", f);
	else if (k->otherwise[0] == '\0')
		fputs("empty", f);
	else
		fprintf(f, "`%s`", k->otherwise);
}

/* map: the names of the pairs around the key, or NULL. */
static void
print_row(FILE *f, const struct config_key *k, const char *map)
{
	fprintf(f, "| `%s%s%s` | ", map != NULL ? map : "",
	    map != NULL ? "." : "", k->key);
	print_value(f, k);
	fputs(" | ", f);
	print_default(f, k);
	fprintf(f, " | %s |\n", k->help != NULL ? k->help : "");
}

static void
print_rows(FILE *f, const struct config_key *keys, const char *map)
{
	char inner[64];
	struct text t;

	for (const struct config_key *k = keys; k->key != NULL; k++) {
		text_init(&t, inner, sizeof(inner) - 1);
		text_addf(&t, "%s%s%s", map != NULL ? map : "",
		    map != NULL ? "." : "", k->key);
		inner[t.len] = '\0';
		if (k->keys != NULL)
			print_rows(f, k->keys, inner);
		else
			print_row(f, k, map);
	}
}

#define TABLE "\n| key | value | default | meaning |\n|---|---|---|---|\n"

/* The top level's single values first, then a section per table. */
void
config_manual_print(FILE *f)
{
	const struct config_key *k = config_keys;

	fputs(intro, f);
	fputs(TABLE, f);
	for (; k->key != NULL; k++)
		if (k->keys == NULL)
			print_row(f, k, NULL);
	for (k = config_keys; k->key != NULL; k++) {
		if (k->keys == NULL)
			continue;
		fprintf(f, "\n## `%s`\n", k->key);
		if (k->type == CONFIG_LIST)
			fprintf(f, "\nA list of %s%" PRIu64 ".",
			    k->min == 0 ? "up to " : "1 to ", k->max);
		if (k->help != NULL)
			fprintf(f, "%s%s", k->type == CONFIG_LIST ? " " : "\n",
			    k->help);
		fputs(k->type == CONFIG_LIST || k->help != NULL ? "\n" : "", f);
		fputs(TABLE, f);
		print_rows(f, k->keys, NULL);
	}
	fputs(outro, f);
	for (size_t i = 0; config_parameters[i].name != NULL; i++)
		print_parameter(f, &config_parameters[i]);
}
