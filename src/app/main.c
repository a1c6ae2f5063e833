/* huawu: one program, several commands. */
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "base/version.h"

static int version_main(int argc, char **argv)
{
	printf("huawu %s\n", HUAWU_VERSION);
	return 0;
}

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static int help_main(int argc, char **argv);

static const struct command commands[] = {
	{"serve", serve_main, "run the call centre"},
	{"user", user_main, "list people, give an administrator a new password"},
	{"version", version_main, "print the version"},
	{"help", help_main, "this list"},
};

static int help_main(int argc, char **argv)
{
	printf("huawu COMMAND [options]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].help)
			printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\nhuawu COMMAND --help says more.\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "huawu: unknown command '%s'; see huawu help\n", name);
	return 2;
}
