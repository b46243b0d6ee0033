/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages.h - memory that is kept for a burst, and lent to the system between
 * bursts: the addresses stay, what was written there is lost. */
#ifndef WIREGUARD_PAGES_H
#define WIREGUARD_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The whole pages among these bytes; the rest of them stays. */
static inline void pages_give_back(void *from, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t skip = -(uintptr_t)from & (page - 1);

	if (len >= skip + page)
		madvise((char *)from + skip, (len - skip) & ~(page - 1),
			MADV_DONTNEED);
}

#endif
