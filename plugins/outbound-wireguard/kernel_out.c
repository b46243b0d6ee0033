/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_out.c - the kernel's packets on their way to the tunnel.
 *
 * When the device is readable up to BURST packets or trains are read, each of
 * which goes to the engine at once. What the tunnel has no room for is held
 * and the watch dropped: the rest waits in the device's own queue, which is
 * bounded and slows the kernel's TCP down. */
#include <errno.h>

#include "kernel.h"

#define BURST 64 /* packets a wake-up */

void kernel_pause(struct kernel *k)
{
	if (k->watch)
		k->outbound->host->watch_free(k->watch);
	k->watch = NULL;
}

/* False: the tunnel is full. */
static bool pass(struct kernel *k)
{
	k->held = k->link_ops->output(k->link, &k->out, 1) < 1;
	return !k->held;
}

static void kernel_ready(void *arg, unsigned events)
{
	struct kernel *k = arg;

	(void)events;
	for (int i = 0; i < BURST; i++) {
		int err = tun_take(&k->device, k->out_room, sizeof k->out_room,
				   &k->out_view, &k->out);

		if (err == EAGAIN)
			return;
		if (err == EBADMSG) {
			++*k->dropped;
		} else if (err) {
			k->gone = true;
			kernel_pause(k);
			upkeep_gone(k->upkeep);
			return;
		} else if (!guard_leaves(&k->guard, k->out_room,
					 k->out_view.iov_len)) {
			++*k->refused;
		} else if (!pass(k)) {
			kernel_pause(k);
			return;
		}
	}
}

bool kernel_resume(struct kernel *k)
{
	if (k->held && !pass(k))
		return true;
	if (!k->watch && !k->gone)
		k->watch = k->outbound->host->watch_new(
			k->outbound->instance, k->device.fd,
			WEIR_READABLE | WEIR_LEVEL_TRIGGERED, kernel_ready, k);
	return k->watch;
}
