/*
 * config_load - a configuration file as a checked struct config. Start-up only.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config.h"

/*
 * Reads and checks the file, with ${VAR} and ${VAR:-default} from the
 * environment. After a fault NULL, and error holds a line per fault:
 * "FILE:LINE: KEY: fault, and what would be right". Warnings follow the faults.
 */
struct config *config_load(const char *path, char error[CONFIG_ERROR_MAX]);
void config_load_free(struct config *c);

#endif
