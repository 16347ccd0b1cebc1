/*
 * errno_text - an error number for log lines: the name, which manuals list, and
 * the meaning. Both processes. Pure.
 */
#ifndef ERRNO_TEXT_H
#define ERRNO_TEXT_H

#define ERRNO_TEXT_MAX 96

/* "ECONNREFUSED, Connection refused" into buf; returns buf. */
const char *errno_text(int error, char buf[ERRNO_TEXT_MAX]);

#endif
