#include "errno_text.h"

#include <stdio.h>
#include <string.h>

const char *
errno_text(int error, char buf[ERRNO_TEXT_MAX])
{
	const char *name = strerrorname_np(error);
	const char *meaning = strerrordesc_np(error);

	if (name != NULL && meaning != NULL)
		snprintf(buf, ERRNO_TEXT_MAX, "%s, %s", name, meaning);
	else
		snprintf(buf, ERRNO_TEXT_MAX, "error %d", error);
	return buf;
}
