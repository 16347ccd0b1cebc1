#include "session_close.h"

static const struct {
	const char *word;
	const char *text;
} closes[] = {
#define X(symbol, word, text) [SESSION_CLOSE_##symbol] = {word, text},
    SESSION_CLOSE_REASONS(X)
#undef X
};

const char *
session_close_str(enum session_close reason)
{
	return closes[reason].text;
}

const char *
session_close_word(enum session_close reason)
{
	return closes[reason].word;
}
