# SPDX-License-Identifier: GPL-2.0-or-later
# The core: a convenience library, so that the tests link what weir links.
bin_PROGRAMS += weir
noinst_LTLIBRARIES += libweircore.la

libweircore_la_SOURCES = \
	core/addr.c core/addr.h \
	core/arena.c core/arena.h \
	core/backlog.c core/backlog.h \
	core/channel.c core/channel.h \
	core/command.c core/command.h \
	core/component.c core/component.h \
	core/config.c core/config.h \
	core/core.h \
	core/counters.c core/counters.h \
	core/daemon.c core/daemon.h \
	core/decode.c core/decode.h \
	core/descriptor.c core/descriptor.h \
	core/dial.c core/dial.h \
	core/dispatch.c core/dispatch.h \
	core/end.h \
	core/enclosure.c core/enclosure.h \
	core/exec.c core/exec.h \
	core/exec_config.c core/exec_config.h \
	core/flow.c core/flow.h \
	core/help.c \
	core/host.c core/host.h \
	core/import.c core/import.h \
	core/inside.c core/inside.h \
	core/inside_network.c \
	core/instance.c core/instance.h \
	core/items.c \
	core/key.c core/key.h \
	core/leg.c core/leg.h \
	core/load.c core/load.h \
	core/loading.h \
	core/log.c core/log.h \
	core/loop.c core/loop.h \
	core/nearest.c core/nearest.h \
	core/nameservers.c core/nameservers.h \
	core/note.c core/note.h \
	core/notify.c core/notify.h \
	core/options.h \
	core/policy.c core/policy.h \
	core/references.c \
	core/reentry.c core/reentry.h \
	core/registry.c core/registry.h \
	core/relay.c core/relay.h \
	core/report.c core/report.h \
	core/resolve.c core/resolve.h \
	core/route.c core/route.h \
	core/rtnl.c core/rtnl.h \
	core/rules.c \
	core/scalar.c core/scalar.h \
	core/schema.c core/schema.h \
	core/sections.c core/sections.h \
	core/session.c core/session.h \
	core/setup.c core/setup.h \
	core/share.c core/share.h \
	core/sockets.c core/sockets.h \
	core/source.c core/source.h \
	core/spin.c core/spin.h \
	core/tree.h \
	core/trust.c core/trust.h \
	core/timers.c core/timers.h \
	core/turn.c core/turn.h \
	core/utf8.c core/utf8.h \
	core/util.h \
	core/watches.c core/watches.h \
	core/yaml.c
libweircore_la_CPPFLAGS = $(WEIR_CORE_CPPFLAGS)
libweircore_la_LIBADD = $(WEIR_CORE_LIBS)

weir_SOURCES = core/main.c
weir_CPPFLAGS = $(WEIR_CORE_CPPFLAGS)
weir_LDADD = libweircore.la
