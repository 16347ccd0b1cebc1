/*
 * breakers_script - the scripts by which Redis decides the breakers' steps and
 * shows their states. breakers_link calls them.
 */
#ifndef BREAKERS_SCRIPT_H
#define BREAKERS_SCRIPT_H

struct redis_script;

/* To be among the scripts of the redis that breakers_new() is given. */
extern struct redis_script breakers_script;
extern struct redis_script breakers_peek_script;

#endif
