/*
 * Announcements that were taught. Rows are made by people_sound_new alone, from a sound; name, class and whether it counts are a person's to
 * change. The sound and its print lie beside the row, since they are large and nobody lists them.
 */
#include "people/declared.h"

#include <errno.h>

#include "db/db.h"
#include "people/sound.h"

/* By hear_class_name; api/sounds_test.c holds both lists together. */
static const struct res_option classes[] = {
	{"empty", "空号", "Number does not exist"},
	{"suspended", "停机", "Suspended"},
	{"off", "关机", "Switched off"},
	{"unreachable", "无法接通、不在服务区", "Not reachable"},
	{"busy", "正在通话、占线", "Busy"},
	{"noanswer", "无人接听", "No answer"},
	{"assistant", "来电秘书、智能助理", "Assistant, voicemail"},
	{"ringback", "彩铃（只是在响）", "Ring-back tune (only rings)"},
	{NULL},
};

static const struct res_option sources[] = {
	{"upload", "上传", "Uploaded"},
	{"heard", "从通话里听到", "Heard on a call"},
	{NULL},
};

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 60},
	{"class", RES_ENUM, "含义", "Meaning", RES_REQUIRED, .options = classes},
	{"active", RES_BOOL, "启用", "In use", 0, .fallback = "true", .help_zh = "停用后不再按它识别，通话里听到时当作没教过。",
	 .help_en = "Not in use it is as if nobody had taught it."},
	{"length_ms", RES_INT, "时长（秒）", "Length (s)", RES_READONLY, .max = 120000, .decimals = 3},
	{"source", RES_ENUM, "来源", "From", RES_READONLY, .options = sources},
	{"note", RES_TEXT, "备注", "Note", RES_SEARCH, .max = 200},
	{"user_id", RES_REF, "教的人", "Taught by", RES_READONLY, .ref = "users"},
};

/* A row without a sound would be of no use. */
static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	static const char *const given[] = {"length_ms", "source", "user_id"};

	if (old)
		return 0;
	if (!c->prepared) {
		res_fail(c, 403, "forbidden", NULL, NULL);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		(void)json_object_set(row, given[i], json_object_get(c->prepared, given[i]));
	return 0;
}

static int before_delete(struct res_ctx *c, int64_t id, const json_t *old)
{
	return db_run(c->db, "DELETE FROM call_sound_data WHERE sound_id = $1", "i", id);
}

const struct res_def people_call_sounds = {
	.name = "call_sounds", .table = "call_sounds", .zh = "运营商提示音", .en = "Carriers' announcements",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "class",
	.group = "outbound",
	.before_write = before_write, .before_delete = before_delete,
	.configures_switch = true, .no_import = true, .no_page = true,
};

int people_sound_new(json_t **ret, struct res_ctx *c, const struct people_sound *s)
{
	json_t *body = json_pack("{s:s, s:s, s:s?}", "name", s->name, "class", s->class, "note", s->note), *row = NULL;
	struct res_ctx own = *c;
	char user[24] = "";
	int r;

	if (c->who->user_id)
		(void)snprintf(user, sizeof(user), "%lld", (long long)c->who->user_id);
	own.prepared = json_pack("{s:I, s:s, s:o}", "length_ms", (json_int_t)s->length_ms, "source", s->source, "user_id",
				 user[0] ? json_string(user) : json_null());
	r = res_create(&row, &own, &people_call_sounds, body);
	if (!r)
		r = db_run(c->db, "INSERT INTO call_sound_data (sound_id, centre_id, print, alaw) VALUES ($1, $2, $3, $4)", "iibb", row_id(row, "id"),
			   c->who->centre_id, s->print, s->print_n, s->alaw, s->alaw_n);
	json_decref(own.prepared);
	own.prepared = NULL;
	json_decref(body);
	if (r)
		json_decref(row);
	else
		*ret = row;
	return r;
}
