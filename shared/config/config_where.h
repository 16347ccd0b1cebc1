/*
 * config_where - the YAML document as it was written: its syntax, its line
 * numbers, and the first thing that is wrong with it. Start-up only.
 *
 * libcyaml fills structs but does not say where a value stood; this keeps
 * libyaml's own tree beside them. A key path is written as a reader would:
 * services[1].timeouts.connect.
 *
 * Only the first failure is kept, so callers go on and ask at the end.
 */
#ifndef CONFIG_WHERE_H
#define CONFIG_WHERE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include "config.h"

#define CONFIG_WHERE_PATH_MAX 128

struct config_where;

/*
 * Parses one YAML document. Anchors and aliases are refused (a few lines of
 * them can stand for gigabytes), so are a second document, deep nesting, and
 * a root that is no mapping. file, text and error must outlive it. NULL with
 * the reason in error.
 */
struct config_where *config_where_new(const char *file, const char *text,
    size_t len, char error[CONFIG_ERROR_MAX]);
void config_where_free(struct config_where *w);

yaml_document_t *config_where_document(struct config_where *w);
/* The line of a key path, or of the nearest part of it that exists. */
unsigned config_where_line(struct config_where *w, const char *path);

/* Records "FILE:LINE: PATH: what" unless there is a failure on record. A line
 * of 0 is looked up by path. */
__attribute__((format(printf, 4, 5))) void config_where_fail(
    struct config_where *w, unsigned line, const char *path, const char *fmt,
    ...);
bool config_where_has_failed(const struct config_where *w);

/* The same for what fails before there is a document. Line 0: none. */
__attribute__((format(printf, 4, 5))) void config_where_say(
    char error[CONFIG_ERROR_MAX], const char *file, unsigned line,
    const char *fmt, ...);

#endif
