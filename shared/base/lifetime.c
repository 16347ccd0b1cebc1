#include "lifetime.h"

#include <limits.h>

#define SECOND_US UINT64_C(1000000)
#define SPREAD 10 /* the part of an age that chance may take */

void
lifetime_begin(struct lifetime *l, uint64_t max_age_us, unsigned max_requests,
    uint64_t now_us, uint32_t random)
{
	uint64_t less_us = max_age_us / SPREAD * (random >> 16) >> 16;

	l->ends_us =
	    max_age_us != 0 ? now_us + max_age_us - less_us : UINT64_MAX;
	l->requests_left = max_requests != 0 ? max_requests : UINT_MAX;
}

uint64_t
lifetime_heed(
    struct lifetime *l, uint64_t idle_us, uint32_t timeout_s, uint32_t max)
{
	uint64_t timeout_us = (uint64_t)timeout_s * SECOND_US;

	timeout_us -= timeout_s < 2 ? timeout_us / 2 : SECOND_US;
	if (l->requests_left > max)
		l->requests_left = max;
	if (l->requests_left == 0)
		return 0;
	return timeout_s != UINT32_MAX && timeout_us < idle_us ? timeout_us
							       : idle_us;
}
