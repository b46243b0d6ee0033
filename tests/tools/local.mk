# SPDX-License-Identifier: GPL-2.0-or-later
# Load generators and servers of the tests and benches.
check_PROGRAMS += tests/tools/udpload tests/tools/conn
tests_tools_udpload_SOURCES = tests/tools/udpload.c \
	tests/tools/tool.c tests/tools/tool.h
tests_tools_conn_SOURCES = tests/tools/conn.c \
	tests/tools/tool.c tests/tools/tool.h
