/* SPDX-License-Identifier: ISC */
/*
 * The body of a request as it comes in: room grows with what has come and
 * not with what was announced, which costs nobody anything.
 */
#include "cmd/portal_http.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/meshportal.h"

#define FIRST	4096u

void
portal_body_forget(struct portal_body *body, struct portal_peers *peers,
    struct portal_peer *peer)
{
	free(body->data);
	memset(body, 0, sizeof(*body));
	(void)portal_peers_hold(peers, peer, 0);
}

static int
make_room(struct portal_body *body, size_t need, struct portal_peers *peers,
    struct portal_peer *peer)
{
	size_t size = body->size < FIRST ? FIRST : body->size;
	uint8_t *data;

	if (need > PORTAL_BODY_MAX)
		return 413;
	if (need <= body->size)
		return 0;
	while (size < need)
		size *= 2;
	if (!portal_peers_hold(peers, peer, size))
		return 503;
	data = realloc(body->data, size);
	if (data == NULL)
		return 503;
	body->data = data;
	body->size = size;
	return 0;
}

int
portal_body_add(struct portal_body *body, const struct mk_bytes *bytes,
    struct portal_peers *peers, struct portal_peer *peer)
{
	int status = make_room(body, body->len + bytes->len, peers, peer);

	if (status == 0) {
		memcpy(body->data + body->len, bytes->data, bytes->len);
		body->len += bytes->len;
	}
	return status;
}

void
portal_body_shrink(struct portal_body *body, struct portal_peers *peers,
    struct portal_peer *peer)
{
	uint8_t *data;

	if (body->len == 0)
		return;
	data = realloc(body->data, body->len);
	if (data == NULL)
		return;
	body->data = data;
	body->size = body->len;
	(void)portal_peers_hold(peers, peer, body->size);
}
