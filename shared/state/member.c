#include "member.h"

#include <stdio.h>

static struct member *
claim(struct member *table, uint64_t key)
{
	for (uint32_t probe = 0; probe < MEMBERS_MAX; probe++) {
		struct member *m = &table[(key + probe) % MEMBERS_MAX];
		uint64_t found = 0;

		/* On failure, found is the key of a faster process: maybe the
		 * same key. */
		if (atomic_compare_exchange_strong(&m->key, &found, key) ||
		    found == key)
			return m;
	}
	return NULL;
}

uint32_t
member_join(struct member *table, const struct member_name *name, unsigned slot)
{
	struct member *m = claim(table, name->key);

	if (m == NULL)
		return MEMBER_NONE;
	if (atomic_load_explicit(&m->named, memory_order_acquire) == 0) {
		m->service = name->service;
		snprintf(m->text, sizeof(m->text), "%s", name->text);
		atomic_store_explicit(&m->named, 1, memory_order_release);
	}
	atomic_fetch_or(&m->workers[slot / 64], UINT64_C(1) << slot % 64);
	return (uint32_t)(m - table);
}

void
member_leave(struct member *m, unsigned slot)
{
	atomic_fetch_and(&m->workers[slot / 64], ~(UINT64_C(1) << slot % 64));
}

void
member_leave_all(struct member *table, unsigned slot)
{
	for (uint32_t i = 0; i < MEMBERS_MAX; i++)
		if (atomic_load(&table[i].key) != 0)
			member_leave(&table[i], slot);
}

void
member_eject(struct member *m, uint64_t until_us)
{
	atomic_store(&m->ejected_until_us, until_us);
	atomic_fetch_add(&m->ejections, 1);
}

void
member_restore(struct member *m)
{
	atomic_store(&m->ejected_until_us, 0);
}

bool
member_is_listed(const struct member *m)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < MEMBER_WORDS; i++)
		any |= atomic_load(&m->workers[i]);
	return any != 0 &&
	       atomic_load_explicit(&m->named, memory_order_acquire) != 0;
}

bool
member_is_up(const struct member *m, uint64_t now_us)
{
	return atomic_load(&m->checks) != CHECKS_DOWN &&
	       atomic_load(&m->ejected_until_us) <= now_us;
}
