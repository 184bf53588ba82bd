/* SPDX-License-Identifier: ISC */
/*
 * Frames between the two processes: a head of fixed size, then its parts.
 * A part that is text ends in a NUL, which its length counts; no part at
 * all has length 0.  Numbers are those of this machine.
 */
#ifndef MK_NET_FRAME_H
#define MK_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mk_why;

#define MK_FRAME_PARTS		3
#define MK_FRAME_ERROR		512u	/* bytes of a text for people */

enum {
	MK_FRAME_READY = 0x6d6b7201,	/* -, -, why it is not */
	MK_FRAME_REQUEST = 0x6d6b7202,	/* what to post, ETag, URL */
	MK_FRAME_ANSWER = 0x6d6b7203	/* body, ETag, error */
};

struct mk_frame {
	uint32_t magic;
	uint32_t id;
	uint32_t seconds;		/* for a request; to retry after */
	uint32_t outcome;		/* of an answer */
	uint32_t status;
	uint32_t len[MK_FRAME_PARTS];
};

struct mk_frame_reader {
	uint32_t magic;			/* what is expected, */
	size_t max[MK_FRAME_PARTS];	/* and the longest parts */
	struct mk_frame head;
	uint8_t *data;			/* the parts, in their order */
	size_t got;
};

void	mk_frame_expect(struct mk_frame_reader *r, uint32_t magic);

/*
 * Reads what is there, without waiting, up to the end of a frame.
 * MK_E_ABSENT: not all of it is there yet.  MK_E_SYSTEM: the other end is
 * gone, or breaks the framing.
 */
int	mk_frame_read(struct mk_frame_reader *r, int fd, struct mk_why *why);

/* Frees the parts; ready for the next frame. */
void	mk_frame_release(struct mk_frame_reader *r);

/* Part 'i' of a whole frame as text, NULL for none; false if it is none. */
bool	mk_frame_text(const struct mk_frame_reader *r, int i,
	    const char **ret_text);

struct mk_frame_writer {
	struct mk_frame head;
	const void *parts[MK_FRAME_PARTS];	/* the caller's */
	size_t sent;
};

/* Part 'i' is to be this text, or none if NULL. */
void	mk_frame_put_text(struct mk_frame_writer *w, int i,
	    const char *text);

/* Writes without waiting; MK_E_ABSENT: not all of it is written yet. */
int	mk_frame_write(struct mk_frame_writer *w, int fd,
	    struct mk_why *why);

#endif
