/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp.c - lwIP's file of that name. It frees pcbs at many places, and here each
 * of them tells whose pcb that was. */
#include "lwip/memp.h"

#include "hooks.h"

#define memp_free(type, at)                                                    \
	do {                                                                   \
		if ((type) == MEMP_TCP_PCB)                                    \
			hook_pcb_freed(at);                                    \
		memp_free(type, at);                                           \
	} while (0)

#include "core/tcp.c"
