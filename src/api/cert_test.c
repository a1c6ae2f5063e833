/* Certificates, judged by openssl and curl. */
#include "api/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/page.h"

static int shell(char *out, size_t size, const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;
	FILE *p;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	p = popen(cmd, "r");
	n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	return pclose(p);
}

static int cert(const char *dir, const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = {(char *)(uintptr_t) "cert", (char *)(uintptr_t) "--dir", (char *)(uintptr_t)dir, (char *)(uintptr_t)a,
			(char *)(uintptr_t)b, (char *)(uintptr_t)c, (char *)(uintptr_t)d, NULL};
	int argc = 3, kept = dup(1), null = open("/dev/null", O_WRONLY), r;

	while (argv[argc])
		argc++;
	(void)fflush(stdout);
	(void)dup2(null, 1);
	r = cert_main(argc, argv);
	(void)fflush(stdout);
	(void)dup2(kept, 1);
	(void)close(kept);
	(void)close(null);
	return r;
}

static void ok(struct http_req *rq, void *arg)
{
	http_reply_static(rq, 200, "text/plain", "ok", 2);
}

TEST(a_certificate_is_good_by_name_and_address_for_openssl_and_curl)
{
	static const struct http_route route = {HTTP_GET, "/", ok, POOL_INTERACTIVE, NULL, NULL};
	char dir[] = "/tmp/cert_test.XXXXXX", out[8192], cert_pem[64], key_pem[64], ours[100], theirs[128];
	struct http_conf hc = {.listen = "127.0.0.1:0", .cert_pem = cert_pem, .key_pem = key_pem};
	struct stat st;
	struct http *h;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(cert_pem, sizeof(cert_pem), "%s/cert.pem", dir);
	(void)snprintf(key_pem, sizeof(key_pem), "%s/key.pem", dir);
	assert_int_equal(cert(dir, "--name", "pbx.example.com", NULL, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const files[] = {"ca.pem", "ca.key", "cert.pem", "key.pem"};

		(void)snprintf(out, sizeof(out), "%s/%s", dir, files[i]);
		assert_int_equal(stat(out, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(shell(out, sizeof(out), "cd %s && openssl verify -x509_strict -purpose sslserver -CAfile ca.pem cert.pem 2>&1", dir), 0);
	assert_int_equal(shell(out, sizeof(out), "cd %s && openssl verify -CAfile ca.pem -verify_hostname pbx.example.com cert.pem 2>&1", dir), 0);
	assert_int_equal(shell(out, sizeof(out), "cd %s && openssl verify -CAfile ca.pem -verify_ip 127.0.0.1 cert.pem 2>&1", dir), 0);
	assert_int_not_equal(shell(out, sizeof(out), "cd %s && openssl verify -CAfile ca.pem -verify_hostname other.example.com cert.pem 2>&1", dir), 0);
	/* at most 825 days: 71,280,000 s and the hour before */
	assert_int_equal(shell(out, sizeof(out), "openssl x509 -in %s -noout -checkend 71280001", cert_pem) != 0, 1);
	assert_int_equal(shell(out, sizeof(out), "openssl x509 -in %s -noout -checkend 71200000", cert_pem), 0);
	assert_int_equal(cert_fingerprint(ours, cert_pem), 0);
	assert_int_equal(shell(theirs, sizeof(theirs), "openssl x509 -in %s -noout -fingerprint -sha256 | cut -d= -f2 | tr -d '\\n'", cert_pem), 0);
	assert_string_equal(ours, theirs);

	assert_int_equal(pool_new(&hc.pool, 1, 10), 0);
	assert_int_equal(http_start(&h, &hc), 0);
	http_routes(h, &route, 1);
	assert_int_equal(shell(out, sizeof(out), "curl -sS --cacert %s/ca.pem https://127.0.0.1:%u/ 2>&1", dir, http_port(h)), 0);
	assert_string_equal(out, "ok");
	assert_int_equal(shell(out, sizeof(out), "curl -sS --cacert %s/ca.pem https://localhost:%u/ 2>&1", dir, http_port(h)), 0);
	assert_int_not_equal(shell(out, sizeof(out), "curl -sS https://127.0.0.1:%u/ 2>&1", http_port(h)), 0);
	http_stop(h);
	pool_free(hc.pool);
	(void)shell(out, sizeof(out), "rm -rf %s", dir);
}

TEST(renewing_keeps_the_ca_and_a_name_outside_its_limits_is_refused)
{
	char dir[] = "/tmp/cert_test.XXXXXX", ca1[100], ca2[100], s1[100], s2[100], path[64], out[256];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
	assert_int_equal(cert(dir, "--days", "30", NULL, NULL), 0);
	assert_int_equal(cert_fingerprint(ca1, path), 0);
	(void)snprintf(out, sizeof(out), "%s/cert.pem", dir);
	assert_int_equal(cert_fingerprint(s1, out), 0);
	assert_int_equal(cert(dir, "--name", "10.1.2.3", NULL, NULL), 0); /* private: within the limits */
	assert_int_equal(cert_fingerprint(ca2, path), 0);
	assert_int_equal(cert_fingerprint(s2, out), 0);
	assert_string_equal(ca1, ca2);
	assert_string_not_equal(s1, s2);
	assert_int_equal(cert(dir, "--name", "www.example.com", NULL, NULL), 1);
	assert_int_equal(cert_fingerprint(s1, out), 0);
	assert_string_equal(s1, s2); /* the old one stays */
	assert_int_equal(cert(dir, "--name", "www.example.com", "--new-ca", NULL), 0);
	assert_int_equal(cert_fingerprint(ca2, path), 0);
	assert_string_not_equal(ca1, ca2);
	assert_int_equal(cert(dir, "--name", "a b", NULL, NULL), 2);
	assert_int_equal(cert(dir, "--days", "826", NULL, NULL), 2);
	(void)shell(out, sizeof(out), "rm -rf %s", dir);
}

TEST(the_companys_certificate_is_taken_when_its_key_fits)
{
	char dir[] = "/tmp/cert_test.XXXXXX", a[64], b[64], c[64], out[512];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(a, sizeof(a), "%s/company.pem", dir);
	(void)snprintf(b, sizeof(b), "%s/company.key", dir);
	(void)snprintf(c, sizeof(c), "%s/other.key", dir);
	assert_int_equal(shell(out, sizeof(out), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout company.key "
						 "-out company.pem 2>&1 && openssl ecparam -genkey -name prime256v1 -noout -out other.key 2>&1", dir), 0);
	assert_int_equal(cert(dir, "--cert", a, "--key", c), 1);
	assert_int_equal(cert(dir, "--cert", a, "--key", b), 0);
	assert_int_equal(shell(out, sizeof(out), "cd %s && cmp cert.pem company.pem && cmp key.pem company.key && test $(stat -c %%a key.pem) = 600", dir), 0);
	assert_int_equal(cert(dir, "--cert", a, NULL, NULL), 2);
	(void)shell(out, sizeof(out), "rm -rf %s", dir);
}

TEST(the_ca_page_offers_the_ca_in_both_languages)
{
	char dir[] = "/tmp/cert_test.XXXXXX", path[64], fp[100], out[256];
	struct client c;
	struct fix f;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(cert(dir, NULL, NULL, NULL, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
	assert_int_equal(cert_fingerprint(fp, path), 0);
	fix_start(&f, false);
	c = (struct client){.f = &f};
	f.api->conf.ca_pem = path;
	assert_non_null(strstr(ask(&c, "GET", "//ca", NULL, NULL)->body, fp));
	assert_non_null(strstr(ask(&c, "GET", "//ca", NULL, NULL)->body, "受信任的根证书颁发机构"));
	(void)strcpy(c.lang, "en");
	assert_non_null(strstr(ask(&c, "GET", "//ca", NULL, NULL)->body, "Trusted Root Certification Authorities"));
	assert_non_null(strstr(ask(&c, "GET", "//ca.pem", NULL, NULL)->body, "BEGIN CERTIFICATE"));
	fix_stop(&f);
	(void)shell(out, sizeof(out), "rm -rf %s", dir);
}
