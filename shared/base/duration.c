#include "duration.h"

const uint64_t duration_bounds_us[DURATION_BUCKETS] = {1000, 2500, 5000, 10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
    UINT64_MAX};

const char *const duration_bounds_str[DURATION_BUCKETS] = {"0.001", "0.0025",
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
    "10", "+Inf"};

/* 2^9 us = 512 us is in the bucket of 1000 us; no bound follows from 2^24 us =
 * 16.8 s on. */
const uint8_t duration_first_bucket[64] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
    2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 13, 13, 13, 13, 13, 13, 13, 13,
    13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13,
    13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13};
