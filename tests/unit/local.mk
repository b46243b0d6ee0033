# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of single files, by libcheck.

if HAVE_CHECK
endif
