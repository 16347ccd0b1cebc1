#include "stream_end.h"

static const struct {
	const char *word;
	const char *text;
} closes[] = {
#define X(symbol, word, text) [STREAM_END_##symbol] = {word, text},
    STREAM_END_REASONS(X)
#undef X
};

const char *
stream_end_str(enum stream_end reason)
{
	return closes[reason].text;
}

const char *
stream_end_word(enum stream_end reason)
{
	return closes[reason].word;
}
