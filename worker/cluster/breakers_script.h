/*
 * breakers_script - the scripts by which Redis decides the steps of the
 * breakers and shows the states. breakers_link calls the scripts.
 */
#ifndef BREAKERS_SCRIPT_H
#define BREAKERS_SCRIPT_H

struct redis_script;

/* Must be among the scripts of the redis given to breakers_new(). */
extern struct redis_script breakers_script;
extern struct redis_script breakers_peek_script;

#endif
