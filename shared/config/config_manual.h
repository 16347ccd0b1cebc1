/* config_manual - conf/README.md, from the rows of config_keys. */
#ifndef CONFIG_MANUAL_H
#define CONFIG_MANUAL_H

#include <stdio.h>

/* Writes the whole file, Markdown. */
void config_manual_print(FILE *f);

#endif
