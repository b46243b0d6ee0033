/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unix socket at which `wg` finds a device: who may, how many, how it comes
 * and goes; on a device that only remembers. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugins/wireguard/keytext.h"
#include "tests/unit/device_host.h"
#include "tests/suite.h"

#define PATIENCE_MS 30000
#define MANY 10000u
#define ANSWER_BYTES (8u << 20)

static const struct uapi_ops ops = {.socket_get = socket_get,
				    .socket_set = socket_set};

static struct uapi_socket *open_at(const char *folder, const char *name,
				   struct weir_error *e)
{
	const struct uapi_socket_conf conf = {
		.host = fakehost_table(w.host),
		.instance = w.instance,
		.folder = folder,
		.name = name,
		.device = {&w.wg, &ops, NULL},
	};

	return uapi_socket_open(&conf, e);
}

static void begin(void)
{
	struct weir_error e;

	memset(&w, 0, sizeof w);
	w.host = fakehost_new();
	w.instance = fakehost_start(w.host, &idle_component, "wg", NULL, &e);
	ck_assert_ptr_nonnull(w.instance);
	strcpy(w.folder, "test_wg_socket-XXXXXX"); /* where it is run */
	ck_assert_ptr_nonnull(mkdtemp(w.folder));
	snprintf(w.path, sizeof w.path, "%s/wt0.sock", w.folder);
}

static void begin_open(void)
{
	struct weir_error e;

	begin();
	w.socket = open_at(w.folder, "wt0", &e);
	ck_assert_msg(w.socket, "%s", e.text);
}

static void end(void)
{
	uapi_socket_close(w.socket);
	ck_assert(fakehost_stop(w.instance, 0));
	fakehost_free(w.host);
	wg_fake_clear(&w.wg);
	ck_assert_int_eq(rmdir(w.folder), 0);
}

/* ---- clients ---- */

static int dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", w.path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static char answer[ANSWER_BYTES];

/* Everything up to `until`, the end, or what nothing follows. */
static const char *hear(int fd, const char *until)
{
	size_t used = 0, tail = until ? strlen(until) : 0;
	int idle = 0;

	answer[0] = '\0';
	while (idle < 20) {
		ssize_t n = recv(fd, answer + used, sizeof answer - 1 - used,
				 MSG_DONTWAIT);

		if (n == 0)
			break;
		if (n > 0) {
			used += (size_t)n;
			answer[used] = '\0';
			idle = 0;
		}
		if (tail && used >= tail &&
		    strcmp(answer + used - tail, until) == 0)
			break;
		idle += fakehost_poll(w.host, n > 0 ? 0 : 5) == 0 && n < 0;
	}
	return answer;
}

static const char *ask(int fd, const char *text)
{
	ck_assert_int_eq((int)send(fd, text, strlen(text), MSG_NOSIGNAL),
			 (int)strlen(text));
	return hear(fd, "errno=0\n\n");
}

START_TEST(a_request_is_answered_again_and_again)
{
	int fd;

	begin_open();
	fd = dial();
	ck_assert_str_eq(ask(fd, "get=1\n\n"), "errno=0\n\n");
	ck_assert_str_eq(ask(fd, "set=1\nlisten_port=7\n\n"), "errno=0\n\n");
	ck_assert_str_eq(ask(fd, "set=1\nlisten_port=53\n\n"), "errno=-98\n\n");
	ck_assert_str_eq(ask(fd, "get=1\n\n"), "listen_port=7\nerrno=0\n\n");
	close(fd);
	end();
}
END_TEST

START_TEST(a_client_that_has_finished_is_still_answered)
{
	int fd;

	begin_open();
	fd = dial();
	ck_assert_int_eq((int)send(fd, "get=1\n\nget=1\n\n", 14, 0), 14);
	shutdown(fd, SHUT_WR);
	ck_assert_str_eq(hear(fd, NULL), "errno=0\n\nerrno=0\n\n");
	close(fd);
	end();
}
END_TEST

START_TEST(the_file_is_the_owners_and_goes_with_the_device)
{
	struct stat st;

	begin_open();
	ck_assert_int_eq(lstat(w.path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	uapi_socket_close(w.socket);
	w.socket = NULL;
	ck_assert_int_eq(lstat(w.path, &st), -1);
	end();
}
END_TEST

START_TEST(the_folder_is_made_for_the_owner_alone)
{
	struct weir_error e;
	char folder[100];
	struct stat st;

	begin();
	snprintf(folder, sizeof folder, "%s/new", w.folder);
	umask(0);
	w.socket = open_at(folder, "wt0", &e);
	ck_assert_msg(w.socket, "%s", e.text);
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	uapi_socket_close(w.socket);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	w.socket = open_at(folder, "wt0", &e);
	ck_assert_ptr_null(w.socket);
	ck_assert_ptr_nonnull(strstr(e.text, "can be written by others"));
	rmdir(folder);
	end();
}
END_TEST

START_TEST(a_stale_socket_is_replaced_and_a_live_one_is_not)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct weir_error e;
	int fd;

	begin();
	strcpy(a.sun_path, w.path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_ptr_null(open_at(w.folder, "wt0", &e));
	ck_assert_ptr_nonnull(
		strstr(e.text, "another tunnel or program listens there"));
	close(fd);
	w.socket = open_at(w.folder, "wt0", &e);
	ck_assert_msg(w.socket, "%s", e.text);
	close(dial());
	end();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	struct weir_error e;
	int fd;

	begin();
	fd = open(w.path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ck_assert_ptr_null(open_at(w.folder, "wt0", &e));
	ck_assert_ptr_nonnull(strstr(e.text, "is there, and is not a socket"));
	ck_assert_int_eq(unlink(w.path), 0);
	end();
}
END_TEST

START_TEST(names_are_those_of_interfaces)
{
	static const char *const wrong[] = {
		"", "a/b", "..", ".", "a b", "a:b", "sixteen-letters-",
	};
	struct weir_error e;

	begin();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_ptr_null(open_at(w.folder, wrong[i], &e));
		ck_assert_ptr_nonnull(
			strstr(e.text, "is not an interface name"));
	}
	end();
}
END_TEST

START_TEST(clients_are_bounded)
{
	int fds[UAPI_CLIENTS_MAX + 1];

	begin_open();
	for (unsigned i = 0; i <= UAPI_CLIENTS_MAX; i++) {
		fds[i] = dial();
		fakehost_poll(w.host, 100);
	}
	ck_assert_str_eq(hear(fds[UAPI_CLIENTS_MAX], NULL), "");
	ck_assert_uint_eq(fakehost_counter(w.instance, "uapi_refused"), 1);
	ck_assert_str_eq(ask(fds[0], "get=1\n\n"), "errno=0\n\n");
	for (unsigned i = 0; i <= UAPI_CLIENTS_MAX; i++)
		close(fds[i]);
	fakehost_poll(w.host, 100);
	fds[0] = dial();
	ck_assert_str_eq(ask(fds[0], "get=1\n\n"), "errno=0\n\n");
	close(fds[0]);
	end();
}
END_TEST

/* What the process may have open from now on; returns what it might. */
static rlim_t allow(rlim_t descriptors)
{
	struct rlimit r;
	rlim_t was;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	was = r.rlim_cur;
	r.rlim_cur = descriptors;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	return was;
}

START_TEST(who_comes_while_no_descriptor_is_left_is_sent_away)
{
	int fd, events = 0;
	rlim_t was;

	begin_open();
	fd = dial(); /* all below it are open */
	was = allow((rlim_t)fd + 1);
	for (int turn = 0; turn < 100; turn++)
		events += fakehost_poll(w.host, 0);
	allow(was);
	ck_assert_int_eq(events, 1); /* it is not asked to do so for ever */
	ck_assert_uint_eq(fakehost_counter(w.instance, "uapi_refused"), 1);
	close(fd);
	end();
}
END_TEST

/* ---- many peers ---- */

static void add_many(void)
{
	struct wg_peer_set *peers = calloc(MANY, sizeof *peers);
	struct wg_allowed *allowed = calloc(MANY, sizeof *allowed);
	struct wg_set s = {.peers = peers, .peer_count = MANY};
	struct weir_error e;

	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(peers[i].public_key, &i, sizeof i);
		peers[i].public_key[KEY_BYTES - 1] = 1;
		allowed[i].prefix.base.kind = WEIR_ADDR_IP4;
		memcpy(allowed[i].prefix.base.ip, &i, sizeof i);
		allowed[i].prefix.bits = 32;
		peers[i].allowed = &allowed[i];
		peers[i].allowed_count = 1;
	}
	ck_assert(wg_set(&w.wg, &s, 0, &e));
	free(peers);
	free(allowed);
}

START_TEST(who_does_not_read_blocks_nobody)
{
	int slow, other;

	begin_open();
	add_many();
	slow = dial();
	ck_assert_int_eq((int)send(slow, "get=1\n\n", 7, 0), 7);
	for (int i = 0; i < 20; i++)
		fakehost_poll(w.host, 0);
	other = dial();
	ck_assert_str_eq(ask(other, "set=1\n\n"), "errno=0\n\n");
	hear(slow, "errno=0\n\n");
	ck_assert_uint_gt(strlen(answer), MANY * 200);
	ck_assert_str_eq(answer + strlen(answer) - 9, "errno=0\n\n");
	/* Gone in the middle of an answer. */
	ck_assert_int_eq((int)send(slow, "get=1\n\n", 7, 0), 7);
	fakehost_poll(w.host, 0);
	close(slow);
	for (int i = 0; i < 20; i++)
		fakehost_poll(w.host, 0);
	ck_assert_str_eq(ask(other, "set=1\n\n"), "errno=0\n\n");
	close(other);
	end();
}
END_TEST

/* ---- the real wg ---- */

static char said[4u << 20]; /* on standard output */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Serve while `command` runs, in the shell; its status. */
static int run(const char *command)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	FILE *f = popen(command, "re");
	size_t used = 0;
	ssize_t n = 1;
	int status;

	ck_assert_ptr_nonnull(f);
	fcntl(fileno(f), F_SETFL, O_NONBLOCK);
	while (n != 0 && now_ms() < until) {
		fakehost_poll(w.host, 2);
		n = read(fileno(f), said + used, sizeof said - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	said[used] = '\0';
	ck_assert_msg(n == 0, "%s: does not end", command);
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(command) ck_assert_msg(run("exec 2>&1; " command) == 0, "%s", said)

/* wg looks nowhere but in UAPI_FOLDER. False: not here. */
static bool begin_wg(void)
{
	struct weir_error e;

	if (geteuid() != 0 || system("wg --version >/dev/null 2>&1") != 0)
		return false;
	begin();
	w.socket = open_at(UAPI_FOLDER, "weirtest0", &e);
	ck_assert_msg(w.socket, "%s", e.text);
	ck_assert_int_eq(setenv("F", w.folder, 1), 0);
	return true;
}

#define PEER_A "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define PEER_B "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="

START_TEST(wg_sets_and_shows)
{
	if (!begin_wg())
		return;
	RUN("wg genkey >$F/key && wg genpsk >$F/psk");
	RUN("wg set weirtest0 private-key $F/key listen-port 51999 fwmark 0x77 "
	    "peer " PEER_A " preshared-key $F/psk endpoint 192.0.2.1:51820 "
	    "allowed-ips 10.7.0.0/24,fd07::/64 persistent-keepalive 25");
	RUN("wg show weirtest0");
	ck_assert_ptr_nonnull(strstr(said, "listening port: 51999"));
	ck_assert_ptr_nonnull(strstr(said, "fwmark: 0x77"));
	ck_assert_ptr_nonnull(strstr(said, "peer: " PEER_A));
	ck_assert_ptr_nonnull(strstr(said, "endpoint: 192.0.2.1:51820"));
	ck_assert_ptr_nonnull(
		strstr(said, "allowed ips: 10.7.0.0/24, fd07::/64"));
	ck_assert_ptr_nonnull(strstr(said, "every 25 seconds"));
	RUN("wg show weirtest0 preshared-keys | cut -f2 | cmp - $F/psk");
	RUN("wg show weirtest0 private-key | cmp - $F/key");
	RUN("wg show interfaces");
	ck_assert_ptr_nonnull(strstr(said, "weirtest0"));
	ck_assert_int_ne(run("wg set weirtest0 listen-port 53 2>&1"), 0);
	ck_assert_ptr_nonnull(strstr(said, "Address already in use"));
	RUN("wg set weirtest0 peer " PEER_A " remove");
	RUN("wg show weirtest0 peers");
	ck_assert_str_eq(said, "");
	RUN("rm $F/key $F/psk");
	end();
}
END_TEST

START_TEST(wg_takes_back_what_it_showed)
{
	if (!begin_wg())
		return;
	RUN("printf '[Interface]\\nPrivateKey=%s\\nListenPort=51999\\n[Peer]\\n"
	    "PublicKey=" PEER_A "\\nAllowedIPs=10.0.0.0/8\\nEndpoint="
	    "[2001:db8::1]:7\\n' $(wg genkey) >$F/a");
	RUN("wg setconf weirtest0 $F/a && wg showconf weirtest0 >$F/b && "
	    "wg setconf weirtest0 $F/b && wg showconf weirtest0 | cmp - $F/b");
	RUN("(cat $F/a; printf '[Peer]\\nPublicKey=" PEER_B "\\n') >$F/c && "
	    "wg syncconf weirtest0 $F/c && wg show weirtest0 peers");
	ck_assert_str_eq(said, PEER_A "\n" PEER_B "\n");
	RUN("wg syncconf weirtest0 $F/a && wg show weirtest0 peers");
	ck_assert_str_eq(said, PEER_A "\n");
	RUN("wg addconf weirtest0 $F/c && wg show weirtest0 peers");
	ck_assert_str_eq(said, PEER_A "\n" PEER_B "\n");
	RUN("rm $F/a $F/b $F/c");
	end();
}
END_TEST

START_TEST(wg_sets_and_shows_thousands_of_peers)
{
	uint8_t key[KEY_BYTES] = {[31] = 1};
	char path[120], text[KEY_BASE64 + 1];
	FILE *f;

	if (!begin_wg())
		return;
	snprintf(path, sizeof path, "%s/many", w.folder);
	f = fopen(path, "w");
	fprintf(f, "[Interface]\nListenPort = 51999\n");
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(key, &i, sizeof i);
		key_to_base64(key, text);
		fprintf(f, "[Peer]\nPublicKey=%s\nAllowedIPs=10.%u.%u.1/32\n",
			text, i >> 8, i & 255);
	}
	fclose(f);
	RUN("wg setconf weirtest0 $F/many");
	ck_assert_uint_eq(w.wg.count, MANY);
	RUN("wg show weirtest0 allowed-ips | grep -c /32");
	ck_assert_str_eq(said, "10000\n");
	unlink(path);
	end();
}
END_TEST

SUITE("wg-socket", t)
{
	umask(077); /* for wg, which writes keys */
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_request_is_answered_again_and_again);
	tcase_add_test(t, a_client_that_has_finished_is_still_answered);
	tcase_add_test(t, the_file_is_the_owners_and_goes_with_the_device);
	tcase_add_test(t, the_folder_is_made_for_the_owner_alone);
	tcase_add_test(t, a_stale_socket_is_replaced_and_a_live_one_is_not);
	tcase_add_test(t, what_is_no_socket_is_left_alone);
	tcase_add_test(t, names_are_those_of_interfaces);
	tcase_add_test(t, clients_are_bounded);
	tcase_add_test(t, who_comes_while_no_descriptor_is_left_is_sent_away);
	tcase_add_test(t, who_does_not_read_blocks_nobody);
	tcase_add_test(t, wg_sets_and_shows);
	tcase_add_test(t, wg_takes_back_what_it_showed);
	tcase_add_test(t, wg_sets_and_shows_thousands_of_peers);
}
