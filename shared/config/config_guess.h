/* config_guess - which key was meant by one that is unknown. Pure. */
#ifndef CONFIG_GUESS_H
#define CONFIG_GUESS_H

#include "config_keys.h"

/*
 * The known key that is the fewest slips away: a letter too much, a letter too
 * few, another letter, two letters swapped (optimal string alignment). NULL
 * when none is within two slips and a third of the name's length.
 */
const char *config_guess(const struct config_key *keys, const char *name);

#endif
