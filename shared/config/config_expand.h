/*
 * config_expand - ${VAR} in a configuration value, as compose files have it.
 * Start-up only.
 *
 * Known forms: ${VAR}, ${VAR-default} (when unset), ${VAR:-default} (when unset
 * or empty), ${VAR?why} and ${VAR:?why} (an error instead), $$ for a dollar. An
 * unset variable is empty. A default may hold further references; values of the
 * environment are never expanded again. Any other dollar or brace is literal,
 * hence JSON passes.
 *
 * Expansion follows YAML's parser, value by value. A variable's newline, quote
 * or ": " can therefore not add a key or change the structure. The price:
 * YAML's parser sees the reference, and in [flow] and {flow} collections fails
 * on its braces and colon. Hence config_expand_shield() first replaces YAML's
 * characters inside references by characters of a private use plane.
 * config_expand_unshield() restores the characters after parsing.
 */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include <stddef.h>

#define CONFIG_EXPAND_MAX 65536 /* bytes of an expanded value */
#define CONFIG_EXPAND_WHY_MAX 160

/*
 * A copy of a file's text with shielded references, NUL-terminated and at most
 * four times as long. NULL with ENOMEM. Line numbers stay.
 */
char *config_expand_shield(const char *text, size_t len, size_t *shielded_len);
/* In place; the text never grows. */
void config_expand_unshield(char *text);

/*
 * The expanded value of an unshielded text, to be freed. why is then empty, or
 * names the references without a value and a default. NULL with the reason in
 * why.
 */
char *config_expand(const char *text, char why[CONFIG_EXPAND_WHY_MAX]);

#endif
