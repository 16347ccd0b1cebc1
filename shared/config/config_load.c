#include "config_load.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_expand.h"
#include "config_keys.h"
#include "config_read.h"
#include "config_report.h"
#include "config_rules.h"
#include "config_yaml.h"

#define FILE_MAX ((size_t)1 << 20)

/* The whole file, at most FILE_MAX; NULL with errno. */
static char *
read_all(int fd, size_t *len)
{
	char *text = malloc(FILE_MAX + 1);
	ssize_t n = 1;

	*len = 0;
	while (text != NULL && n > 0 && *len <= FILE_MAX) {
		n = read(fd, text + *len, FILE_MAX + 1 - *len);
		if (n == -1) {
			free(text);
			return NULL;
		}
		*len += (size_t)n;
	}
	return text;
}

static char *
read_file(const char *path, size_t *len, struct config_report *report)
{
	/* O_NONBLOCK: a FIFO without a writer must not hold up the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;

	if (fd == -1 || fstat(fd, &st) == -1)
		config_report_fault(
		    report, 0, "", "cannot open it: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		config_report_fault(report, 0, "", "is %s, not a file",
		    S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	else if ((text = read_all(fd, len)) == NULL)
		config_report_fault(
		    report, 0, "", "cannot read it: %s", strerror(errno));
	else if (*len > FILE_MAX) {
		config_report_fault(report, 0, "", "is larger than 1 MiB");
		free(text);
		text = NULL;
	}
	if (fd != -1)
		close(fd);
	return text;
}

/* The file as a tree; NULL after a fault. */
static struct config_yaml *
read_tree(const char *path, struct config_report *report)
{
	struct config_yaml *root = NULL;
	char *text, *shielded;
	size_t len;

	text = read_file(path, &len, report);
	if (text == NULL)
		return NULL;
	shielded = config_expand_shield(text, len, &len);
	free(text);
	if (shielded == NULL)
		config_report_fault(report, 0, "", "no memory");
	else
		root = config_yaml_parse(shielded, len, report);
	free(shielded);
	return root;
}

/* Fills *c; faults and warnings go to the report. */
static void
fill(struct config *c, const char *path, struct config_report *report,
    char text[CONFIG_ERROR_MAX])
{
	struct config_yaml *root = read_tree(path, report);

	if (root != NULL) {
		config_read(root, config_keys, c, report);
		config_rules_apply(c, root, report);
	}
	config_yaml_free(root);
	c->path = strdup(path);
	if (c->path == NULL)
		config_report_fault(report, 0, "", "no memory");
	config_report_write(report, text);
	if (!config_report_has_faults(report) && text[0] != '\0') {
		c->warnings = strdup(text);
		text[0] = '\0';
	}
}

struct config *
config_load(const char *path, char error[CONFIG_ERROR_MAX])
{
	struct config_report *report = config_report_new(path);
	struct config *c = calloc(1, sizeof(*c));
	bool good = false;

	if (report == NULL || c == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: no memory", path);
	} else {
		fill(c, path, report, error);
		good = !config_report_has_faults(report);
	}
	config_report_free(report);
	if (good)
		return c;
	config_load_free(c);
	return NULL;
}

void
config_load_free(struct config *c)
{
	if (c == NULL)
		return;
	config_read_free(config_keys, c);
	free(c->series);
	free(c->warnings);
	free(c->path);
	free(c);
}
