# SPDX-License-Identifier: GPL-2.0-or-later

# The configuration.
dist_man_MANS += doc/weir.yaml.5
exampledir = $(docdir)/examples
dist_example_DATA = \
	doc/examples/block.yaml \
	doc/examples/direct.yaml \
	doc/examples/split-dns.yaml \
	doc/examples/wireguard-client.yaml \
	doc/examples/wireguard-server.yaml
dist_doc_DATA += doc/plugin-author.md doc/performance.md
EXTRA_DIST += doc/architecture.md

# The program.
dist_man_MANS += doc/weir.1
