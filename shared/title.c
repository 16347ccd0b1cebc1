#include "title.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TITLE_MAX 128

static int width; /* of argv[0] */

void
title_init(int argc, char **argv)
{
	width = (int)strlen(argv[0]);
	setproctitle_init(argc, argv, environ);
}

void
title_set(const char *fmt, ...)
{
	char title[TITLE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(title, sizeof(title), fmt, ap);
	va_end(ap);
	setproctitle("%-*s", width, title);
}
