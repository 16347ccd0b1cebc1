/*
 * title - what ps shows of this process: "drover: master [gateway]".
 *
 * Both processes. The role comes first, since `ps aux` on a terminal of 80
 * columns has 13 to 15 of them left: "drover: maste", "drover: worke". libbsd
 * writes it over the arguments and the environment, so it can't be longer than
 * those. Where it is shorter than argv[0] was, libbsd puts a '.' there; blanks
 * behind the title keep that from showing.
 */
#ifndef TITLE_H
#define TITLE_H

/* First of all: main()'s own arguments. */
void title_init(int argc, char **argv);
/* Which Drover of several: the configuration's file without folder and ending.
 */
void title_name(const char *config_path);
/* "drover: ROLE [NAME]MORE". */
void title_set(const char *role, const char *more);

#endif
