/*
 * supervisor - the master after its start: runs workers, helper, watchdog and
 * admin endpoint, answers signals, and stops everything in order.
 *
 * TERM, QUIT: workers drain, and the rest is killed after drain_timeout. INT,
 * or a second TERM or QUIT: stop at once. The listeners stay open until the
 * last worker is gone. The helper stops last. HUP and the remaining signals of
 * spawn_signals() never end the master.
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
