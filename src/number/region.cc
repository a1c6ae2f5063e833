/* The only C++ file: a shim over libphonenumber's geocoder. Each thread has one of its own, since it reads its tables lazily. */
#include "number/region.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <phonenumbers/geocoding/phonenumber_offline_geocoder.h>
#include <phonenumbers/phonenumber.pb.h>
#include <unicode/locid.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberOfflineGeocoder;

/* Canonical numbers need no parsing: country code and the rest. */
static std::string describe(const char *e164, unsigned cc, const char *lang)
{
	static thread_local PhoneNumberOfflineGeocoder geocoder;
	std::string digits = std::to_string(cc);
	PhoneNumber p;

	if (e164[0] != '+' || strncmp(e164 + 1, digits.c_str(), digits.size()) != 0)
		return "";
	p.set_country_code((int)cc);
	p.set_national_number(strtoull(e164 + 1 + digits.size(), nullptr, 10));
	return geocoder.GetDescriptionForNumber(p, strcmp(lang, "en") ? icu::Locale::getChinese() : icu::Locale::getEnglish());
}

/* It names the country when it does not know the place. */
static bool knows_nothing(const std::string &s)
{
	return s.empty() || s == "中国" || s == "China";
}

static bool is_mainland(const struct num *n)
{
	return n->cc == 86 && (n->kind == NUM_MOBILE || n->kind == NUM_FIXED || n->kind == NUM_SHARED || n->kind == NUM_FREE || n->kind == NUM_SERVICE);
}

static size_t find_in_table(struct num_place *ret, const struct num *n)
{
	return is_mainland(n) ? num_prefix_find(ret, n->text + (n->text[0] == '+' ? 3 : 0)) : 0;
}

static std::string area_name(const char *area, const char *lang)
{
	return describe((std::string("+86") + area + "20000000").c_str(), 86, lang);
}

/* "广东深圳", "北京": a city that is its own province is said once. In English by the area code, since tables are Chinese. */
static std::string words_of(const struct num_place *p, const char *lang)
{
	std::string s;

	if (!strcmp(lang, "en") && p->area[0])
		s = area_name(p->area, "en");
	if (!knows_nothing(s))
		return s;
	s = p->province;
	if (strncmp(p->city, p->province, strlen(p->province)) == 0)
		s.clear();
	return s + p->city;
}

static bool say(struct num_region *ret, const std::string &s, enum num_region_why why)
{
	if (knows_nothing(s) || s.size() >= sizeof(ret->text))
		return false;
	memcpy(ret->text, s.c_str(), s.size() + 1);
	ret->why = why;
	return true;
}

bool num_region_of(struct num_region *ret, const struct num *n, const char *lang)
{
	struct num_place place;
	size_t len = find_in_table(&place, n);

	memset(ret, 0, sizeof(*ret));
	if (len && say(ret, words_of(&place, lang), NUM_R_TABLE)) {
		ret->place = place;
		memcpy(ret->prefix, n->text + (n->text[0] == '+' ? 3 : 0), len);
		return true;
	}
	if ((n->kind == NUM_MOBILE || n->kind == NUM_FIXED || (n->kind == NUM_ABROAD && n->cc)) && say(ret, describe(n->text, n->cc, lang), NUM_R_LIBRARY))
		return true;
	return say(ret, num_plan_name(n, lang), NUM_R_PLAN);
}

bool num_region(char *buf, size_t size, const struct num *n, const char *lang)
{
	struct num_region r;
	bool known = num_region_of(&r, n, lang) && strlen(r.text) < size;

	memcpy(buf, r.text, known ? strlen(r.text) + 1 : 0);
	if (!known)
		buf[0] = '\0';
	return known;
}

const char *num_region_why_name(enum num_region_why why)
{
	static const char *const names[NUM_REGION_WHYS] = {"none", "table", "library", "plan"};

	return names[why];
}

/* A row without area code is compared by the city's name in that of the area: 深圳 in 广东省深圳市. */
static enum num_city city_in_table(const struct num_place *p, const char *area)
{
	std::string home;

	if (p->area[0])
		return strcmp(p->area, area) ? NUM_CITY_OTHER : NUM_CITY_HOME;
	home = area_name(area, "zh");
	if (!p->city[0] || knows_nothing(home))
		return NUM_CITY_UNKNOWN;
	return home.find(p->city) != std::string::npos ? NUM_CITY_HOME : NUM_CITY_OTHER;
}

enum num_city num_city_of(const struct num *n, const char *area)
{
	struct num_place place;
	std::string home, here;

	if (n->kind != NUM_MOBILE || !area || !*area)
		return NUM_CITY_UNKNOWN;
	if (find_in_table(&place, n)) {
		enum num_city city = city_in_table(&place, area);

		if (city != NUM_CITY_UNKNOWN)
			return city;
	}
	home = area_name(area, "zh");
	here = describe(n->text, 86, "zh");
	if (knows_nothing(home) || knows_nothing(here))
		return NUM_CITY_UNKNOWN;
	return here == home ? NUM_CITY_HOME : NUM_CITY_OTHER;
}
