#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"

#define OBJECT_MAX 512

static _Atomic uint64_t *counter;

void
check_count_in(_Atomic uint64_t *where)
{
	counter = where;
}

void
check_failed(const char *file, int line, const char *what)
{
	log_error("bug: %s:%d: %s does not hold", file, line, what);
	abort();
}

void
check_confined(
    const char *file, int line, const char *what, const char *fmt, ...)
{
	char object[OBJECT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(object, sizeof(object), fmt, ap);
	va_end(ap);
	log_error("bug: %s:%d: %s does not hold: %s", file, line, what, object);
	if (CHECK_ABORTS)
		abort();
	if (counter != NULL)
		atomic_fetch_add(counter, 1);
}
