/* Nothing of another centre is reached by id: neither read nor written nor referred to. Over HTTP: http.c. */
#include "walk.h"

TEST(nothing_of_another_centre_is_reached_by_id)
{
	struct walk w;
	int64_t *ids = NULL;
	size_t n = 0;

	walk_init(&w);
	w.who.rights = &people_rights_shipped("admin")->res;
	for (size_t i = 0; i < seed_n; i++) {
		const struct res_def *d = res_find(seeds[i].d);
		int closed = d->closed ? 403 : 404;

		assert_int_equal(tried(NULL, &w, d, w.foreign[i], NULL, READ), 404);
		assert_int_equal(tried(NULL, &w, d, w.foreign[i], body_of(w.foreign, patch_of(i)), UPDATE), closed);
		assert_int_equal(tried(NULL, &w, d, w.foreign[i], NULL, REMOVE), closed);
		if (!d->personal) { /* what is no plain reading or writing asks so */
			forget(&w);
			assert_int_equal(res_may_row(&w.c, d, w.foreign[i], RES_READ), 1);
			assert_int_equal(w.error.status, 404);
			forget(&w);
			assert_int_equal(res_may_row(&w.c, d, w.id[i], RES_READ), 0);
		}
	}
	for (size_t k = 0; res_all[k]; k++) { /* what a change of many rows would reach */
		forget(&w);
		assert_int_equal(res_ids(&ids, &n, &w.c, res_all[k], NULL, NULL, 10000), 0);
		for (size_t j = 0; j < n; j++)
			for (size_t i = 0; i < seed_n; i++)
				assert_true(ids[j] != w.foreign[i]);
		free(ids);
		ids = NULL;
	}
	walk_done(&w);
}

TEST(nothing_refers_to_a_row_of_another_centre)
{
	struct walk w;
	size_t n = 0;

	walk_init(&w);
	w.who.rights = &people_rights_shipped("admin")->res;
	for (size_t k = 0; res_all[k]; k++) {
		const struct res_def *d = res_all[k];
		size_t base = first_seed(d->name);

		for (size_t i = 0; !d->closed && i < d->field_n; i++) {
			const struct res_field *fd = &d->fields[i];
			json_t *id, *body;

			if (fd->type != RES_REF)
				continue;
			id = idj(w.foreign[first_seed(fd->ref)]);
			body = pack1(fd->name, json_incref(id));
			show(fd, body);
			if (!tried(NULL, &w, d, w.id[base], body, UPDATE) || !*said(&w, fd->name))
				fail_msg("%s.%s takes a row of another centre: %d %s", d->name, fd->name, w.error.status, w.error.code ? w.error.code : "");
			if (seeds[base].body && !by_hand(d)) {
				body = body_of(w.id, seeds[base].body);
				(void)json_object_set(body, fd->name, id);
				show(fd, body);
				if (!tried(NULL, &w, d, 0, body, CREATE) || !json_object_get(w.error.fields, fd->name)) /* besides what is there twice */
					fail_msg("a new row's %s.%s takes a row of another centre: %d", d->name, fd->name, w.error.status);
			}
			json_decref(id);
			n++;
		}
	}
	assert_true(n > 30);
	walk_done(&w);
}
