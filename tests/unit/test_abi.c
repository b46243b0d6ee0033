/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout of SDK 1.0, which no later minor may change: a plugin that was
 * built once must find every field where it was. sdk/ABI.md holds the same
 * figures. Sizes may grow by appended fields; add them there and here. */
#include <weir/netstack.h>
#include <weir/plugin.h>

/* Known for machines with 8-byte pointers; elsewhere nothing is promised. */
#if __SIZEOF_POINTER__ == 8

#define SIZE(type, bytes)                                                      \
	_Static_assert(sizeof(struct type) >= (bytes), #type " shrank")
#define SAME(type, bytes)                                                      \
	_Static_assert(sizeof(struct type) == (bytes), #type " changed size")
#define AT(type, field, bytes)                                                 \
	_Static_assert(offsetof(struct type, field) == (bytes),                \
		       #type "." #field " moved")

/* Without a size field of their own: these cannot grow at all. */
SAME(weir_addr, 24);
AT(weir_addr, name, 8);
SAME(weir_cidr, 32);
AT(weir_cidr, bits, 24);
SAME(weir_range, 8);
AT(weir_range, last, 4);
SAME(weir_error, 208);
AT(weir_error, option, 200);
SAME(weir_datagram, 24);
AT(weir_datagram, segment, 20);
SAME(weir_list, 16);
AT(weir_list, count, 8);
SAME(weir_task, 24);
AT(weir_task, queued, 16);
SAME(weir_identity, 168);
AT(weir_identity, needs, 104);
SAME(weir_loan, 24);
AT(weir_loan, pinned, 16);
SAME(weir_buffer, 16);
AT(weir_buffer, capacity, 8);
SAME(weir_ingress, 24);
AT(weir_ingress, flags, 19);
SAME(weir_egress, 24);
AT(weir_egress, csum_offset, 18);

/* These begin with their size, or are counted by a stride. */
SIZE(weir_stream_ops, 80);
AT(weir_stream_ops, commit, 72);
AT(weir_stream_ops, peek_loans, 80); /* 1.5 */
AT(weir_stream_ops, write_loans, 88);
AT(weir_stream_ops, unacked, 96); /* 1.6 */
SIZE(weir_flow_ops, 32);
AT(weir_flow_ops, unreachable, 24);
SIZE(weir_option, 72);
AT(weir_option, record, 64);
SIZE(weir_schema, 40);
AT(weir_schema, check, 32);
SIZE(weir_session_info, 72);
AT(weir_session_info, level, 64);
AT(weir_session_info, exchange_ms, 72); /* 1.2 */
AT(weir_session_info, refusal, 80);	/* 1.7 */
SIZE(weir_policy, 24);
AT(weir_policy, buffer_bytes, 20);
SIZE(weir_dialer_ops, 56);
AT(weir_dialer_ops, failed, 48);
SIZE(weir_host, 256);
AT(weir_host, tag, 248);
SIZE(weir_outbound_ops, 32);
AT(weir_outbound_ops, via, 28);
AT(weir_outbound_ops, mtu, 32); /* 1.4 */
SIZE(weir_sniffed, 272);
AT(weir_sniffed, host, 16);
SIZE(weir_sniffer_ops, 24);
AT(weir_sniffer_ops, look, 16);
SIZE(weir_component, 80);
AT(weir_component, destroy, 72);
AT(weir_component, import, 80);
AT(weir_component, report, 88); /* 1.3 */
SIZE(weir_import, 64);
AT(weir_import, arg, 56);
SIZE(weir_plugin, 48);
AT(weir_plugin, components, 40);
SIZE(weir_note, 188);
AT(weir_note, identity, 20);
SIZE(weir_link_conf, 40);
AT(weir_link_conf, max_flows, 32);
AT(weir_link_conf, congestion, 40); /* 1.1 */
SIZE(weir_link_ops, 32);
AT(weir_link_ops, accept_flow, 24);
AT(weir_link_ops, holder, 32); /* 1.4 */
SIZE(weir_netstack_ops, 96);
AT(weir_netstack_ops, writable, 64);
AT(weir_netstack_ops, room, 72);
AT(weir_netstack_ops, put, 80);
AT(weir_netstack_ops, flush, 88);
AT(weir_netstack_ops, recheck, 96); /* 1.4 */

/* The table that every plugin calls through. */
AT(weir_host, log, 8);
AT(weir_host, log_on, 16);
AT(weir_host, accept_stream, 24);
AT(weir_host, accept_flow, 32);
AT(weir_host, stream_ready, 40);
AT(weir_host, flow_ready, 48);
AT(weir_host, notify, 56);
AT(weir_host, deliver, 64);
AT(weir_host, unreachable, 72);
AT(weir_host, fail, 80);
AT(weir_host, policy, 88);
AT(weir_host, info, 96);
AT(weir_host, dial, 104);
AT(weir_host, hang_up, 112);
AT(weir_host, now_us, 120);
AT(weir_host, timer_new, 128);
AT(weir_host, timer_set, 136);
AT(weir_host, timer_stop, 144);
AT(weir_host, timer_free, 152);
AT(weir_host, watch_new, 160);
AT(weir_host, watch_free, 168);
AT(weir_host, defer, 176);
AT(weir_host, post, 184);
AT(weir_host, socket, 192);
AT(weir_host, resolve, 200);
AT(weir_host, resolve_cancel, 208);
AT(weir_host, service, 216);
AT(weir_host, counter, 224);
AT(weir_host, stopped, 232);
AT(weir_host, lost, 240);
AT(weir_host, tag, 248);
AT(weir_host, via_mtu, 256); /* 1.4 */

#endif

#include <stdio.h>

int main(void)
{
	puts("ok - every field of SDK 1.0 is where it was");
	return 0;
}
