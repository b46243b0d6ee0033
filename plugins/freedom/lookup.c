/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup.c - the addresses of a name.
 *
 * As RFC 8305 says: both families are asked at once, IPv6 is used as soon as it
 * is there, and where the IPv4 answer comes first the IPv6 one gets
 * RESOLUTION_US more. */
#include "lookup.h"

#include <errno.h>

#define RESOLUTION_US (50 * 1000) /* RFC 8305, 3 */

static void family_answered(void *arg, int err, const struct weir_addr *addrs,
			    int n)
{
	struct lookup_family *l = arg;
	struct lookup *all = l->lookup;
	enum family family = l == &all->of[V6] ? V6 : V4;

	l->query = NULL;
	l->err = err;
	for (int i = 0; !err && i < n && l->count < FOUND_MAX; i++) {
		if (addr_family(&addrs[i]) != family)
			continue;
		l->found[l->count] = addrs[i];
		l->found[l->count++].port = all->port;
	}
	if (!err && !l->count)
		l->err = ENOENT;
	all->answered(all, family);
}

bool lookup_start(struct lookup *all, const char *name, lookup_room room)
{
	static const unsigned bit[FAMILIES] = {[V4] = 1, [V6] = 2};

	for (int i = 0; i < FAMILIES; i++) {
		struct lookup_family *l = &all->of[i];

		l->lookup = all;
		l->found = room[i];
		l->query = freedom_resolve(all->freedom, name, bit[i],
					   family_answered, l);
		if (!l->query)
			l->err = EAGAIN;
	}
	return lookup_pending(all);
}

bool lookup_pending(const struct lookup *l)
{
	return l->of[V4].query || l->of[V6].query;
}

bool lookup_settled(struct lookup *l, enum family family)
{
	if (!lookup_pending(l) || (family == V6 && l->of[V6].count))
		return true;
	if (l->of[family].count)
		l->freedom->host->timer_set(l->timer, RESOLUTION_US);
	return false;
}

void lookup_fini(struct lookup *l)
{
	const struct weir_host *host = l->freedom->host;

	for (int i = 0; i < FAMILIES; i++)
		if (l->of[i].query)
			host->resolve_cancel(l->of[i].query);
	if (l->timer)
		host->timer_free(l->timer);
}
