/*
 * path - the normal form of a request's path: one spelling for all equivalent
 * paths (RFC 3986 sections 5.2.4 and 6.2.2). Routes are compared with the
 * normal form, and services get the same form.
 *
 * Both processes. Pure.
 *
 * - An escape of an unreserved character becomes the character: "/%61" is "/a".
 *   Once: "/%2561" stays.
 * - Other escapes have their hexadecimal digits in upper case.
 * - Empty segments merge: "/a//b" is "/a/b".
 * - Dot segments are resolved, also escaped dots and dots at the end:
 *   "/a/./b/%2e%2E" is "/a/".
 *
 * Merging comes before resolving, as in nginx: "/a//../b" is "/b". Refused are
 * a `%` that begins no escape, "%00", and a path that leads above the root: no
 * two readers of such a path agree.
 *
 * "%2F" is part of a segment, never a separator, and so is a backslash. A
 * service that takes either for a slash should have both refused.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "parser_error.h"
#include "path_rules.h"
#include "slice.h"

/*
 * Writes the normal form of path to `to`, and its length to *len. path begins
 * with a slash and has no query. `to` has room for path.len bytes, which always
 * suffice, and may be path.at. An error leaves `to` and *len undefined.
 */
enum parser_error path_normalise(
    const struct path_rules *rules, struct slice path, char *to, size_t *len);
/* "%00" in text, which may have other escapes and a lone `%`. */
bool path_has_nul(struct slice text);

#endif
