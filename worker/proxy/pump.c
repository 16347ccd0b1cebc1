#include "pump.h"

#include "check.h"
#include "machine.h"

static const struct machine_state states[] = {
    [PUMP_SHUT] = {"shut", MACHINE_TO(PUMP_HELD) | MACHINE_TO(PUMP_OPEN) |
			       MACHINE_TO(PUMP_ASKED) | MACHINE_TO(PUMP_ENDED)},
    [PUMP_HELD] = {"held",
	MACHINE_TO(PUMP_OPEN) | MACHINE_TO(PUMP_ASKED) | MACHINE_TO(PUMP_SHUT)},
    [PUMP_OPEN] = {"open", MACHINE_TO(PUMP_ASKED) | MACHINE_TO(PUMP_SHUT)},
    [PUMP_ASKED] = {"asked", MACHINE_TO(PUMP_OPEN) | MACHINE_TO(PUMP_HELD) |
				 MACHINE_TO(PUMP_ENDED) |
				 MACHINE_TO(PUMP_SHUT)},
    [PUMP_ENDED] = {"ended",
	MACHINE_TO(PUMP_OPEN) | MACHINE_TO(PUMP_ASKED) | MACHINE_TO(PUMP_SHUT)},
};

/* False: a bug, and the client's connection closes, which ends the exchange. */
static bool
enter(struct pump *p, enum pump_state state)
{
	if (!CONFINED(machine_allows(states, p->state, state),
		"pump of a %s, %s, to be %s", p->name, states[p->state].name,
		states[state].name)) {
		stream_cut(p->front);
		return false;
	}
	MACHINE_STEP(states, p->state, state, "pump of a %s", p->name);
	return true;
}

/* A head or a piece comes only when one was asked for. */
static bool
is_asked(struct pump *p)
{
	if (CONFINED(p->state == PUMP_ASKED, "pump of a %s, %s, is answered",
		p->name, states[p->state].name))
		return true;
	stream_cut(p->front);
	return false;
}

static bool
keeps_up(const struct stream *to)
{
	return stream_is_answerable(to) && stream_backlog(to) == 0;
}

void
pump_hold(struct pump *p)
{
	(void)enter(p, PUMP_HELD);
}

void
pump_open(struct pump *p)
{
	enum pump_state state = keeps_up(p->to) ? PUMP_ASKED : PUMP_OPEN;

	if (enter(p, state) && state == PUMP_ASKED)
		stream_take(p->from);
}

void
pump_ask(struct pump *p)
{
	if (p->state == PUMP_OPEN && keeps_up(p->to) && enter(p, PUMP_ASKED))
		stream_take(p->from);
}

void
pump_ask_again(struct pump *p)
{
	if (!is_asked(p))
		return;
	if (keeps_up(p->to))
		stream_take(p->from);
	else
		(void)enter(p, PUMP_OPEN);
}

void
pump_on_piece(struct pump *p, const struct stream_piece *piece)
{
	if (!is_asked(p))
		return;
	if (piece->last) {
		if (enter(p, PUMP_ENDED))
			stream_write(p->to, piece);
		return;
	}
	stream_write(p->to, piece);
	pump_ask_again(p);
}

void
pump_end(struct pump *p)
{
	(void)enter(p, PUMP_ENDED);
}

void
pump_shut(struct pump *p)
{
	if (p->state != PUMP_SHUT)
		(void)enter(p, PUMP_SHUT);
}
