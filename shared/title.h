/*
 * title - what ps shows of this process: "drover: master".
 *
 * Both processes. libbsd writes it over the arguments and the environment, so
 * it can't be longer than those. Where it is shorter than argv[0] was, libbsd
 * puts a '.' there; blanks behind the title keep that from showing.
 */
#ifndef TITLE_H
#define TITLE_H

/* First of all: main()'s own arguments. */
void title_init(int argc, char **argv);
/* What comes behind "drover: ". */
__attribute__((format(printf, 1, 2))) void title_set(const char *fmt, ...);

#endif
