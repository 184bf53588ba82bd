/* SPDX-License-Identifier: ISC */
/*
 * What sshd's log says of the one login that it was run for.  The account
 * is not compared: there was no other, and sshd may tell its name in
 * another spelling than it was asked for.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/setup_trial.h"

#define FOUND_AT	" found at "
#define PREAUTH		" [preauth]"
#define SHOWN_LINES	24
#define ESTABLISHED	1u		/* as the kernel numbers it */

/* A piece of the log. */
struct part {
	const char *s;
	size_t n;
};

struct reading {
	struct part fingerprint, where;		/* of the key found last */
	struct part ca;				/* of the certificate */
	struct part accepted;			/* its fingerprint */
	bool certificate;
	int end;
};

/* The next line without its end and what sshd adds to it; false: none. */
static bool
next_line(const char **at, struct part *ret_line)
{
	const size_t mark = strlen(PREAUTH);
	struct part line = { *at, strcspn(*at, "\n") };

	if (**at == '\0')
		return false;
	*at += line.n + (line.s[line.n] == '\n' ? 1 : 0);
	while (line.n > 0 && line.s[line.n - 1] == '\r')
		line.n--;
	if (line.n > mark &&
	    memcmp(line.s + line.n - mark, PREAUTH, mark) == 0)
		line.n -= mark;
	*ret_line = line;
	return true;
}

/* Takes what a line begins with away. */
static bool
begins(struct part *line, const char *head)
{
	const size_t n = strlen(head);

	if (line->n < n || memcmp(line->s, head, n) != 0)
		return false;
	line->s += n;
	line->n -= n;
	return true;
}

/* What stands behind a mark; false if it does not stand there. */
static bool
behind(const struct part *line, const char *mark, struct part *ret_rest)
{
	const size_t n = strlen(mark);
	const char *end = line->s + line->n;
	const char *p = memmem(line->s, line->n, mark, n);

	if (p == NULL)
		return false;
	*ret_rest = (struct part){ p + n, (size_t)(end - (p + n)) };
	return true;
}

static struct part
word(struct part *line)
{
	struct part w = { line->s, 0 };

	while (w.n < line->n && w.s[w.n] != ' ')
		w.n++;
	line->s += w.n;
	line->n -= w.n;
	(void)begins(line, " ");
	return w;
}

/* "ED25519 SHA256:... found at FILE:1" */
static void
read_key(struct reading *r, struct part line)
{
	(void)word(&line);
	r->fingerprint = word(&line);
	if (!begins(&line, &FOUND_AT[1]))
		line = (struct part){ NULL, 0 };
	r->where = line;
}

/* "\"id\" (serial 0) signed by ... via FILE", or "found at FILE:1"; what
   stands between the quotes is anybody's. */
static void
read_certificate(struct reading *r, struct part line)
{
	struct part rest = line;

	while (behind(&rest, "\" (serial ", &rest))
		line = rest;
	if (!behind(&line, " via ", &r->ca) &&
	    !behind(&line, FOUND_AT, &r->ca))
		r->ca = (struct part){ NULL, 0 };
}

/* "alice from 127.0.0.1 port 1 ssh2: ED25519 SHA256:..." */
static void
read_end(struct reading *r, struct part line, int end)
{
	struct part type;

	if (!behind(&line, " ssh2: ", &line))
		return;
	type = word(&line);
	r->certificate = type.n > 5 &&
	    memcmp(type.s + type.n - 5, "-CERT", 5) == 0;
	r->accepted = word(&line);
	r->end = end;
}

static void
read_line(struct reading *r, struct part line)
{
	if (r->end == SETUP_IN)
		return;
	if (begins(&line, "Accepted key "))
		read_key(r, line);
	else if (begins(&line, "Accepted certificate ID "))
		read_certificate(r, line);
	else if (begins(&line, "Accepted publickey for "))
		read_end(r, line, SETUP_IN);
	else if (begins(&line, "Partial publickey for "))
		read_end(r, line, SETUP_HALF_IN);
}

/* Where the key was found that was accepted in the end. */
static struct part
found(const struct reading *r)
{
	static const struct part nowhere;

	if (r->certificate)
		return r->ca;
	if (r->fingerprint.n != r->accepted.n || r->accepted.n == 0 ||
	    memcmp(r->fingerprint.s, r->accepted.s, r->accepted.n) != 0)
		return nowhere;
	return r->where;
}

static int
keep(const struct part *p, char **ret_text, struct mk_why *why)
{
	if (p->n == 0)
		return 0;
	*ret_text = strndup(p->s, p->n);
	return *ret_text != NULL ? 0 :
	    mk_fail(why, MK_E_SYSTEM, "memory", "out of memory");
}

int
setup_heard_read(const char *log, struct setup_heard *ret_heard,
    struct mk_why *why)
{
	struct reading r = { .end = SETUP_KEPT_OUT };
	struct setup_heard heard = { .end = SETUP_KEPT_OUT };
	struct part line, where;
	int e;

	while (next_line(&log, &line))
		read_line(&r, line);
	where = found(&r);
	heard.end = r.end;
	heard.certificate = r.certificate;
	if ((e = keep(&r.accepted, &heard.fingerprint, why)) == 0 &&
	    (e = keep(&where, &heard.where, why)) == 0)
		*ret_heard = heard;
	else
		setup_heard_release(&heard);
	return e;
}

void
setup_heard_release(struct setup_heard *heard)
{
	free(heard->fingerprint);
	free(heard->where);
	*heard = (struct setup_heard){ 0 };
}

/* sshd tells the command as it is configured, and a number of a line. */
bool
setup_heard_command(const char *where, const char *command)
{
	const size_t n = strlen(command);

	return strncmp(where, command, n) == 0 && where[n] == ':' &&
	    where[n + 1] != '\0' &&
	    where[n + 1 + strspn(where + n + 1, "0123456789")] == '\0';
}

/* Said of every connection. */
static bool
is_noise(struct part line)
{
	static const char *const noise[] = { "debug", "Connection from ",
	    "Connection closed by ", "Postponed publickey for ",
	    "Transferred: ", "Received disconnect from ",
	    "Disconnected from ", "Close session: ", "User child is on pid ",
	    "ssh_packet_send_debug: " };
	size_t i;

	for (i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		if (begins(&line, noise[i]))
			return true;
	}
	return line.n == 0;
}

void
setup_heard_show(const char *log, struct mk_buf *out)
{
	struct part line, last = { NULL, 0 };
	unsigned n = 0;

	while (next_line(&log, &line)) {
		if (is_noise(line) || (line.n == last.n &&
		    memcmp(line.s, last.s, last.n) == 0))
			continue;
		last = line;
		if (++n > SHOWN_LINES) {
			mk_buf_puts(out, "    ...\n");
			return;
		}
		mk_buf_puts(out, "    ");
		show_clean(out, line.s, line.n);
		mk_buf_putc(out, '\n');
	}
}

/*
 * An end that was closed stays in the table for a while and is told as
 * root's, whosever it was.
 */
bool
setup_heard_peer(const char *line, unsigned from_port, unsigned to_port,
    uid_t *ret_uid)
{
	const uint32_t loopback = htonl(INADDR_LOOPBACK);
	unsigned from, to, at, from_at, state, uid;

	if (sscanf(line, " %*u: %x:%x %x:%x %x %*x:%*x %*x:%*x %*x %u",
	    &from, &from_at, &to, &at, &state, &uid) != 6 ||
	    from != loopback || to != loopback || from_at != from_port ||
	    at != to_port || state != ESTABLISHED)
		return false;
	*ret_uid = (uid_t)uid;
	return true;
}
