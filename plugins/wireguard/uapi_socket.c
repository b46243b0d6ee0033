/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * A listening socket of the owner's alone, and a few clients, each with one
 * piece of input and one of output. A client is watched for the one thing it
 * waits for: while an answer is not sent it is not read from, so a client that
 * does not read holds its two pieces and no more. Each event does one piece of
 * work, level-triggered: a report of thousands of peers takes its turns with
 * everything else on the loop.
 *
 * The file of a socket outlives who made it. One that nobody listens on is
 * replaced; at the end it is removed where it is still ours. */
#include "uapi_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

struct client {
	struct client *next;
	struct uapi_socket *socket;
	struct uapi *uapi;
	struct weir_watch *watch;
	unsigned events; /* that are watched for */
	int fd;
	size_t in_at, in_len;
	size_t out_at, out_len;
	char in[UAPI_PIECE_BYTES], out[UAPI_PIECE_BYTES];
};

struct uapi_socket {
	const struct weir_host *host;
	struct weir_instance *instance;
	struct uapi_device device;
	int fd;
	int spare; /* a descriptor to accept with where none is left */
	struct weir_watch *watch;
	struct sockaddr_un address;
	dev_t dev; /* of the file, to know it again */
	ino_t ino;
	struct client *clients;
	unsigned client_count;
	uint64_t *refused;
};

/* ---- clients ---- */

static void client_free(struct client *c)
{
	struct uapi_socket *s = c->socket;
	struct client **at = &s->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	s->client_count--;
	if (c->watch)
		s->host->watch_free(c->watch);
	close(c->fd);
	uapi_free(c->uapi);
	explicit_bzero(c->in, sizeof c->in);
	explicit_bzero(c->out, sizeof c->out);
	free(c);
}

static bool client_has_output(const struct client *c)
{
	return c->out_at < c->out_len;
}

static bool client_has_input(const struct client *c)
{
	return c->in_at < c->in_len;
}

/* These return false where the client is to be ended. */

static bool client_receive(struct client *c)
{
	ssize_t n = recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->in_at = 0;
	c->in_len = (size_t)n;
	return n > 0;
}

static bool client_send(struct client *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	explicit_bzero(c->out + c->out_at, (size_t)n);
	c->out_at += (size_t)n;
	return true;
}

/* What was received, up to where an answer is due. */
static void client_take(struct client *c)
{
	char *at = c->in + c->in_at;
	size_t n = uapi_input(c->uapi, at, c->in_len - c->in_at,
			      c->socket->host->now_us());

	explicit_bzero(at, n);
	c->in_at += n;
}

static void client_fill(struct client *c)
{
	if (client_has_output(c))
		return;
	c->out_at = 0;
	c->out_len = uapi_output(c->uapi, c->out, sizeof c->out);
}

static void client_ready(void *arg, unsigned events);

static bool client_watch(struct client *c, unsigned events)
{
	struct uapi_socket *s = c->socket;

	if (c->events == events)
		return true;
	if (c->watch)
		s->host->watch_free(c->watch);
	c->events = events;
	c->watch = s->host->watch_new(s->instance, c->fd,
				      events | WEIR_LEVEL_TRIGGERED,
				      client_ready, c);
	return c->watch != NULL;
}

/* One piece of work. A client with no input and no output left is watched for
 * more input, or its end. */
static bool client_step(struct client *c)
{
	bool idle = !client_has_output(c) && !client_has_input(c);

	if (idle && !client_receive(c))
		return false;
	if (!client_has_output(c))
		client_take(c);
	client_fill(c);
	if (client_has_output(c) && !client_send(c))
		return false;
	client_fill(c);
	idle = !client_has_output(c) && !client_has_input(c);
	return client_watch(c, idle ? WEIR_READABLE : WEIR_WRITABLE);
}

static void client_ready(void *arg, unsigned events)
{
	struct client *c = arg;

	(void)events; /* watched for one at a time */
	if (!client_step(c))
		client_free(c);
}

static void client_new(struct uapi_socket *s, int fd)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return;
	}
	c->socket = s;
	c->fd = fd;
	c->next = s->clients;
	s->clients = c;
	s->client_count++;
	c->uapi = uapi_new(&s->device);
	if (!c->uapi || !client_watch(c, WEIR_READABLE))
		client_free(c);
}

/* ---- the listening socket ---- */

/* The file's mode keeps others out already, but root may have changed that. */
static bool is_owner(int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static void spare_open(struct uapi_socket *s)
{
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A connection that waits is reported again and again. Where no descriptor is
 * left it is accepted with the spare one, and closed. */
static void send_away(struct uapi_socket *s)
{
	int fd;

	if (s->spare >= 0)
		close(s->spare);
	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	*s->refused += fd >= 0;
	if (fd >= 0)
		close(fd);
	spare_open(s);
}

static void listen_ready(void *arg, unsigned events)
{
	struct uapi_socket *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			send_away(s);
		return;
	}
	if (s->client_count < UAPI_CLIENTS_MAX && is_owner(fd)) {
		client_new(s, fd);
		return;
	}
	++*s->refused;
	close(fd);
}

static bool trouble(struct weir_error *e, const char *path, const char *what)
{
	return weir_error(e, NULL, "%.100s: %s", path, what);
}

/* Make the folder, or see that nobody else can put a socket in it. */
static bool folder_ready(const char *folder, struct weir_error *e)
{
	struct stat st;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return trouble(e, folder, strerror(errno));
	if (stat(folder, &st) < 0)
		return trouble(e, folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return trouble(e, folder, "is not a folder");
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return trouble(
			e, folder,
			"can be written by others; run: chmod 700 on it");
	return true;
}

/* Whether somebody answers there. A full backlog is an answer too. */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool alive = true;

	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		alive = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return alive;
}

static bool bind_file(struct uapi_socket *s, struct weir_error *e)
{
	const struct sockaddr *address = (const struct sockaddr *)&s->address;
	const char *path = s->address.sun_path;
	struct stat st;

	/* The file gets the mode that its socket has now. */
	if (fchmod(s->fd, S_IRUSR | S_IWUSR) < 0)
		return trouble(e, path, strerror(errno));
	if (bind(s->fd, address, sizeof s->address) == 0)
		return true;
	if (errno != EADDRINUSE)
		return trouble(e, path, strerror(errno));
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return trouble(e, path, "is there, and is not a socket");
	if (is_alive(&s->address))
		return trouble(e, path,
			       "another tunnel or program listens there");
	if (unlink(path) < 0 && errno != ENOENT)
		return trouble(e, path, strerror(errno));
	if (bind(s->fd, address, sizeof s->address) < 0)
		return trouble(e, path, strerror(errno));
	return true;
}

static bool listen_at(struct uapi_socket *s, struct weir_error *e)
{
	const char *path = s->address.sun_path;
	struct stat st;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return trouble(e, path, strerror(errno));
	if (!bind_file(s, e))
		return false;
	if (lstat(path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	if (listen(s->fd, BACKLOG) < 0)
		return trouble(e, path, strerror(errno));
	s->watch = s->host->watch_new(s->instance, s->fd,
				      WEIR_READABLE | WEIR_LEVEL_TRIGGERED,
				      listen_ready, s);
	return s->watch || trouble(e, path, strerror(errno));
}

bool uapi_name_check(const char *name, struct weir_error *e)
{
	size_t len = strlen(name);

	if (len && len < IFNAMSIZ && !strpbrk(name, "/: \t\n\v\f\r") &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return true;
	return weir_error(e, "interface",
			  "\"%.60s\" is not an interface name: 1 to 15 "
			  "characters without spaces, slashes and colons",
			  name);
}

static bool address_make(struct sockaddr_un *a, const char *folder,
			 const char *name, struct weir_error *e)
{
	int n;

	if (!uapi_name_check(name, e))
		return false;
	a->sun_family = AF_UNIX;
	n = snprintf(a->sun_path, sizeof a->sun_path, "%s/%s.sock", folder,
		     name);
	if (n < 0 || (size_t)n >= sizeof a->sun_path)
		return trouble(e, folder, "is too long a path for a socket");
	return true;
}

struct uapi_socket *uapi_socket_open(const struct uapi_socket_conf *conf,
				     struct weir_error *e)
{
	struct uapi_socket *s = calloc(1, sizeof *s);

	if (!s) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	s->host = conf->host;
	s->instance = conf->instance;
	s->device = conf->device;
	s->fd = -1;
	spare_open(s);
	s->refused = s->host->counter(s->instance, "uapi_refused");
	if (address_make(&s->address, conf->folder, conf->name, e) &&
	    folder_ready(conf->folder, e) && listen_at(s, e))
		return s;
	uapi_socket_close(s);
	return NULL;
}

static void file_remove(const struct uapi_socket *s)
{
	struct stat st;

	if (s->ino && lstat(s->address.sun_path, &st) == 0 &&
	    st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->address.sun_path);
}

void uapi_socket_close(struct uapi_socket *s)
{
	if (!s)
		return;
	while (s->clients)
		client_free(s->clients);
	if (s->watch)
		s->host->watch_free(s->watch);
	file_remove(s);
	if (s->fd >= 0)
		close(s->fd);
	if (s->spare >= 0)
		close(s->spare);
	free(s);
}
