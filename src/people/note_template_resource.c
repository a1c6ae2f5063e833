/* Templates of notes (小结模板): what is asked for after a call of a queue, or about a reason, and phrases that are inserted by a key. */
#include "people/declared.h"
#include "people/note.h"

static const struct res_field fields[] = {
	{"name", RES_TEXT, "名称", "Name", RES_REQUIRED | RES_UNIQUE | RES_SEARCH, .max = 64},
	{"queue_id", RES_REF, "队列", "Queue", 0, .ref = "queues",
	 .help_zh = "只用于这个队列的通话；留空：所有队列和外呼。", .help_en = "Only for calls of this queue; empty: of all queues, and calls out."},
	{"reason_id", RES_REF, "业务类型", "Reason", 0, .ref = "contact_reasons",
	 .help_zh = "坐席选了这个业务类型（或它的下级）时使用；留空：所有业务类型。最具体的模板优先。",
	 .help_en = "Used when the agent chose this reason or one below it; empty: all reasons. The most specific template is used."},
	{"fields", RES_JSON, "填写项", "Form", RES_HIDE_LIST, .fallback = "[]", .max = 32000,
	 .help_zh = "小结里要填的项目；必填的没有填，小结不能保存。", .help_en = "What is asked for; a note without what is required is not saved."},
	{"phrases", RES_JSON, "快捷短语", "Quick phrases", RES_HIDE_LIST, .fallback = "[]", .max = 32000,
	 .help_zh = "点一下，或在小结里输入 / 再选，就插入到光标处。", .help_en = "Inserted at the cursor by a click, or by typing / in the note."},
	{"active", RES_BOOL, "启用", "Active", 0, .fallback = "true"},
};

static int before_write(struct res_ctx *c, json_t *row, const json_t *old)
{
	if (json_object_get(row, "fields"))
		note_fields_check(c, json_object_get(row, "fields"));
	if (json_object_get(row, "phrases"))
		note_phrases_check(c, json_object_get(row, "phrases"));
	return 0;
}

const struct res_def people_note_templates = {
	.name = "note_templates", .table = "note_templates", .zh = "小结模板", .en = "Note templates",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "name", .order = "name",
	.group = "lists",
	.before_write = before_write,
	.no_import = true,
};
