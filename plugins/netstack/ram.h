/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ram.h - how much memory there is for this process. */
#ifndef NETSTACK_RAM_H
#define NETSTACK_RAM_H

#include <stdint.h>

/* Bytes: what the machine has, or the least limit of the control groups that
 * the process is in (version 2). `process` is a copy of or the name of
 * /proc/self/cgroup, `groups` where the tree of groups is mounted; what cannot
 * be read sets no limit. */
uint64_t ram_bytes(const char *process, const char *groups);

#endif
