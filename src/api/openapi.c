/*
 * The OpenAPI document: openapi_base.json beside this file, written by hand for what is no plain resource, plus paths and
 * schemas of all resources. schema/openapi.json is a copy that a test compares.
 */
#include "api/api_int.h"

#include "base/embed.h"

extern struct embed_file embed_openapi[];
extern const size_t embed_openapi_n;

static json_t *document(void)
{
	const struct embed_file *f = embed_find(embed_openapi, embed_openapi_n, "openapi_base.json");
	json_error_t e;
	json_t *doc = json_loadb((const char *)f->data, f->size, JSON_REJECT_DUPLICATES, &e);
	json_t *paths, *schemas;

	if (!doc)
		log_error("openapi_base.json line=%d error=%s", e.line, e.text);
	assert(doc);
	paths = res_openapi_paths();
	schemas = res_openapi_schemas();
	(void)json_object_update(json_object_get(doc, "paths"), paths);
	(void)json_object_update(json_object_get(json_object_get(doc, "components"), "schemas"), schemas);
	json_decref(paths);
	json_decref(schemas);
	return doc;
}

char *api_openapi(void)
{
	json_t *doc = document();
	char *text = json_dumps(doc, JSON_INDENT(2)), *line;

	json_decref(doc);
	line = xasprintf("%s\n", text);
	free(text);
	return line;
}

void openapi_get(struct ask *k)
{
	char *text = api_openapi();

	http_set_header(k->rq, "Cache-Control", "no-cache");
	http_reply(k->rq, 200, "application/json", text, strlen(text));
	free(text);
}
