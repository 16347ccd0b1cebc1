#include "exposition.h"

#include <inttypes.h>
#include <string.h>

void
exposition_family(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

const char *
exposition_value(char buf[EXPOSITION_VALUE_MAX], const char *text)
{
	size_t len = 0;

	for (; *text != '\0' && len + 2 < EXPOSITION_VALUE_MAX; text++) {
		if (strchr("\\\"\n", *text) != NULL)
			buf[len++] = '\\';
		buf[len++] = *text == '\n' ? 'n' : *text;
	}
	buf[len] = '\0';
	return buf;
}

void
exposition_add(
    struct exposition_durations *sum, const struct duration_histogram *h)
{
	for (unsigned i = 0; i < DURATION_BUCKETS; i++)
		sum->buckets[i] +=
		    atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
	sum->sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
}

uint64_t
exposition_count(const struct exposition_durations *sum)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < DURATION_BUCKETS; i++)
		count += sum->buckets[i];
	return count;
}

void
exposition_durations(FILE *f, const char *name, const char *labels,
    const struct exposition_durations *sum)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < DURATION_BUCKETS; i++) {
		count += sum->buckets[i];
		fprintf(f, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", name,
		    labels, duration_bounds_str[i], count);
	}
	fprintf(f, "%s_sum{%s} %" PRIu64 ".%06" PRIu64 "\n", name, labels,
	    sum->sum_us / 1000000, sum->sum_us % 1000000);
	fprintf(f, "%s_count{%s} %" PRIu64 "\n", name, labels, count);
}
