/* SPDX-License-Identifier: ISC */
#include "mkset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#define ARENA_MAX	((size_t)2 << 30)
#define DEFAULT_TIME	"2026-01-01T00:00:00Z"
#define DEFAULT_DEVICES	2

struct option {
	const char *name;
	void (*set)(struct ms_set *, const char *); /* NULL: of a request */
	const char *arg;	/* NULL: takes none */
	const char *what;
	bool first;		/* makes devices that others speak of */
};

static void
opt_seed(struct ms_set *set, const char *arg)
{
	set->seed = arg;
}

static void
opt_updated(struct ms_set *set, const char *arg)
{
	set->updated = ms_time(set, arg);
}

static void
opt_master_updated(struct ms_set *set, const char *arg)
{
	set->master_updated = ms_time(set, arg);
}

static void
opt_expires(struct ms_set *set, const char *arg)
{
	set->expires = ms_time(set, arg);
}

/* N, or NxK for K keys each */
static void
opt_devices(struct ms_set *set, const char *arg)
{
	const char *x = strchr(arg, 'x');
	unsigned i, k, n, keys = x == NULL ? 1 : ms_number(x + 1);

	n = ms_number(x == NULL ? arg :
	    ms_printf(set, "%.*s", (int)(x - arg), arg));
	for (i = 0; i < n; i++) {
		for (k = 0; k < keys; k++)
			ms_enrol(set, ms_printf(set, "device%u", i));
	}
}

static void
opt_host(struct ms_set *set, const char *arg)
{
	ms_enrol(set, arg);
	ms_device(set, arg)->host = true;
}

/* Without an SSH key. */
static void
opt_bare(struct ms_set *set, const char *arg)
{
	(void)ms_device(set, arg);
}

static void
opt_delete(struct ms_set *set, const char *arg)
{
	struct ms_device *d = ms_device(set, arg);

	d->dropped = true;
	ms_pair_add(set, &set->deleted, d->name, "");
}

static void
opt_without(struct ms_set *set, const char *arg)
{
	ms_device(set, arg)->dropped = true;
}

static struct ms_device *
known_device(struct ms_set *set, const char *name)
{
	struct ms_device *d = set->devices;

	while (d != NULL && strcmp(d->name, name) != 0)
		d = d->next;
	if (d == NULL)
		ms_die("there is no device '%s'", name);
	return d;
}

static void
opt_openssh(struct ms_set *set, const char *arg)
{
	known_device(set, arg)->openssh = true;
}

static void
opt_proof(struct ms_set *set, const char *arg)
{
	known_device(set, arg)->proof = true;
}

/* NAME=TEXT */
static struct ms_device *
named_text(struct ms_set *set, const char *arg, struct mk_text *ret_text)
{
	const char *eq = strchr(arg, '=');

	if (eq == NULL)
		ms_die("'%s' is not NAME=TEXT", arg);
	*ret_text = ms_unescape(set, eq + 1);
	return known_device(set, ms_printf(set, "%.*s", (int)(eq - arg),
	    arg));
}

static void
opt_description(struct ms_set *set, const char *arg)
{
	struct mk_text text;
	struct ms_device *d = named_text(set, arg, &text);

	d->description = text;
}

static void
opt_about(struct ms_set *set, const char *arg)
{
	struct mk_text text;
	struct ms_device *d = named_text(set, arg, &text);

	d->about = text;
}

static void
opt_no_ssh(struct ms_set *set, const char *arg)
{
	(void)arg;
	set->no_ssh = true;
}

static void
opt_previous(struct ms_set *set, const char *arg)
{
	ms_pair_add(set, &set->previous, arg, "");
}

static void
opt_made_previous(struct ms_set *set, const char *arg)
{
	set->made_previous = ms_number(arg);
}

static void
opt_made_deleted(struct ms_set *set, const char *arg)
{
	set->made_deleted = ms_number(arg);
}

static void
opt_online(struct ms_set *set, const char *arg)
{
	set->online = ms_number(arg);
}

static void
opt_signer(struct ms_set *set, const char *arg)
{
	set->signer = set->ssh_signer = ms_number(arg);
}

static void
opt_ssh_signer(struct ms_set *set, const char *arg)
{
	set->ssh_signer = ms_number(arg);
}

static void
opt_legacy(struct ms_set *set, const char *arg)
{
	if (strcmp(arg, "2016") != 0 && strcmp(arg, "2017") != 0)
		ms_die("--legacy takes 2016 or 2017");
	set->gen = strcmp(arg, "2016") == 0 ? MK_GEN_2016 : MK_GEN_2017;
}

static void
opt_ssh_form(struct ms_set *set, const char *arg)
{
	if (strcmp(arg, "b1") != 0 && strcmp(arg, "b2") != 0)
		ms_die("--ssh-form takes b1 or b2");
	set->b1 = strcmp(arg, "b1") == 0;
}

static void
opt_out(struct ms_set *set, const char *arg)
{
	set->out = arg;
}

static void
opt_seen(struct ms_set *set, const char *arg)
{
	set->seen = arg;
}

static void
opt_private(struct ms_set *set, const char *arg)
{
	set->private = arg;
}

static void
opt_print(struct ms_set *set, const char *arg)
{
	ms_pair_add(set, &set->prints, arg, "");
}

static void
opt_dump(struct ms_set *set, const char *arg)
{
	ms_pair_add(set, &set->dumps, arg, "");
}

static void
opt_offer(struct ms_set *set, const char *arg)
{
	opt_print(set, ms_printf(set, "offer:%s", arg));
}

static void
opt_breaks(struct ms_set *set, const char *arg)
{
	(void)set;
	(void)arg;
	ms_breaks_list();
	exit(0);
}

static void
opt_requests(struct ms_set *set, const char *arg)
{
	(void)set;
	(void)arg;
	ms_requests_list();
	exit(0);
}

static void	opt_help(struct ms_set *, const char *);

static const struct option options[] = {
	{ "--seed", opt_seed, "TEXT", "all keys follow from it [meshkeys]" },
	{ "--updated", opt_updated, "TIME",
	    "of P; " DEFAULT_TIME ", now, now-3d, now+1h" },
	{ "--master-updated", opt_master_updated, "TIME", "of M" },
	{ "--expires", opt_expires, "TIME", "of P [none]" },
	{ "--devices", opt_devices, "N[xK]",
	    "device0 to device<N-1>, K keys each [2]", true },
	{ "--device", ms_enrol, "NAME[=FILE.pub]",
	    "a device, its key of the seed or from a file; again: one more "
	    "key", true },
	{ "--bare", opt_bare, "NAME", "a device without an SSH key", true },
	{ "--host", opt_host, "NAME", "a device that is a host", true },
	{ "--delete", opt_delete, "NAME", "not listed but in Deleted" },
	{ "--without", opt_without, "NAME", "not listed" },
	{ "--deleted", opt_made_deleted, "N", "made-up entries of Deleted" },
	{ "--description", opt_description, "NAME=TEXT",
	    "DeviceDescription, with \\n \\\" \\xHH" },
	{ "--about", opt_about, "NAME=TEXT",
	    "Description of the DeviceProfile" },
	{ "--openssh", opt_openssh, "NAME", "its key in OpenSSH's form" },
	{ "--proof", opt_proof, "NAME", "its key proves itself" },
	{ "--no-ssh", opt_no_ssh, NULL, "no SSHProfile" },
	{ "--previous", opt_previous, "FILE.json",
	    "an earlier set, newest first" },
	{ "--previous-made", opt_made_previous, "N",
	    "made-up entries of Previous" },
	{ "--online", opt_online, "N", "online keys [1]" },
	{ "--signer", opt_signer, "K", "online key that signs [0]" },
	{ "--ssh-signer", opt_ssh_signer, "K", "online key that signs S" },
	{ "--legacy", opt_legacy, "2016|2017", "RSA, the old forms" },
	{ "--ssh-form", opt_ssh_form, "b1|b2",
	    "of 2017: of May, or of September [b2]" },
	{ "--edit", ms_edit_add, "LEVEL/OLD/NEW/[all]",
	    "OLD becomes NEW before the next step" },
	{ "--break", ms_break, "NAME[=ARGUMENT]", "see --breaks" },
	{ "--breaks", opt_breaks, NULL, "lists them" },
	{ "--out", opt_out, "FILE|DIR/|-", "the set; DIR/ is DIR/UDF.json" },
	{ "--seen", opt_seen, "FILE|DIR/",
	    "the memory of a host that has seen this set" },
	{ "--private", opt_private, "DIR", "private keys, as ssh -i wants" },
	{ "--offer", opt_offer, "NAME", "same as --print offer:NAME" },
	{ "--print", opt_print, "udf|keys|devices|offer:NAME",
	    "fingerprint, 'type base64' lines, 'NAME UDF' lines, one key" },
	{ "--dump", opt_dump, "LEVEL", "the text of a level, as it is signed "
	    "or written" },
	{ "--request", NULL, "NAME", "the body of a transaction about this "
	    "set; see --requests" },
	{ "--requests", opt_requests, NULL, "lists them" },
	{ "--portal", NULL, "HOST:PORT", "[portal.example:443]" },
	{ "--account", NULL, "NAME", "[alice@example.com]" },
	{ "--nonce", NULL, "HEX", "of the request [follows from the seed]" },
	{ "--time", NULL, "TIME", "of the request [now]" },
	{ "--unsigned", NULL, NULL, "the transaction is not signed" },
	{ "--signed", NULL, NULL, "it is, whether it must or not" },
	{ "--connect", NULL, "NAME", "the device that connects [phone]" },
	{ "--ask", NULL, "ssh|host|admin", "what it asks for; again: more" },
	{ "--parent", NULL, "UDF|ROLE", "ParentUDF [master]" },
	{ "--pin", NULL, "PIN", "PinId and Witness" },
	{ "--witness", NULL, "PIN", "Witness by another PIN, or without "
	    "PinId" },
	{ "--connect-nonce", NULL, "HEX", "of the ConnectionRequest" },
	{ "--connect-time", NULL, "TIME", "of the ConnectionRequest [now]" },
	{ "--answers", NULL, "FILE", "the ConnectStart that is answered [the "
	    "one of the same arguments]" },
	{ "--refuse", NULL, NULL, "the result is Refused" },
	{ "--store", NULL, "ID", "of Changes [none]" },
	{ "--since", NULL, "N", "of Changes [0]" },
	{ "--wait", NULL, "N", "of Changes [0]" },
	{ "--help", opt_help, NULL, "this" },
};

#define N_OPTIONS	(sizeof(options) / sizeof(options[0]))

static const char levels[] =
"levels: master device:NAME ssh personal       payloads, before they are "
"signed\n"
"        LEVEL.protected                       what is signed\n"
"        LEVEL.envelope                        the envelope, after signing\n"
"        set seen                              what is written\n"
"        connection result request             payloads of requests; request\n"
"                                              also of one that is not signed\n"
"        body                                  what is posted\n"
"in OLD and NEW: \\n \\r \\t \\0 \\\" \\\\ \\xHH and\n"
"        @REPEAT(text,n)@ @UDF(role)@ @KEY(role)@ @PUB(role)@ @RANDOM(x)@\n"
"        @OPENSSH(role)@ @BLOB(s:TEXT,x:HEX,k:ROLE,r:HEX)@ @DIGEST(text)@\n"
"        @PROOF(role,device role)@ @TIME(now-1d)@ @BITS(base64)@\n"
"        @LOWUDF(role)@\n"
"roles:  master onlineN; deviceN sshN of --devices; device:NAME ssh:NAME\n"
"        ssh:NAME.1 of --device; host:NAME; any other word; point:NAME of\n"
"        identity order2 order4 order8 noncanonical noncanonical-identity\n"
"        signed-zero off-curve mixed:ROLE; raw:ROLE passes by an alias\n";

static void
opt_help(struct ms_set *set, const char *arg)
{
	size_t i;
	int n;

	(void)set;
	(void)arg;
	puts("usage: mkset [option ...]");
	for (i = 0; i < N_OPTIONS; i++) {
		n = printf("  %s %s", options[i].name,
		    options[i].arg == NULL ? "" : options[i].arg);
		printf("%*s%s\n", n < 34 ? 34 - n : 1, "", options[i].what);
	}
	fputs(levels, stdout);
	exit(0);
}

static const struct option *
find_option(const char *name)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	ms_die("there is no '%s'; see --help", name);
}

/* Devices come first, whatever the order: other options name them. */
static void
parse(struct ms_set *set, char *argv[], bool first)
{
	const struct option *o;

	while (*argv != NULL) {
		o = find_option(*argv++);
		if (o->arg != NULL && *argv == NULL)
			ms_die("'%s' needs %s", o->name, o->arg);
		if (o->set == NULL && first)
			ms_pair_add(set, &set->asks, o->name,
			    o->arg == NULL ? "" : *argv);
		else if (o->set != NULL && o->first == first)
			o->set(set, o->arg == NULL ? NULL : *argv);
		argv += o->arg != NULL;
	}
	if (first && set->devices == NULL)
		opt_devices(set, ms_printf(set, "%d", DEFAULT_DEVICES));
}

static void
run(struct ms_set *set)
{
	struct ms_result result = { 0 };
	const struct ms_pair *p;

	if (set->gen == MK_GEN_CURRENT)
		ms_current(set, &result);
	else
		ms_legacy(set, &result);
	if (set->asks != NULL)
		result.set = ms_request(set, result.set);
	if (set->seen != NULL)
		ms_seen_write(set, &result);
	ms_edit_check(set);
	if (set->out != NULL)
		ms_set_write(set, result.set);
	else if (set->prints == NULL && set->private == NULL &&
	    set->seen == NULL && set->dumps == NULL)
		ms_file_write("-", result.set, 0);
	if (set->private != NULL)
		ms_private_write(set, set->private);
	for (p = set->prints; p != NULL; p = p->next)
		ms_print(set, p->name);
}

int
main(int argc, char *argv[])
{
	struct ms_set set = { .seed = "meshkeys", .gen = MK_GEN_CURRENT,
	    .expires = MK_TIME_NONE, .online = 1 };

	(void)argc;
	if (sodium_init() == -1)
		ms_die("libsodium cannot start");
	mk_arena_init(&set.arena, ARENA_MAX);
	set.now = (int64_t)time(NULL);
	set.updated = set.master_updated = ms_time(&set, DEFAULT_TIME);
	parse(&set, argv + 1, true);
	parse(&set, argv + 1, false);
	run(&set);
	ms_rsa_release(set.keys);
	mk_arena_release(&set.arena);
	return 0;
}
