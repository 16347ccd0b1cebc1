#include "balance.h"

#include "hash.h"

/* Percent of the weight for a newcomer to begin with. */
#define SLOW_START_PERCENT 10

/* The candidates, and the participants among them: all of the best rank. */
struct field {
	const struct balance_candidate *candidates;
	size_t count;
	size_t first; /* where turns begin */
	bool usable_only;
	int rank; /* -1: nobody takes part */
	unsigned size;
	uint32_t weight; /* of all participants */
};

/* ---- participants ---- */

static bool
has_usable(const struct balance_candidate *candidates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (candidates[i].weight != 0 && candidates[i].usable)
			return true;
	return false;
}

/* From worst to best; -1: never. */
static int
rank(const struct field *f, const struct balance_candidate *c)
{
	if (c->weight == 0 || c->full || (f->usable_only && !c->usable))
		return -1;
	return c->avoid ? 0 : 1;
}

static bool
takes_part(const struct field *f, size_t i)
{
	return rank(f, &f->candidates[i]) == f->rank;
}

static void
field_init(
    struct field *f, const struct balance_candidate *candidates, size_t count)
{
	*f = (struct field){
	    .candidates = candidates, .count = count, .rank = -1};
	f->usable_only = has_usable(candidates, count);
	for (size_t i = 0; i < count; i++) {
		int r = rank(f, &candidates[i]);

		if (r == -1 || r < f->rank)
			continue;
		if (r > f->rank) {
			f->rank = r;
			f->size = 0;
			f->weight = 0;
		}
		f->size++;
		f->weight += candidates[i].weight;
	}
}

/* ---- by turn and load ---- */

/* Below 0: a has less to do for its weight than b; 0: as much. */
static int
compare_load(
    const struct balance_candidate *a, const struct balance_candidate *b)
{
	uint64_t x = (uint64_t)a->load * b->weight;
	uint64_t y = (uint64_t)b->load * a->weight;

	return (x > y) - (x < y);
}

/* Each participant gains its weight. The richest is chosen, and pays the sum of
 * the gains. like: only participants with as much to do; NULL: all. */
static int
pick_in_turn(const struct field *f, const struct balance_candidate *like)
{
	int64_t gained = 0;
	size_t i = f->first;
	int best = -1;

	for (size_t step = 0; step < f->count; step++) {
		const struct balance_candidate *c = &f->candidates[i];

		if (takes_part(f, i) &&
		    (like == NULL || compare_load(c, like) == 0)) {
			*c->credit += c->weight;
			gained += c->weight;
			if (best == -1 ||
			    *c->credit > *f->candidates[best].credit)
				best = (int)i;
		}
		i = i + 1 < f->count ? i + 1 : 0;
	}
	*f->candidates[best].credit -= gained;
	return best;
}

static int
pick_least_loaded(const struct field *f)
{
	const struct balance_candidate *least = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct balance_candidate *c = &f->candidates[i];

		if (takes_part(f, i) &&
		    (least == NULL || compare_load(c, least) < 0))
			least = c;
	}
	return pick_in_turn(f, least);
}

/* ---- by chance ---- */

static uint32_t
draw_below(struct balance *b, uint32_t limit)
{
	b->random += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */
	return (uint32_t)((hash_mix(b->random) >> 32) * limit >> 32);
}

/* Draws a participant by weight; but: an index to leave out, or -1. */
static int
draw(struct balance *b, const struct field *f, int but)
{
	uint32_t weight =
	    f->weight - (but >= 0 ? f->candidates[but].weight : 0);
	uint32_t at = draw_below(b, weight);
	int i = -1;

	for (;;) {
		i++;
		if (i == but || !takes_part(f, (size_t)i))
			continue;
		if (at < f->candidates[i].weight)
			return i;
		at -= f->candidates[i].weight;
	}
}

static int
pick_of_two(struct balance *b, const struct field *f)
{
	int one = draw(b, f, -1), other;

	if (f->size < 2)
		return one;
	other = draw(b, f, one);
	return compare_load(&f->candidates[other], &f->candidates[one]) < 0
		   ? other
		   : one;
}

/* ---- by key ---- */

static int
pick_on_ring(const struct field *f, const struct balance_by *by)
{
	size_t at = hash_ring_find(by->ring, by->hash);

	for (size_t n = 0; n < by->ring->count; n++) {
		uint32_t i = by->ring->points[at].member;

		if (i < f->count && takes_part(f, i))
			return (int)i;
		at = hash_ring_next(by->ring, at);
	}
	return pick_in_turn(f, NULL);
}

int
balance_pick(struct balance *b, const struct balance_by *by,
    const struct balance_candidate *candidates, size_t count)
{
	struct field f;

	field_init(&f, candidates, count);
	if (f.rank == -1)
		return -1;
	f.first = b->first % count;
	switch (by->policy) {
	case CONFIG_POLICY_LEAST_CONN:
		return pick_least_loaded(&f);
	case CONFIG_POLICY_RANDOM_TWO:
		return pick_of_two(b, &f);
	case CONFIG_POLICY_IP_HASH:
	case CONFIG_POLICY_CONSISTENT_HASH:
		return pick_on_ring(&f, by);
	case CONFIG_POLICY_ROUND_ROBIN:
		break;
	}
	return pick_in_turn(&f, NULL);
}

uint32_t
balance_weight(
    unsigned weight, uint64_t since_us, uint64_t slow_start_us, uint64_t now_us)
{
	uint64_t percent = SLOW_START_PERCENT;
	uint64_t age_us = now_us > since_us ? now_us - since_us : 0;

	if (since_us == 0 || age_us >= slow_start_us)
		return weight * BALANCE_WEIGHT;
	percent += (100 - SLOW_START_PERCENT) * age_us / slow_start_us;
	return (uint32_t)(percent * weight * BALANCE_WEIGHT / 100);
}
