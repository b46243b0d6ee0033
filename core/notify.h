/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify.h - a word to the service manager, where there is one: sd_notify(3)'s
 * protocol, of which weir needs two messages. */
#ifndef WEIR_CORE_NOTIFY_H
#define WEIR_CORE_NOTIFY_H

void notify_manager(const char *state); /* "READY=1", "STOPPING=1" */

#endif
