/* The embedded page, or nothing when web/dist was not built (see CMakeLists.txt). */
#include "api/page.h"

#ifdef HUAWU_WITH_PAGE
extern struct embed_file embed_web[];
extern const size_t embed_web_n;

__attribute__((constructor(200))) static void use_embedded(void)
{
	page_files = embed_web;
	page_files_n = embed_web_n;
}
#endif

struct embed_file *page_files;
size_t page_files_n;
