/* Domain answers as HTTP statuses: this table and nowhere else. Refusals of resources bring their own (resource.h). */
#include "api/api_int.h"

const struct api_code api_codes[] = {
	{"bad_json", 400},
	{"invalid", 422},
	{"bad_query", 400},
	{"no_session", 401},
	{"bad_login", 401},
	{"bad_password", 403},
	{"must_change_password", 403},
	{"csrf", 403},
	{"forbidden", 403},
	{"bad_origin", 403},
	{"no_phone", 403},
	{"not_found", 404},
	{"too_large", 413},
	{"no_trace", 404},
	{"no_recording", 404},
	{"conflict", 409},
	{"count_changed", 409},
	{"in_use", 409},
	{"file_type", 415},
	{"row_full", 413},
	{"label_taken", 422},
	{"no_text_column", 409},
	{"no_number_column", 409},
	{"fields_too_often", 409},
	{"rev_required", 428},
	{"slow_down", 429},
	{"busy", 503},
	{"internal", 500},
	{"database_away", 503},
	{"disk_full", 503},
	{"no_demo", 404},
	/* customers, people/customer.h */
	{"taken", 409},
	{"owned", 409},
	{"yours", 409},
	{"in_pool", 409},
	{"claim_cap", 409},
	{"own_cap", 409},
	{"merged", 409},
	{"erased", 409},
	{"undone", 409},
	{"asked", 409},
	{"ask_cap", 409},
	{"decided", 409},
	{"only_one", 409},
	/* the switch's refusals, sw_refusal_name() */
	{"unknown", 409},
	{"wrong_state", 409},
	{"no_device", 409},
	{"no_trunk", 409},
	{"bad_number", 409},
	{"no_call", 409},
	{"full", 409},
	{"stopping", 503},
	{"class_off", 403},
	{"abroad_off", 403},
	{"premium_off", 403},
	{"barred", 403},
	{"minutes_used", 403},
	{"emergency_test", 403},
	{"reveal_limit", 429},
	{"erased", 409},
	{"in_call", 409},
	{"never_call", 409},
	{"nobody_in_turn", 409},
	{"has_owner", 409},
	{"note_closed", 409},
	{"note_missing", 409},
	{"leave_running", 409},
	{"leave_too_old", 409},
};
const size_t api_code_n = ARRAY_LEN(api_codes);

int api_status_of(const char *code)
{
	for (size_t i = 0; i < api_code_n; i++)
		if (!strcmp(api_codes[i].code, code))
			return api_codes[i].status;
	return 500;
}
