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

bool num_region(char *buf, size_t size, const struct num *n, const char *lang)
{
	std::string s;

	if (n->kind == NUM_MOBILE || n->kind == NUM_FIXED || (n->kind == NUM_ABROAD && n->cc))
		s = describe(n->text, n->cc, lang);
	if (s.size() >= size || knows_nothing(s))
		s.clear();
	memcpy(buf, s.c_str(), s.size() + 1);
	return !s.empty();
}

enum num_city num_city_of(const struct num *n, const char *area)
{
	std::string home, here;

	if (n->kind != NUM_MOBILE || !area || !*area)
		return NUM_CITY_UNKNOWN;
	home = describe((std::string("+86") + area + "20000000").c_str(), 86, "zh");
	here = describe(n->text, 86, "zh");
	if (knows_nothing(home) || knows_nothing(here))
		return NUM_CITY_UNKNOWN;
	return here == home ? NUM_CITY_HOME : NUM_CITY_OTHER;
}
