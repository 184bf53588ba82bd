/* SPDX-License-Identifier: ISC */
#include "net/frame.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static int
broken(struct mk_why *why)
{
	return mk_fail(why, MK_E_SYSTEM, "courier",
	    "the other process sends malformed frames");
}

static int
gone(struct mk_why *why, int error)
{
	return mk_fail(why, MK_E_SYSTEM, "courier",
	    "the other process is gone%s%s", error == 0 ? "" : ": ",
	    error == 0 ? "" : strerror(error));
}

/* Meaningful as soon as the head is there, and judged. */
static size_t
parts_len(const struct mk_frame *head)
{
	size_t i, len = 0;

	for (i = 0; i < MK_FRAME_PARTS; i++)
		len += head->len[i];
	return len;
}

void
mk_frame_expect(struct mk_frame_reader *r, uint32_t magic)
{
	memset(r, 0, sizeof(*r));
	r->magic = magic;
}

void
mk_frame_release(struct mk_frame_reader *r)
{
	free(r->data);
	r->data = NULL;
	r->got = 0;
}

/* No byte is allocated before this: the lengths are the other end's. */
static int
take_head(struct mk_frame_reader *r, struct mk_why *why)
{
	int i;

	if (r->head.magic != r->magic)
		return broken(why);
	for (i = 0; i < MK_FRAME_PARTS; i++) {
		if (r->head.len[i] > r->max[i])
			return broken(why);
	}
	r->data = malloc(parts_len(&r->head) + 1);
	if (r->data == NULL)
		return mk_fail(why, MK_E_SYSTEM, "courier", "out of memory");
	return MK_OK;
}

/* Reads on towards 'end', which is counted from the start of the frame. */
static int
read_some(struct mk_frame_reader *r, int fd, size_t end, struct mk_why *why)
{
	const size_t head = sizeof(r->head);
	ssize_t n;
	void *to;

	to = r->got < head ? (uint8_t *)&r->head + r->got :
	    r->data + (r->got - head);
	n = recv(fd, to, end - r->got, MSG_DONTWAIT);
	if (n == 0)
		return gone(why, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return MK_E_ABSENT;
	if (n == -1)
		return gone(why, errno);
	r->got += (size_t)n;
	return MK_OK;
}

int
mk_frame_read(struct mk_frame_reader *r, int fd, struct mk_why *why)
{
	size_t end = sizeof(r->head);
	int result = MK_OK;

	while (result == MK_OK && r->got < sizeof(r->head))
		result = read_some(r, fd, end, why);
	if (result == MK_OK && r->data == NULL)
		result = take_head(r, why);
	if (result != MK_OK)
		return result;
	end += parts_len(&r->head);
	while (result == MK_OK && r->got < end)
		result = read_some(r, fd, end, why);
	return result;
}

bool
mk_frame_text(const struct mk_frame_reader *r, int i, const char **ret_text)
{
	const char *text = (const char *)r->data;
	size_t len = r->head.len[i];
	int before;

	for (before = 0; before < i; before++)
		text += r->head.len[before];
	if (len > 0 && memchr(text, '\0', len) != text + len - 1)
		return false;
	*ret_text = len > 0 ? text : NULL;
	return true;
}

void
mk_frame_put_text(struct mk_frame_writer *w, int i, const char *text)
{
	w->parts[i] = text;
	w->head.len[i] = text == NULL ? 0 : (uint32_t)strlen(text) + 1;
}

/* What of the frame lies behind its first 'skip' bytes. */
static size_t
list(const struct mk_frame_writer *w, struct iovec *ret_iov)
{
	size_t i, n = 0, len, skip = w->sent;
	const void *part;

	for (i = 0; i <= MK_FRAME_PARTS; i++) {
		part = i == 0 ? (const void *)&w->head : w->parts[i - 1];
		len = i == 0 ? sizeof(w->head) : w->head.len[i - 1];
		if (skip >= len) {
			skip -= len;
			continue;
		}
		/* sendmsg() does not write there. */
		ret_iov[n].iov_base = (void *)((uintptr_t)part + skip);
		ret_iov[n].iov_len = len - skip;
		skip = 0;
		n++;
	}
	return n;
}

int
mk_frame_write(struct mk_frame_writer *w, int fd, struct mk_why *why)
{
	const size_t end = sizeof(w->head) + parts_len(&w->head);
	struct iovec iov[MK_FRAME_PARTS + 1];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	while (w->sent < end) {
		msg.msg_iovlen = list(w, iov);
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return MK_E_ABSENT;
		if (n == -1)
			return gone(why, errno);
		w->sent += (size_t)n;
	}
	return MK_OK;
}
