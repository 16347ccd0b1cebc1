/* config_names - the enums of config.h, each as the file spells its values. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

/* By the enum's value; NULL ends each. */
extern const char *const config_names_accept[];
extern const char *const config_names_policy[];
extern const char *const config_names_hash[];
extern const char *const config_names_handler[];
extern const char *const config_names_level[];
extern const char *const config_names_format[];

#endif
