/*
 * Days and replay as a small program of their own, so that tests/replay_identity.sh can build it a second time without
 * optimisation: day_tool day ... | day_tool replay ...
 */
#include <stdio.h>
#include <string.h>

#include "sim/day.h"
#include "sim/replay.h"

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "day"))
		return sim_day_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "replay"))
		return replay_main(argc - 1, argv + 1);
	fprintf(stderr, "day_tool day|replay --help\n");
	return 2;
}
