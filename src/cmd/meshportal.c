/* SPDX-License-Identifier: ISC */
/*
 * meshportal(8), a small portal: the start and the end of it.
 *
 * What a portal stores proves itself, so nobody who reads here has to trust
 * it; what it keeps from harm is its own host and the others who use it.
 * Before the first byte of a stranger comes it gives up all files but its
 * own directory.
 */
#include <config.h>

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshportal.h"
#include "cmd/portal_http.h"
#include "core/transact.h"
#include "edge/confine.h"
#include "edge/log.h"
#include "edge/notify.h"
#include "edge/root.h"
#include "edge/sandbox.h"
#include "edge/words.h"

#ifndef MK_SANDBOX
#error config.h says whether programs confine themselves
#endif

#define LISTEN		"127.0.0.1:8443"
#define CONNECTIONS	4096u
#define PER_ADDRESS	256u
#define DESCRIPTORS	64u	/* beside those of connections */
#define PEM_MAX		(256u << 10)
#define NAME_MAX_LEN	300u
#define DRAIN		5000	/* milliseconds */
#define SUPERVISED	3	/* the first descriptor of LISTEN_FDS */

struct options {
	bool export;
	const char *data, *out, *listen, *cert, *key, *proxy;
	const char *names[PORTAL_NAMES_MAX];
	size_t n_names;
	uint64_t max_profiles, max_size;
	bool no_limits, plain, debug;
};

struct server {
	struct options options;
	struct portal p;
	struct portal_address address;
	struct portal_listen listen;
	struct portal_http *http;
	struct mk_notify notify;
	int signals;
	bool supervised;		/* the socket is of who started us */
	char proxy[PORTAL_IP_TEXT];
};

static void
usage(FILE *out)
{
	fputs("usage: meshportal --data DIR [--listen ADDRESS:PORT]\n"
	    "           [--tls-cert FILE --tls-key FILE | --plain-http]\n"
	    "           [--name HOST[:PORT]] ... [--trust-forwarded ADDRESS]"
	    "\n"
	    "           [--max-profiles N] [--max-size MIB] [--no-limits] "
	    "[--debug]\n"
	    "       meshportal export --data DIR OUT\n", out);
}

static void
help(void)
{
	usage(stdout);
	fputs("\n"
	    "Serves profile sets to whoever asks, takes newer ones that "
	    "prove themselves,\n"
	    "and passes on requests to connect devices.\n"
	    "\n"
	    "  --data DIR                 keep everything in DIR, made if it "
	    "is not there\n"
	    "  --listen ADDRESS:PORT      instead of " LISTEN "; port 0: "
	    "any free one\n"
	    "  --tls-cert FILE            certificates, in PEM, the server's "
	    "first\n"
	    "  --tls-key FILE             the key to it, in PEM\n"
	    "  --plain-http               without TLS where others than this "
	    "host can ask\n"
	    "  --name HOST[:PORT]         what URLs of this portal say; else "
	    "the address\n"
	    "  --trust-forwarded ADDRESS  take the client's address from "
	    "that proxy\n"
	    "  --max-profiles N           take so many, 1000000 if not given\n"
	    "  --max-size MIB             and so much of the disk for them, "
	    "16384 if not given\n"
	    "  --no-limits                for tests, on a loopback address "
	    "only\n"
	    "  --debug                    show every message of the log on "
	    "standard error\n"
	    "  --help                     show this text\n"
	    "  --version                  show the version\n"
	    "\n"
	    "meshportal export writes all that is read here as files below "
	    "OUT, for any web\n"
	    "server.\n"
	    "\n"
	    "Exit status: 0 ended by a signal, or exported; 64 usage, 71 "
	    "system error,\n"
	    "75 another process has DIR, 77 permission, 78 configuration.  "
	    "See meshportal(8).\n", stdout);
}

static int
usage_error(const char *what)
{
	fprintf(stderr, MESHPORTAL_IDENT ": %s\n", what);
	usage(stderr);
	return MK_E_USAGE;
}

enum { OPT_CERT = 1, OPT_KEY, OPT_PLAIN, OPT_MAX, OPT_SIZE, OPT_NO_LIMITS,
    OPT_PROXY };

static int
take_option(struct options *o, int c)
{
	switch (c) {
	case 'd':
		o->data = optarg;
		return 0;
	case 'l':
		o->listen = optarg;
		return 0;
	case 'n':
		if (o->n_names == PORTAL_NAMES_MAX)
			return usage_error("more than 16 names");
		o->names[o->n_names++] = optarg;
		return 0;
	case OPT_CERT:
		o->cert = optarg;
		return 0;
	case OPT_KEY:
		o->key = optarg;
		return 0;
	case OPT_PROXY:
		o->proxy = optarg;
		return 0;
	case OPT_PLAIN:
		o->plain = true;
		return 0;
	case OPT_NO_LIMITS:
		o->no_limits = true;
		return 0;
	case OPT_MAX:
		return mk_number_parse(optarg, INT64_MAX, &o->max_profiles) ?
		    0 : usage_error("--max-profiles wants a number");
	case OPT_SIZE:
		return mk_number_parse(optarg, INT64_MAX >> 20,
		    &o->max_size) ? 0 :
		    usage_error("--max-size wants a number");
	case 'D':
		o->debug = true;
		return 0;
	default:
		return usage_error("an option that is not known, or one "
		    "without its value");
	}
}

static int
check_options(const struct options *o, int left)
{
	if (o->data == NULL || o->data[0] == '\0')
		return usage_error("--data is missing");
	if (o->export)
		return o->listen != NULL || o->cert != NULL ||
		    o->key != NULL || o->n_names > 0 || left != 1 ?
		    usage_error("export takes --data and one directory") : 0;
	if (left > 0)
		return usage_error("an argument that is not known");
	if ((o->cert == NULL) != (o->key == NULL))
		return usage_error("--tls-cert and --tls-key go together");
	if (o->cert != NULL && o->plain)
		return usage_error("--plain-http goes with no certificate");
	return 0;
}

/* 1: done, without a run. */
static int
parse_args(struct options *o, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "name", required_argument, NULL, 'n' },
		{ "tls-cert", required_argument, NULL, OPT_CERT },
		{ "tls-key", required_argument, NULL, OPT_KEY },
		{ "plain-http", no_argument, NULL, OPT_PLAIN },
		{ "trust-forwarded", required_argument, NULL, OPT_PROXY },
		{ "max-profiles", required_argument, NULL, OPT_MAX },
		{ "max-size", required_argument, NULL, OPT_SIZE },
		{ "no-limits", no_argument, NULL, OPT_NO_LIMITS },
		{ "debug", no_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c, e;

	o->export = argc > 1 && strcmp(argv[1], "export") == 0;
	if (o->export) {
		argc--;
		argv++;
	}
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return 1;
		}
		if (c == 'V') {
			puts(PACKAGE_STRING);
			return 1;
		}
		if ((e = take_option(o, c)) != 0)
			return e;
	}
	o->out = o->export ? argv[optind] : NULL;
	return check_options(o, argc - optind);
}

/*
 * The socket of a supervisor, as of sd_listen_fds(3).  All descriptors but
 * the standard ones are closed soon; this one takes the place of the first.
 */
static bool
take_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t whose;

	if (pid == NULL || fds == NULL ||
	    !mk_number_parse(pid, INT32_MAX, &whose) ||
	    whose != (uint64_t)getpid())
		return false;
	/* If there is none, or another number, it will be found wrong. */
	if (strcmp(fds, "1") != 0 || dup2(SUPERVISED, STDIN_FILENO) == -1)
		(void)close(STDIN_FILENO);
	return true;
}

/* And gets one of its own. */
static int
give_socket(int *ret_fd, struct mk_why *why)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, SUPERVISED);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1 || null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return mk_fail(why, MK_E_SYSTEM, "listen",
		    "no socket: %s", strerror(errno));
	close(null);
	*ret_fd = fd;
	return 0;
}

/* What may not be said of an address is known before it is used. */
static int
check_address(const struct server *s)
{
	const struct options *o = &s->options;
	bool loopback = portal_address_is_loopback(&s->address);

	if (o->cert == NULL && !o->plain && !loopback)
		return usage_error("only this host is served without TLS; "
		    "give --tls-cert and --tls-key, or behind a proxy "
		    "--plain-http");
	if (o->no_limits && !loopback)
		return usage_error("--no-limits goes with a loopback address "
		    "only");
	if (o->n_names == 0 && portal_address_is_any(&s->address))
		return usage_error("this address is in no URL; give --name");
	return 0;
}

static int
listen_there(struct server *s, struct mk_why *why)
{
	const char *where = s->options.listen;
	int e;

	if (s->supervised) {
		if (where != NULL)
			return usage_error("--listen goes with no socket of "
			    "a supervisor");
		if ((e = give_socket(&s->listen.fd, why)) != 0)
			return e;
		e = portal_address_of(s->listen.fd, &s->address, why);
		return e == 0 ? check_address(s) : e;
	}
	e = portal_address_parse(where == NULL ? LISTEN : where, &s->address,
	    why);
	if (e != 0 || (e = check_address(s)) != 0 ||
	    (e = portal_address_listen(&s->address, &s->listen.fd,
	    why)) != 0)
		return e;
	return portal_address_of(s->listen.fd, &s->address, why);
}

static int
add_name(struct portal *p, const char *name, struct mk_why *why)
{
	struct mk_buf *buf = &p->names[p->n_names];

	mk_buf_init(buf, NAME_MAX_LEN);
	if (!mk_portal_name_parse(name, buf) || buf->failed != 0) {
		mk_buf_release(buf);
		return mk_fail(why, MK_E_USAGE, "name",
		    "'%s' is not HOST[:PORT]", name);
	}
	p->n_names++;
	return 0;
}

static int
take_names(struct server *s, struct mk_why *why)
{
	char text[PORTAL_ADDRESS_TEXT];
	size_t i;
	int e;

	if (s->options.n_names == 0) {
		portal_address_text(&s->address, text);
		return add_name(&s->p, text, why);
	}
	for (i = 0; i < s->options.n_names; i++) {
		if ((e = add_name(&s->p, s->options.names[i], why)) != 0)
			return e;
	}
	return 0;
}

/* A link is followed: who renews certificates makes links. */
static int
read_pem(const char *path, struct mk_file *ret_file, struct mk_why *why)
{
	char *real = realpath(path, NULL);
	int e;

	if (real == NULL)
		return mk_fail(why, errno == EACCES ? MK_E_PERM :
		    MK_E_CONFIG, "tls", "cannot read '%s': %s", path,
		    strerror(errno));
	e = mk_file_read(real, PEM_MAX, ret_file, why);
	if (e == MK_E_ABSENT || e == MK_E_TOOBIG)
		e = mk_fail(why, MK_E_CONFIG, "tls", "cannot use '%s': %s",
		    path, e == MK_E_ABSENT ? "no such file" : "too large");
	free(real);
	return e;
}

static int
serve_tls(struct server *s, struct mk_why *why)
{
	struct mk_file cert = { 0 }, key = { 0 };
	int e;

	if ((e = read_pem(s->options.cert, &cert, why)) != 0 ||
	    (e = read_pem(s->options.key, &key, why)) != 0)
		goto out;
	if (!key.closed) {
		e = mk_fail(why, MK_E_PERM, "tls", "cannot use '%s': "
		    "readable by everybody; run: chmod o= %s",
		    s->options.key, s->options.key);
		goto out;
	}
	s->listen.cert = (char *)cert.data;
	s->listen.key = (char *)key.data;
	e = portal_http_new(&s->p, &s->listen, &s->http, why);
	s->listen.fd = -1;
	s->listen.cert = s->listen.key = NULL;
out:
	if (key.data != NULL)
		sodium_memzero(key.data, key.len);
	mk_file_release(&key);
	mk_file_release(&cert);
	return e;
}

static int
serve_http(struct server *s, struct mk_why *why)
{
	int e;

	if (s->options.cert != NULL)
		return serve_tls(s, why);
	e = portal_http_new(&s->p, &s->listen, &s->http, why);
	s->listen.fd = -1;
	return e;
}

/* As many connections as the system lets us have. */
static void
raise_limit(struct server *s)
{
	rlim_t need = CONNECTIONS + DESCRIPTORS;
	struct rlimit now;

	s->listen.connections = CONNECTIONS;
	s->listen.per_address = s->options.no_limits ? CONNECTIONS :
	    PER_ADDRESS;
	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= need)
		return;
	now.rlim_cur = now.rlim_max < need ? now.rlim_max : need;
	(void)setrlimit(RLIMIT_NOFILE, &now);
	(void)getrlimit(RLIMIT_NOFILE, &now);
	if (now.rlim_cur >= need)
		return;
	s->listen.connections = now.rlim_cur > 2 * DESCRIPTORS ?
	    (unsigned)now.rlim_cur - DESCRIPTORS : DESCRIPTORS;
	mk_log(LOG_WARNING, "start: only %u connections at once: the limit "
	    "of open files is low; event=portal.limit",
	    s->listen.connections);
}

static int
trust_proxy(struct server *s, struct mk_why *why)
{
	const char *proxy = s->options.proxy;

	if (proxy == NULL)
		return 0;
	if (!portal_ip_parse(proxy, strlen(proxy), s->proxy))
		return mk_fail(why, MK_E_USAGE, "proxy",
		    "'%s' is no IP address", proxy);
	s->listen.proxy = s->proxy;
	return 0;
}

static int
open_signals(int *ret_fd, struct mk_why *why)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return mk_fail(why, MK_E_SYSTEM, "start",
		    "cannot wait for signals: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* From here on nothing of this host is in reach but the directory. */
static int
confine(const char *data, struct mk_why *why)
{
	struct mk_place place = { .use = MK_PLACE_WRITE };
	int e;

	if ((e = mk_privileges_close(why)) != 0 ||
	    (e = mk_limit_lower(RLIMIT_CORE, 0, why)) != 0)
		return e;
	if (!MK_SANDBOX)
		return 0;
	place.fd = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place.fd == -1)
		return mk_fail(why, MK_E_SYSTEM, "sandbox",
		    "cannot open '%s': %s", data, strerror(errno));
	e = mk_landlock_keep(&place, 1, why);
	close(place.fd);
	return e;
}

static int
make_ready(struct server *s, struct mk_why *why)
{
	const struct options *o = &s->options;
	int e;

	s->p.max_profiles = o->max_profiles;
	s->p.max_size = o->max_size << 20;
	raise_limit(s);
	if ((e = trust_proxy(s, why)) != 0 ||
	    (e = listen_there(s, why)) != 0 ||
	    (e = take_names(s, why)) != 0 ||
	    (e = open_signals(&s->signals, why)) != 0 ||
	    (e = portal_store_open(o->data, true, &s->p.store, why)) != 0 ||
	    (e = portal_waiting_new(&s->p.waiting, why)) != 0)
		return e;
	if (!o->no_limits && (e = portal_limits_new(&s->p.limits, why)) != 0)
		return e;
	if ((e = serve_http(s, why)) != 0)
		return e;
	return confine(o->data, why);
}

/* Scripts wait for this line: behind it connections are answered. */
static void
say_ready(const struct server *s)
{
	char text[PORTAL_ADDRESS_TEXT];
	struct mk_buf line;
	size_t i;

	portal_address_text(&s->address, text);
	mk_buf_init(&line, PORTAL_NAMES_MAX * (NAME_MAX_LEN + 2) + 128);
	mk_buf_puts(&line, s->options.cert != NULL ? "serving https://" :
	    "serving http://");
	mk_buf_puts(&line, text);
	for (i = 0; i < s->p.n_names; i++) {
		mk_buf_puts(&line, i == 0 ? " as " : ", ");
		mk_buf_puts(&line, s->p.names[i].data);
	}
	if (line.failed == 0) {
		/* Under systemd the log has it already. */
		if (getenv("INVOCATION_ID") == NULL) {
			printf(MESHPORTAL_IDENT ": %s\n", line.data);
			(void)fflush(stdout);
		}
		mk_log(LOG_INFO, "start: %s; event=portal.start", line.data);
	}
	mk_buf_release(&line);
	mk_notify(&s->notify, "READY=1");
}

static int
serve(struct server *s, struct mk_why *why)
{
	int e;

	if (geteuid() == 0)
		mk_log(LOG_WARNING, "start: run by root, who is not needed "
		    "here; event=portal.root");
	if (s->options.no_limits)
		mk_log(LOG_WARNING, "start: without limits; "
		    "event=portal.limit");
	if ((e = make_ready(s, why)) != 0)
		return e;
	say_ready(s);
	e = portal_http_run(s->http, s->signals, why);
	mk_notify(&s->notify, "STOPPING=1");
	portal_http_drain(s->http, DRAIN);
	mk_log(LOG_INFO, "stop: %s; event=portal.stop",
	    e == 0 ? "by a signal" : "after an error");
	return e;
}

static int
export(const struct options *o, struct mk_why *why)
{
	struct portal_store *store;
	struct portal_exported done;
	int e;

	if ((e = portal_store_open(o->data, false, &store, why)) != 0)
		return e;
	e = portal_export(store, o->out, &done, why);
	portal_store_close(store);
	if (e == 0)
		printf("%llu written, %llu removed, %llu as they were\n",
		    (unsigned long long)done.written,
		    (unsigned long long)done.removed,
		    (unsigned long long)done.kept);
	return e == 0 && fflush(stdout) != 0 ? mk_fail(why, MK_E_SYSTEM,
	    "output", "cannot write: %s", strerror(errno)) : e;
}

static void
release(struct server *s)
{
	size_t i;

	portal_http_free(s->http);
	portal_waiting_free(s->p.waiting);
	portal_limits_free(s->p.limits);
	portal_store_close(s->p.store);
	for (i = 0; i < s->p.n_names; i++)
		mk_buf_release(&s->p.names[i]);
	if (s->listen.fd >= 0)
		close(s->listen.fd);
	if (s->signals >= 0)
		close(s->signals);
	mk_notify_close(&s->notify);
}

static int
begin(struct server *s, struct mk_why *why)
{
	struct mk_root root;
	int e;

	/* What is exported others read, and else nothing is for them. */
	(void)umask(s->options.export ? 022 : 077);
	if ((e = mk_process_limits(0, why)) != 0)
		return e;
	if (sodium_init() == -1)
		return mk_fail(why, MK_E_SYSTEM, "start",
		    "cannot initialise libsodium");
	if ((e = mk_root_open(NULL, &root, why)) != 0)
		return e;
	mk_log_open(&root, MESHPORTAL_IDENT, LOG_INFO);
	mk_root_close(&root);
	mk_log_debug(s->options.debug);
	mk_notify_open(&s->notify);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct server s = { .options = {
	    .max_profiles = PORTAL_PROFILES_MAX,
	    .max_size = PORTAL_SIZE_MAX }, .listen = { .fd = -1 },
	    .notify = { .fd = -1 }, .signals = -1 };
	struct mk_why why = { 0 };
	int e;

	e = parse_args(&s.options, argc, argv);
	if (e != 0)
		return e == 1 ? 0 : mk_exit_code(e);
	s.supervised = !s.options.export && take_socket();
	e = begin(&s, &why);
	if (e == 0)
		e = s.options.export ? export(&s.options, &why) :
		    serve(&s, &why);
	/* What ends it is told to whoever started it; systemd has the log. */
	if (getenv("INVOCATION_ID") == NULL)
		mk_log_echo(true);
	if (why.code != 0 && e == why.code)
		mk_log(LOG_ERR, "%s: %s; event=portal.error", why.stage,
		    why.detail);
	release(&s);
	return mk_exit_code(e);
}
