#include <stdlib.h>
#include "media/media_int.h"
struct secure_shared { int x; };
int msecure_shared_new(struct secure_shared **ret) { *ret = xcalloc(1, 4); return 0; }
void msecure_shared_free(struct secure_shared *s) { free(s); }
const char *msecure_fingerprint(const struct secure_shared *s) { return ""; }
int msecure_set(struct mleg *l, struct secure_shared *s, struct secure_conf *conf) { return 0; }
void msecure_free(struct secure *s) {}
bool msecure_ready(const struct mleg *l) { return 0; }
bool msecure_packet(struct mleg *l, uint8_t *buf, size_t n, const struct sockaddr_in *from) { return 0; }
bool msecure_source(const struct mleg *l, const struct sockaddr_in *from) { return 0; }
const struct sockaddr_in *msecure_target(const struct mleg *l) { return 0; }
void msecure_tick(struct mleg *l) {}
size_t msecure_protect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp) { return 0; }
size_t msecure_unprotect(struct mleg *l, uint8_t *buf, size_t n, bool rtcp) { return 0; }
