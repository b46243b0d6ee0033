/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TUN device.
 *
 * Theory of operation: one fd, nonblocking, a packet or a train a call: a TUN
 * has no batches of system calls, its batch is the train. Offloads are asked
 * for step by step, since kernels differ: everything, then without UDP trains,
 * without TCP trains, checksums only, and at last without the header, which is
 * read and written in the same call as its packet. A device that weir made
 * vanishes with its last fd.
 *
 * A call that is given views costs a tenth more than one that is given one
 * piece: so the header is read to the room ahead of the packet, where there is
 * some, and what is no longer than a packet is put together to be written. */
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vnet.h"

#define TUN_PATH "/dev/net/tun"

/* Linux 6.2; the headers of older distributions lack them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define MAX_VIEWS 1023	 /* with the header, what one writev takes */
#define JOINED_MOST 2048 /* bytes; a copy of so few is cheaper than views */

static const struct tun_offload {
	unsigned receive; /* TUNSETOFFLOAD */
	uint32_t send;	  /* WEIR_LINK_* */
} tun_offloads[] = {
	{TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 |
		 TUN_F_USO6,
	 WEIR_LINK_CSUM | WEIR_LINK_TSO | WEIR_LINK_USO},
	{TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	 WEIR_LINK_CSUM | WEIR_LINK_TSO},
	{TUN_F_CSUM, WEIR_LINK_CSUM},
	{0, 0},
};

static void offloads_set(struct tun_device *t, bool offload)
{
	size_t last = sizeof tun_offloads / sizeof tun_offloads[0] - 1;

	t->offloads = 0;
	for (size_t i = offload ? 0 : last; i <= last; i++) {
		if (ioctl(t->fd, TUNSETOFFLOAD, tun_offloads[i].receive) < 0)
			continue;
		t->offloads = tun_offloads[i].send;
		return;
	}
}

static bool header_set(struct tun_device *t, struct weir_error *e)
{
	int size = sizeof(struct virtio_net_hdr);

	if (!t->vnet || ioctl(t->fd, TUNSETVNETHDRSZ, &size) == 0)
		return true;
	return weir_error(e, NULL, "%s: cannot set the offload header: %s",
			  t->name, strerror(errno));
}

static const char *why_not(int err)
{
	switch (err) {
	case EBUSY:
		return "it exists and another inbound or process uses it";
	case EPERM:
		return "not permitted; it takes CAP_NET_ADMIN, or an existing "
		       "TUN that belongs to this user";
	case EINVAL:
		return "an interface of that name exists and is no TUN, or the "
		       "name is not allowed";
	default:
		return strerror(err);
	}
}

/* 0 or an errno. A queue of a persistent multi-queue device can only be opened
 * with IFF_MULTI_QUEUE, so both ways are tried. */
static int attach(struct tun_device *t, const char *name, bool offload)
{
	static const short flags[] = {IFF_VNET_HDR,
				      IFF_VNET_HDR | IFF_MULTI_QUEUE, 0,
				      IFF_MULTI_QUEUE};
	struct ifreq request;

	for (size_t i = offload ? 0 : 2; i < 4; i++) {
		memset(&request, 0, sizeof request);
		strncpy(request.ifr_name, name, IFNAMSIZ - 1);
		request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags[i]);
		if (ioctl(t->fd, TUNSETIFF, &request) == 0) {
			memcpy(t->name, request.ifr_name, IFNAMSIZ);
			t->name[IFNAMSIZ - 1] = '\0';
			t->vnet = flags[i] & IFF_VNET_HDR;
			return 0;
		}
		if (errno != EINVAL)
			break;
	}
	return errno;
}

bool tun_open(struct tun_device *t, const char *name, unsigned index,
	      bool offload, struct weir_error *e)
{
	int err;

	*t = (struct tun_device){
		.fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
	if (t->fd < 0)
		return weir_error(e, NULL, "cannot open " TUN_PATH ": %s%s",
				  strerror(errno),
				  errno == ENOENT || errno == ENODEV
					  ? " (is the tun module loaded?)"
					  : "");
	err = index && ioctl(t->fd, TUNSETIFINDEX, &index) < 0 ? errno : 0;
	if (!err)
		err = attach(t, name, offload);
	if (err) {
		tun_close(t);
		return weir_error(e, "name", "cannot have the TUN %s: %s", name,
				  why_not(err));
	}
	if (!header_set(t, e)) {
		tun_close(t);
		return false;
	}
	if (t->vnet)
		offloads_set(t, offload);
	return true;
}

static bool adopt_check(struct tun_device *t, struct weir_error *e)
{
	struct ifreq request = {0};
	int flags;

	if (ioctl(t->fd, TUNGETIFF, &request) < 0)
		return weir_error(e, "fd", "fd %d is not a TUN: %s", t->fd,
				  strerror(errno));
	memcpy(t->name, request.ifr_name, IFNAMSIZ);
	t->name[IFNAMSIZ - 1] = '\0';
	if (!(request.ifr_flags & IFF_TUN) || !(request.ifr_flags & IFF_NO_PI))
		return weir_error(e, "fd",
				  "fd %d (%s) must be a TUN without packet "
				  "information (IFF_TUN, IFF_NO_PI)",
				  t->fd, t->name);
	t->vnet = request.ifr_flags & IFF_VNET_HDR;
	flags = fcntl(t->fd, F_GETFL);
	if (flags < 0 || fcntl(t->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(t->fd, F_SETFD, FD_CLOEXEC) < 0)
		return weir_error(e, "fd", "fd %d: %s", t->fd, strerror(errno));
	return header_set(t, e);
}

bool tun_adopt(struct tun_device *t, int fd, bool offload, struct weir_error *e)
{
	*t = (struct tun_device){.fd = fd};
	if (!adopt_check(t, e)) {
		t->fd = -1;
		return false;
	}
	if (t->vnet)
		offloads_set(t, offload);
	return true;
}

void tun_close(struct tun_device *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

bool tun_learn_name(struct tun_device *t)
{
	struct ifreq request = {0};

	if (ioctl(t->fd, TUNGETIFF, &request) < 0)
		return false;
	memcpy(t->name, request.ifr_name, IFNAMSIZ);
	t->name[IFNAMSIZ - 1] = '\0';
	return true;
}

/* 0, or as tun_read; *len bytes are at `at`. */
static int packet_read(struct tun_device *t, struct virtio_net_hdr *header,
		       uint8_t *at, uint32_t ahead, uint32_t room,
		       uint32_t *len)
{
	uint32_t head = t->vnet ? sizeof *header : 0;
	struct iovec v[] = {{header, sizeof *header}, {at, room}};
	ssize_t n;

	do
		n = head > ahead ? readv(t->fd, v, 2)
				 : read(t->fd, at - head, head + room);
	while (n < 0 && errno == EINTR);
	if (n < 0) /* EINVAL: a train that the header has no word for */
		return errno == EINVAL ? EBADMSG : errno;
	if ((size_t)n <= head)
		return n ? EBADMSG : EBADFD;
	if (head <= ahead)
		memcpy(header, at - head, head);
	*len = (uint32_t)n - head;
	return 0;
}

int tun_read(struct tun_device *t, uint8_t *at, uint32_t ahead, uint32_t room,
	     struct weir_ingress *p)
{
	struct virtio_net_hdr header;
	int err = packet_read(t, &header, at, ahead, room, &p->len);

	if (err)
		return err;
	p->gso = WEIR_GSO_NONE;
	p->gso_size = 0;
	p->flags = 0;
	return !t->vnet || vnet_read(&header, p) ? 0 : EBADMSG;
}

int tun_take(struct tun_device *t, uint8_t *at, uint32_t room,
	     struct iovec *view, struct weir_egress *p)
{
	struct virtio_net_hdr header;
	uint32_t len;
	int err = packet_read(t, &header, at, 0, room, &len);

	if (err)
		return err;
	*view = (struct iovec){at, len};
	*p = (struct weir_egress){.view = view, .views = 1};
	return !t->vnet || vnet_forward(&header, at, len, p) ? 0 : EBADMSG;
}

static ssize_t packet_write(int fd, const struct iovec *v, int n)
{
	uint8_t joined[JOINED_MOST];
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		if (v[i].iov_len > sizeof joined - len)
			return writev(fd, v, n);
		memcpy(joined + len, v[i].iov_base, v[i].iov_len);
		len += v[i].iov_len;
	}
	return write(fd, joined, len);
}

int tun_write(struct tun_device *t, const struct weir_egress *p)
{
	struct virtio_net_hdr header;
	struct iovec v[MAX_VIEWS + 1];
	int n = 0;

	if (p->views > MAX_VIEWS)
		return EMSGSIZE;
	if (t->vnet) {
		vnet_write(&header, p);
		v[n++] = (struct iovec){&header, sizeof header};
	}
	for (int i = 0; i < p->views; i++)
		v[n++] = p->view[i];
	for (;;) {
		if (packet_write(t->fd, v, n) >= 0)
			return 0;
		if (errno == ENODEV || errno == EBADF)
			return EBADFD;
		if (errno == ENOBUFS)
			return EAGAIN;
		if (errno != EINTR)
			return errno;
	}
}
