/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a client is a user, where the inbound knows one, else a
 * source address. It may hold so many times what is left for anybody, so that
 * whatever one of them does something is left for the next: all but a sixteenth
 * where it is alone, as most are, then less for each who comes. */
#include "share.h"

#include "util.h"

#include <search.h>

#define TIMES_WHAT_IS_LEFT 15u

struct share {
	const char *client;
	uint64_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct share *)a)->client,
		      ((const struct share *)b)->client);
}

static struct share *share_of(void **shares, const char *client)
{
	struct share wanted = {.client = client}, *s;
	void *found = tfind(&wanted, shares, compare);

	if (found)
		return *(struct share **)found;
	s = xcalloc(1, sizeof *s);
	s->client = xstrdup(client);
	must(tsearch(s, shares, compare));
	return s;
}

static void free_unused(void **shares, struct share *s)
{
	if (s->count)
		return;
	tdelete(s, shares, compare);
	free((char *)(uintptr_t)s->client);
	free(s);
}

struct share *share_take(void **shares, const struct weir_session_info *info,
			 uint64_t room)
{
	char text[WEIR_ADDR_TEXT];
	struct weir_addr source = info->source;
	struct share *s;

	source.port = 0;
	s = share_of(shares,
		     info->user ? info->user : weir_addr_text(&source, text));
	if (s->count < TIMES_WHAT_IS_LEFT * room) {
		s->count++;
		return s;
	}
	free_unused(shares, s);
	return NULL;
}

void share_return(void **shares, struct share *s)
{
	s->count--;
	free_unused(shares, s);
}
