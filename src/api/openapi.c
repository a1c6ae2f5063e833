/*
 * The OpenAPI document: openapi_base.json beside this file, written by hand for what is no plain resource, plus paths and
 * schemas of all resources. schema/openapi.json is a copy that a test compares.
 */
#include "api/api_int.h"

#include "base/embed.h"

extern struct embed_file embed_openapi[];
extern const size_t embed_openapi_n;

static json_t *document(int64_t centre_id)
{
	const struct embed_file *f = embed_find(embed_openapi, embed_openapi_n, "openapi_base.json");
	json_error_t e;
	json_t *doc = json_loadb((const char *)f->data, f->size, JSON_REJECT_DUPLICATES, &e);
	json_t *paths, *schemas;

	if (!doc)
		log_error("openapi_base.json line=%d error=%s", e.line, e.text);
	assert(doc);
	paths = res_openapi_paths(centre_id);
	schemas = res_openapi_schemas(centre_id);
	(void)json_object_update_recursive(json_object_get(doc, "paths"), paths); /* a path may have methods from both */
	(void)json_object_update(json_object_get(json_object_get(doc, "components"), "schemas"), schemas);
	json_decref(paths);
	json_decref(schemas);
	return doc;
}

static char *text_of(int64_t centre_id)
{
	json_t *doc = document(centre_id);
	char *text = json_dumps(doc, JSON_INDENT(2)), *line;

	json_decref(doc);
	line = xasprintf("%s\n", text);
	free(text);
	return line;
}

char *api_openapi(void)
{
	return text_of(0);
}

void openapi_get(struct ask *k)
{
	char *text = text_of(k->who.centre_id);

	http_set_header(k->rq, "Cache-Control", "no-cache");
	http_reply(k->rq, 200, "application/json", text, strlen(text));
	free(text);
}
