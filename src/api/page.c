/*
 * The page's files, embedded at build time from web/dist: right types, ETag, hashed assets kept for ever, and index.html for every
 * other path, since the page routes by itself. And the page that offers the centre CA.
 */
#include "api/api_int.h"

#include <sodium.h>

#include "api/page.h"

static const struct {
	const char *end, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"}, {".json", "application/json"}, {".svg", "image/svg+xml"}, {".png", "image/png"},
	{".ico", "image/x-icon"}, {".webp", "image/webp"}, {".woff2", "font/woff2"}, {".woff", "font/woff"}, {".wav", "audio/wav"},
	{".mp3", "audio/mpeg"}, {".ogg", "audio/ogg"}, {".wasm", "application/wasm"}, {".txt", "text/plain; charset=utf-8"},
	{".webmanifest", "application/manifest+json"}, {".map", "application/json"},
};

const char *page_type(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t e = strlen(types[i].end);

		if (n > e && !strcmp(name + n - e, types[i].end))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* What the page needs and no more: its own files, its own socket and events, sounds and pictures made in memory. Styles are
   set on elements by the component library, so inline styles are allowed; scripts are not. */
static void security_headers(struct http_req *rq)
{
	const char *host = http_header(rq, "Host");
	char *csp = arena_printf(http_arena(rq),
				 "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
				 "media-src 'self' blob: data:; font-src 'self' data:; connect-src 'self'%s%s%s%s; worker-src 'self' blob:; "
				 "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
				 host ? " ws://" : "", host ? host : "", host ? " wss://" : "", host ? host : "");

	http_set_header(rq, "Content-Security-Policy", csp);
	http_set_header(rq, "X-Content-Type-Options", "nosniff");
	http_set_header(rq, "Referrer-Policy", "same-origin");
	http_set_header(rq, "X-Frame-Options", "DENY");
	http_set_header(rq, "Permissions-Policy", "microphone=(self), speaker-selection=(self), camera=(), geolocation=()");
}

static const char no_page[] =
	"<!doctype html><meta charset=utf-8><title>Huawu</title><p>这个程序构建时没有带上网页。请先构建网页再重新构建：</p>"
	"<p>This program was built without its page. Build the page first, then the program:</p>"
	"<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build\nmake build</pre>";

static void reply_embedded(struct http_req *rq, const struct embed_file *f)
{
	const char *seen = http_header(rq, "If-None-Match");
	uint8_t sum[16];
	char hex[33], *etag;

	(void)crypto_generichash(sum, sizeof(sum), f->data, f->size, NULL, 0);
	str_hex_of(hex, sum, sizeof(sum));
	etag = arena_printf(http_arena(rq), "\"%s\"", hex);
	http_set_header(rq, "ETag", etag);
	/* the build puts a hash of the content into the names under assets/ */
	http_set_header(rq, "Cache-Control", strncmp(f->name, "assets/", 7) ? "no-cache" : "public, max-age=31536000, immutable");
	if (seen && strstr(seen, etag))
		http_reply_static(rq, 304, NULL, "", 0);
	else
		http_reply_static(rq, 200, page_type(f->name), f->data, f->size);
}

void page_file(struct http_req *rq, void *arg)
{
	const char *name = http_path(rq) + 1;
	const struct embed_file *f = embed_find(page_files, page_files_n, *name ? name : "index.html");
	const char *last = strrchr(name, '/');

	security_headers(rq);
	if (!f && strchr(last ? last : name, '.')) { /* a file that is not there, not a place of the page */
		http_reply_static(rq, 404, "text/plain; charset=utf-8", "not found\n", 10);
		return;
	}
	if (!f)
		f = embed_find(page_files, page_files_n, "index.html");
	if (f)
		reply_embedded(rq, f);
	else
		http_reply_static(rq, 200, "text/html; charset=utf-8", no_page, sizeof(no_page) - 1);
}

/* ---- the centre CA ---- */

void page_ca_pem(struct ask *k)
{
	if (!k->api->conf.ca_pem)
		api_refuse(k, "not_found", NULL, NULL);
	else
		http_reply_file(k->rq, k->api->conf.ca_pem, "application/x-x509-ca-cert", "huawu-ca.crt");
}

static const char ca_zh[] =
	"<h1>信任本中心的证书</h1>"
	"<p>浏览器只在受信任的 https 网页上开放麦克风。请在每台电脑上安装一次本中心的根证书；它只能为本中心的名字和内网地址作证。</p>"
	"<p><a class=get href=/ca.pem>下载根证书 huawu-ca.crt</a></p>"
	"<p>安装前请向管理员核对指纹（SHA-256）：</p><p><code>%s</code></p>"
	"<h2>Windows</h2><ol><li>双击下载的文件，点“安装证书”。</li><li>选择“本地计算机”（或“当前用户”），下一步。</li>"
	"<li>选择“将所有的证书都放入下列存储”，浏览，选“受信任的根证书颁发机构”，完成。</li><li>重新打开浏览器。</li></ol>"
	"<h2>macOS</h2><ol><li>双击文件，加入“系统”钥匙串。</li><li>在“钥匙串访问”里双击该证书，展开“信任”，"
	"“使用此证书时”选“始终信任”。</li><li>重新打开浏览器。</li></ol>"
	"<h2>Linux</h2><ol><li>Debian、Ubuntu：<code>sudo cp huawu-ca.crt /usr/local/share/ca-certificates/ &amp;&amp; sudo "
	"update-ca-certificates</code></li><li>Chrome、Chromium：设置 → 隐私和安全 → 安全 → 管理证书 → 授权机构 → 导入。</li></ol>"
	"<h2>Firefox（各系统）</h2><ol><li>设置 → 隐私与安全 → 查看证书 → 证书颁发机构 → 导入，勾选“信任由此证书颁发机构来标识网站”。</li></ol>"
	"<h2>Android</h2><ol><li>设置 → 安全 → 加密与凭据 → 安装证书 → CA 证书，选择下载的文件。</li></ol>"
	"<h2>iOS、iPadOS</h2><ol><li>用 Safari 下载，设置 → 已下载描述文件 → 安装。</li>"
	"<li>设置 → 通用 → 关于本机 → 证书信任设置，打开本中心的开关。</li></ol>";

static const char ca_en[] =
	"<h1>Trust this centre's certificate</h1>"
	"<p>Browsers give a page the microphone only over trusted https. Install the centre's root certificate once on every computer; it can "
	"vouch only for this centre's names and for private addresses.</p>"
	"<p><a class=get href=/ca.pem>Download the root certificate huawu-ca.crt</a></p>"
	"<p>Before installing it, compare its fingerprint (SHA-256) with your administrator:</p><p><code>%s</code></p>"
	"<h2>Windows</h2><ol><li>Open the file, choose Install Certificate.</li><li>Choose Local Machine (or Current User), Next.</li>"
	"<li>Choose Place all certificates in the following store, Browse, Trusted Root Certification Authorities, Finish.</li>"
	"<li>Start the browser again.</li></ol>"
	"<h2>macOS</h2><ol><li>Open the file and add it to the System keychain.</li><li>In Keychain Access open the certificate, Trust, and set "
	"When using this certificate to Always Trust.</li><li>Start the browser again.</li></ol>"
	"<h2>Linux</h2><ol><li>Debian, Ubuntu: <code>sudo cp huawu-ca.crt /usr/local/share/ca-certificates/ &amp;&amp; sudo "
	"update-ca-certificates</code></li><li>Chrome, Chromium: Settings, Privacy and security, Security, Manage certificates, Authorities, "
	"Import.</li></ol>"
	"<h2>Firefox (all systems)</h2><ol><li>Settings, Privacy and Security, View Certificates, Authorities, Import; tick Trust this CA to "
	"identify websites.</li></ol>"
	"<h2>Android</h2><ol><li>Settings, Security, Encryption and credentials, Install a certificate, CA certificate; choose the file.</li></ol>"
	"<h2>iOS, iPadOS</h2><ol><li>Download with Safari; Settings, Profile Downloaded, Install.</li>"
	"<li>Settings, General, About, Certificate Trust Settings: switch this centre on.</li></ol>";

static const char none_zh[] =
	"<h1>本中心还没有证书</h1><p>浏览器只在受信任的 https 网页上开放麦克风。请管理员在服务器上运行 <code>huawu cert</code>，"
	"再用 <code>--cert</code> 和 <code>--key</code> 启动；之后这里就能下载根证书。</p>";
static const char none_en[] =
	"<h1>This centre has no certificate yet</h1><p>Browsers give a page the microphone only over trusted https. An administrator runs "
	"<code>huawu cert</code> on the server and starts it with <code>--cert</code> and <code>--key</code>; then the root certificate "
	"can be had here.</p>";

static const char ca_style[] =
	"<style>body{font:16px/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1f2937}code{word-break:break-all;"
	"background:#f3f4f6;padding:.1em .3em}h2{margin-top:1.6em;font-size:1.1rem}.get{display:inline-block;padding:.5em 1em;background:#1d4ed8;"
	"color:#fff;text-decoration:none;border-radius:6px}</style>";

void page_ca(struct ask *k)
{
	char fingerprint[100];
	struct strb b;
	bool zh = k->lang[0] == 'z';
	bool none = !k->api->conf.ca_pem || cert_fingerprint(fingerprint, k->api->conf.ca_pem);

	strb_init(&b, 1 << 16);
	strb_printf(&b, "<!doctype html><html lang=%s><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>%s</title>%s",
		    zh ? "zh-CN" : "en", zh ? "安装证书" : "Install the certificate", ca_style);
	if (none)
		strb_printf(&b, "%s", zh ? none_zh : none_en);
	else if (zh)
		strb_printf(&b, ca_zh, fingerprint);
	else
		strb_printf(&b, ca_en, fingerprint);
	http_set_header(k->rq, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
	http_reply(k->rq, none ? 404 : 200, "text/html; charset=utf-8", b.buf, b.len);
	strb_done(&b);
}
