# SPDX-License-Identifier: GPL-2.0-or-later

# The network stack alone, in virtual time.
if NETSTACK
if HAVE_CHECK
stack_sim_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)/plugins/netstack -I$(top_srcdir)/plugins/bytes
stack_sim_ldadd = libstacksim.la libnetstack.la $(CHECK_LIBS)

# What its tests share.
check_LTLIBRARIES += libstacksim.la
libstacksim_la_SOURCES = \
	tests/sim/behave.c tests/sim/behave.h \
	tests/sim/client.c tests/sim/client.h \
	tests/sim/datagrams.h \
	tests/sim/fragments.c \
	tests/sim/path.c tests/sim/path.h \
	tests/sim/rival.c tests/sim/rival.h \
	tests/sim/sim.c tests/sim/sim.h \
	tests/sim/wire.c \
	plugins/netstack/plugin.c
libstacksim_la_CPPFLAGS = $(stack_sim_cppflags)

stack_sim_tests = tests/sim/test_accept tests/sim/test_tcp \
	tests/sim/test_lent \
	tests/sim/test_udp tests/sim/test_fragments tests/sim/test_gate \
	tests/sim/test_wire tests/sim/test_bbr tests/sim/test_cubic \
	tests/sim/test_curve \
	tests/sim/test_gro \
	tests/sim/test_gro_udp tests/sim/test_unreachable
check_PROGRAMS += $(stack_sim_tests)
TESTS += $(stack_sim_tests)

tests_sim_test_tcp_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_tcp_LDADD = $(stack_sim_ldadd)
tests_sim_test_lent_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_lent_LDADD = $(stack_sim_ldadd)
tests_sim_test_accept_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_accept_LDADD = $(stack_sim_ldadd)
tests_sim_test_accept_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc
tests_sim_test_fragments_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_fragments_LDADD = $(stack_sim_ldadd)
tests_sim_test_unreachable_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_unreachable_LDADD = $(stack_sim_ldadd)
tests_sim_test_udp_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_udp_LDADD = $(stack_sim_ldadd)
tests_sim_test_gro_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_gro_LDADD = $(stack_sim_ldadd)
tests_sim_test_gro_udp_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_gro_udp_LDADD = $(stack_sim_ldadd)
tests_sim_test_gate_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_gate_LDADD = $(stack_sim_ldadd)
tests_sim_test_wire_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_wire_LDADD = $(stack_sim_ldadd)

# The same, behaviour by behaviour.
behave_tests = tests/sim/test_behave_open tests/sim/test_behave_connect \
	tests/sim/test_behave_close \
	tests/sim/test_behave_receive tests/sim/test_behave_send \
	tests/sim/test_behave_reset tests/sim/test_behave_window \
	tests/sim/test_behave_link tests/sim/test_behave_segment \
	tests/sim/test_behave_tune tests/sim/test_behave_recover \
	tests/sim/test_behave_cubic tests/sim/test_behave_ecn \
	tests/sim/test_behave_marked tests/sim/test_behave_idle \
	tests/sim/test_behave_paced tests/sim/test_behave_cost \
	tests/sim/test_behave_flight tests/sim/test_behave_timeout \
	tests/sim/test_behave_tail \
	tests/sim/test_footprint tests/sim/test_holder \
	tests/sim/test_memory tests/sim/test_pmtu tests/sim/test_reorder
check_PROGRAMS += $(behave_tests)
TESTS += $(behave_tests)

tests_sim_test_behave_recover_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_recover_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_cubic_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_cubic_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_ecn_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_ecn_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_marked_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_marked_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_open_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_open_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_connect_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_connect_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_close_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_close_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_receive_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_receive_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_send_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_send_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_reset_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_reset_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_window_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_window_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_link_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_link_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_segment_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_segment_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_tune_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_tune_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_idle_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_idle_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_paced_CPPFLAGS = $(stack_sim_cppflags) \
	-I$(top_srcdir)/plugins/netstack/lwip $(LWIP_CPPFLAGS)
tests_sim_test_behave_paced_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_cost_CPPFLAGS = $(stack_sim_cppflags) \
	-I$(top_srcdir)/plugins/netstack/lwip $(LWIP_CPPFLAGS)
tests_sim_test_behave_cost_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_flight_CPPFLAGS = $(stack_sim_cppflags) \
	-I$(top_srcdir)/plugins/netstack/lwip $(LWIP_CPPFLAGS)
tests_sim_test_behave_flight_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_timeout_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_timeout_LDADD = $(stack_sim_ldadd)
tests_sim_test_behave_tail_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_behave_tail_LDADD = $(stack_sim_ldadd)
tests_sim_test_footprint_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_footprint_LDADD = $(stack_sim_ldadd)
tests_sim_test_holder_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_holder_LDADD = $(stack_sim_ldadd)
tests_sim_test_memory_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_memory_LDADD = $(stack_sim_ldadd)
tests_sim_test_pmtu_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_pmtu_LDADD = $(stack_sim_ldadd)
tests_sim_test_reorder_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_reorder_LDADD = $(stack_sim_ldadd)
tests_sim_test_bbr_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_bbr_LDADD = $(stack_sim_ldadd)
tests_sim_test_curve_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_curve_LDADD = $(stack_sim_ldadd)
tests_sim_test_cubic_CPPFLAGS = $(stack_sim_cppflags)
tests_sim_test_cubic_LDADD = $(stack_sim_ldadd)
endif
endif

# The outbounds over real loopback sockets.
realhost_sim = tests/sim/realhost.c tests/sim/realhost.h tests/sim/loopback.h \
	tests/sim/realhost_table.c tests/sim/realhost_table.h

if OUTBOUND_FREEDOM
if HAVE_CHECK
freedom_sim_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) \
	-I$(top_srcdir)/plugins/freedom -I$(top_srcdir)/plugins/passage \
	-I$(top_srcdir)/plugins/sockets
freedom_sim_ldadd = libfreedomsim.la libfreedom.la libpassage.la \
	$(CHECK_LIBS)

# What its tests share.
check_LTLIBRARIES += libfreedomsim.la
libfreedomsim_la_SOURCES = tests/sim/freedom_flow.h \
	tests/sim/freedom_preset.h $(realhost_sim) \
	$(outbound_freedom_la_SOURCES)
libfreedomsim_la_CPPFLAGS = $(freedom_sim_cppflags)

freedom_sim_tests = tests/sim/test_freedom tests/sim/test_freedom_dial \
	tests/sim/test_freedom_names tests/sim/test_freedom_udp \
	tests/sim/test_freedom_via
check_PROGRAMS += $(freedom_sim_tests)
TESTS += $(freedom_sim_tests)

tests_sim_test_freedom_CPPFLAGS = $(freedom_sim_cppflags)
tests_sim_test_freedom_LDADD = $(freedom_sim_ldadd)
tests_sim_test_freedom_dial_CPPFLAGS = $(freedom_sim_cppflags)
tests_sim_test_freedom_dial_LDADD = $(freedom_sim_ldadd)
tests_sim_test_freedom_names_CPPFLAGS = $(freedom_sim_cppflags)
tests_sim_test_freedom_names_LDADD = $(freedom_sim_ldadd)
tests_sim_test_freedom_udp_CPPFLAGS = $(freedom_sim_cppflags)
tests_sim_test_freedom_udp_LDADD = $(freedom_sim_ldadd)
tests_sim_test_freedom_udp_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc
tests_sim_test_freedom_via_CPPFLAGS = $(freedom_sim_cppflags)
tests_sim_test_freedom_via_LDADD = $(freedom_sim_ldadd)
endif
endif

if OUTBOUND_BLACKHOLE
if HAVE_CHECK
check_PROGRAMS += tests/sim/test_blackhole
TESTS += tests/sim/test_blackhole
tests_sim_test_blackhole_SOURCES = tests/sim/test_blackhole.c \
	$(realhost_sim) plugins/outbound-blackhole/plugin.c
tests_sim_test_blackhole_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_sim_test_blackhole_LDADD = $(CHECK_LIBS)
endif
endif
