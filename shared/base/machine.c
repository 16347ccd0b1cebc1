#include "machine.h"

#include <stdarg.h>
#include <stdio.h>

#define OBJECT_MAX 256

void
machine_log(const struct machine_state *from, const struct machine_state *to,
    const char *fmt, ...)
{
	char object[OBJECT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(object, sizeof(object), fmt, ap);
	va_end(ap);
	log_debug("%s: %s -> %s", object, from->name, to->name);
}
