/* huawu user: what an administrator who is locked out needs, straight on the database; everything else is in the page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/base.h"
#include "db/db.h"
#include "people/people.h"

static void usage(void)
{
	printf("huawu user list  [--data DIR | --db PATH]\n"
	       "huawu user admin LOGIN [--data DIR | --db PATH]\n\n"
	       "  list   the people, their roles and whether they may log in\n"
	       "  admin  makes LOGIN an active administrator with a new random password, shown once\n\n"
	       "May be used while the server runs.\n");
}

static int list(struct db *db)
{
	struct db_stmt *st;
	int r = db_prepare(&st, db, "SELECT login, name, role, active, extension FROM users ORDER BY login");

	if (r)
		return r;
	printf("%-20s %-12s %-8s %-8s %s\n", "login", "role", "active", "ext", "name");
	while ((r = db_step(st)) == DB_ROW)
		printf("%-20s %-12s %-8s %-8s %s\n", db_text(st, 0), db_text(st, 2), db_i64(st, 3) ? "yes" : "no",
		       db_text(st, 4) ? db_text(st, 4) : "", db_text(st, 1));
	db_done(st);
	return r;
}

static int admin(struct db *db, const char *login)
{
	char password[64];
	int r;

	people_password_random(password, sizeof(password), 3);
	r = db_begin(db);
	if (r)
		return r;
	r = people_create_admin(db, login, password);
	if (!r)
		r = db_commit(db);
	else
		db_rollback(db);
	if (!r)
		printf("login: %s\npassword: %s\n", login, password);
	return r;
}

int user_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "--help", *login = NULL;
	char *path = NULL;
	struct db *db = NULL;
	int i = 2, r;

	if (strcmp(what, "list") != 0 && strcmp(what, "admin") != 0) {
		usage();
		return strcmp(what, "--help") && strcmp(what, "-h") ? 2 : 0;
	}
	if (!strcmp(what, "admin") && i < argc && argv[i][0] != '-')
		login = argv[i++];
	for (; i + 1 < argc; i += 2) {
		free(path);
		path = !strcmp(argv[i], "--data") ? xasprintf("%s/huawu.db", argv[i + 1])
		       : !strcmp(argv[i], "--db") ? xstrdup(argv[i + 1])
						  : NULL;
		if (!path)
			break;
	}
	if (i != argc || (!strcmp(what, "admin") && !login)) {
		usage();
		free(path);
		return 2;
	}
	if (!path)
		path = xstrdup("/var/lib/huawu/huawu.db");
	r = people_init(NULL);
	if (!r)
		r = db_open(&db, path, DB_RW);
	if (!r)
		r = db_migrate(db);
	if (!r)
		r = login ? admin(db, login) : list(db);
	if (r)
		fprintf(stderr, "huawu user: %s: %s\n", db_url_shown((char[200]){0}, 200, path), r < 0 ? strerror(-r) : "refused");
	db_close(db);
	free(path);
	return r ? 1 : 0;
}
