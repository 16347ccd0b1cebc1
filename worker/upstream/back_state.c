#include "back_state.h"

#include <sys/socket.h>

#include "check.h"

const struct machine_state back_parts[] = {
    [BACK_PART_NONE] = {"none", MACHINE_TO(BACK_PART_UNSENT)},
    [BACK_PART_UNSENT] = {"unsent",
	MACHINE_TO(BACK_PART_HEAD) | MACHINE_TO(BACK_PART_NONE)},
    [BACK_PART_HEAD] = {"head", MACHINE_TO(BACK_PART_FIRST) |
				    MACHINE_TO(BACK_PART_BYTES) |
				    MACHINE_TO(BACK_PART_NONE)},
    [BACK_PART_FIRST] = {"first",
	MACHINE_TO(BACK_PART_BODY) | MACHINE_TO(BACK_PART_NONE)},
    [BACK_PART_BODY] = {"body", MACHINE_TO(BACK_PART_NONE)},
    [BACK_PART_BYTES] = {"bytes", MACHINE_TO(BACK_PART_NONE)},
};

const struct machine_state back_readings[] = {
    [BACK_READING_QUIET] = {"quiet", MACHINE_TO(BACK_READING_ASKED)},
    [BACK_READING_ASKED] = {"asked",
	MACHINE_TO(BACK_READING_TELLING) | MACHINE_TO(BACK_READING_QUIET)},
    [BACK_READING_TELLING] = {"telling",
	MACHINE_TO(BACK_READING_ASKED) | MACHINE_TO(BACK_READING_QUIET)},
};

void
back_refuse(struct back *b, const struct machine_state *from,
    const struct machine_state *to)
{
	check_confined(__FILE__, __LINE__, "machine_allows()",
	    "connection %d to a backend, %s, to be %s", b->io.watch.fd,
	    from->name, to->name);
	(void)shutdown(b->io.watch.fd, SHUT_RDWR);
}

void
back_lose(struct back *b)
{
	if (b->stream.out != STREAM_OUT_NONE &&
	    b->stream.out != STREAM_OUT_GONE)
		back_enter_out(b, STREAM_OUT_GONE);
}
