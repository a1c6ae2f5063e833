/* What was imported, by whom, and how far it came. Written by api/import.c with the rows themselves; nobody changes it. */
#include "people/declared.h"

static const struct res_option states[] = {
	{"running", "进行中", "Running"},
	{"done", "已完成", "Done"},
	{"cancelled", "已取消", "Cancelled"},
	{"interrupted", "中断", "Interrupted"},
	{"undoing", "正在撤销", "Being undone"},
	{"undone", "已撤销", "Undone"},
	{"part_undone", "部分撤销", "Undone in part"},
	{NULL},
};

static const struct res_field fields[] = {
	{"file", RES_TEXT, "文件", "File", RES_READONLY | RES_SEARCH, .max = 200},
	{"what", RES_TEXT, "导入到", "Into", RES_READONLY | RES_SEARCH, .max = 64},
	{"by_name", RES_TEXT, "导入人", "By", RES_READONLY | RES_SEARCH, .max = 64},
	{"state", RES_ENUM, "状态", "State", RES_READONLY, .fallback = "running", .options = states,
	 .help_zh = "取消或中断以前已导入的行保留；同一个文件可以再导入一次，已有的行不会重复。",
	 .help_en = "What came in before it was cancelled or interrupted stays. The same file can be imported again: rows that are there are not doubled."},
	{"added", RES_INT, "新增", "New", RES_READONLY, .fallback = "0"},
	{"changed", RES_INT, "修改", "Changed", RES_READONLY, .fallback = "0"},
	{"unchanged", RES_INT, "未变", "Unchanged", RES_READONLY, .fallback = "0"},
	{"bad", RES_INT, "退回", "Refused", RES_READONLY, .fallback = "0"},
	{"undone", RES_INT, "已撤销", "Undone", RES_READONLY, .fallback = "0"},
	{"kept", RES_INT, "撤销时保留", "Left by the undo", RES_READONLY | RES_HIDE_LIST, .fallback = "0"},
	{"last_row", RES_INT, "到第几行", "Up to row", RES_READONLY, .fallback = "0",
	 .help_zh = "表格里这一行及以上都已处理。", .help_en = "This row of the sheet and all above it have been dealt with."},
};

const struct res_def people_imports = {
	.name = "imports", .table = "imports", .zh = "导入记录", .en = "Imports",
	.fields = fields, .field_n = ARRAY_LEN(fields),
	.label = "file", .order = "-created_ms",
	.group = "imports", .closed = true,
	.no_import = true,
};
