#include "config_parameters.h"

#include <stddef.h>

static const char *const states[] = {"redis", "memory", NULL};
static const char *const truths[] = {"true", "false", NULL};

const struct config_parameter config_parameters[] = {
    {CONFIG_HANDLER_COUNT, "state", states, NULL, "redis",
	"where the number is counted: once for the cluster, or by each worker "
	"alone"},
    {CONFIG_HANDLER_CPU_BOUND, "ms", NULL, "0 to 60000", "3000",
	"milliseconds of work"},
    {CONFIG_HANDLER_CPU_BOUND, "offload", truths, NULL, "false",
	"`true`: the work runs in a thread and blocks no other request"},
    {CONFIG_HANDLER_NONE, NULL, NULL, NULL, NULL, NULL},
};
