/*
 * config_shape - does the document have the shape that the schema asks for?
 * Start-up only.
 *
 * Unknown, repeated and missing keys, text where a list or a mapping belongs
 * and the reverse, too many or too few entries. libcyaml finds these too, but
 * tells them in several log lines that differ from version to version; this
 * walks libyaml's tree along the same schema and tells them in one line, so
 * that libcyaml is left with nothing to refuse.
 */
#ifndef CONFIG_SHAPE_H
#define CONFIG_SHAPE_H

#include <cyaml/cyaml.h>

#include "config_where.h"

/* The first thing that is wrong goes to config_where_fail(). */
void config_shape_check(
    struct config_where *w, const cyaml_schema_value_t *schema);

#endif
