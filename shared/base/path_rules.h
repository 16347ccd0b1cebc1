/*
 * path_rules - the spellings of a path that are refused, or kept. The
 * configuration has the rules, path.h works by them.
 *
 * Both processes.
 */
#ifndef PATH_RULES_H
#define PATH_RULES_H

enum path_dots {
	PATH_DOTS_RESOLVE,
	PATH_DOTS_REFUSE,
};

enum path_empty {
	PATH_EMPTY_MERGE,
	PATH_EMPTY_KEEP,
	PATH_EMPTY_REFUSE,
};

enum path_escapes {
	PATH_ESCAPES_DECODE,
	PATH_ESCAPES_REFUSE,
};

enum path_slash {
	PATH_SLASH_KEEP,
	PATH_SLASH_REFUSE,
};

/* All zero: the defaults. */
struct path_rules {
	enum path_dots dot_segments;
	enum path_empty empty_segments;
	enum path_escapes escapes;     /* of unreserved characters */
	enum path_slash encoded_slash; /* %2F */
	enum path_slash backslash;     /* and %5C */
};

#endif
