# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-License-Identifier: GPL-2.0-or-later
if OUTBOUND_BLACKHOLE
plugin_LTLIBRARIES += outbound-blackhole.la
outbound_blackhole_la_SOURCES = plugins/outbound-blackhole/plugin.c
outbound_blackhole_la_LDFLAGS = $(WEIR_PLUGIN_LDFLAGS)
endif
