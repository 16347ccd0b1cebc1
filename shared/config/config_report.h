/*
 * config_report - all that is wrong with a configuration file, as lines that
 * name file, line and key. Start-up only.
 *
 * Faults refuse the file, warnings do not. Of each kind the first
 * CONFIG_REPORT_MAX are kept and the rest is counted. A key path is written as
 * a reader would: services[1].timeouts.connect.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>

#include "config.h"

#define CONFIG_REPORT_MAX 20
#define CONFIG_PATH_MAX 128 /* of a key path; a longer one is cut */

_Static_assert(
    CONFIG_ERROR_MAX >= 2 * (CONFIG_REPORT_MAX + 1) * CONFIG_LINE_MAX,
    "a full report fits");

struct config_report;

/* file must outlive the report. NULL with ENOMEM. */
struct config_report *config_report_new(const char *file);
void config_report_free(struct config_report *r);

/* A line of 0 stands for none, and so does an empty path. */
__attribute__((format(printf, 4, 5))) void config_report_fault(
    struct config_report *r, unsigned line, const char *path, const char *fmt,
    ...);
__attribute__((format(printf, 4, 5))) void config_report_warn(
    struct config_report *r, unsigned line, const char *path, const char *fmt,
    ...);

bool config_report_has_faults(const struct config_report *r);
/* True when neither the key nor any key below has a fault. False, to be on the
 * safe side, when there are more faults than are kept. */
bool config_report_is_clean(const struct config_report *r, const char *path);

/* Faults in the order of lines, then warnings likewise: one line each, with a
 * newline between two. */
void config_report_write(
    const struct config_report *r, char text[CONFIG_ERROR_MAX]);

#endif
