#include "respawn.h"

#include <sys/wait.h>

#include "log.h"

static uint64_t
backoff(unsigned short_runs)
{
	uint64_t us = RESPAWN_FIRST_US;

	for (unsigned i = 2; i < short_runs && us < RESPAWN_LAST_US; i++)
		us *= 2;
	return us < RESPAWN_LAST_US ? us : RESPAWN_LAST_US;
}

bool
respawn_decide(
    struct respawn *r, const struct respawn_facts *facts, uint64_t *delay_us)
{
	uint64_t us;

	if (WIFEXITED(facts->wait_status) &&
	    WEXITSTATUS(facts->wait_status) == LOG_EXIT_CONFIG)
		return false;
	*delay_us = 0;
	if (facts->uptime_us >= RESPAWN_HEALTHY_US) {
		r->short_runs = 0;
		return true;
	}
	if (r->short_runs < UINT32_MAX)
		r->short_runs++;
	if (r->short_runs == 1)
		return true;
	us = backoff(r->short_runs);
	*delay_us = us - us / 2 * facts->random / UINT32_MAX;
	return true;
}
