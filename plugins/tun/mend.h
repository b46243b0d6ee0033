/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend.h - what somebody had taken away, as it is put back. */
#ifndef TUN_MEND_H
#define TUN_MEND_H

#include <weir/base.h>

#define MEND_BYTES 256

struct mend {
	char done[MEND_BYTES]; /* in words; empty: nothing was gone */
	char failed[MEND_BYTES];
	int err; /* of what `failed` names first */
};

/* `what` was asked for: 0, EEXIST where it was there, or why it cannot be. */
WEIR_PRINTF(3, 4)
void mend_note(struct mend *, int err, const char *what, ...);

#endif
