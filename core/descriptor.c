/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * What a plugin exports is a web of pointers, filled in by a compiler - or by
 * a bug. Everything it points to is a file-scope object of its own, so each
 * pointer is compared with the segments that the object was loaded to, before
 * anything is read through it; one that leads elsewhere is garbage. What the
 * fields say is for component.c to judge. */
#include "descriptor.h"

#include <dlfcn.h>
#include <link.h>

#define COMPONENTS_MAX 64 /* in one plugin */
#define TEXT_MAX 4096	  /* bytes of a type or summary */
#define SPANS_MAX 8	  /* readable segments; linkers write 4 or 5 */

#define STRINGIZE(x) #x
#define EXPAND(x) STRINGIZE(x)
#define ENTRY_NAME EXPAND(WEIR_ENTRY)

/* One readable segment of a loaded object. */
struct span {
	uintptr_t first, end;
};

struct image {
	uintptr_t base;
	const char *name;
	struct span spans[SPANS_MAX];
	int count;
};

static int image_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct image *image = arg;

	(void)size;
	if (info->dlpi_addr != image->base ||
	    strcmp(info->dlpi_name, image->name) != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum && image->count < SPANS_MAX; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		struct span *s = &image->spans[image->count];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_R))
			continue;
		s->first = image->base + p->p_vaddr;
		s->end = s->first + p->p_memsz;
		image->count++;
	}
	return 1;
}

static struct image image_of(const struct link_map *map)
{
	struct image image = {.base = map->l_addr, .name = map->l_name};

	dl_iterate_phdr(image_visit, &image);
	return image;
}

/* How many bytes from p on are the image's; 0 where p is not. */
static size_t image_room(const struct image *image, const void *p)
{
	uintptr_t at = (uintptr_t)p;

	for (int i = 0; i < image->count; i++) {
		if (at >= image->spans[i].first && at < image->spans[i].end)
			return image->spans[i].end - at;
	}
	return 0;
}

static bool image_has(const struct image *image, const void *p, uint64_t size)
{
	return (uintptr_t)p % _Alignof(void *) == 0 &&
	       image_room(image, p) >= size;
}

static bool image_has_text(const struct image *image, const char *text)
{
	size_t room = image_room(image, text);

	if (room > TEXT_MAX)
		room = TEXT_MAX;
	return room && memchr(text, '\0', room);
}

/* Every table of functions begins with its size; a service's is its own
 * affair beyond that. */
static bool ops_in(const struct image *image, const struct weir_component *c)
{
	uint32_t size;

	if (image_room(image, c->ops) < sizeof size)
		return false;
	memcpy(&size, c->ops, sizeof size);
	return c->kind == WEIR_SERVICE || image_has(image, c->ops, size);
}

/* Descriptors are file-scope objects: a pointer that leads out of the plugin
 * is garbage, and is not followed. */
static bool component_in(const struct image *image,
			 const struct weir_component *c, struct weir_error *e)
{
	if (!image_has(image, c, sizeof c->size) ||
	    !image_has(image, c, c->size))
		return weir_error(e, NULL, "a component lies outside it");
	if (!WEIR_HAS(c, destroy))
		return true; /* component_check says what is wrong */
	if ((c->type && !image_has_text(image, c->type)) ||
	    (c->summary && !image_has_text(image, c->summary)))
		return weir_error(e, NULL,
				  "a component's type or summary lies outside "
				  "it");
	if (c->schema && !image_has(image, c->schema, sizeof *c->schema))
		return weir_error(e, NULL,
				  "a component's schema lies outside "
				  "it");
	if (c->schema &&
	    !image_has(image, c->schema->options,
		       (uint64_t)c->schema->option_size *
			       c->schema->option_count) &&
	    c->schema->option_count)
		return weir_error(e, NULL,
				  "a component's options lie outside "
				  "it");
	if (c->ops && !ops_in(image, c))
		return weir_error(e, NULL,
				  "a component's table of functions lies "
				  "outside it");
	return true;
}

static bool components_in(const struct image *image,
			  const struct weir_plugin *p, struct weir_error *e)
{
	const struct weir_component *const *at = p->components;

	for (int i = 0; i < COMPONENTS_MAX; i++, at++) {
		if (!image_has(image, at, sizeof *at))
			return weir_error(e, NULL,
					  "its list of components "
					  "lies outside it");
		if (!*at)
			return true;
		if (!component_in(image, *at, e))
			return false;
	}
	return weir_error(e, NULL, "it has more than %d components",
			  COMPONENTS_MAX);
}

static bool text_agrees(const struct image *image, const char *text,
			const char *noted)
{
	return image_has_text(image, text) && strcmp(text, noted) == 0;
}

const struct weir_plugin *descriptor_get(void *handle,
					 const struct weir_identity *id,
					 struct weir_error *e)
{
	const struct weir_plugin *p = dlsym(handle, ENTRY_NAME);
	struct link_map *map = NULL;
	struct image image;

	if (!p || dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0) {
		weir_error(e, NULL, "no entry symbol " ENTRY_NAME);
		return NULL;
	}
	image = image_of(map);
	if (!image_has(&image, p, sizeof p->size) ||
	    !image_has(&image, p, p->size) || !WEIR_HAS(p, components))
		weir_error(e, NULL, "its descriptor is malformed");
	else if (p->major != id->major || p->minor != id->minor)
		weir_error(e, NULL,
			   "its note says SDK %u.%u, its descriptor %u.%u",
			   id->major, id->minor, p->major, p->minor);
	else if (!text_agrees(&image, p->name, id->name))
		weir_error(e, NULL,
			   "its descriptor has another name than its note, "
			   "\"%s\"",
			   id->name);
	else if (!text_agrees(&image, p->version, id->version) ||
		 !text_agrees(&image, p->licence, id->licence) ||
		 !text_agrees(&image, p->needs, id->needs))
		weir_error(e, NULL,
			   "its descriptor has another version, "
			   "licence or needs than its note");
	else if (components_in(&image, p, e))
		return p;
	return NULL;
}
