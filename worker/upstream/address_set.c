#include "address_set.h"

#include <stdlib.h>

#include "check.h"

static int
compare(const void *a, const void *b)
{
	const struct address_set_member *x = a, *y = b;

	return sock_addr_compare(&x->addr, &y->addr);
}

int
address_set_init(struct address_set *set, size_t cap)
{
	*set = (struct address_set){.cap = cap};
	set->members = calloc(cap + 1, sizeof(*set->members));
	return set->members != NULL ? 0 : -1;
}

void
address_set_fini(struct address_set *set)
{
	free(set->members);
}

void
address_set_add(struct address_set *set, const struct sock_addr *addr)
{
	CHECK(set->count < set->cap);
	set->members[set->count++] = (struct address_set_member){.addr = *addr};
}

void
address_set_close(struct address_set *set, size_t limit)
{
	struct address_set_member *m = set->members;
	size_t n = 0;

	qsort(m, set->count, sizeof(*m), compare);
	for (size_t i = 0; i < set->count; i++)
		if (n == 0 || compare(&m[n - 1], &m[i]) != 0)
			m[n++] = m[i];
	set->whole = n;
	set->count = n < limit ? n : limit;
}

bool
address_set_take(struct address_set *set, const struct sock_addr *addr)
{
	const struct address_set_member key = {.addr = *addr};
	struct address_set_member *m =
	    bsearch(&key, set->members, set->count, sizeof(key), compare);

	if (m == NULL)
		return false;
	m->taken = true;
	return true;
}
