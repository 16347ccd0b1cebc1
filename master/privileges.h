/*
 * privileges - from root to the configured user, for good: master, workers and
 * helper alike. Called once, after everything that needs root was opened.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>

#include "config.h"

/*
 * When root and there is a user: gives it the state directory and the files
 * named in it (NULL ends the list), and becomes it. No process of ours gains
 * privileges again, whoever we are. What can't be done ends the start (fatal).
 */
void privileges_drop(const struct config *config, const char *const *files);
/* Whether this machine knows a user of that name. */
bool privileges_is_user(const char *user);

#endif
