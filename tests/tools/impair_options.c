/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of impair.
 *
 * Theory of operation: a table of what a direction can suffer; the name as it
 * stands sets both directions, with `up-` or `down-` before it one of them.
 * Later words win. What depends on several of them, the queue's default and
 * the directions' seeds, is worked out when all are read. */
#include "impair_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_USAGE 64
#define MTU_DEFAULT 1500
#define MTU_LEAST 68
#define MTU_MOST 65535
#define MS_NS 1e6
#define MS_MOST 60000
#define MBIT_BITS 1e6
#define MBIT_MOST 100000
#define QUEUE_LEAST 65536 /* by default, where the path is short */

static void usage(void)
{
	fputs("usage: impair --left NETNS:NAME[:ADDRESS[,ADDRESS...]]\n"
	      "              --right NETNS:NAME[:ADDRESS[,ADDRESS...]]\n"
	      "              [--left-route NET] [--right-route NET]\n"
	      "              [--mtu BYTES] [--seed N]\n"
	      "both ways, or one with up- (left to right) or down- before:\n"
	      "  --loss PERCENT            --burst PERCENT:PERCENT (in:out)\n"
	      "  --duplicate PERCENT       --reorder PERCENT:MS\n"
	      "  --corrupt PERCENT         --delay MS    --jitter MS\n"
	      "  --rate MBIT/S             --queue BYTES\n",
	      stderr);
	exit(BAD_USAGE);
}

_Noreturn static void refuse(const char *name, const char *value)
{
	fprintf(stderr, "impair: --%s: \"%s\" is no value for it\n", name,
		value);
	exit(BAD_USAGE);
}

/* A number up to `most`; *end is what follows it. */
static double number(const char *name, const char *text, double most,
		     const char **end)
{
	char *after;
	double n = strtod(text, &after);

	if (after == text || !(n >= 0) || n > most)
		refuse(name, text);
	*end = after;
	return n;
}

static double whole(const char *name, const char *text, double most)
{
	const char *end;
	double n = number(name, text, most, &end);

	if (*end)
		refuse(name, text);
	return n;
}

static double share(const char *name, const char *text)
{
	return whole(name, text, 100) / 100;
}

/* "A:B": the share A; *second is where B begins. */
static double share_of_two(const char *name, const char *text,
			   const char **second)
{
	double n = number(name, text, 100, second) / 100;

	if (**second != ':')
		refuse(name, text);
	++*second;
	return n;
}

static uint64_t duration(const char *name, const char *text)
{
	return (uint64_t)(whole(name, text, MS_MOST) * MS_NS);
}

/* False where there is no such option. */
static bool set_way(struct impair_settings *s, const char *name,
		    const char *value)
{
	const char *second;

	if (!strcmp(name, "loss")) {
		s->loss = share(name, value);
	} else if (!strcmp(name, "burst")) {
		s->burst_in = share_of_two(name, value, &second);
		s->burst_out = share(name, second);
	} else if (!strcmp(name, "duplicate")) {
		s->duplicate = share(name, value);
	} else if (!strcmp(name, "reorder")) {
		s->reorder = share_of_two(name, value, &second);
		s->reorder_ns = duration(name, second);
	} else if (!strcmp(name, "corrupt")) {
		s->corrupt = share(name, value);
	} else if (!strcmp(name, "delay")) {
		s->delay_ns = duration(name, value);
	} else if (!strcmp(name, "jitter")) {
		s->jitter_ns = duration(name, value);
	} else if (!strcmp(name, "rate")) {
		s->rate_bits =
			(uint64_t)(whole(name, value, MBIT_MOST) * MBIT_BITS);
	} else if (!strcmp(name, "queue")) {
		s->queue_bytes = (uint64_t)whole(name, value, INT32_MAX);
	} else {
		return false;
	}
	return true;
}

static void add_route(struct impair_end *end, const char *net)
{
	if (end->route_count == IMPAIR_ROUTES_MAX)
		refuse("route", net);
	end->routes[end->route_count++] = net;
}

/* What concerns the pair; false where there is no such option. */
static bool set_pair(struct impair_options *o, const char *name, char *value)
{
	if (!strcmp(name, "left")) {
		if (impair_end_parse(&o->left, value))
			refuse(name, value);
	} else if (!strcmp(name, "right")) {
		if (impair_end_parse(&o->right, value))
			refuse(name, value);
	} else if (!strcmp(name, "left-route")) {
		add_route(&o->left, value);
	} else if (!strcmp(name, "right-route")) {
		add_route(&o->right, value);
	} else if (!strcmp(name, "mtu")) {
		o->mtu_bytes = (uint32_t)whole(name, value, MTU_MOST);
		if (o->mtu_bytes < MTU_LEAST)
			refuse(name, value);
	} else if (!strcmp(name, "seed")) {
		o->seed = (uint64_t)whole(name, value, INT32_MAX);
	} else {
		return false;
	}
	return true;
}

static void set_one(struct impair_options *o, const char *name, char *value)
{
	bool up = true, down = true;
	const char *plain = name;

	if (set_pair(o, name, value))
		return;
	if (!strncmp(name, "up-", 3)) {
		down = false;
		plain += 3;
	} else if (!strncmp(name, "down-", 5)) {
		up = false;
		plain += 5;
	}
	if (up && !set_way(&o->way[IMPAIR_UP], plain, value))
		usage();
	if (down && !set_way(&o->way[IMPAIR_DOWN], plain, value))
		usage();
}

/* What the line carries in a round trip. */
static uint64_t default_queue(const struct impair_options *o, uint64_t bits)
{
	double trip_s = (double)(o->way[IMPAIR_UP].delay_ns +
				 o->way[IMPAIR_DOWN].delay_ns) /
			1e9;
	uint64_t bytes = (uint64_t)((double)bits / 8 * trip_s);

	return bytes > QUEUE_LEAST ? bytes : QUEUE_LEAST;
}

void impair_options_read(struct impair_options *o, int argc, char **argv)
{
	memset(o, 0, sizeof *o);
	o->mtu_bytes = MTU_DEFAULT;
	o->seed = 1;
	for (int i = 1; i < argc; i += 2) {
		if (strncmp(argv[i], "--", 2) || i + 1 == argc)
			usage();
		set_one(o, argv[i] + 2, argv[i + 1]);
	}
	if (!o->left.name || !o->right.name)
		usage();
	for (unsigned way = 0; way < IMPAIR_WAYS; way++) {
		struct impair_settings *s = &o->way[way];

		s->mtu_bytes = o->mtu_bytes;
		s->seed = o->seed * IMPAIR_WAYS + way;
		if (!s->queue_bytes)
			s->queue_bytes = default_queue(o, s->rate_bits);
	}
}
