/*
 * supervisor - the master after its start: runs workers, helper, watchdog and
 * admin endpoint, answers signals, and stops it all in order.
 *
 * TERM, QUIT: drain, kill what is left after drain_timeout. INT, or a second
 * TERM or QUIT: at once. The listeners stay open until the last worker is
 * gone, the helper stops last. HUP and the others never end it.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "config.h"
#include "listeners.h"
#include "scoreboard.h"

/*
 * Returns the exit status of the master. The signals of spawn_signals() must
 * be blocked; the arguments stay the caller's.
 */
int supervisor_run(const struct config *config,
    const struct listeners *listeners, struct scoreboard *scoreboard);

#endif
