/* Header fields: the RFCs' own examples, and what is none. */
#include "sip/fields.h"

#include "base/test.h"

static struct pl pl_of(const char *s)
{
	struct pl p;

	pl_set_str(&p, s);
	return p;
}

TEST(session_expires_is_read_with_its_refresher)
{
	struct sipf_session s;
	struct pl p = pl_of("4000;refresher=uac"); /* RFC 4028 13, message 9 has uac */

	assert_true(sipf_session(&s, &p));
	assert_int_equal(s.expires_s, 4000);
	assert_int_equal(s.refresher, SIPF_UAC);
	p = pl_of(" 90 ; x=y;REFRESHER = UAS");
	assert_true(sipf_session(&s, &p));
	assert_int_equal(s.refresher, SIPF_UAS);
	p = pl_of("1800");
	assert_true(sipf_session(&s, &p));
	assert_int_equal(s.refresher, SIPF_NOBODY);
	static const char *const bad[] = {"", "-1", "99999999999", "4294967296", "18x", "1800;refresher=both", ";refresher=uac"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p = pl_of(bad[i]);
		assert_false(sipf_session(&s, &p));
	}
}

TEST(rack_names_the_answer_and_its_request)
{
	struct sipf_rack r;
	struct pl p = pl_of("776656 1 INVITE"); /* RFC 3262 7.2 */

	assert_true(sipf_rack(&r, &p));
	assert_int_equal(r.rseq, 776656);
	assert_int_equal(r.cseq, 1);
	assert_string_equal(r.method, "INVITE");
	static const char *const bad[] = {"", "1", "1 2", "0 1 INVITE", "1 x INVITE", "1 1 INVITE again", "1 1 INVITEINVITEINVITEINVITEINVITEINVITE"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p = pl_of(bad[i]);
		assert_false(sipf_rack(&r, &p));
	}
}

TEST(replaces_needs_both_tags_once)
{
	struct sipf_replaces r;
	struct pl p = pl_of("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff"); /* RFC 3891 6.1 */

	assert_true(sipf_replaces(&r, &p));
	assert_string_equal(r.call_id, "98732@sip.example.com");
	assert_string_equal(r.from_tag, "r33th4x0r");
	assert_string_equal(r.to_tag, "ff87ff");
	assert_false(r.early_only);
	p = pl_of("a ; to-tag=1 ;from-tag=2;early-only");
	assert_true(sipf_replaces(&r, &p));
	assert_true(r.early_only);
	static const char *const bad[] = {"a;to-tag=1", "a;from-tag=1", ";to-tag=1;from-tag=2", "a;to-tag=1;to-tag=2;from-tag=3", "a b;to-tag=1;from-tag=2", "a;to-tag=;from-tag=2"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p = pl_of(bad[i]);
		assert_false(sipf_replaces(&r, &p));
	}
}

TEST(refer_to_is_read_in_all_its_forms)
{
	struct sipf_refer_to r;
	struct pl p = pl_of("sip:alice@atlanta.example.com"); /* RFC 3515 2.1 */

	assert_true(sipf_refer_to(&r, &p));
	assert_string_equal(r.user, "alice");
	assert_false(r.attended);
	/* RFC 3515 2.1 */
	p = pl_of("<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>");
	assert_true(sipf_refer_to(&r, &p));
	assert_string_equal(r.user, "dave");
	assert_true(r.attended);
	assert_string_equal(r.replaces.call_id, "12345@192.168.118.3");
	assert_string_equal(r.replaces.to_tag, "12345");
	assert_string_equal(r.replaces.from_tag, "5FFE-3994");
	p = pl_of("\"Bob\" <sip:%38002@h;user=phone;method=INVITE?Accept-Contact=x>;a=b");
	assert_true(sipf_refer_to(&r, &p));
	assert_string_equal(r.user, "8002");
	assert_false(r.attended);
	p = pl_of("<tel:+8613800000000;phone-context=x>");
	assert_true(sipf_refer_to(&r, &p));
	assert_string_equal(r.user, "+8613800000000");
	static const char *const bad[] = {
		"", "<>", "<sip:8002@h", "http://x.example/", "<sip:h>", "<sip:a@h;method=BYE>", "<sip:a@h?Replaces=x>",
		"<sip:a@h?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>", "<sip:a%0d%0aX@h>",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p = pl_of(bad[i]);
		assert_false(sipf_refer_to(&r, &p));
	}
}
