#include "stream.h"

const struct machine_state stream_outs[] = {
    [STREAM_OUT_NONE] = {"none",
	MACHINE_TO(STREAM_OUT_BEGUN) | MACHINE_TO(STREAM_OUT_GONE)},
    [STREAM_OUT_BEGUN] = {"begun", MACHINE_TO(STREAM_OUT_ENDED) |
				       MACHINE_TO(STREAM_OUT_GONE) |
				       MACHINE_TO(STREAM_OUT_NONE)},
    [STREAM_OUT_ENDED] = {"ended", MACHINE_TO(STREAM_OUT_BEGUN) |
				       MACHINE_TO(STREAM_OUT_GONE) |
				       MACHINE_TO(STREAM_OUT_NONE)},
    [STREAM_OUT_GONE] = {"gone", MACHINE_TO(STREAM_OUT_NONE)},
};
