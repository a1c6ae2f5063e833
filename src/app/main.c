/* huawu: one program, several commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "app/app.h"
#include "app/seed.h"
#include "base/version.h"
#include "sim/day.h"
#include "sim/net.h"
#include "sim/pacing.h"
#include "sim/replay.h"

static int openapi_main(int argc, char **argv)
{
	char *text = api_openapi();

	fputs(text, stdout);
	free(text);
	return 0;
}

/* sim net | sim day | sim pacing: the simulator's own commands. */
static int sim_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "--help";

	if (!strcmp(what, "net"))
		return sim_net_main(argc - 1, argv + 1);
	if (!strcmp(what, "day"))
		return sim_day_main(argc - 1, argv + 1);
	if (!strcmp(what, "pacing"))
		return sim_pacing_main(argc - 1, argv + 1);
	printf("huawu sim net [options]   a simulated telephone network: real SIP and RTP\n"
	       "huawu sim day [options]   a day of calls in virtual time on the real routing core\n"
	       "huawu sim pacing [options]   days of outbound dialling in virtual time on the real pacing core, and others beside it\n");
	return strcmp(what, "--help") && strcmp(what, "-h") ? 2 : 0;
}

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
	{"cert", cert_main, "make a centre CA and a server certificate, for https without internet"},
	{"doctor", doctor_main, "look at machine, configuration and data, and say what to do"},
	{"backup-db", backup_main, "copy the database while the server runs"},
	{"restore-db", restore_main, "put a copy in its place, to go back before an upgrade"},
	{"import-prefixes", import_prefixes_main, "read a table of number regions, half a million rows"},
	{"verify", verify_main, "recompute the hash chains of the event log and the audit"},
	{"replay", replay_main, "derive every routing decision anew from the log and compare"},
	{"allocate", allocate_main, "draw an allocation of customers again from its certificate"},
	{"sim", sim_main, "simulated days and a simulated telephone network"},
	{"openapi", openapi_main, "print the API's OpenAPI document"},
	{"seed", seed_main, NULL},
	{"version", version_main, "print the version"},
	{"help", help_main, "this list"},
};

static int help_main(int argc, char **argv)
{
	printf("huawu COMMAND [options]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].help)
			printf("  %-15s %s\n", commands[i].name, commands[i].help);
	printf("\nhuawu COMMAND --help says more.\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";

	(void)umask(077); /* numbers, recordings, keys: nobody else's on this machine */
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
