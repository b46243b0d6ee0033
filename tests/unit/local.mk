# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of single files, by libcheck.

# What runs the tests of a program, of tests/sim too.
EXTRA_DIST += tests/suite.h tests/no_table.h

# Files of plugins/wireguard that tests/fuzz wants as well.
WG_QUICK = plugins/wireguard/keytext.c plugins/wireguard/keytext.h \
	plugins/wireguard/quick.c plugins/wireguard/quick.h \
	plugins/wireguard/quick_file.c plugins/wireguard/quick_key.c \
	plugins/wireguard/quick_reading.h plugins/wireguard/quick_same.c \
	plugins/wireguard/value.c plugins/wireguard/value.h
WG_UAPI = plugins/wireguard/keytext.c plugins/wireguard/keytext.h \
	plugins/wireguard/uapi.c plugins/wireguard/uapi.h \
	plugins/wireguard/uapi_get.c plugins/wireguard/uapi_private.h \
	plugins/wireguard/uapi_set.c plugins/wireguard/wg.h \
	plugins/wireguard/value.c plugins/wireguard/value.h \
	tests/unit/wg_fake.c tests/unit/wg_fake.h

if HAVE_CHECK

# The core. Most of these play its components themselves, in fake.h, or read a
# configuration, with parts.h.
check_LTLIBRARIES += libunit.la
libunit_la_SOURCES = \
	tests/unit/fake.c tests/unit/fake.h \
	tests/unit/fake_end.c \
	tests/unit/parts.c tests/unit/parts.h
libunit_la_CPPFLAGS = $(UNIT_CPPFLAGS)
core_tests = tests/unit/test_addr \
	tests/unit/test_yaml \
	tests/unit/test_decode \
	tests/unit/test_schema \
	tests/unit/test_config \
	tests/unit/test_note \
	tests/unit/test_registry \
	tests/unit/test_load \
	tests/unit/test_exec \
	tests/unit/test_turn \
	tests/unit/test_spin \
	tests/unit/test_loop \
	tests/unit/test_log \
	tests/unit/test_policy \
	tests/unit/test_route \
	tests/unit/test_channel \
	tests/unit/test_resolve \
	tests/unit/test_relay \
	tests/unit/test_backlog \
	tests/unit/test_share \
	tests/unit/test_session \
	tests/unit/test_flow \
	tests/unit/test_dial \
	tests/unit/test_instance \
	tests/unit/test_daemon
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
tests_unit_test_addr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_addr_LDADD = $(UNIT_LDADD)
tests_unit_test_yaml_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_yaml_LDADD = $(UNIT_LDADD)
tests_unit_test_decode_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_decode_LDADD = $(UNIT_LDADD)
tests_unit_test_schema_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_schema_LDADD = $(UNIT_LDADD)
tests_unit_test_schema_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc
tests_unit_test_config_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_config_LDADD = $(UNIT_LDADD)
tests_unit_test_note_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_note_LDADD = $(UNIT_LDADD)
tests_unit_test_registry_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_registry_LDADD = $(UNIT_LDADD)
tests_unit_test_load_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_load_LDADD = $(UNIT_LDADD)
tests_unit_test_exec_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_exec_LDADD = $(UNIT_LDADD)
tests_unit_test_turn_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_turn_LDADD = $(UNIT_LDADD)
tests_unit_test_spin_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_spin_LDADD = $(UNIT_LDADD)
tests_unit_test_loop_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_loop_LDADD = $(UNIT_LDADD)
tests_unit_test_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_log_LDADD = $(UNIT_LDADD)
tests_unit_test_policy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_policy_LDADD = $(UNIT_LDADD)
tests_unit_test_route_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_route_LDADD = $(UNIT_LDADD)
tests_unit_test_channel_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_channel_LDADD = $(UNIT_LDADD)
tests_unit_test_resolve_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_resolve_LDADD = $(UNIT_LDADD)
tests_unit_test_resolve_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=loop_watch_new
tests_unit_test_relay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_relay_LDADD = $(UNIT_LDADD)
tests_unit_test_backlog_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_backlog_LDADD = $(UNIT_LDADD)
tests_unit_test_share_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_share_LDADD = $(UNIT_LDADD)
tests_unit_test_session_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_session_LDADD = $(UNIT_LDADD)
tests_unit_test_flow_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_flow_LDADD = $(UNIT_LDADD)
tests_unit_test_dial_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dial_LDADD = $(UNIT_LDADD)
tests_unit_test_instance_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_instance_LDADD = $(UNIT_LDADD)
tests_unit_test_daemon_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_daemon_LDADD = $(UNIT_LDADD)

# The fake host.
check_PROGRAMS += tests/unit/test_fakehost
TESTS += tests/unit/test_fakehost
tests_unit_test_fakehost_SOURCES = tests/unit/test_fakehost.c \
	tests/unit/fakehost_null.h
tests_unit_test_fakehost_CPPFLAGS = $(UNIT_CPPFLAGS) \
	-I$(top_srcdir)/sdk/fakehost
tests_unit_test_fakehost_LDADD = libweir-fakehost.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_fakehost_aborts
TESTS += tests/unit/test_fakehost_aborts
tests_unit_test_fakehost_aborts_SOURCES = tests/unit/test_fakehost_aborts.c \
	tests/unit/fakehost_null.h
tests_unit_test_fakehost_aborts_CPPFLAGS = $(UNIT_CPPFLAGS) \
	-I$(top_srcdir)/sdk/fakehost
tests_unit_test_fakehost_aborts_LDADD = libweir-fakehost.a $(CHECK_LIBS)

# Single files of plugins, without the rest of them.
check_PROGRAMS += tests/unit/test_checksum
TESTS += tests/unit/test_checksum
tests_unit_test_checksum_SOURCES = tests/unit/test_checksum.c \
	plugins/netstack/checksum.c plugins/netstack/checksum.h
tests_unit_test_checksum_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_checksum_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test_ram
TESTS += tests/unit/test_ram
tests_unit_test_ram_SOURCES = tests/unit/test_ram.c \
	plugins/netstack/ram.c plugins/netstack/ram.h
tests_unit_test_ram_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_ram_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test_vnet
TESTS += tests/unit/test_vnet
tests_unit_test_vnet_SOURCES = tests/unit/test_vnet.c \
	plugins/tun/vnet.c plugins/tun/vnet.h
tests_unit_test_vnet_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_vnet_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test_tun
TESTS += tests/unit/test_tun
tests_unit_test_tun_SOURCES = tests/unit/test_tun.c \
	plugins/tun/tun.c plugins/tun/tun.h \
	plugins/tun/vnet.c plugins/tun/vnet.h
tests_unit_test_tun_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tun_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test_inbound_tun
TESTS += tests/unit/test_inbound_tun
tests_unit_test_inbound_tun_SOURCES = tests/unit/test_inbound_tun.c \
	tests/unit/tun_world.h \
	plugins/inbound-tun/plugin.c plugins/inbound-tun/receive.c \
	plugins/inbound-tun/options.c plugins/inbound-tun/options.h \
	plugins/tun/address.h plugins/tun/mend.h \
	plugins/tun/tun.h plugins/tun/upkeep.h
tests_unit_test_inbound_tun_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir) -I$(top_srcdir)/sdk/fakehost \
	-I$(top_srcdir)/plugins/tun
tests_unit_test_inbound_tun_LDADD = libweir-fakehost.a $(CHECK_LIBS)
if HAVE_MNL
check_PROGRAMS += tests/unit/test_upkeep
TESTS += tests/unit/test_upkeep
tests_unit_test_upkeep_SOURCES = tests/unit/test_upkeep.c \
	plugins/tun/upkeep.c plugins/tun/upkeep.h \
	plugins/tun/netlink.h plugins/tun/routing.h
tests_unit_test_upkeep_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(MNL_CFLAGS) -I$(top_srcdir) -I$(top_srcdir)/sdk/fakehost
tests_unit_test_upkeep_LDADD = libweir-fakehost.a $(MNL_LIBS) $(CHECK_LIBS)
endif

# WireGuard: wg-quick files, and the language of wg.
check_PROGRAMS += tests/unit/test_wg_quick
TESTS += tests/unit/test_wg_quick
tests_unit_test_wg_quick_SOURCES = tests/unit/test_wg_quick.c tests/unit/told.h \
	$(WG_QUICK)
tests_unit_test_wg_quick_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)
tests_unit_test_wg_quick_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_wg_import
TESTS += tests/unit/test_wg_import
tests_unit_test_wg_import_SOURCES = tests/unit/test_wg_import.c tests/unit/told.h \
	plugins/wireguard/import.c plugins/wireguard/import.h $(WG_QUICK)
tests_unit_test_wg_import_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)
tests_unit_test_wg_import_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_wg_uapi
TESTS += tests/unit/test_wg_uapi
tests_unit_test_wg_uapi_SOURCES = tests/unit/test_wg_uapi.c \
	tests/unit/uapi_talk.h $(WG_UAPI)
tests_unit_test_wg_uapi_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)
tests_unit_test_wg_uapi_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_wg_socket
TESTS += tests/unit/test_wg_socket
tests_unit_test_wg_socket_SOURCES = tests/unit/test_wg_socket.c \
	tests/unit/device_host.h $(IDLE) \
	plugins/wireguard/uapi_socket.c plugins/wireguard/uapi_socket.h \
	$(WG_UAPI)
tests_unit_test_wg_socket_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir) -I$(top_srcdir)/sdk/fakehost
tests_unit_test_wg_socket_LDADD = libweir-fakehost.a $(CHECK_LIBS)

# A component for the fake host that does nothing.
IDLE = tests/unit/idle.c tests/unit/idle.h

# The engine of WireGuard: crypto and handshake.
if HAVE_WOLFSSL
WG_TEST_CPPFLAGS = $(WG_CPPFLAGS) $(CHECK_CFLAGS)
WG_TEST_LDADD = libwg.la $(CHECK_LIBS)
EXTRA_DIST += tests/unit/wg.h
wg_tests = tests/unit/test_wg_crypto \
	tests/unit/test_wg_aead \
	tests/unit/test_wg_noise \
	tests/unit/test_wg_transcript \
	tests/unit/test_wg_message \
	tests/unit/test_wg_cookie \
	tests/unit/test_wg_ratelimit \
	tests/unit/test_wg_replay \
	tests/unit/test_wg_allowedips
check_PROGRAMS += $(wg_tests)
TESTS += $(wg_tests)
tests_unit_test_wg_crypto_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_crypto_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_aead_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_aead_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_noise_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_noise_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_transcript_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_transcript_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_message_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_message_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_cookie_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_cookie_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_ratelimit_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_ratelimit_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_replay_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_replay_LDADD = $(WG_TEST_LDADD)
tests_unit_test_wg_allowedips_CPPFLAGS = $(WG_TEST_CPPFLAGS)
tests_unit_test_wg_allowedips_LDADD = $(WG_TEST_LDADD)
endif

# The WireGuard engine's device, in virtual time.
if HAVE_WOLFSSL
wgbed_cppflags = $(WG_CPPFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)
wgbed_ldadd = libwgbed.la libwg.la $(CHECK_LIBS)
check_LTLIBRARIES += libwgbed.la
libwgbed_la_SOURCES = \
	tests/unit/wgbed.c tests/unit/wgbed.h \
	tests/unit/wgbed_main.c
libwgbed_la_CPPFLAGS = $(wgbed_cppflags)
wg_device_tests = tests/unit/test_wg_data \
	tests/unit/test_wg_full \
	tests/unit/test_wg_handshake \
	tests/unit/test_wg_keys \
	tests/unit/test_wg_load \
	tests/unit/test_wg_memory \
	tests/unit/test_wg_passing \
	tests/unit/test_wg_packets \
	tests/unit/test_wg_roaming \
	tests/unit/test_wg_timers \
	tests/unit/test_wg_workers
check_PROGRAMS += $(wg_device_tests)
TESTS += $(wg_device_tests)
tests_unit_test_wg_data_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_data_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_full_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_full_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_handshake_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_handshake_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_keys_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_keys_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_load_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_load_LDADD = $(wgbed_ldadd)
# Its allocations fail when it wants them to.
tests_unit_test_wg_memory_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_memory_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc
tests_unit_test_wg_packets_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_packets_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_passing_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_passing_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_roaming_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_roaming_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_timers_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_timers_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_workers_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_workers_LDADD = $(wgbed_ldadd)
tests_unit_test_wg_workers_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=workers_give

# The tunnel on top: what the log says of peers.
check_PROGRAMS += tests/unit/test_wg_report
TESTS += tests/unit/test_wg_report
tests_unit_test_wg_report_CPPFLAGS = $(wgbed_cppflags)
tests_unit_test_wg_report_LDADD = libwgtunnel.la $(CHECK_LIBS)

# A tunnel on real sockets; its sendmsg fails when a test wants it to, and the
# wall clock is the test's.
check_PROGRAMS += tests/unit/test_wg_network
TESTS += tests/unit/test_wg_network
tests_unit_test_wg_network_SOURCES = tests/unit/test_wg_network.c $(IDLE) \
	plugins/wireguard/network.c plugins/wireguard/network.h
tests_unit_test_wg_network_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir) -I$(top_srcdir)/sdk/fakehost
tests_unit_test_wg_network_LDADD = libweir-fakehost.a $(CHECK_LIBS)
tests_unit_test_wg_network_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=recv \
	-Wl,--wrap=socket
wgtunnel = tests/unit/wgtunnel.h $(IDLE)
wgtunnel_cppflags = $(wgbed_cppflags) -I$(top_srcdir)/sdk/fakehost
wgtunnel_ldadd = libwgtunnel.la libweir-fakehost.a $(CHECK_LIBS)
wgtunnel_ldflags = $(AM_LDFLAGS) -Wl,--wrap=sendmsg -Wl,--wrap=clock_gettime
check_PROGRAMS += tests/unit/test_wg_tunnel
TESTS += tests/unit/test_wg_tunnel
tests_unit_test_wg_tunnel_SOURCES = tests/unit/test_wg_tunnel.c $(wgtunnel)
tests_unit_test_wg_tunnel_CPPFLAGS = $(wgtunnel_cppflags)
tests_unit_test_wg_tunnel_LDADD = $(wgtunnel_ldadd)
tests_unit_test_wg_tunnel_LDFLAGS = $(wgtunnel_ldflags)
check_PROGRAMS += tests/unit/test_wg_changes
TESTS += tests/unit/test_wg_changes
tests_unit_test_wg_changes_SOURCES = tests/unit/test_wg_changes.c $(wgtunnel)
tests_unit_test_wg_changes_CPPFLAGS = $(wgtunnel_cppflags)
tests_unit_test_wg_changes_LDADD = $(wgtunnel_ldadd)
tests_unit_test_wg_changes_LDFLAGS = $(wgtunnel_ldflags)
endif

# WireGuard: packets to and from the kernel.
check_PROGRAMS += tests/unit/test_wg_kernel
TESTS += tests/unit/test_wg_kernel
tests_unit_test_wg_kernel_SOURCES = tests/unit/test_wg_kernel.c \
	plugins/outbound-wireguard/guard.c plugins/outbound-wireguard/guard.h \
	plugins/outbound-wireguard/merge.c plugins/outbound-wireguard/merge.h \
	plugins/wireguard/cut.c plugins/wireguard/cut.h \
	plugins/wireguard/sum.c plugins/wireguard/sum.h
tests_unit_test_wg_kernel_CPPFLAGS = $(UNIT_CPPFLAGS) \
	-I$(top_srcdir)/plugins/wireguard -I$(top_srcdir)/plugins/bytes
tests_unit_test_wg_kernel_LDADD = $(CHECK_LIBS)

# WireGuard: names that are asked for behind a tunnel.
if OUTBOUND_WIREGUARD
check_PROGRAMS += tests/unit/test_wg_dns
TESTS += tests/unit/test_wg_dns
tests_unit_test_wg_dns_SOURCES = tests/unit/test_wg_dns.c $(IDLE) \
	tests/unit/dns_message.c tests/unit/dns_message.h \
	plugins/outbound-wireguard/dns.c \
	plugins/outbound-wireguard/dns_stream.c \
	plugins/outbound-wireguard/outbound.h
tests_unit_test_wg_dns_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	$(CARES_CFLAGS) -I$(top_srcdir) -I$(top_srcdir)/plugins/wireguard \
	-I$(top_srcdir)/plugins/bytes \
	-I$(top_srcdir)/sdk/fakehost
tests_unit_test_wg_dns_LDADD = libweir-fakehost.a $(CARES_LIBS) $(CHECK_LIBS)
WG_OUTBOUND = $(IDLE) \
	tests/unit/wg_outbound.c tests/unit/wg_outbound.h \
	plugins/outbound-wireguard/dns.c \
	plugins/outbound-wireguard/dns_stream.c \
	plugins/outbound-wireguard/names.c \
	plugins/outbound-wireguard/outbound.h
check_PROGRAMS += tests/unit/test_wg_bridge
TESTS += tests/unit/test_wg_bridge
tests_unit_test_wg_bridge_SOURCES = tests/unit/test_wg_bridge.c \
	$(WG_OUTBOUND) plugins/outbound-wireguard/bridge.c
tests_unit_test_wg_bridge_CPPFLAGS = $(tests_unit_test_wg_dns_CPPFLAGS) \
	-I$(top_srcdir)/plugins/passage
tests_unit_test_wg_bridge_LDADD = libpassage.la \
	$(tests_unit_test_wg_dns_LDADD)
check_PROGRAMS += tests/unit/test_wg_mtu
TESTS += tests/unit/test_wg_mtu
tests_unit_test_wg_mtu_SOURCES = tests/unit/test_wg_mtu.c \
	plugins/outbound-wireguard/mtu.c plugins/outbound-wireguard/outbound.h
tests_unit_test_wg_mtu_CPPFLAGS = $(tests_unit_test_wg_dns_CPPFLAGS)
tests_unit_test_wg_mtu_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_wg_names
TESTS += tests/unit/test_wg_names
tests_unit_test_wg_names_SOURCES = tests/unit/test_wg_names.c $(WG_OUTBOUND) \
	tests/unit/dns_message.c tests/unit/dns_message.h
tests_unit_test_wg_names_CPPFLAGS = $(tests_unit_test_wg_dns_CPPFLAGS)
tests_unit_test_wg_names_LDADD = $(tests_unit_test_wg_dns_LDADD)
tests_unit_test_wg_names_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc
if INBOUND_WIREGUARD
check_PROGRAMS += tests/unit/test_wg_ends
TESTS += tests/unit/test_wg_ends
tests_unit_test_wg_ends_CPPFLAGS = $(tests_unit_test_wg_dns_CPPFLAGS)
tests_unit_test_wg_ends_LDADD = libweir-fakehost.a $(CHECK_LIBS)
endif
endif

# The tools of the tests.
check_PROGRAMS += tests/unit/test_impair
TESTS += tests/unit/test_impair
tests_unit_test_impair_SOURCES = tests/unit/test_impair.c \
	tests/tools/impair_path.c tests/tools/impair_path.h \
	tests/tools/random.h
tests_unit_test_impair_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_impair_LDADD = $(CHECK_LIBS)

if INBOUND_WIREGUARD
check_PROGRAMS += tests/unit/test_wg_values
TESTS += tests/unit/test_wg_values
tests_unit_test_wg_values_SOURCES = tests/unit/test_wg_values.c \
	plugins/inbound-wireguard/inbound.h \
	plugins/inbound-wireguard/private.c
tests_unit_test_wg_values_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir) -I$(top_srcdir)/plugins/wireguard
tests_unit_test_wg_values_LDADD = libwgtunnel.la $(CHECK_LIBS)
endif
endif

# Whole files, through the real weir and its plugins.
EXTRA_DIST += tests/unit/checks.sh
dist_check_SCRIPTS += tests/unit/check_broken.sh tests/unit/check_examples.sh
TESTS += tests/unit/check_broken.sh tests/unit/check_examples.sh

# The drawing of the benches' results.
TESTS += tests/unit/check_plot.py
dist_check_SCRIPTS += tests/unit/check_plot.py
EXTRA_DIST += tests/unit/schema_names.py
dist_check_SCRIPTS += tests/unit/check_service.sh tests/unit/check_wireguard.sh
TESTS += tests/unit/check_service.sh tests/unit/check_wireguard.sh
dist_check_SCRIPTS += tests/unit/check_command.sh tests/unit/check_import.sh
TESTS += tests/unit/check_command.sh tests/unit/check_import.sh
EXTRA_DIST += tests/unit/import_plugin.c
include tests/unit/broken/local.mk
include tests/unit/quick/local.mk

# Needs no libcheck.
check_PROGRAMS += tests/unit/test_abi
TESTS += tests/unit/test_abi
