/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a client is a user, where the inbound knows one, else a
 * source address. It may hold at most TIMES_WHAT_IS_LEFT times as many as are
 * still free. So a client that is alone, as most are, may have all but a
 * sixteenth, and less with each other that comes: whatever one does, some are
 * left for the next. */
#include "share.h"

#include "util.h"

#include <search.h>

#define TIMES_WHAT_IS_LEFT 15u

struct share {
	char *user; /* NULL: it is the source that counts */
	struct weir_addr source;
	uint64_t count;
};

/* A source that is no address, which no inbound of weir's gives, is one. */
static int compare_source(const struct weir_addr *a, const struct weir_addr *b)
{
	size_t len = a->kind == WEIR_ADDR_IP4	? 4
		     : a->kind == WEIR_ADDR_IP6 ? sizeof a->ip
						: 0;

	return a->kind != b->kind ? (int)a->kind - (int)b->kind
				  : memcmp(a->ip, b->ip, len);
}

static int compare(const void *a, const void *b)
{
	const struct share *one = a, *other = b;

	if (one->user && other->user)
		return strcmp(one->user, other->user);
	if (one->user || other->user)
		return one->user ? 1 : -1;
	return compare_source(&one->source, &other->source);
}

static struct share *share_of(void **shares, const struct share *wanted)
{
	void *found = tfind(wanted, shares, compare);
	struct share *s;

	if (found)
		return *(struct share **)found;
	s = xcalloc(1, sizeof *s);
	s->user = wanted->user ? xstrdup(wanted->user) : NULL;
	s->source = wanted->source;
	must(tsearch(s, shares, compare));
	return s;
}

static void free_unused(void **shares, struct share *s)
{
	if (s->count)
		return;
	tdelete(s, shares, compare);
	free(s->user);
	free(s);
}

struct share *share_take(void **shares, const struct weir_session_info *info,
			 uint64_t room)
{
	const struct share wanted = {
		.user = (char *)(uintptr_t)info->user,
		.source = info->source,
	};
	struct share *s = share_of(shares, &wanted);

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
