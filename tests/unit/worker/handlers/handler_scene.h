/*
 * handler_scene - a worker without Redis whose routes have a handler each, for
 * the tests of handler.h.
 */
#ifndef HANDLER_SCENE_H
#define HANDLER_SCENE_H

#include "stage_scene.h"

#include "handler.h"
#include "offload.h"
#include "sequence.h"
#include "totals.h"

const struct stage *const chain_stages[] = {&metrics_stage, &count_stage,
    &cpu_bound_stage, &health_stage, &welcome_stage, &pass_stage, NULL};

static inline int
setup(void **state)
{
	(void)state;
	scene_open("%s", "instance: test\n"
			 "services:\n"
			 "- { name: users, endpoints: ['127.0.0.1:9'] }\n"
			 "routes:\n"
			 "- { path: /metrics, handler: metrics }\n"
			 "- { path: /count, handler: count }\n"
			 "- { path: /cpu, handler: cpu_bound }\n"
			 "- { path: /health, handler: health }\n"
			 "- { path: /welcome, handler: welcome }\n"
			 "- { path: /users, service: users }\n"
			 "- { path: /pass, respond: { json: '{}' } }\n");
	scene.rt.totals = totals_new(scene.rt.loop, NULL, scene.config,
	    scene.rt.scoreboard, scene.rt.index);
	assert_non_null(scene.rt.totals);
	scene.rt.sequence = sequence_new(scene.rt.loop, NULL, scene.config,
	    scene.rt.scoreboard, scene.rt.index);
	assert_non_null(scene.rt.sequence);
	scene.rt.offload = offload_new(scene.rt.loop);
	assert_non_null(scene.rt.offload);
	scene.rt.started_us = clock_ns() / 1000;
	open_stages();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	close_stages();
	offload_free(scene.rt.offload);
	sequence_free(scene.rt.sequence);
	totals_free(scene.rt.totals);
	scene_close();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
