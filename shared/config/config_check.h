/*
 * config_check - from the file's text values to the struct config that the
 * rest of the program reads. Start-up only.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config.h"
#include "config_schema.h"
#include "config_value.h"

/*
 * Fills a zeroed *c, defaults included. What is wrong goes to
 * config_where_fail(); *c is then incomplete, and good for config_free() only.
 */
void config_check(
    struct config_value *v, const struct config_raw *raw, struct config *c);

/*
 * Reads an address of our own to listen on, with a port. The text as written
 * goes to *text (NULL when it is empty); false when there is no address.
 */
bool config_check_address(struct config_value *v, const char *raw,
    struct sock_addr *addr, char **text);

#endif
