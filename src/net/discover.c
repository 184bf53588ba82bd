/* SPDX-License-Identifier: ISC */
/*
 * The resolver of the C library asks; what it brings is taken apart with
 * its own functions, which know the bounds of an answer and loops in its
 * names.
 */
#include "net/discover.h"

#include <sys/types.h>

#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/err.h"

#define SERVICE		"_mmm._tcp."
#define DEFAULT		"mmm."
#define NAME_MAX_DNS	253u
#define LABEL_MAX	63u
#define ANSWER_MAX	65536
#define HTTPS		443u

/*
 * Seconds until it is sent again, and how often it is sent: with three name
 * servers, as many as the library asks, ten seconds at most (2, 1 and 2,
 * since it doubles the time for each and divides it by their number).
 */
#define RETRANS		2
#define RETRY		2

struct service {
	uint16_t priority, weight, port;
	char target[NS_MAXDNAME];
};

static int
malformed(struct mk_why *why, const char *what)
{
	return mk_fail(why, MK_E_REFUSED, "discover",
	    "the answer of DNS is refused: %s", what);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_label(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++) {
		if (!is_letter(s[i]) && (s[i] < '0' || s[i] > '9') &&
		    s[i] != '-')
			return false;
	}
	return true;
}

/*
 * Letters, digits and hyphens, two labels or more.  The last one begins
 * with a letter: neither an address nor a number that is read as one.
 */
static bool
is_host(const char *name)
{
	const char *label = name, *last = NULL;
	size_t len;

	if (strlen(name) > NAME_MAX_DNS)
		return false;
	for (;;) {
		len = strcspn(label, ".");
		if (!is_label(label, len))
			return false;
		if (label[len] == '\0')
			break;
		last = label += len + 1;
	}
	return last != NULL && is_letter(last[0]) &&
	    strcasecmp(last, "localhost") != 0;
}

/* "" or "." for the root, as the library likes. */
static bool
is_none(const char *target)
{
	return target[0] == '\0' || strcmp(target, ".") == 0;
}

static int
read_service(const ns_msg *msg, const ns_rr *rr, struct service *ret,
    struct mk_why *why)
{
	const unsigned char *p = ns_rr_rdata(*rr);
	size_t len = ns_rr_rdlen(*rr);
	int n;

	if (len < 3 * NS_INT16SZ + 1)
		return malformed(why, "a service is cut short");
	ret->priority = (uint16_t)ns_get16(p);
	ret->weight = (uint16_t)ns_get16(p + 2);
	ret->port = (uint16_t)ns_get16(p + 4);
	p += 3 * NS_INT16SZ;
	n = dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), p, ret->target,
	    sizeof(ret->target));
	if (n == -1 || (size_t)n != len - 3 * NS_INT16SZ)
		return malformed(why, "a service has no proper target");
	if (is_none(ret->target))
		return MK_OK;
	if (!is_host(ret->target))
		return malformed(why, "a target is not the name of a host");
	return ret->port != 0 ? MK_OK : malformed(why, "a port is 0");
}

/*
 * RFC 2782, but for the chance among weights: the same answer gives the
 * same portal, in whatever order a server likes to send it.
 */
static bool
is_better(const struct service *a, const struct service *b)
{
	int by_name = strcasecmp(a->target, b->target);

	/* "There is none" says so only where nothing else is said. */
	if (is_none(a->target) != is_none(b->target))
		return is_none(b->target);
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->weight != b->weight)
		return a->weight > b->weight;
	return by_name != 0 ? by_name < 0 : a->port < b->port;
}

static int
choose(ns_msg *msg, struct service *best, bool *ret_found,
    struct mk_why *why)
{
	struct service now;
	bool found = false;
	ns_rr rr;
	int i, r;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr) != 0)
			return malformed(why, "a record is malformed");
		if (ns_rr_type(rr) != ns_t_srv || ns_rr_class(rr) != ns_c_in)
			continue;
		r = read_service(msg, &rr, &now, why);
		if (r != MK_OK)
			return r;
		if (!found || is_better(&now, best))
			*best = now;
		found = true;
	}
	*ret_found = found;
	return MK_OK;
}

static void
put_host(struct mk_buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		mk_buf_putc(out, *name >= 'A' && *name <= 'Z' ?
		    (char)(*name - 'A' + 'a') : *name);
}

static int
put_url(const struct service *s, struct mk_buf *out, struct mk_why *why)
{
	mk_buf_puts(out, "https://");
	put_host(out, s->target);
	if (s->port != HTTPS) {
		mk_buf_putc(out, ':');
		mk_buf_putu(out, s->port);
	}
	return mk_buf_check(out, why, "discover");
}

/* What the head says before any record counts. */
static int
judge_head(const ns_msg *msg, struct mk_why *why)
{
	if (ns_msg_getflag(*msg, ns_f_qr) == 0)
		return malformed(why, "it is none");
	if (ns_msg_getflag(*msg, ns_f_tc) != 0)
		return malformed(why, "it is truncated");
	switch (ns_msg_getflag(*msg, ns_f_rcode)) {
	case ns_r_noerror:
		return MK_OK;
	case ns_r_nxdomain:
		return MK_E_ABSENT;
	default:
		return mk_fail(why, MK_E_STALE, "discover",
		    "the name server fails");
	}
}

int
mk_discover_parse(const unsigned char *answer, int len, struct mk_buf *out,
    struct mk_why *why)
{
	struct service best;
	bool found;
	ns_msg msg;
	int r;

	if (len < 0 || len > ANSWER_MAX ||
	    ns_initparse(answer, len, &msg) != 0)
		return malformed(why, "it is malformed");
	r = judge_head(&msg, why);
	if (r == MK_OK)
		r = choose(&msg, &best, &found, why);
	if (r != MK_OK)
		return r;
	if (!found)
		return MK_E_ABSENT;
	if (is_none(best.target))
		return mk_fail(why, MK_E_NOPROFILE, "discover",
		    "DNS says that the domain has no portal");
	return put_url(&best, out, why);
}

/*
 * Bounded: no truncated answer is asked for again over TCP, where the
 * library would wait as long as the other end likes.
 */
static int
ask(const char *name, unsigned char *answer, int *ret_len,
    struct mk_why *why)
{
	struct __res_state state;
	int err, n;

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) != 0)
		return mk_fail(why, MK_E_SYSTEM, "discover",
		    "cannot read the configuration of the resolver");
	state.retrans = RETRANS;
	state.retry = RETRY;
	state.options |= RES_USE_EDNS0 | RES_IGNTC;
	state.options &= ~(unsigned long)RES_USEVC;
	n = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, ANSWER_MAX);
	err = state.res_h_errno;
	res_nclose(&state);
	if (n >= 0) {
		*ret_len = n;
		return MK_OK;
	}
	if (err == HOST_NOT_FOUND || err == NO_DATA)
		return MK_E_ABSENT;
	return mk_fail(why, MK_E_STALE, "discover",
	    "cannot ask DNS for '%s': no name server answers", name);
}

static int
look_up(const char *domain, struct mk_buf *out, struct mk_why *why)
{
	char name[sizeof(SERVICE) + NAME_MAX_DNS];
	unsigned char *answer;
	int len, r;

	memcpy(name, SERVICE, sizeof(SERVICE));
	memcpy(name + sizeof(SERVICE) - 1, domain, strlen(domain) + 1);
	answer = malloc(ANSWER_MAX);
	if (answer == NULL)
		return mk_fail(why, MK_E_SYSTEM, "discover",
		    "out of memory");
	r = ask(name, answer, &len, why);
	if (r == MK_OK)
		r = mk_discover_parse(answer, len, out, why);
	free(answer);
	return r;
}

int
mk_discover(const char *domain, struct mk_buf *out, struct mk_why *why)
{
	int r;

	/* With the longest label before it, it still has to be a name. */
	if (!is_host(domain) ||
	    strlen(domain) + strlen(SERVICE) > NAME_MAX_DNS)
		return mk_fail(why, MK_E_CONFIG, "discover",
		    "cannot find the portal of '%.128s': not a domain of "
		    "DNS; name the portal with --portal", domain);
	r = look_up(domain, out, why);
	if (r != MK_E_ABSENT)
		return r;
	mk_buf_puts(out, "https://" DEFAULT);
	put_host(out, domain);
	return mk_buf_check(out, why, "discover");
}
