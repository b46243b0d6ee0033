/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trains.h - what the kernel takes and gives of trains of datagrams: equal ones
 * in one call, of which the last may be shorter. */
#ifndef TRAINS_H
#define TRAINS_H

#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>

/* Linux 4.18 and 5.0; not in every libc's headers. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* The kernel's UDP_MAX_SEGMENTS, as it was before Linux 6.9 doubled it. */
#define SEGMENTS_MAX 64

/* Does the kernel take single datagrams only? EIO: the device cannot send
 * trains. EINVAL or, of newer kernels, EMSGSIZE: not on this path, whose
 * packets are smaller than the segments. */
static inline bool train_is_refused(int err)
{
	return err == EIO || err == EINVAL || err == EMSGSIZE;
}

#endif
