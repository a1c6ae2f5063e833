/* `huawu seed bench --agents N --db PATH`: a database for benchmark and crash tests; not in the list of commands. */
#pragma once

int seed_main(int argc, char **argv);
