/*
 * title - the name of the process in ps: "drover: master [gateway]".
 *
 * Both processes. The role comes first: `ps aux` on a terminal of 80 columns
 * has 13 to 15 left, "drover: maste", "drover: worke". libbsd writes the title
 * over the arguments and the environment, which limit the length. Behind a
 * title shorter than argv[0], libbsd puts a '.'; blanks hide the dot.
 */
#ifndef TITLE_H
#define TITLE_H

/* First of all: main()'s own arguments. */
void title_init(int argc, char **argv);
/* The name among several Drovers: the file of the configuration without folder
 * and ending. */
void title_name(const char *config_path);
/* "drover: ROLE [NAME]MORE". */
void title_set(const char *role, const char *more);

#endif
