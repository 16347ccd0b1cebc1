#include "balance.h"

/* From worst to best. */
static int
rank(const struct balance_candidate *c)
{
	return (c->usable ? 2 : 0) + (c->avoid ? 0 : 1);
}

static bool
is_better(enum config_policy policy, const struct balance_candidate *a,
    const struct balance_candidate *b)
{
	if (rank(a) != rank(b))
		return rank(a) > rank(b);
	return policy == CONFIG_POLICY_LEAST_CONN && a->load < b->load;
}

int
balance_pick(enum config_policy policy,
    const struct balance_candidate *candidates, size_t count, unsigned *turn)
{
	int best = -1;

	for (size_t step = 0; step < count; step++) {
		size_t i = (*turn + step) % count;

		if (best == -1 ||
		    is_better(policy, &candidates[i], &candidates[best]))
			best = (int)i;
	}
	if (best != -1)
		*turn = (unsigned)(((size_t)best + 1) % count);
	return best;
}
