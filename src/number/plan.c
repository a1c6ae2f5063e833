/* Names of numbers that have no home: emergency, service, shared-cost and toll-free ones. The plan's (MIIT, 2017), and well-known banks. */
#include <string.h>

#include "base/base.h"
#include "number/region.h"

static const struct named {
	const char *number, *zh, *en;
} names[] = {
	{"110", "报警", "Police"}, {"119", "火警", "Fire brigade"}, {"120", "急救", "Ambulance"}, {"122", "交通事故报警", "Traffic accidents"},
	{"114", "查号台", "Directory enquiries"}, {"10000", "中国电信客服", "China Telecom"}, {"10001", "中国电信客服", "China Telecom"},
	{"10010", "中国联通客服", "China Unicom"}, {"10011", "中国联通充值", "China Unicom, top-up"}, {"10086", "中国移动客服", "China Mobile"},
	{"10085", "中国移动", "China Mobile"}, {"10099", "中国广电客服", "China Broadnet"}, {"11183", "邮政速递", "China Post EMS"},
	{"11185", "邮政客服", "China Post"}, {"12110", "短信报警", "Police by text message"}, {"12121", "天气预报", "Weather"},
	{"12306", "铁路客服", "Railways"}, {"12315", "市场监管投诉举报", "Consumer complaints"}, {"12320", "卫生热线", "Health"},
	{"12321", "不良信息举报", "Reports of spam"}, {"12328", "交通运输服务", "Transport"}, {"12329", "住房公积金", "Housing fund"},
	{"12333", "人力资源和社会保障", "Social security"}, {"12345", "政务服务便民热线", "Government services"}, {"12348", "法律服务", "Legal aid"},
	{"12355", "青少年服务", "Youth services"}, {"12360", "海关", "Customs"}, {"12366", "税务", "Taxes"}, {"12367", "移民管理", "Immigration"},
	{"12368", "法院诉讼服务", "Courts"}, {"12377", "网络违法信息举报", "Reports of illegal content"}, {"12378", "银行保险投诉", "Banking and insurance complaints"},
	{"12379", "预警信息", "Emergency warnings"}, {"12381", "工信部反诈", "Fraud warnings"}, {"12388", "纪检监察举报", "Discipline inspection"},
	{"12393", "医疗保障", "Medical insurance"}, {"12395", "水上遇险求救", "Maritime rescue"},
	{"95500", "太平洋保险", "CPIC"}, {"95508", "广发银行", "China Guangfa Bank"}, {"95511", "中国平安", "Ping An"}, {"95518", "中国人保", "PICC"},
	{"95519", "中国人寿", "China Life"}, {"95528", "浦发银行", "SPD Bank"}, {"95533", "中国建设银行", "China Construction Bank"},
	{"95555", "招商银行", "China Merchants Bank"}, {"95558", "中信银行", "China CITIC Bank"}, {"95559", "交通银行", "Bank of Communications"},
	{"95561", "兴业银行", "Industrial Bank"}, {"95566", "中国银行", "Bank of China"}, {"95568", "中国民生银行", "China Minsheng Bank"},
	{"95577", "华夏银行", "Hua Xia Bank"}, {"95580", "邮政储蓄银行", "Postal Savings Bank"}, {"95588", "中国工商银行", "ICBC"},
	{"95595", "中国光大银行", "China Everbright Bank"}, {"95598", "国家电网", "State Grid"}, {"95599", "中国农业银行", "Agricultural Bank of China"},
	{"95338", "顺丰速运", "SF Express"},
};

static const struct named *kind_of(const struct num *n)
{
	static const struct named shared = {"", "400 电话（全国）", "400 number, nationwide"}, free_ = {"", "800 免费电话（全国）", "800 freephone, nationwide"},
				  nationwide = {"", "全国服务号码", "Service number, nationwide"}, local = {"", "本地服务号码", "Local service number"},
				  premium = {"", "收费信息服务", "Premium-rate service"}, carrier = {"", "运营商服务号码", "A carrier's service number"};

	switch (n->kind) {
	case NUM_SHARED:
		return &shared;
	case NUM_FREE:
		return &free_;
	case NUM_PREMIUM:
		return &premium;
	case NUM_SERVICE:
		return !strncmp(n->text, "95", 2) || !strncmp(n->text, "1010", 4) ? &nationwide
		       : !strncmp(n->text, "10", 2)				  ? &carrier
		       : !strncmp(n->text, "96", 2) || !strncmp(n->text, "12", 2) ? &local
										  : NULL;
	default:
		return NULL;
	}
}

const char *num_plan_name(const struct num *n, const char *lang)
{
	const struct named *found = NULL;

	if (n->kind == NUM_SERVICE || n->kind == NUM_EMERGENCY)
		for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++)
			if (!strcmp(n->text, names[i].number))
				found = &names[i];
	if (!found)
		found = kind_of(n);
	return !found ? "" : strcmp(lang, "en") ? found->zh : found->en;
}

bool num_region_text(char *buf, size_t size, const char *number, const char *area, const char *lang)
{
	struct num n;

	buf[0] = '\0';
	return number && num_read(&n, number, area) && num_region(buf, size, &n, lang);
}
