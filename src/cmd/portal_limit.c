/* SPDX-License-Identifier: ISC */
/*
 * How often somebody may ask: a bucket of tokens for each address or
 * account and each rate, in a table that never grows.
 *
 * A bucket is one number, the time at which it will be full again.  The
 * table is one of sets of eight; whoever is new in a set takes the place of
 * the bucket that is fullest, so that forgetting it gives away the least.
 * The hash has a secret key: nobody can choose addresses that push out each
 * other's buckets, or an administrator's.
 *
 * The usual rates let an office or a data centre behind one address work,
 * whose two hundred people come to a new portal in one morning and whose
 * hosts each ask for ten thousand sets when they are new, and loopback is not
 * exempt: a reverse proxy or a tunnel ends there.
 */
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cmd/meshportal.h"

#define SETS	1024u
#define WAYS	8u
#define KEY_MAX	(MK_ACCOUNT_MAX + 2u)

static const struct pace {
	unsigned burst;		/* tokens of a full bucket */
	unsigned ms;		/* milliseconds a token */
} usual[PORTAL_RATES] = {
	[PORTAL_RATE_READ] = { 20000, 1 },
	[PORTAL_RATE_WRITE] = { 200, 100 },
	[PORTAL_RATE_CREATE] = { 200, 36000 }
};

struct bucket {
	uint64_t who;		/* a hash; 0: nobody */
	int64_t full;		/* when it is full again */
};

struct portal_limits {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct pace pace[PORTAL_RATES];
	struct bucket bucket[SETS][WAYS];
};

int
portal_limits_new(struct portal_limits **ret_limits, struct mk_why *why)
{
	struct portal_limits *limits;

	if (sodium_init() == -1)
		return mk_fail(why, MK_E_SYSTEM, "limits",
		    "no random numbers");
	limits = calloc(1, sizeof(*limits));
	if (limits == NULL)
		return mk_fail(why, MK_E_SYSTEM, "limits", "out of memory");
	randombytes_buf(limits->key, sizeof(limits->key));
	memcpy(limits->pace, usual, sizeof(usual));
	*ret_limits = limits;
	return 0;
}

void
portal_limits_free(struct portal_limits *limits)
{
	free(limits);
}

void
portal_limits_set(struct portal_limits *limits, enum portal_rate rate,
    unsigned burst, unsigned ms)
{
	limits->pace[rate] = (struct pace){ burst, ms };
}

/* A site has a /64, so one client has 2^64 addresses of IPv6. */
void
portal_origin(const char *address, char out[PORTAL_ORIGIN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a6;

	if (inet_pton(AF_INET6, address, &a6) != 1) {
		(void)snprintf(out, PORTAL_ORIGIN, "%.60s", address);
		return;
	}
	if (memcmp(a6.s6_addr, mapped, sizeof(mapped)) == 0) {
		(void)inet_ntop(AF_INET, a6.s6_addr + 12, out,
		    PORTAL_ORIGIN);
		return;
	}
	memset(a6.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &a6, text, sizeof(text));
	(void)snprintf(out, PORTAL_ORIGIN, "%s/64", text);
}

/* Accounts have an '@', and no address has. */
static uint64_t
hash_of(const struct portal_limits *limits, enum portal_rate rate,
    const char *who)
{
	char key[KEY_MAX], origin[PORTAL_ORIGIN];
	uint64_t hash;
	int n;

	if (strchr(who, '@') == NULL) {
		portal_origin(who, origin);
		who = origin;
	}
	n = snprintf(key, sizeof(key), "%c%s", 'A' + (int)rate, who);
	if (n >= (int)sizeof(key))
		n = sizeof(key) - 1;
	(void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)key,
	    (size_t)n, limits->key);
	return hash != 0 ? hash : 1;
}

static struct bucket *
find(struct portal_limits *limits, uint64_t who, int64_t now)
{
	struct bucket *set = limits->bucket[who % SETS], *fullest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].full < fullest->full)
			fullest = &set[i];
	}
	*fullest = (struct bucket){ .who = who, .full = now };
	return fullest;
}

unsigned
portal_limits_take(struct portal_limits *limits,
    const struct portal_toll *toll, int64_t now)
{
	const struct pace *pace = &limits->pace[toll->rate];
	unsigned tokens = toll->tokens < pace->burst ? toll->tokens :
	    pace->burst;
	int64_t over, price = (int64_t)tokens * pace->ms;
	struct bucket *b;

	b = find(limits, hash_of(limits, toll->rate, toll->who), now);
	if (b->full < now)
		b->full = now;
	/* How long until so many are there. */
	over = b->full - now + price - (int64_t)pace->burst * pace->ms;
	if (over > 0)
		return (unsigned)((over + 999) / 1000);
	b->full += price;
	return 0;
}
