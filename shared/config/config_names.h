/* config_names - the spellings of config.h's enums in the file. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

/* Indexed by the enum's value, with NULL at the end. */
extern const char *const config_names_accept[];
extern const char *const config_names_policy[];
extern const char *const config_names_retry_on[];
extern const char *const config_names_send_proxy[];
extern const char *const config_names_health[]; /* methods */
extern const char *const config_names_hash[];
extern const char *const config_names_handler[];
extern const char *const config_names_level[];
extern const char *const config_names_format[];
extern const char *const config_names_dots[];
extern const char *const config_names_empty[];
extern const char *const config_names_escapes[];
extern const char *const config_names_slash[];

#endif
