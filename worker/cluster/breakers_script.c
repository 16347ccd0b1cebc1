#include "breakers_script.h"

#include "redis_options.h"

/* Embedded from breakers.lua. */
extern const char breakers_lua[];

struct redis_script breakers_script = {
    .name = "breakers", .body = breakers_lua};

/* Embedded from breakers_peek.lua. */
extern const char breakers_peek_lua[];

struct redis_script breakers_peek_script = {
    .name = "breakers_peek", .body = breakers_peek_lua};
