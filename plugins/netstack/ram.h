/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ram.h - how much memory there is for this process. */
#ifndef NETSTACK_RAM_H
#define NETSTACK_RAM_H

#include <stdint.h>

/* Bytes: what the machine has and the process has addresses for, or the least
 * limit of the control groups that it is in (version 2). `process` is the file
 * in which the kernel says which these are, /proc/self/cgroup, and `groups`
 * where their tree is mounted; what cannot be read sets no limit. */
uint64_t ram_bytes(const char *process, const char *groups);

#endif
