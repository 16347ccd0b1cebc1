/*
 * exposition - the text format of a metrics page: families, samples, labels.
 * Master.
 *
 * Source: Prometheus text exposition format 0.0.4.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#include "duration.h"

/* Twice the longest text: every character may need a backslash. */
#define EXPOSITION_VALUE_MAX 512

/* HELP and TYPE; name is the family's whole name. */
void exposition_family(
    FILE *f, const char *name, const char *type, const char *help);
/* A label's value with backslash, quote and line end escaped, in buf, which is
 * returned. A text too long for buf is cut. */
const char *exposition_value(char buf[EXPOSITION_VALUE_MAX], const char *text);

/* The sum of several histograms of one kind. */
struct exposition_durations {
	uint64_t buckets[DURATION_BUCKETS];
	uint64_t sum_us;
};

void exposition_add(
    struct exposition_durations *sum, const struct duration_histogram *h);
uint64_t exposition_count(const struct exposition_durations *sum);
/* The samples of the sum; labels: `a="1",b="2"`, escaped. */
void exposition_durations(FILE *f, const char *name, const char *labels,
    const struct exposition_durations *sum);

#endif
