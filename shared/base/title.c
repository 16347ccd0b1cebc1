#include "title.h"

#include <string.h>
#include <unistd.h>

#include "text.h"

#define TITLE_MAX 128
#define NAME_MAX_SHOWN 31
#define ENDING ".yaml"

static int width; /* of argv[0] */
static char name[NAME_MAX_SHOWN + 1];

void
title_init(int argc, char **argv)
{
	width = (int)strlen(argv[0]);
	setproctitle_init(argc, argv, environ);
}

void
title_name(const char *config_path)
{
	const char *slash = strrchr(config_path, '/');
	size_t len, ending = strlen(ENDING);

	strlcpy(name, slash != NULL ? slash + 1 : config_path, sizeof(name));
	len = strlen(name);
	if (len > ending && strcmp(name + len - ending, ENDING) == 0)
		name[len - ending] = '\0';
}

void
title_set(const char *role, const char *more)
{
	char title[TITLE_MAX];
	struct text t;

	text_init(&t, title, sizeof(title) - 1);
	text_addf(&t, "%s [%s]", role, name);
	text_add_str(&t, more);
	title[t.len] = '\0';
	setproctitle("%-*s", width, title);
}
