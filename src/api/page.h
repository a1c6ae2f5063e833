/* The page's files and the CA's fingerprint, for page.c and its tests. */
#pragma once

#include "base/embed.h"

extern struct embed_file *page_files; /* sorted by name, without a leading slash */
extern size_t page_files_n;

const char *page_type(const char *name);
/** "AA:BB:..." SHA-256 of the certificate's DER. @ret holds 96 bytes. 0 or -errno. */
int cert_fingerprint(char *ret, const char *pem_path);
