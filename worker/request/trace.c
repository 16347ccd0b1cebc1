#include "trace.h"

#include <sys/random.h>

#include <errno.h>
#include <string.h>

#include "octet.h"

/* Offsets in a traceparent (section 3.2.2): version, trace id, parent id,
 * flags, with a dash between them. */
#define VERSION_LEN 2
#define TRACE_AT 3
#define TRACE_LEN 32
#define PARENT_AT 36
#define PARENT_LEN 16
#define FLAGS_AT 53
#define FLAGS_LEN 2

/* ---- random numbers ---- */

int
trace_source_init(struct trace_source *source)
{
	uint64_t any = 0;

	/* All zeros is the only state that the generator never leaves. */
	while (any == 0) {
		ssize_t n = getrandom(source->state, sizeof(source->state), 0);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n != (ssize_t)sizeof(source->state))
			continue;
		for (int i = 0; i < 4; i++)
			any |= source->state[i];
	}
	return 0;
}

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t
trace_random(struct trace_source *source)
{
	uint64_t *s = source->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

/* Eight digits at once. Each nibble gets a byte of its own; a nibble above 9
 * gets the distance to the letters. The order of the digits does not matter for
 * a random number. */
static void
put_hex(char *to, uint32_t n)
{
	uint64_t x = n, letters;

	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & OCTET_EACH(0x0f);
	letters = (x + OCTET_EACH(6)) >> 4 & OCTET_EACH(1);
	x += OCTET_EACH('0') + letters * ('a' - '0' - 10);
	memcpy(to, &x, sizeof(x));
}

/* Writes len hex digits, a multiple of 16, not all zero. */
static void
put_random(char *to, size_t len, struct trace_source *source)
{
	uint64_t any = 0;

	while (any == 0) {
		for (size_t at = 0; at < len; at += 16) {
			uint64_t n = trace_random(source);

			any |= n;
			put_hex(to + at, (uint32_t)n);
			put_hex(to + at + 8, (uint32_t)(n >> 32));
		}
	}
}

/* ---- validity ---- */

static bool
is_id(struct slice s)
{
	static const char marks[] = "-_.~:/+=@|#%!*";

	if (s.len == 0 || s.len > TRACE_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') &&
		    memchr(marks, c, sizeof(marks) - 1) == NULL)
			return false;
	}
	return true;
}

/* Lower case only: section 3.2.2, HEXDIGLC. */
static bool
is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= '0' && s[i] <= '9') &&
		    !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

static bool
is_zero(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] != '0')
			return false;
	return true;
}

static bool
is_version_00(struct slice s)
{
	return is_zero(s.at, VERSION_LEN);
}

/* Sections 3.2.2 and 3.2.4: a later version begins like 00 and may go on
 * after another dash; ff is none. */
static bool
is_parent(struct slice s)
{
	const char *at = s.at;

	if (s.len < TRACE_PARENT_BYTES || at[VERSION_LEN] != '-' ||
	    at[PARENT_AT - 1] != '-' || at[FLAGS_AT - 1] != '-')
		return false;
	if (!is_hex(at, VERSION_LEN) || memcmp(at, "ff", VERSION_LEN) == 0 ||
	    !is_hex(at + TRACE_AT, TRACE_LEN) ||
	    !is_hex(at + PARENT_AT, PARENT_LEN) ||
	    !is_hex(at + FLAGS_AT, FLAGS_LEN))
		return false;
	if (is_zero(at + TRACE_AT, TRACE_LEN) ||
	    is_zero(at + PARENT_AT, PARENT_LEN))
		return false;
	return s.len == TRACE_PARENT_BYTES ||
	       (!is_version_00(s) && at[TRACE_PARENT_BYTES] == '-');
}

/* ---- names ---- */

static void
copy(char *to, struct slice from)
{
	memcpy(to, from.at, from.len);
	to[from.len] = '\0';
}

static void
make_parent(char *parent, struct trace_source *source)
{
	memcpy(parent, "00-", sizeof("00-"));
	put_random(parent + TRACE_AT, TRACE_LEN, source);
	parent[PARENT_AT - 1] = '-';
	put_random(parent + PARENT_AT, PARENT_LEN, source);
	memcpy(parent + FLAGS_AT - 1, "-01", sizeof("-01"));
}

/* The header of that kind, if unique. No bytes for none, for several, and for
 * one that Connection names, which ends at this hop. */
static struct slice
only(const struct head *head, enum head_field_id field)
{
	struct slice found = {"", 0};
	unsigned count = 0;

	for (size_t i = 0; i < head->field_count; i++)
		if (head->fields[i].id == field && !head->fields[i].nominated &&
		    ++count == 1)
			found = head->fields[i].value;
	return count == 1 ? found : (struct slice){"", 0};
}

void
trace_new_id(struct trace_source *source, char id[TRACE_NEW_ID_LEN + 1])
{
	put_random(id, TRACE_NEW_ID_LEN, source);
	id[TRACE_NEW_ID_LEN] = '\0';
}

void
trace_of_request(
    struct trace *trace, struct trace_source *source, const struct head *head)
{
	struct slice id = only(head, FIELD_X_REQUEST_ID);
	struct slice parent = only(head, FIELD_TRACEPARENT);

	trace->parent_is_new = !is_parent(parent);
	trace->parent[0] = '\0';
	if (trace->parent_is_new)
		make_parent(trace->parent, source);
	else if (is_version_00(parent))
		copy(trace->parent, parent);
	trace->id_is_new = !is_id(id);
	if (!trace->id_is_new) {
		copy(trace->id, id);
		trace->id_len = (uint8_t)id.len;
		return;
	}
	/* The first request of a new trace has one name for both. A reader of a
	 * log finds the trace by the id. */
	if (trace->parent_is_new)
		memcpy(trace->id, trace->parent + TRACE_AT, TRACE_LEN);
	else
		put_random(trace->id, TRACE_LEN, source);
	trace->id[TRACE_LEN] = '\0';
	trace->id_len = TRACE_LEN;
}
