/*
 * config_report - the faults and warnings of a configuration file, as lines
 * with file, line and key. Start-up only.
 *
 * Faults refuse the file, warnings do not. The report keeps the first
 * CONFIG_REPORT_MAX of each kind and counts the rest. A key path reads
 * services[1].timeouts.connect.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>

#include "config.h"

#define CONFIG_REPORT_MAX 20
#define CONFIG_PATH_MAX 128 /* of a key path; longer paths are cut */

_Static_assert(
    CONFIG_ERROR_MAX >= 2 * (CONFIG_REPORT_MAX + 1) * CONFIG_LINE_MAX,
    "a full report fits");

struct config_report;

/* file must outlive the report. NULL with ENOMEM. */
struct config_report *config_report_new(const char *file);
void config_report_free(struct config_report *r);

/* Line 0 is no line, and an empty path no key. */
__attribute__((format(printf, 4, 5))) void config_report_fault(
    struct config_report *r, unsigned line, const char *path, const char *fmt,
    ...);
__attribute__((format(printf, 4, 5))) void config_report_warn(
    struct config_report *r, unsigned line, const char *path, const char *fmt,
    ...);

bool config_report_has_faults(const struct config_report *r);
/* True when neither the key nor any key below has a fault. False, to be safe,
 * when faults were dropped. */
bool config_report_is_clean(const struct config_report *r, const char *path);

/* Faults in the order of lines, then warnings likewise, with a newline between
 * two lines. */
void config_report_write(
    const struct config_report *r, char text[CONFIG_ERROR_MAX]);

#endif
