/* SPDX-License-Identifier: ISC */
/*
 * Fetches URLs and prints a line for each answer, for fetch.sh.
 *
 *	fetchcli [-cq] [-n TIMES] [-s SECONDS] [-e ETAG] URL...
 *
 * -c through the process of its own, -q only a summary.
 */
#include <sys/resource.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "edge/fetcher.h"
#include "net/courier.h"
#include "net/transfer.h"

static struct {
	bool courier, quiet;
	unsigned times;
	struct mk_fetch_limits limits;
	const char *etag;
	char **urls;
	unsigned n_urls;
} options = {
	.times = 1,
	.limits = {
		.body = 1 << 20,
		.seconds = 10,
		.connect_seconds = 5,
		.at_once = MK_COURIER_UNANSWERED
	}
};

static unsigned done, good;

static void
take(void *arg, const struct mk_fetch_answer *a)
{
	static const char *const outcomes[] = {
		"done", "failed", "timeout", "too-big", "put-off"
	};

	(void)arg;
	done++;
	good += a->status == 200;
	if (options.quiet)
		return;
	(void)printf("%u %s %d %s %zu %s\n", a->id, outcomes[a->outcome],
	    a->status, a->etag == NULL ? "-" : a->etag, a->len,
	    a->error == NULL ? "-" : a->error);
	(void)fflush(stdout);
}

static int
fail(const struct mk_why *why)
{
	(void)fprintf(stderr, "fetchcli: %s\n", why->detail);
	return EXIT_FAILURE;
}

static void
make_request(unsigned i, struct mk_fetch_request *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = i;
	ret->url = options.urls[i % options.n_urls];
	ret->etag = options.etag;
}

static int
run_here(unsigned n)
{
	struct mk_fetch_request req;
	struct mk_why why = { 0 };
	struct mk_fetch *f;
	int readable, r;
	unsigned i;

	r = mk_fetch_new(&options.limits, take, NULL, &f, &why);
	if (r != MK_OK)
		return fail(&why);
	for (i = 0; r == MK_OK && i < n; i++) {
		make_request(i, &req);
		r = mk_fetch_add(f, &req, &why);
	}
	while (r == MK_OK && mk_fetch_pending(f) > 0)
		r = mk_fetch_work(f, -1, -1, &readable, &why);
	mk_fetch_free(f);
	return r == MK_OK ? EXIT_SUCCESS : fail(&why);
}

static int
run_apart(unsigned n)
{
	struct mk_fetch_request req;
	struct mk_fetch_answer a;
	struct mk_why why = { 0 };
	struct mk_courier c;
	unsigned sent = 0;
	int r;

	r = mk_courier_start(&options.limits, mk_fetcher_confine, &c, &why);
	if (r != MK_OK)
		return fail(&why);
	while (r == MK_OK && done < n) {
		for (; r == MK_OK && sent < n &&
		    sent < done + MK_COURIER_UNANSWERED; sent++) {
			make_request(sent, &req);
			r = mk_courier_send(&c, &req, &why);
		}
		if (r == MK_OK)
			r = mk_courier_receive(&c, -1, &a, &why);
		if (r == MK_OK) {
			take(NULL, &a);
			mk_courier_release(&a);
		}
	}
	mk_courier_stop(&c, 1000);
	return r == MK_OK ? EXIT_SUCCESS : fail(&why);
}

static void
summary(int64_t begun)
{
	struct rusage self, child;

	(void)getrusage(RUSAGE_SELF, &self);
	(void)getrusage(RUSAGE_CHILDREN, &child);
	(void)printf("%u answers, %u good, %lld ms, %ld KiB, %ld KiB\n",
	    done, good, (long long)(mk_transfer_now() - begun),
	    self.ru_maxrss, child.ru_maxrss);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: fetchcli [-cq] [-n TIMES] "
	    "[-s SECONDS] [-e ETAG] URL...\n");
	exit(64);
}

static void
parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "cqn:s:e:")) != -1) {
		if (c == 'c')
			options.courier = true;
		else if (c == 'q')
			options.quiet = true;
		else if (c == 'n')
			options.times = (unsigned)atoi(optarg);
		else if (c == 's')
			options.limits.seconds = (unsigned)atoi(optarg);
		else if (c == 'e')
			options.etag = optarg;
		else
			usage();
	}
	options.urls = argv + optind;
	options.n_urls = (unsigned)(argc - optind);
	if (argc <= optind)
		usage();
}

int
main(int argc, char **argv)
{
	const int64_t begun = mk_transfer_now();
	unsigned n;
	int rc;

	parse(argc, argv);
	n = options.times * options.n_urls;
	rc = options.courier ? run_apart(n) : run_here(n);
	if (options.quiet)
		summary(begun);
	return rc;
}
