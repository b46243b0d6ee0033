/* SPDX-License-Identifier: GPL-2.0-or-later */
/* end.h - what a plugin's `struct weir_end *` points to.
 *
 * An end is embedded in whatever stands behind it: a stream session, a flow, a
 * leg of a flow or a dial. The host table calls through `ops`; NULL entries
 * are calls that this kind of end does not take. */
#ifndef WEIR_CORE_END_H
#define WEIR_CORE_END_H

#include <weir/host.h>

struct end_ops {
	void (*stream_ready)(struct weir_end *, const struct weir_stream_ops *,
			     void *s);
	void (*flow_ready)(struct weir_end *, const struct weir_flow_ops *,
			   void *f);
	void (*notify)(struct weir_end *, unsigned events);
	void (*deliver)(struct weir_end *, const struct weir_datagram *, int n);
	void (*unreachable)(struct weir_end *, const struct weir_addr *, int);
	void (*fail)(struct weir_end *, int err, const char *why);
	const struct weir_policy *(*policy)(struct weir_end *);
	const struct weir_session_info *(*info)(struct weir_end *);
};

struct weir_end {
	const struct end_ops *ops;
};

#endif
