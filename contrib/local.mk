# SPDX-License-Identifier: GPL-2.0-or-later
# What a system needs to run weir as a service, and a shell to complete it.

systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
completiondir = $(datadir)/bash-completion/completions

nodist_systemdunit_DATA = contrib/weir.service
CLEANFILES += contrib/weir.service
EXTRA_DIST += contrib/weir.service.in contrib/weir.sysusers \
	contrib/weir.bash-completion \
	contrib/archive.sh contrib/fetch-i386 contrib/fetch-lwip \
	contrib/fetch-wireguard-go contrib/prepare.sh contrib/count.sh \
	contrib/on-kernel

contrib/weir.service: contrib/weir.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	sed -e 's|@bindir[@]|$(bindir)|' -e 's|@sysconfdir[@]|$(sysconfdir)|' \
		$(srcdir)/contrib/weir.service.in >$@.tmp && mv $@.tmp $@

# Both are installed under a name of their own, so by hand.
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(completiondir)'
	$(INSTALL_DATA) $(srcdir)/contrib/weir.sysusers \
		'$(DESTDIR)$(sysusersdir)/weir.conf'
	$(INSTALL_DATA) $(srcdir)/contrib/weir.bash-completion \
		'$(DESTDIR)$(completiondir)/weir'

uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/weir.conf' \
		'$(DESTDIR)$(completiondir)/weir'
