/* Keys for programs. 256 random bits need no slow hash: SHA-256 is kept, the token is shown once. */
#include "people/declared.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64,
	 .help_zh = "哪个程序在用，例如“CRM 同步”。", .help_en = "Which program uses it, such as \"CRM sync\"."},
	{"role", RES_KEY, "角色", "Role", RES_REQUIRED | RES_CREATE_ONLY, .ref = "roles",
	 .help_zh = "程序有此角色的权限；给够用的最小权限。", .help_en = "The program may do what this role may: give the least that will do."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true", .help_zh = "停用后立即失效。", .help_en = "When off, it is refused at once."},
	{"hash", RES_SECRET, "", "", RES_READONLY, .max = 64},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	char token[64], hash[65];

	int r = check_role_below(c, row_text(row, "role"));

	if (r || old)
		return r;
	people_token_make(token, sizeof(token));
	people_token_hash(hash, token);
	row_set(row, "hash", json_string(hash));
	res_once(c, "token", token);
	return 0;
}

const struct res_def people_tokens = {
	.name = "tokens", .table = "tokens", .zh = "程序密钥", .en = "API tokens",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "access",
	.before_write = before_write,
	.no_import = true,
};
