#include "breakers_script.h"

#include "redis_options.h"

/* Of breakers.lua, which the build embeds. */
extern const char breakers_lua[];

struct redis_script breakers_script = {
    .name = "breakers", .body = breakers_lua};

/* Of breakers_peek.lua, which the build embeds. */
extern const char breakers_peek_lua[];

struct redis_script breakers_peek_script = {
    .name = "breakers_peek", .body = breakers_peek_lua};
