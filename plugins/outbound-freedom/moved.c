/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moved.c - peers of a flow that `redirect` moved.
 *
 * The one last spoken to stands first: where two were moved to one address, its
 * answers are shown as that one's. The list is bounded; the one not spoken to
 * for the longest time goes. */
#include "moved.h"

#include <stdlib.h>
#include <string.h>

#define MOVED_MOST 32

struct moved {
	struct moved *next;
	struct weir_addr shown, real;
	char names[]; /* what these two point to, where they are names */
};

static size_t name_size(const struct weir_addr *a)
{
	return a->kind == WEIR_ADDR_NAME ? strlen(a->name) + 1 : 0;
}

/* Keep a copy of the name at `room`; returns the room behind it. */
static char *name_keep(struct weir_addr *a, char *room)
{
	size_t size = name_size(a);

	if (size)
		a->name = memcpy(room, a->name, size);
	return room + size;
}

static struct moved *moved_new(const struct weir_addr *shown,
			       const struct weir_addr *real)
{
	struct moved *m =
		malloc(sizeof *m + name_size(shown) + name_size(real));

	if (!m)
		return NULL;
	m->shown = *shown;
	m->real = *real;
	name_keep(&m->real, name_keep(&m->shown, m->names));
	return m;
}

static struct moved *moved_take(struct moved **at,
				const struct weir_addr *shown)
{
	struct moved *m;

	while (*at && !weir_addr_equal(&(*at)->shown, shown))
		at = &(*at)->next;
	m = *at;
	if (m)
		*at = m->next;
	return m;
}

bool moved_note(struct moved **list, const struct weir_addr *shown,
		const struct weir_addr *real)
{
	struct moved *m = moved_take(list, shown);

	if (!m)
		m = moved_new(shown, real);
	if (!m)
		return false;
	m->next = *list;
	*list = m;
	for (int i = 1; i < MOVED_MOST && m; i++)
		m = m->next;
	if (m)
		moved_free(&m->next);
	return true;
}

const struct weir_addr *moved_shown(const struct moved *m,
				    const struct weir_addr *real)
{
	for (; m; m = m->next)
		if (weir_addr_equal(&m->real, real))
			return &m->shown;
	return real;
}

void moved_free(struct moved **list)
{
	while (*list) {
		struct moved *m = *list;

		*list = m->next;
		free(m);
	}
}
