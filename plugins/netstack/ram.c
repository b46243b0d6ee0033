/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ram.c - a service or a container may have less than the machine.
 *
 * Each control group from ours up to the root may set a limit, memory.max,
 * which is a number of bytes or "max"; the least of them counts (Linux,
 * admin-guide/cgroup-v2). In a container the tree often begins at its own
 * group, whose limit is then in the topmost folder.
 *
 * A process of 32 bits runs out of addresses long before a machine that has
 * tens of gigabytes runs out of memory; the kernel may have half of them. */
#include "ram.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUR_GROUP "0::/" /* the line of version 2 */
#define ADDRESSES (SIZE_MAX / 2 + 1)

/* Our group's path without the slash before it, in `line`; NULL: there is
 * none. */
static char *group_of(const char *process, char line[PATH_MAX])
{
	FILE *f = fopen(process, "re");
	char *path = NULL;

	while (f && !path && fgets(line, PATH_MAX, f))
		if (strncmp(line, OUR_GROUP, strlen(OUR_GROUP)) == 0)
			path = line + strlen(OUR_GROUP);
	if (f)
		fclose(f);
	if (path)
		path[strcspn(path, "\n")] = '\0';
	return path;
}

static uint64_t limit_of(const char *groups, const char *path)
{
	unsigned long long limit = UINT64_MAX;
	char name[2 * PATH_MAX];
	FILE *f;

	snprintf(name, sizeof name, "%s/%s/memory.max", groups, path);
	f = fopen(name, "re");
	if (!f)
		return UINT64_MAX;
	if (fscanf(f, "%llu", &limit) != 1)
		limit = UINT64_MAX;
	fclose(f);
	return limit;
}

uint64_t ram_bytes(const char *process, const char *groups)
{
	uint64_t least = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE);
	char line[PATH_MAX], *path = group_of(process, line);

	if (least > ADDRESSES)
		least = ADDRESSES;
	if (!path)
		return least;
	for (;;) {
		uint64_t limit = limit_of(groups, path);
		char *slash = strrchr(path, '/');

		if (limit < least)
			least = limit;
		if (!*path)
			return least;
		*(slash ? slash : path) = '\0';
	}
}
