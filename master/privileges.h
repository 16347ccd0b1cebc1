/*
 * privileges - from root to the configured user, for good: master, workers and
 * helper alike. Called once, after everything that needs root was opened.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>

#include "config.h"

/*
 * As root with a configured user: gives the user the state directory and the
 * files named in it, up to NULL. The process then becomes the user. As any
 * user: no process of Drover gains privileges again. A failure ends the start
 * (fatal).
 */
void privileges_drop(const struct config *config, const char *const *files);
/* Whether this machine knows a user of that name. */
bool privileges_is_user(const char *user);

#endif
