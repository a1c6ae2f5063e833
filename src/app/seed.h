/* `huawu seed bench|rows`: databases for tests and the benchmark; not in the list of commands. */
#pragma once

int seed_main(int argc, char **argv);
