/*
 * Readings: ICU's table gives a character's commonest one, and the list below what it does not know: surnames with a reading of their own,
 * and characters that names are found by under two. Sources: 通用规范汉字表 for the characters, 现代汉语词典 for the readings.
 */
#include "find/find.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "find/pinyin.h"
#include "find/words.h"

/* surname: as the first of a name; then as anything else, the likeliest first. NULL: as the table says. */
static const struct special {
	const char *han, *surname, *readings[PINYIN_READINGS];
} specials[] = {
	{"万", "wan", {"wan"}}, {"种", "chong", {"zhong", "chong"}}, {"重", "chong", {"chong", "zhong"}}, {"长", "zhang", {"chang", "zhang"}},
	{"单", "shan", {"dan", "shan"}}, {"曾", "zeng", {"zeng", "ceng"}}, {"仇", "qiu", {"chou", "qiu"}}, {"解", "xie", {"jie", "xie"}},
	{"查", "zha", {"cha", "zha"}}, {"区", "ou", {"qu", "ou"}}, {"盖", "ge", {"gai", "ge"}}, {"朴", "piao", {"pu", "piao"}},
	{"乐", "yue", {"le", "yue"}}, {"缪", "miao", {"miao", "mou"}}, {"翟", "zhai", {"zhai", "di"}}, {"尉", "wei", {"wei", "yu"}},
	{"冼", "xian", {"xian"}}, {"员", "yun", {"yuan", "yun"}}, {"纪", "ji", {"ji"}}, {"逄", "pang", {"pang"}}, {"繁", "po", {"fan", "po"}},
	{"谌", "chen", {"chen", "shen"}}, {"召", "shao", {"zhao", "shao"}}, {"秘", "bi", {"mi", "bi"}}, {"折", "she", {"zhe", "she"}},
	{"黑", "he", {"hei", "he"}}, {"洗", "xian", {"xi", "xian"}}, {"覃", "qin", {"qin", "tan"}}, {"那", "na", {"na"}}, {"哈", "ha", {"ha"}},
	{"都", "du", {"du", "dou"}}, {"宁", "ning", {"ning"}}, {"隗", "wei", {"wei", "kui"}}, {"应", "ying", {"ying"}}, {"燕", "yan", {"yan"}},
	{"句", "gou", {"ju", "gou"}}, {"阚", "kan", {"kan"}}, {"牟", "mou", {"mou", "mu"}}, {"祭", "zhai", {"ji", "zhai"}}, {"卜", "bu", {"bu", "bo"}},
	{"过", "guo", {"guo"}}, {"郇", "xun", {"xun", "huan"}}, {"撒", "sa", {"sa"}}, {"瞿", "qu", {"qu"}}, {"佴", "nai", {"nai"}},
	{"藏", "zang", {"cang", "zang"}}, {"车", "che", {"che", "ju"}}, {"盛", "sheng", {"sheng", "cheng"}}, {"强", "qiang", {"qiang", "jiang"}},
	{"薄", "bo", {"bo", "bao"}}, {"柏", "bai", {"bai", "bo"}}, {"葛", "ge", {"ge"}}, {"郗", "xi", {"xi", "chi"}}, {"奇", "qi", {"qi", "ji"}},
	{"么", "yao", {"me", "yao"}}, {"幺", "yao", {"yao"}}, {"角", "jue", {"jiao", "jue"}}, {"呙", "guo", {"guo"}}, {"任", "ren", {"ren"}},
	{"华", "hua", {"hua"}}, {"叶", "ye", {"ye"}}, {"石", "shi", {"shi", "dan"}}, {"贾", "jia", {"jia", "gu"}}, {"沈", "shen", {"shen"}},
	{"洪", "hong", {"hong"}}, {"宓", "mi", {"mi"}}, {"殷", "yin", {"yin"}}, {"晟", "cheng", {"sheng", "cheng"}}, {"费", "fei", {"fei", "bi"}},
	{"鲍", "bao", {"bao"}}, {"逯", "lu", {"lu"}}, {"亓", "qi", {"qi"}}, {"母", "mu", {"mu"}}, {"洗", "xian", {"xi", "xian"}},
	{"行", NULL, {"xing", "hang"}}, {"朝", NULL, {"chao", "zhao"}}, {"茜", NULL, {"qian", "xi"}}, {"还", "huan", {"huan", "hai"}},
	{"觉", NULL, {"jue", "jiao"}}, {"参", NULL, {"can", "shen"}}, {"传", NULL, {"chuan", "zhuan"}}, {"调", NULL, {"tiao", "diao"}},
	{"降", NULL, {"jiang", "xiang"}}, {"会", NULL, {"hui", "kuai"}}, {"大", NULL, {"da", "dai"}}, {"弹", NULL, {"dan", "tan"}},
	{"合", NULL, {"he", "ge"}}, {"率", NULL, {"lu", "shuai"}}, {"宿", NULL, {"su", "xiu"}}, {"厦", NULL, {"xia", "sha"}},
	{"校", NULL, {"xiao", "jiao"}}, {"省", NULL, {"sheng", "xing"}}, {"仔", NULL, {"zai", "zi"}}, {"六", NULL, {"liu", "lu"}},
	{"蚌", NULL, {"bang", "beng"}}, {"埔", NULL, {"pu", "bu"}}, {"陆", NULL, {"lu", "liu"}}, {"落", NULL, {"luo", "la"}},
	{"模", NULL, {"mo", "mu"}}, {"屏", NULL, {"ping", "bing"}}, {"色", NULL, {"se", "shai"}}, {"杉", NULL, {"shan", "sha"}},
	{"圩", NULL, {"wei", "xu"}}, {"巷", NULL, {"xiang", "hang"}}, {"系", NULL, {"xi", "ji"}}, {"纤", NULL, {"xian", "qian"}},
	{"莎", NULL, {"sha", "suo"}}, {"泊", NULL, {"bo", "po"}}, {"什", NULL, {"shi", "shen"}}, {"提", NULL, {"ti", "di"}},
	{"便", NULL, {"bian", "pian"}}, {"辟", NULL, {"pi", "bi"}}, {"阿", NULL, {"a", "e"}}, {"隽", NULL, {"jun", "juan"}},
	{"伽", NULL, {"jia", "qie"}}, {"瑕", NULL, {"xia"}}, {"说", NULL, {"shuo", "yue"}}, {"度", NULL, {"du", "duo"}},
	{"地", NULL, {"di", "de"}}, {"得", NULL, {"de", "dei"}}, {"给", NULL, {"gei", "ji"}}, {"颉", NULL, {"jie", "xie"}},
	{"嘉", NULL, {"jia"}}, {"栖", NULL, {"qi", "xi"}}, {"骑", NULL, {"qi"}}, {"戚", NULL, {"qi"}}, {"柜", NULL, {"gui", "ju"}},
	{"漯", NULL, {"luo", "ta"}}, {"泌", NULL, {"mi", "bi"}}, {"渑", NULL, {"mian", "sheng"}}, {"浒", NULL, {"hu", "xu"}},
	{"番", NULL, {"fan", "pan"}}, {"禺", NULL, {"yu"}}, {"台", NULL, {"tai"}}, {"堡", NULL, {"bao", "pu"}}, {"铅", NULL, {"qian", "yan"}},
	{"尺", NULL, {"chi"}}, {"恪", NULL, {"ke"}}, {"娜", NULL, {"na", "nuo"}}, {"婼", NULL, {"ruo"}}, {"芷", NULL, {"zhi"}},
};

static const struct {
	const char *han, *readings[2];
} doubles[] = {
	{"欧阳", {"ou", "yang"}}, {"尉迟", {"yu", "chi"}}, {"长孙", {"zhang", "sun"}}, {"万俟", {"mo", "qi"}}, {"澹台", {"tan", "tai"}},
	{"单于", {"chan", "yu"}}, {"夏侯", {"xia", "hou"}}, {"司马", {"si", "ma"}}, {"诸葛", {"zhu", "ge"}}, {"上官", {"shang", "guan"}},
	{"令狐", {"ling", "hu"}}, {"皇甫", {"huang", "fu"}}, {"宇文", {"yu", "wen"}}, {"慕容", {"mu", "rong"}}, {"乐正", {"yue", "zheng"}},
	{"重庆", {"chong", "qing"}}, {"长江", {"chang", "jiang"}}, {"长沙", {"chang", "sha"}}, {"长春", {"chang", "chun"}},
	{"长城", {"chang", "cheng"}}, {"重阳", {"chong", "yang"}}, {"华为", {"hua", "wei"}}, {"朝阳", {"chao", "yang"}},
	{"曾经", {"ceng", "jing"}}, {"查询", {"cha", "xun"}}, {"区域", {"qu", "yu"}}, {"单位", {"dan", "wei"}}, {"解放", {"jie", "fang"}},
	{"乐山", {"le", "shan"}}, {"乐视", {"le", "shi"}}, {"黑龙", {"hei", "long"}}, {"繁荣", {"fan", "rong"}}, {"种子", {"zhong", "zi"}},
	{"重型", {"zhong", "xing"}}, {"重工", {"zhong", "gong"}}, {"都市", {"du", "shi"}}, {"长安", {"chang", "an"}}, {"长治", {"chang", "zhi"}},
};

static uint32_t only_char(const char *han)
{
	uint32_t c[4];

	return fold_text(c, 4, han) == 1 ? c[0] : 0;
}

static uint32_t special_chars[ARRAY_LEN(specials)], double_chars[ARRAY_LEN(doubles)][4];

__attribute__((constructor)) static void read_specials(void)
{
	for (size_t i = 0; i < ARRAY_LEN(specials); i++)
		special_chars[i] = only_char(specials[i].han);
	for (size_t i = 0; i < ARRAY_LEN(doubles); i++)
		(void)fold_text(double_chars[i], 4, doubles[i].han);
}

size_t pinyin_readings(const char *ret[PINYIN_READINGS], uint32_t c, bool surname)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
		const struct special *s = &specials[i];

		if (special_chars[i] != c)
			continue;
		if (surname && s->surname)
			ret[n++] = s->surname;
		for (size_t k = 0; k < PINYIN_READINGS && s->readings[k] && n < PINYIN_READINGS; k++)
			if (!n || strcmp(ret[0], s->readings[k]) != 0)
				ret[n++] = s->readings[k];
		return n;
	}
	if (c < PINYIN_FIRST || c >= PINYIN_FIRST + PINYIN_CHARS || !pinyin_table[c - PINYIN_FIRST])
		return 0;
	ret[0] = pinyin_syllables[pinyin_table[c - PINYIN_FIRST]];
	return 1;
}

bool pinyin_surname_of_two(const char *ret[2], uint32_t a, uint32_t b)
{
	for (size_t i = 0; i < ARRAY_LEN(doubles); i++)
		if (double_chars[i][0] == a && double_chars[i][1] == b) {
			ret[0] = doubles[i].readings[0];
			ret[1] = doubles[i].readings[1];
			return true;
		}
	return false;
}

bool pinyin_beginning(uint16_t *from, uint16_t *to, const char *s, size_t n)
{
	uint16_t lo = 1, hi = pinyin_syllable_n;

	while (lo < hi) {
		uint16_t mid = (uint16_t)((lo + hi) / 2);

		if (strncmp(pinyin_syllables[mid], s, n) < 0)
			lo = (uint16_t)(mid + 1);
		else
			hi = mid;
	}
	*from = lo;
	while (lo < pinyin_syllable_n && !strncmp(pinyin_syllables[lo], s, n))
		lo++;
	*to = lo;
	return *from < *to;
}

bool pinyin_is_syllable(const char *s, size_t n)
{
	uint16_t from, to;

	return n && n < PINYIN_SYLLABLE && pinyin_beginning(&from, &to, s, n) && !pinyin_syllables[from][n];
}

/* ---- names ---- */

/* The likeliest reading of each character of a name; NULL where there is none. */
static void read_name(const char *ret[], const uint32_t *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *r[PINYIN_READINGS];
		bool first = !i || !c[i - 1];

		if (i + 1 < n && pinyin_surname_of_two(&ret[i], c[i], c[i + 1])) {
			i++;
			continue;
		}
		ret[i] = pinyin_is_han(c[i]) && pinyin_readings(r, c[i], first) ? r[0] : NULL;
	}
}

static size_t put_char(struct strb *b, uint32_t c)
{
	char s[4];
	size_t n = utf8_put(s, c);

	if (b->len + n < b->max)
		strb_add(b, s, n);
	return n;
}

/* A syllable, a blank, the character: so 李 is before 林, and those of one surname stay together. */
void find_name_sort(char ret[FIND_SORT_MAX], const char *name)
{
	uint32_t c[FIND_NAME_MAX];
	const char *read[FIND_NAME_MAX];
	size_t n = fold_text(c, FIND_NAME_MAX, name ? name : "");
	struct strb b;

	read_name(read, c, n);
	strb_init_fixed(&b, ret, FIND_SORT_MAX);
	*ret = '\0';
	for (size_t i = 0; i < n && b.len + PINYIN_SYLLABLE + 8 < FIND_SORT_MAX; i++) {
		if (read[i])
			strb_printf(&b, "%s ", read[i]);
		if (c[i])
			put_char(&b, c[i]);
		else if (b.len && i + 1 < n)
			strb_putc(&b, ' ');
	}
}

void find_pinyin(char *ret, size_t size, const char *name)
{
	uint32_t c[FIND_NAME_MAX];
	const char *read[FIND_NAME_MAX];
	size_t n = fold_text(c, FIND_NAME_MAX, name ? name : "");
	struct strb b;
	bool apart = false;

	read_name(read, c, n);
	strb_init_fixed(&b, ret, size);
	*ret = '\0';
	for (size_t i = 0; i < n && b.len + PINYIN_SYLLABLE + 8 < size; i++) {
		apart |= read[i] || !c[i];
		if (!c[i])
			continue;
		if (apart && b.len)
			strb_putc(&b, ' ');
		apart = read[i];
		if (read[i])
			strb_puts(&b, read[i]);
		else
			put_char(&b, c[i]);
	}
}

void find_initials(char *ret, size_t size, const char *name)
{
	uint32_t c[FIND_NAME_MAX];
	const char *read[FIND_NAME_MAX];
	size_t n = fold_text(c, FIND_NAME_MAX, name ? name : ""), len = 0;

	read_name(read, c, n);
	for (size_t i = 0; i < n && len + 1 < size; i++)
		if (read[i])
			ret[len++] = read[i][0];
		else if (c[i] && c[i] < 128 && (!i || !c[i - 1] || read[i - 1]))
			ret[len++] = (char)c[i];
	ret[len] = '\0';
}
