/*
 * config_expand - ${VAR} in a configuration value, as compose files have it.
 *
 * Start-up only. Known: ${VAR}, ${VAR-default} (when unset), ${VAR:-default}
 * (when unset or empty), ${VAR?why} and ${VAR:?why} (an error instead), and
 * $$ for a dollar. An unset variable is the empty string. A default may hold
 * references of its own; what comes out of the environment is never expanded
 * again. Any other dollar or brace stands for itself, so JSON passes.
 *
 * Values are expanded after YAML was parsed, one by one: nothing that a
 * variable holds (a newline, a quote, ": ") can add a key or change the
 * document's shape. The price is that YAML sees the reference itself, and in
 * [flow] and {flow} collections it would choke on the reference's braces and
 * colon. So config_expand_shield() first replaces, inside a reference only,
 * what YAML would act upon by characters of a private use plane, and
 * config_expand_unshield() turns them back in what was parsed.
 */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include <stddef.h>

#define CONFIG_EXPAND_MAX 65536 /* bytes of one expanded value */
#define CONFIG_EXPAND_WHY_MAX 160

/*
 * A copy of a file's text with its references shielded; at most four times as
 * long, NUL-terminated. NULL with ENOMEM. Lines stay where they are.
 */
char *config_expand_shield(const char *text, size_t len, size_t *shielded_len);
/* In place; text gets shorter or stays as it is. */
void config_expand_unshield(char *text);

/*
 * The expanded value of an unshielded text, to be freed; why is then empty, or
 * names the references that have neither a value nor a default. NULL with the
 * reason in why.
 */
char *config_expand(const char *text, char why[CONFIG_EXPAND_WHY_MAX]);

#endif
