# SPDX-License-Identifier: GPL-2.0-or-later
# Real programs through a real daemon, in network namespaces; needs root.
e2e_tests = tests/e2e/test_streams.py tests/e2e/test_connect.py \
	tests/e2e/test_datagrams.py tests/e2e/test_life.py \
	tests/e2e/test_malformed.py tests/e2e/test_pressure.py \
	tests/e2e/test_names.py tests/e2e/test_sockets.py tests/e2e/test_leaks.py
EXTRA_DIST += tests/e2e/bed.py tests/e2e/harness.py tests/e2e/packets.py \
	tests/e2e/servers.py tests/e2e/valgrind.supp

# As a system runs it.
e2e_tests += tests/e2e/service.sh
EXTRA_DIST += tests/e2e/steps.sh

# A plugin outside the tree.
e2e_tests += tests/e2e/template.sh

# A command behind weir.
e2e_tests += tests/e2e/test_exec.py
EXTRA_DIST += tests/e2e/stage.py

# The bad network that other tests stand on.
e2e_tests += tests/e2e/test_impair.py
EXTRA_DIST += tests/e2e/impairment.py

# Across that network: what is carried arrives whole.
e2e_tests += tests/e2e/test_transfers.py
EXTRA_DIST += tests/e2e/transfers.py tests/e2e/farbed.py

# Floods: who is honest is served all the same.
e2e_tests += tests/e2e/test_floods.py

# Programs that people use.
e2e_tests += tests/e2e/test_clients.py

# WireGuard beside the distribution's wireguard-go.
e2e_tests += tests/e2e/test_wireguard.py tests/e2e/test_wireguard_in.py \
	tests/e2e/test_wireguard_both.py tests/e2e/test_wireguard_kernel.py
EXTRA_DIST += tests/e2e/wgbed.py tests/e2e/wgtraffic.py

# Its administration by wg, thousands of peers, floods of initiations, where
# keys are, and the files of wg-quick.
e2e_tests += tests/e2e/test_wireguard_uapi.py \
	tests/e2e/test_wireguard_floods.py \
	tests/e2e/test_wireguard_secrets.py tests/e2e/test_wireguard_quick.py
EXTRA_DIST += tests/e2e/wgserved.py

TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests)
