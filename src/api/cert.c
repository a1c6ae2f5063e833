/*
 * `huawu cert`: https without internet. A centre CA (P-256, ten years), which browsers are told to trust once, and a server
 * certificate (at most 825 days, which is what Apple takes) for the machine's names and addresses. The CA is constrained to the
 * names it was made for and to private addresses, so that trusting it opens no other door. The company's own certificate
 * can be taken instead.
 */
#include "api/api_int.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/page.h"

#define CA_DAYS 3650
#define SERVER_DAYS_MAX 825
#define NAMES_MAX 64

struct names {
	char *v[NAMES_MAX];
	size_t n;
};

/* ---- names ---- */

static bool is_address(const char *s)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, s, buf) == 1 || inet_pton(AF_INET6, s, buf) == 1;
}

/* Letters, digits, dots and hyphens: what stands in an extension unescaped. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n && n < 254 && s[0] != '-' && s[0] != '.' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") == n;
}

static int names_add(struct names *names, const char *s)
{
	if (!is_address(s) && !is_name(s))
		return -EINVAL;
	for (size_t i = 0; i < names->n; i++)
		if (!strcasecmp(names->v[i], s))
			return 0;
	if (names->n == NAMES_MAX)
		return -E2BIG;
	names->v[names->n++] = xstrdup(s);
	return 0;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
}

/* localhost, the host's name, and every address of every interface that is up (link-local ones have a scope: left out). */
static void names_of_machine(struct names *names)
{
	struct ifaddrs *all = NULL;
	char host[256] = "";

	(void)names_add(names, "localhost");
	if (!gethostname(host, sizeof(host) - 1) && is_name(host))
		(void)names_add(names, host);
	(void)names_add(names, "127.0.0.1");
	(void)names_add(names, "::1");
	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			(void)inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, text, sizeof(text));
		else if (i->ifa_addr->sa_family == AF_INET6 &&
			 !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr))
			(void)inet_ntop(AF_INET6, &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr, text, sizeof(text));
		if (*text)
			(void)names_add(names, text);
	}
	freeifaddrs(all);
}

static void san_text(struct strb *b, const struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		strb_printf(b, "%s%s:%s", i ? "," : "", is_address(names->v[i]) ? "IP" : "DNS", names->v[i]);
}

/* RFC 5280 4.2.1.10: private and local addresses, the usual inner domains, and what was asked for by name. */
static void constraints_text(struct strb *b, const struct names *names)
{
	static const char *const always[] = {
		"DNS:localhost", "DNS:local", "DNS:lan", "DNS:internal", "DNS:home.arpa", "IP:127.0.0.0/255.0.0.0",
		"IP:10.0.0.0/255.0.0.0", "IP:172.16.0.0/255.240.0.0", "IP:192.168.0.0/255.255.0.0", "IP:169.254.0.0/255.255.0.0",
		"IP:100.64.0.0/255.192.0.0", "IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "IP:fc00::/fe00::", "IP:fe80::/ffc0::",
	};

	strb_puts(b, "critical");
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		strb_printf(b, ",permitted;%s", always[i]);
	for (size_t i = 0; i < names->n; i++) {
		const char *s = names->v[i];

		if (!is_address(s))
			strb_printf(b, ",permitted;DNS:%s", !strncmp(s, "*.", 2) ? s + 2 : s);
		else
			strb_printf(b, ",permitted;IP:%s/%s", s,
				    strchr(s, ':') ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255");
	}
}

/* ---- files ---- */

static int write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
	char *tmp = xasprintf("%s.new", path);
	int fd, r = 0;
	FILE *f;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		r = -errno;
		free(tmp);
		return r;
	}
	if (x ? !PEM_write_X509(f, x) : !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL))
		r = -EIO;
	if (fflush(f) || fsync(fd))
		r = -errno;
	if (fclose(f) && !r)
		r = -errno;
	if (!r && rename(tmp, path))
		r = -errno;
	free(tmp);
	return r;
}

static X509 *read_cert(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

	if (f)
		(void)fclose(f);
	return x;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, (void *)(uintptr_t) "") : NULL;

	if (f)
		(void)fclose(f);
	return key;
}

int cert_fingerprint(char *ret, const char *pem_path)
{
	X509 *x = read_cert(pem_path);
	unsigned char sum[32];
	unsigned n = 0;

	if (!x)
		return -ENOENT;
	if (!X509_digest(x, EVP_sha256(), sum, &n))
		n = 0;
	X509_free(x);
	for (unsigned i = 0; i < n; i++)
		(void)sprintf(ret + 3 * i, "%02X%s", sum[i], i + 1 < n ? ":" : "");
	return n == 32 ? 0 : -EIO;
}

/* ---- certificates ---- */

static int add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok ? 0 : -EINVAL;
}

static int set_serial(X509 *x)
{
	unsigned char raw[16];
	BIGNUM *n;
	int ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return -EIO;
	raw[0] &= 0x7f;
	raw[0] |= 0x40;
	n = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok ? 0 : -EIO;
}

/* An unsigned certificate of @key for @days from an hour ago (clocks differ). */
static X509 *blank(EVP_PKEY *key, const char *cn, int days)
{
	X509 *x = X509_new();
	X509_NAME *subject;

	if (!x || set_serial(x) || !X509_set_version(x, X509_VERSION_3) || !X509_gmtime_adj(X509_getm_notBefore(x), -3600) ||
	    !X509_time_adj_ex(X509_getm_notAfter(x), days, -3600, NULL) || !X509_set_pubkey(x, key)) {
		X509_free(x);
		return NULL;
	}
	subject = X509_get_subject_name(x);
	(void)X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"Huawu", -1, -1, 0);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	return x;
}

static int make_ca(X509 **ret, EVP_PKEY *key, const struct names *names)
{
	char host[200] = "", cn[64];
	struct strb b;
	X509 *x;
	int r;

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(cn, sizeof(cn), "Huawu CA %.40s", host);
	x = blank(key, cn, CA_DAYS);
	if (!x)
		return -EIO;
	(void)X509_set_issuer_name(x, X509_get_subject_name(x));
	strb_init(&b, 1 << 14);
	constraints_text(&b, names);
	r = add_ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (!r)
		r = add_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (!r)
		r = add_ext(x, x, NID_subject_key_identifier, "hash");
	if (!r)
		r = add_ext(x, x, NID_name_constraints, b.buf);
	if (!r && !X509_sign(x, key, EVP_sha256()))
		r = -EIO;
	strb_done(&b);
	if (r)
		X509_free(x);
	else
		*ret = x;
	return r;
}

static int make_server(X509 **ret, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const struct names *names, int days)
{
	X509 *x = blank(key, names->v[0], days);
	struct strb b;
	int r;

	if (!x)
		return -EIO;
	(void)X509_set_issuer_name(x, X509_get_subject_name(ca));
	strb_init(&b, 1 << 14);
	san_text(&b, names);
	r = add_ext(x, ca, NID_basic_constraints, "critical,CA:FALSE");
	if (!r)
		r = add_ext(x, ca, NID_key_usage, "critical,digitalSignature");
	if (!r)
		r = add_ext(x, ca, NID_ext_key_usage, "serverAuth");
	if (!r)
		r = add_ext(x, ca, NID_subject_key_identifier, "hash");
	if (!r)
		r = add_ext(x, ca, NID_authority_key_identifier, "keyid");
	if (!r)
		r = add_ext(x, ca, NID_subject_alt_name, b.buf);
	if (!r && !X509_sign(x, ca_key, EVP_sha256()))
		r = -EIO;
	strb_done(&b);
	if (r)
		X509_free(x);
	else
		*ret = x;
	return r;
}

/* What a browser will find: X509_V_OK, or why not. */
static int verify(X509 *x, X509 *ca)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r;

	(void)X509_STORE_add_cert(store, ca);
	(void)X509_STORE_CTX_init(ctx, store, x, NULL);
	(void)X509_verify_cert(ctx);
	r = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return r;
}

/* ---- the command ---- */

struct opts {
	const char *dir, *cert, *key;
	bool new_ca;
	int days;
	struct names names;
};

static const char usage[] =
	"usage: huawu cert [--dir DIR] [--name NAME|ADDRESS]... [--days N] [--new-ca]\n"
	"       huawu cert [--dir DIR] --cert FILE --key FILE\n"
	"\n"
	"Makes a centre CA (once) and a server certificate for this machine's names and addresses, so that browsers in\n"
	"the house get https, and with it the microphone, without internet. A running server uses a new one within seconds.\n"
	"\n"
	"  --dir DIR      where ca.pem, ca.key, cert.pem, key.pem are kept (default: cert)\n"
	"  --name NAME    a further name or address that browsers use; may be given several times\n"
	"  --days N       of the server certificate, 1-825 (default 825)\n"
	"  --new-ca       make the CA anew: every browser must be told to trust it again\n"
	"  --cert FILE    take the company's certificate (PEM, with its chain) ...\n"
	"  --key FILE     ... and its key instead\n";

static int parse(struct opts *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"dir", required_argument, NULL, 'd'}, {"name", required_argument, NULL, 'n'}, {"days", required_argument, NULL, 'y'},
		{"new-ca", no_argument, NULL, 'N'}, {"cert", required_argument, NULL, 'c'}, {"key", required_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'}, {0},
	};
	int64_t days;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->dir = optarg;
			break;
		case 'n':
			if (names_add(&o->names, optarg)) {
				fprintf(stderr, "not a name or address: %s\n", optarg);
				return 2;
			}
			break;
		case 'y':
			if (!str_to_i64(&days, optarg, 1, SERVER_DAYS_MAX)) {
				fprintf(stderr, "--days: 1 to %d\n", SERVER_DAYS_MAX);
				return 2;
			}
			o->days = (int)days;
			break;
		case 'N':
			o->new_ca = true;
			break;
		case 'c':
			o->cert = optarg;
			break;
		case 'k':
			o->key = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || !o->cert != !o->key) {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}

static int fail(const char *what, const char *path, int r)
{
	fprintf(stderr, "%s %s: %s\n", what, path, strerror(-r));
	return 1;
}

static int copy_file(const char *to, const char *from)
{
	char *tmp = xasprintf("%s.new", to), buf[4096];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, r = 0;
	ssize_t n;

	if (in < 0)
		r = -errno;
	(void)unlink(tmp);
	if (!r && (out = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		r = -errno;
	while (!r && (n = read(in, buf, sizeof(buf))) != 0)
		if (n < 0 || write(out, buf, (size_t)n) != n)
			r = n < 0 ? -errno : -EIO;
	if (!r && (fsync(out) || rename(tmp, to)))
		r = -errno;
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	free(tmp);
	return r;
}

/* The key goes first: the server looks at both files and keeps the old pair until the new one fits together. */
static int take_company(const struct opts *o, const char *cert_path, const char *key_path)
{
	X509 *x = read_cert(o->cert);
	EVP_PKEY *key = read_key(o->key);
	int r = 0;

	if (!x || !key || X509_check_private_key(x, key) != 1) {
		fprintf(stderr, "%s\n", !x     ? "the certificate cannot be read as PEM"
				    : !key ? "the key cannot be read as PEM without a password"
					   : "the key is not the certificate's");
		r = 1;
	}
	X509_free(x);
	EVP_PKEY_free(key);
	if (r)
		return r;
	r = copy_file(key_path, o->key);
	if (!r)
		r = copy_file(cert_path, o->cert);
	if (r)
		return fail("cannot write", o->dir, r);
	printf("taken: %s and %s\n", cert_path, key_path);
	return 0;
}

static int get_ca(X509 **ca, EVP_PKEY **ca_key, const struct opts *o, const char *cert_path, const char *key_path)
{
	int r;

	if (!o->new_ca && !access(cert_path, F_OK)) {
		*ca = read_cert(cert_path);
		*ca_key = read_key(key_path);
		if (*ca && *ca_key && X509_check_private_key(*ca, *ca_key) == 1)
			return 0;
		fprintf(stderr, "the CA in %s cannot be used; --new-ca makes another one\n", o->dir);
		return 1;
	}
	*ca_key = EVP_EC_gen("P-256");
	r = *ca_key ? make_ca(ca, *ca_key, &o->names) : -EIO;
	if (!r)
		r = write_pem(key_path, NULL, *ca_key);
	if (!r)
		r = write_pem(cert_path, *ca, NULL);
	return r ? fail("cannot make a CA in", o->dir, r) : 0;
}

static int make_both(const struct opts *o, const char *cert_path, const char *key_path)
{
	char *ca_path = xasprintf("%s/ca.pem", o->dir), *ca_key_path = xasprintf("%s/ca.key", o->dir), fp[96];
	X509 *ca = NULL, *x = NULL;
	EVP_PKEY *ca_key = NULL, *key = NULL;
	int r = get_ca(&ca, &ca_key, o, ca_path, ca_key_path), v;

	if (r)
		goto out;
	key = EVP_EC_gen("P-256");
	r = key ? make_server(&x, key, ca, ca_key, &o->names, o->days) : -EIO;
	if (r) {
		r = fail("cannot make a certificate in", o->dir, r);
		goto out;
	}
	v = verify(x, ca);
	if (v != X509_V_OK) {
		fprintf(stderr, "the CA does not cover these names and addresses (%s); --new-ca makes one that does\n",
			X509_verify_cert_error_string(v));
		r = 1;
		goto out;
	}
	r = write_pem(key_path, NULL, key);
	if (!r)
		r = write_pem(cert_path, x, NULL);
	if (r) {
		r = fail("cannot write", o->dir, r);
		goto out;
	}
	printf("certificate: %s\nkey: %s\nCA for the browsers: %s\n", cert_path, key_path, ca_path);
	if (!cert_fingerprint(fp, ca_path))
		printf("its fingerprint (SHA-256): %s\n", fp);
	for (size_t i = 0; i < o->names.n; i++)
		printf("  for %s\n", o->names.v[i]);
out:
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	free(ca_path);
	free(ca_key_path);
	return r;
}

int cert_main(int argc, char **argv)
{
	struct opts o = {.dir = "cert", .days = SERVER_DAYS_MAX};
	char *cert_path, *key_path;
	int r = parse(&o, argc, argv);

	if (r) {
		names_done(&o.names);
		return r < 0 ? 0 : r;
	}
	if (mkdir(o.dir, 0700) && errno != EEXIST) {
		r = fail("cannot make", o.dir, -errno);
		names_done(&o.names);
		return r;
	}
	names_of_machine(&o.names);
	cert_path = xasprintf("%s/cert.pem", o.dir);
	key_path = xasprintf("%s/key.pem", o.dir);
	r = o.cert ? take_company(&o, cert_path, key_path) : make_both(&o, cert_path, key_path);
	free(cert_path);
	free(key_path);
	names_done(&o.names);
	return r;
}
