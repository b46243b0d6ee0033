# SPDX-License-Identifier: GPL-2.0-or-later
# A dialled stream as an end of one's own; for outbounds that go on by dials.
noinst_LTLIBRARIES += libpassage.la
libpassage_la_SOURCES = \
	plugins/passage/passage.c \
	plugins/passage/passage.h
libpassage_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/passage
