/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - from a name to addresses, as the domain strategy wants them.
 *
 * Only families that the tunnel has an address of are asked for. Without
 * servers of the tunnel's own the core looks names up, and remembers them; with
 * them, both families are asked at once through the tunnel and the answers are
 * remembered here: a bounded number, for their time to live.
 *
 * Once one family has addresses the wait for the other is bounded by its use:
 * none where it is of no use any more, RESOLUTION_US where it would only add
 * addresses, PREFERRED_US where it would be preferred. After that it counts as
 * silent, and is not asked for FAILED_TTL_S. */
#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1 /* what has no room is not in the table */
#include <uthash.h>

#include "outbound.h"

#define NAME_BYTES_MAX 253 /* RFC 1035, without the root's dot */
#define CACHE_MAX 1024
#define ADDRS_MAX 16 /* a family */
#define TTL_MOST_S 3600u
#define US_PER_S 1000000ull
#define RESOLUTION_US 50000ull	/* RFC 8305, 3 */
#define PREFERRED_US 3000000ull /* for the question to be put twice */
#define FAILED_TTL_S 10u

enum { V4, V6, FAMILIES };

struct known {
	char key[NAME_BYTES_MAX + 2]; /* '4' or '6', the name in lower case */
	UT_hash_handle hh;
	uint64_t until_us;
	int err, count;
	struct weir_addr addrs[ADDRS_MAX];
};

struct names {
	struct outbound *outbound;
	struct dns *dns; /* NULL: ask the core */
	struct known *cache;
	bool want[FAMILIES];
	int first; /* the family that comes first */
	bool second_too;
};

struct lookup {
	struct names *names;
	lookup_done *done;
	void *arg;
	struct weir_query *query; /* of the core */
	struct weir_timer *wait;  /* for the second answer through the tunnel */
	struct part {
		struct lookup *owner;
		struct dns_question *question;
		bool asked; /* not known before */
		int err, count;
		struct weir_addr addrs[ADDRS_MAX];
	} part[FAMILIES];
	struct weir_task answer;
	char name[NAME_BYTES_MAX + 1];
};

/* ---- the strategy */

static bool has_family(const struct outbound *o, int family)
{
	const struct weir_list *own = &o->tunnel.conf.settings->address;
	const struct weir_cidr *a = own->items;

	for (size_t i = 0; i < own->count; i++)
		if ((a[i].base.kind == WEIR_ADDR_IP6) == (family == V6))
			return true;
	return false;
}

static void strategy_apply(struct names *s, int strategy)
{
	struct outbound *o = s->outbound;

	s->want[V4] = strategy != FORCE_IP6 && has_family(o, V4);
	s->want[V6] = strategy != FORCE_IP4 && has_family(o, V6);
	s->first = strategy == FORCE_IP6 || strategy == FORCE_IP64 ? V6 : V4;
	/* 46 and 64: the second family is for names without the first. */
	s->second_too = strategy == FORCE_IP;
}

/* ---- the cache */

static void known_key(char *key, const char *name, int family)
{
	snprintf(key, NAME_BYTES_MAX + 2, "%c%s", family == V6 ? '6' : '4',
		 name);
}

static void known_forget(struct names *s, struct known *k)
{
	HASH_DEL(s->cache, k);
	free(k);
}

static struct known *known_find(struct names *s, const char *name, int family)
{
	char key[NAME_BYTES_MAX + 2];
	struct known *k;

	known_key(key, name, family);
	HASH_FIND_STR(s->cache, key, k);
	if (k && k->until_us <= s->outbound->host->now_us()) {
		known_forget(s, k);
		return NULL;
	}
	return k;
}

static void known_add(struct names *s, const struct part *p, int family,
		      uint32_t ttl_s)
{
	struct known *k = known_find(s, p->owner->name, family);

	if (k)
		known_forget(s, k);
	/* uthash keeps the order of insertion: the oldest goes. */
	if (HASH_COUNT(s->cache) >= CACHE_MAX)
		known_forget(s, s->cache);
	k = calloc(1, sizeof *k);
	if (!k)
		return;
	known_key(k->key, p->owner->name, family);
	k->until_us = s->outbound->host->now_us() +
		      (ttl_s < TTL_MOST_S ? ttl_s : TTL_MOST_S) * US_PER_S;
	k->err = p->err;
	k->count = p->count;
	memcpy(k->addrs, p->addrs, sizeof k->addrs);
	HASH_ADD_STR(s->cache, key, k);
	if (!k->hh.tbl)
		free(k);
}

/* ---- look-ups */

static void part_set(struct part *p, int err, const struct weir_addr *addrs,
		     int n)
{
	p->err = err;
	p->count = n < ADDRS_MAX ? n : ADDRS_MAX;
	if (p->count)
		memcpy(p->addrs, addrs, (size_t)p->count * sizeof *addrs);
}

static void lookup_answer(struct weir_task *task)
{
	struct lookup *l = (struct lookup *)((char *)task -
					     offsetof(struct lookup, answer));
	struct names *s = l->names;
	struct weir_addr all[FAMILIES * ADDRS_MAX];
	struct part *first, *other;
	lookup_done *done = l->done;
	void *arg = l->arg;
	int n, err = 0;

	if (!done) {
		free(l);
		return;
	}
	first = &l->part[s->first];
	other = &l->part[!s->first];
	n = first->count;
	memcpy(all, first->addrs, (size_t)n * sizeof *all);
	if (!n || s->second_too) {
		memcpy(all + n, other->addrs,
		       (size_t)other->count * sizeof *all);
		n += other->count;
	}
	if (!n) {
		err = first->err && first->err != ENOENT ? first->err
							 : other->err;
		err = err ? err : ENOENT;
		++*s->outbound->unresolved;
	}
	free(l);
	done(arg, err, all, n);
}

static void answer_later(struct lookup *l)
{
	struct outbound *o = l->names->outbound;

	o->host->defer(o->instance, &l->answer);
}

static void core_answered(void *arg, int err, const struct weir_addr *addrs,
			  int n)
{
	struct lookup *l = arg;
	struct names *s = l->names;

	l->query = NULL;
	l->part[s->first].err = err;
	for (int i = 0; i < n; i++) {
		int family = addrs[i].kind == WEIR_ADDR_IP6 ? V6 : V4;
		struct part *p = &l->part[family];

		if (s->want[family] && p->count < ADDRS_MAX)
			p->addrs[p->count++] = addrs[i];
	}
	answer_later(l);
}

static void wait_free(struct lookup *l)
{
	if (l->wait)
		l->names->outbound->host->timer_free(l->wait);
	l->wait = NULL;
}

/* The end of a look-up through the tunnel. A failure is remembered only if the
 * name was found in the other family. */
static void lookup_end(struct lookup *l)
{
	for (int i = 0; i < FAMILIES; i++) {
		struct part *p = &l->part[i];

		if (p->question)
			dns_cancel(p->question);
		p->question = NULL;
		if (p->asked && p->err && p->err != ENOENT && l->part[!i].count)
			known_add(l->names, p, i, FAILED_TTL_S);
	}
	wait_free(l);
	answer_later(l);
}

static void wait_over(void *arg)
{
	struct lookup *l = arg;

	for (int i = 0; i < FAMILIES; i++)
		if (l->part[i].question)
			l->part[i].err = ETIMEDOUT;
	lookup_end(l);
}

/* At most a quarter of the time for the dial, so that enough is left to
 * connect. */
static uint64_t wait_us(const struct names *s)
{
	uint64_t us = s->second_too ? RESOLUTION_US : PREFERRED_US,
		 most_us = s->outbound->conf->dial_timeout_ms * 1000 / 4;

	return us < most_us ? us : most_us;
}

/* Answer, or wait for the other family. */
static void lookup_look(struct lookup *l)
{
	struct names *s = l->names;
	const struct part *first = &l->part[s->first],
			  *other = &l->part[!s->first];

	if ((!first->question && !other->question) ||
	    (first->count && !s->second_too))
		lookup_end(l);
	else if (first->count || other->count)
		s->outbound->host->timer_set(l->wait, wait_us(s));
}

static void tunnel_answered(void *arg, int err, const struct weir_addr *addrs,
			    int n, uint32_t ttl_s)
{
	struct part *p = arg;
	struct lookup *l = p->owner;

	p->question = NULL;
	part_set(p, err, addrs, n);
	if (!err || err == ENOENT)
		known_add(l->names, p, p == &l->part[V6] ? V6 : V4, ttl_s);
	lookup_look(l);
}

static void part_begin(struct lookup *l, int family)
{
	struct names *s = l->names;
	struct part *p = &l->part[family];
	struct known *k = known_find(s, l->name, family);

	if (k) {
		part_set(p, k->err, k->addrs, k->count);
		return;
	}
	p->question =
		dns_ask(s->dns, l->name, family == V6, tunnel_answered, p);
	p->asked = p->question;
	if (!p->question)
		p->err = ENOENT;
}

static bool lookup_begin(struct lookup *l)
{
	struct names *s = l->names;
	struct outbound *o = s->outbound;
	unsigned families = (s->want[V4] ? 1u : 0) | (s->want[V6] ? 2u : 0);

	if (!s->dns && families) {
		l->query = o->host->resolve(o->instance, l->name, families,
					    core_answered, l);
		return l->query;
	}
	l->wait = o->host->timer_new(o->instance, wait_over, l);
	if (!l->wait)
		return false;
	for (int i = 0; i < FAMILIES; i++)
		if (s->want[i])
			part_begin(l, i);
	lookup_look(l);
	return true;
}

struct lookup *names_lookup(struct names *s, const char *name,
			    lookup_done *done, void *arg)
{
	struct lookup *l = calloc(1, sizeof *l);
	size_t len = strlen(name);

	if (!l)
		return NULL;
	l->names = s;
	l->done = done;
	l->arg = arg;
	l->answer.run = lookup_answer;
	for (int i = 0; i < FAMILIES; i++)
		l->part[i].owner = l;
	for (size_t i = 0; i < len && len <= NAME_BYTES_MAX; i++)
		l->name[i] = name[i] >= 'A' && name[i] <= 'Z'
				     ? (char)(name[i] + 'a' - 'A')
				     : name[i];
	if (lookup_begin(l))
		return l;
	free(l);
	return NULL;
}

void names_cancel(struct lookup *l)
{
	struct outbound *o = l->names->outbound;

	if (l->query)
		o->host->resolve_cancel(l->query);
	for (int i = 0; i < FAMILIES; i++)
		if (l->part[i].question)
			dns_cancel(l->part[i].question);
	wait_free(l);
	/* A queued task cannot be cancelled: it will find nobody to tell. */
	if (l->answer.queued)
		l->done = NULL;
	else
		free(l);
}

struct names *names_new(struct outbound *o, const struct weir_list *servers)
{
	struct names *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->outbound = o;
	strategy_apply(s, o->conf->strategy);
	if (!servers->count)
		return s;
	s->dns = dns_new(o, servers);
	if (s->dns)
		return s;
	free(s);
	return NULL;
}

void names_free(struct names *s)
{
	if (!s)
		return;
	while (s->cache)
		known_forget(s, s->cache);
	dns_free(s->dns);
	free(s);
}
