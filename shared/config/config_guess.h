/* config_guess - the known key closest to an unknown key. Pure. */
#ifndef CONFIG_GUESS_H
#define CONFIG_GUESS_H

#include "config_keys.h"

/*
 * The key with the fewest slips. A slip is an extra letter, a missing letter, a
 * wrong letter or two swapped letters (optimal string alignment). NULL when
 * every key is more than two slips, or a third of the name's length, away.
 */
const char *config_guess(const struct config_key *keys, const char *name);

#endif
