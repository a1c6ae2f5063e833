/* The certificate as browsers will judge it, and whether they will give a microphone at all. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor.h"
#include "base/base.h"

#define DAYS_WARN 21

/* The first certificate of the file, and the others behind it. */
static X509 *read_chain(const char *path, STACK_OF(X509) *rest)
{
	FILE *f = fopen(path, "re");
	X509 *first = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL, *x;

	while (first && (x = PEM_read_X509(f, NULL, NULL, NULL)))
		(void)sk_X509_push(rest, x);
	ERR_clear_error();
	if (f)
		(void)fclose(f);
	return first;
}

static int no_passphrase(char *buf, int size, int rw, void *arg)
{
	return 0;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, no_passphrase, NULL) : NULL;

	ERR_clear_error();
	if (f)
		(void)fclose(f);
	return key;
}

static void check_days(struct doctor *d, const X509 *x)
{
	const char *title = T("证书期限", "Certificate's time");
	time_t now = d->now_ms / 1000;
	int days = 0, secs = 0;
	ASN1_TIME *t = ASN1_TIME_set(NULL, now);

	(void)ASN1_TIME_diff(&days, &secs, t, X509_get0_notAfter(x));
	if (ASN1_TIME_compare(X509_get0_notBefore(x), t) > 0) {
		doc_found(d, "cert.days", title, DOC_ERROR, T("还没有生效：证书时间在将来，或本机时钟慢了", "it is not valid yet: it begins in the future, or this clock is behind"));
		doc_todo(d, T("先看时钟", "look at the clock first"));
	} else if (days < 0 || secs < 0) {
		doc_found(d, "cert.days", title, DOC_ERROR, T("已过期 %d 天，浏览器会拒绝", "it expired %d days ago: browsers refuse it"), -days);
		doc_todo(d, T("huawu cert --dir %s/tls 做一张新的（服务几秒内自动换上）；单位的证书用 --cert 和 --key 换入",
			      "huawu cert --dir %s/tls makes a new one (the server takes it within seconds); a company's goes in with --cert and --key"), d->conf->data_dir);
	} else if (days < DAYS_WARN) {
		doc_found(d, "cert.days", title, DOC_WARN, T("还有 %d 天到期", "%d days left"), days);
		doc_todo(d, T("huawu cert --dir %s/tls 做一张新的（服务几秒内自动换上）", "huawu cert --dir %s/tls makes a new one (the server takes it within seconds)"), d->conf->data_dir);
	} else {
		doc_found(d, "cert.days", title, DOC_OK, T("还有 %d 天", "%d days left"), days);
	}
	ASN1_TIME_free(t);
}

/* Addresses of this machine that the certificate names; @missing: those that it does not, " 10.0.0.5 10.0.0.6". */
static unsigned names_fit(const X509 *cx, struct strb *missing)
{
	X509 *x = (X509 *)(uintptr_t)cx;
	struct ifaddrs *all = NULL;
	char host[256] = "";
	unsigned fit = 0;

	if (!gethostname(host, sizeof(host) - 1) && X509_check_host(x, host, 0, 0, NULL) == 1)
		fit++;
	if (getifaddrs(&all))
		return fit;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
			continue;
		(void)inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, text, sizeof(text));
		if (X509_check_ip_asc(x, text, 0) == 1)
			fit++;
		else
			strb_printf(missing, " %s", text);
	}
	freeifaddrs(all);
	return fit;
}

static void check_names(struct doctor *d, X509 *x)
{
	const char *title = T("证书名称", "Certificate's names");
	const char *external = d->conf->sip_external;
	struct strb missing, names;
	GENERAL_NAMES *san;
	unsigned fit;

	strb_init(&missing, 1024);
	strb_init(&names, 1024);
	strb_puts(&names, "");
	strb_puts(&missing, "");
	fit = names_fit(x, &missing);
	if (external && X509_check_ip_asc(x, external, 0) == 1)
		fit++;
	san = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; san && i < sk_GENERAL_NAME_num(san); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(san, i);

		if (g->type == GEN_DNS)
			strb_printf(&names, " %.*s", ASN1_STRING_length(g->d.dNSName), (const char *)ASN1_STRING_get0_data(g->d.dNSName));
	}
	if (fit) {
		doc_found(d, "cert.names", title, DOC_OK, T("与本机的名称或地址相符", "they fit this machine's name or addresses"));
	} else if (san && names.len && strcmp(names.buf, " localhost") != 0) {
		/* A name in the company's DNS may well be right; only the browser can tell. */
		doc_found(d, "cert.names", title, DOC_WARN, T("证书写的是%s，本机的名称和地址都不在其中", "it names%s, none of which is this machine's name or address"), names.buf);
		doc_todo(d, T("请只用证书上的名称打开网页；要用地址打开，就执行 huawu cert --dir %s/tls --name 地址",
			      "open the page by a name of the certificate only; or make one with the address: huawu cert --dir %s/tls --name ADDRESS"), d->conf->data_dir);
	} else {
		doc_found(d, "cert.names", title, DOC_ERROR, T("本机的地址都不在证书里：%s", "none of this machine's addresses is in it:%s"), missing.len ? missing.buf : " -");
		doc_todo(d, "huawu cert --dir %s/tls", d->conf->data_dir);
	}
	GENERAL_NAMES_free(san);
	strb_done(&missing);
	strb_done(&names);
}

static void check_chain(struct doctor *d, X509 *x, STACK_OF(X509) *rest)
{
	const char *title = T("证书链", "Certificate's chain");
	char *ca = xasprintf("%s/tls/ca.pem", d->conf->data_dir);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool own = !access(ca, R_OK);
	int r;

	(void)X509_STORE_set_default_paths(store);
	if (own)
		(void)X509_STORE_load_locations(store, ca, NULL);
	(void)X509_STORE_CTX_init(ctx, store, x, rest);
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), d->now_ms / 1000);
	(void)X509_verify_cert(ctx);
	r = X509_STORE_CTX_get_error(ctx);
	if (r == X509_V_OK || r == X509_V_ERR_CERT_HAS_EXPIRED || r == X509_V_ERR_CERT_NOT_YET_VALID) {
		doc_found(d, "cert.chain", title, DOC_OK, own ? T("由本中心的 CA 签发，浏览器从 /ca 页面安装它", "signed by the centre's CA; browsers install it from the page /ca")
								: T("由系统信任的机构签发", "signed by an authority that this system trusts"));
	} else {
		doc_found(d, "cert.chain", title, DOC_WARN, T("验证不通过：%s", "it does not verify: %s"), X509_verify_cert_error_string(r));
		doc_todo(d, T("证书文件里要依次放入服务器证书和中间证书；或用 huawu cert 自己签发，浏览器打开 /ca 安装根证书",
			      "the file must hold the server's certificate and then the intermediate ones; or make one with `huawu cert`, and install its CA from /ca in the browsers"));
	}
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	free(ca);
}

static void check_key(struct doctor *d, X509 *x)
{
	const char *title = T("证书私钥", "Certificate's key"), *path = d->conf->http_key;
	EVP_PKEY *key = read_key(path);
	struct stat st;
	int r = doc_access(d, path, R_OK);

	if (r || stat(path, &st)) {
		doc_found(d, "cert.key", title, DOC_ERROR, T("%s 服务用户读不了：%s", "%s cannot be read by the service's user: %s"), path, doc_why(d, r ? -r : errno));
		doc_todo(d, T("chown 给服务用户，chmod 600 %s", "give it to the service's user, chmod 600 %s"), path);
	} else if (!key || X509_check_private_key(x, key) != 1) {
		doc_found(d, "cert.key", title, DOC_ERROR, T("%s 与证书不是一对", "%s does not belong to the certificate"), path);
		doc_todo(d, T("换成同时签发的那一对文件", "take the pair that was made together"));
	} else if (st.st_mode & 027) {
		doc_found(d, "cert.key", title, DOC_WARN, T("%s 的权限是 %03o，别的用户可以读到", "%s has mode %03o: others can read it"), path, (unsigned)st.st_mode & 0777);
		doc_todo(d, "chmod 600 %s", path);
	} else {
		doc_found(d, "cert.key", title, DOC_OK, T("与证书配对，只有服务用户可读", "belongs to the certificate, and only the service's user reads it"));
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
}

static void check_microphone(struct doctor *d)
{
	const char *title = T("浏览器话机", "Browser telephones"), *listen = d->conf->http_listen;
	bool local = !strncmp(listen, "127.", 4) || !strncmp(listen, "[::1]", 5) || !strncmp(listen, "localhost", 9);

	if (d->conf->http_cert) {
		doc_found(d, "browser", title, DOC_OK, T("网页走 https，浏览器会允许使用麦克风", "the page is https: browsers allow the microphone"));
	} else if (local) {
		doc_found(d, "browser", title, DOC_OK, T("网页只在本机打开（localhost 可用麦克风）；前面若有反向代理，须由它提供 https", "the page is for this machine only (localhost may use the microphone); a proxy in front must speak https"));
	} else {
		doc_found(d, "browser", title, DOC_WARN, T("网页是 http：除本机外，浏览器不给麦克风，坐席不能在浏览器里接电话", "the page is http: other machines' browsers give no microphone, so agents cannot talk there"));
		doc_todo(d, T("huawu cert --dir %s/tls，在 [http] 写 cert 与 key，重启；各坐席浏览器打开 https://本机/ca 安装根证书",
			      "huawu cert --dir %s/tls, name both files as [http] cert and key, restart; agents install the CA from https://this-machine/ca"), d->conf->data_dir);
	}
}

void doc_cert(struct doctor *d)
{
	const char *title = T("证书", "Certificate"), *path = d->conf->http_cert;
	STACK_OF(X509) *rest;
	X509 *x;

	check_microphone(d);
	if (!path)
		return;
	rest = sk_X509_new_null();
	x = read_chain(path, rest);
	if (!x) {
		doc_found(d, "cert", title, DOC_ERROR, T("%s 读不出证书", "no certificate can be read from %s"), path);
		doc_todo(d, T("文件应为 PEM 格式；huawu cert --dir %s/tls 可以做一张", "the file should be PEM; huawu cert --dir %s/tls makes one"), d->conf->data_dir);
	} else {
		check_days(d, x);
		check_names(d, x);
		check_chain(d, x, rest);
		check_key(d, x);
	}
	X509_free(x);
	sk_X509_pop_free(rest, X509_free);
}
