#include "config_names.h"

#include <stddef.h>

#include "config.h"

const char *const config_names_accept[] = {
    [CONFIG_ACCEPT_REUSEPORT] = "reuseport",
    [CONFIG_ACCEPT_REUSEPORT_PLAIN] = "reuseport_plain",
    [CONFIG_ACCEPT_SHARED] = "shared",
    NULL,
};

const char *const config_names_policy[] = {
#define X(symbol, name) [CONFIG_POLICY_##symbol] = #name,
    CONFIG_POLICIES(X)
#undef X
	NULL,
};

const char *const config_names_retry_on[] = {
#define X(symbol, name) [CONFIG_RETRY_##symbol] = #name,
    CONFIG_RETRY_ON(X)
#undef X
	NULL,
};

const char *const config_names_send_proxy[] = {
    [CONFIG_SEND_PROXY_OFF] = "off",
    [CONFIG_SEND_PROXY_V1] = "v1",
    [CONFIG_SEND_PROXY_V2] = "v2",
    NULL,
};

const char *const config_names_health[] = {
    [CONFIG_HEALTH_GET] = "GET",
    [CONFIG_HEALTH_HEAD] = "HEAD",
    [CONFIG_HEALTH_OPTIONS] = "OPTIONS",
    [CONFIG_HEALTH_POST] = "POST",
    NULL,
};

const char *const config_names_hash[] = {
    [CONFIG_HASH_PATH] = "path",
    [CONFIG_HASH_HEADER] = "header",
    [CONFIG_HASH_COOKIE] = "cookie",
    [CONFIG_HASH_QUERY] = "query",
    NULL,
};

const char *const config_names_handler[] = {
    [CONFIG_HANDLER_NONE] = "none",
#define X(symbol, name) [CONFIG_HANDLER_##symbol] = #name,
    CONFIG_HANDLERS(X)
#undef X
	NULL,
};

const char *const config_names_level[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
    NULL,
};

const char *const config_names_format[] = {
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    NULL,
};

const char *const config_names_dots[] = {
    [PATH_DOTS_RESOLVE] = "resolve",
    [PATH_DOTS_REFUSE] = "refuse",
    NULL,
};

const char *const config_names_empty[] = {
    [PATH_EMPTY_MERGE] = "merge",
    [PATH_EMPTY_KEEP] = "keep",
    [PATH_EMPTY_REFUSE] = "refuse",
    NULL,
};

const char *const config_names_escapes[] = {
    [PATH_ESCAPES_DECODE] = "decode",
    [PATH_ESCAPES_REFUSE] = "refuse",
    NULL,
};

const char *const config_names_slash[] = {
    [PATH_SLASH_KEEP] = "keep",
    [PATH_SLASH_REFUSE] = "refuse",
    NULL,
};
