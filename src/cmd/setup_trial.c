/* SPDX-License-Identifier: ISC */
/*
 * The trial logins of meshkeys setup.  Each runs in a process of its own,
 * that may have mounts of its own, ends what it has started whatever
 * happens, and leaves nothing behind.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/setup_trial.h"
#include "core/sshkey.h"
#include "edge/child.h"
#include "edge/terminal.h"

#define SECONDS		30u
#define SECONDS_PERSON	120u	/* who types a passphrase */
#define SAID_SSHD_MAX	(256u << 10)
#define SAID_SSH_MAX	(16u << 10)
#define TOLD_MAX	(64u << 10)
#define PUB_MAX		(64u << 10)

/* A trial, and what its process tells of it. */
struct trial {
	const struct setup *s;
	const char *user;
	struct setup_login login;
	struct setup_heard heard;
	char *key;		/* malloc'd; of the way in: as ssh takes it */
	const char *type;	/* of the mesh's: an algorithm of sshd's */
	const char *command;	/* AuthorizedKeysCommand in force for her */
	struct mk_buf told;
	struct mk_why *why;
};

/* Shared with that process. */
struct outcome {
	pid_t parent;
	bool whole;
	int code;
	struct mk_why why;
	size_t len;
	char told[TOLD_MAX];
};

/* The types of keys that ssh-keygen(1) makes without a device. */
static const struct {
	enum mk_sshkey_type type;
	const char *name, *bits;
	const char *algorithm;
} kinds[] = {
	{ MK_SSH_ED25519, "ed25519", "256", "ssh-ed25519" },
	{ MK_SSH_ECDSA_256, "ecdsa", "256", "ecdsa-sha2-nistp256" },
	{ MK_SSH_ECDSA_384, "ecdsa", "384", "ecdsa-sha2-nistp384" },
	{ MK_SSH_ECDSA_521, "ecdsa", "521", "ecdsa-sha2-nistp521" },
	{ MK_SSH_RSA, "rsa", "4096", "rsa-sha2-512" }
};

#define N_KINDS	(sizeof(kinds) / sizeof(kinds[0]))

typedef int trial_work(struct trial *t);

/* It ends when we do, however that comes about. */
static _Noreturn void
work_apart(struct trial *t, trial_work *work, struct outcome *o)
{
	setup_login_signals(SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != o->parent)
		_exit(1);
	o->code = work(t);
	o->why = *t->why;
	o->len = t->told.failed == 0 ? t->told.len : 0;
	if (o->len > 0)
		memcpy(o->told, t->told.data, o->len);
	o->whole = true;
	_exit(0);
}

/* A signal that we only take note of must not wait for its end. */
static int
wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		(void)kill(pid, SIGTERM);
	return status;
}

/* Whether somebody wants an end, rather than that it broke. */
static bool
is_wish(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGHUP ||
	    sig == SIGQUIT;
}

static int
apart(struct trial *t, trial_work *work)
{
	struct outcome *o;
	int e = 0, status;
	pid_t pid;

	o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (o == MAP_FAILED)
		return mk_fail(t->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	o->parent = getpid();
	pid = fork();
	if (pid == 0)
		work_apart(t, work, o);
	if (pid == -1) {
		e = mk_fail(t->why, MK_E_SYSTEM, "trial", "cannot fork: %s",
		    strerror(errno));
		goto out;
	}
	status = wait_for(pid);
	if (WIFSIGNALED(status) && is_wish(WTERMSIG(status)))
		e = mk_fail(t->why, MK_E_STALE, "trial",
		    "the trial login was interrupted");
	else if (!o->whole)
		e = mk_fail(t->why, MK_E_BUG, "trial", "the process of the "
		    "trial login did not finish");
	if (e != 0)
		goto out;
	mk_buf_put(&t->told, o->told, o->len);
	e = o->code;
	if (e != 0)
		*t->why = o->why;
out:
	(void)munmap(o, sizeof(*o));
	return e;
}

static void
show_said(struct trial *t, const char *who, const struct mk_buf *said)
{
	const size_t before = t->told.len;
	size_t head;

	mk_buf_puts(&t->told, who);
	mk_buf_puts(&t->told, " said:\n");
	head = t->told.len;
	if (said->len > 0)
		setup_heard_show(said->data, &t->told);
	if (t->told.len == head)
		mk_buf_cut(&t->told, before);
}

/* What failed, and what the two programs have to say about it. */
static int
refused(struct trial *t, int code, const char *what)
{
	mk_buf_cut(&t->told, 0);
	show_said(t, "sshd", &t->login.said_sshd);
	show_said(t, "ssh", &t->login.said_ssh);
	return mk_fail(t->why, code, "trial",
	    "the trial login of '%s' failed: %s", t->user, what);
}

static int
log_in(struct trial *t)
{
	int e;

	mk_buf_init(&t->login.said_sshd, SAID_SSHD_MAX);
	mk_buf_init(&t->login.said_ssh, SAID_SSH_MAX);
	t->login.sshd = t->s->sshd.program;
	t->login.user = t->user;
	e = setup_login_run(&t->login, t->why);
	if (e == MK_E_STALE)
		return refused(t, e, t->why->detail);
	if (e != 0)
		return e;
	if (!t->login.connected)
		return refused(t, MK_E_SYSTEM, "ssh did not connect");
	return setup_heard_read(t->login.said_sshd.data != NULL ?
	    t->login.said_sshd.data : "", &t->heard, t->why);
}

static bool
has_said(const struct mk_buf *said, const char *words)
{
	return said->len > 0 && strstr(said->data, words) != NULL;
}

/* PAM tells it behind the key, when sshd has let her in already. */
static bool
has_no_session(const struct trial *t)
{
	return has_said(&t->login.said_sshd, "pam_open_session()");
}

/* The key was right, and something else was not. */
static int
kept_out(struct trial *t, const char *unknown)
{
	return refused(t, MK_E_REFUSED,
	    has_said(&t->login.said_sshd, "Accepted key ") ?
	    "sshd knows the key, and did not let her in" : unknown);
}

static int
make_key(struct trial *t, size_t kind, struct mk_file *ret_pub)
{
	const char *const argv[] = { "ssh-keygen", "-q", "-t",
	    kinds[kind].name, "-b", kinds[kind].bits, "-N", "", "-C", "",
	    "-f", SETUP_TRIAL_KEY, NULL };
	const struct mk_child child = { .argv = argv, .seconds = SECONDS };
	struct mk_buf out;
	int status, e;

	mk_buf_init(&out, PUB_MAX);
	e = mk_child_run(&child, &out, &status, t->why);
	mk_buf_release(&out);
	if (e == 0 && status != 0)
		e = mk_fail(t->why, MK_E_SYSTEM, "trial",
		    "ssh-keygen failed with status %d", status);
	if (e == 0 && (e = mk_file_read(SETUP_TRIAL_KEY ".pub", PUB_MAX,
	    ret_pub, t->why)) == MK_E_ABSENT)
		e = mk_fail(t->why, MK_E_SYSTEM, "trial",
		    "ssh-keygen made no key");
	return e;
}

/* Whether one of the words between commas is that. */
static bool
lists(const char *list, const char *item)
{
	const size_t n = strlen(item);
	const char *p = list;

	while ((p = strstr(p, item)) != NULL) {
		if ((p == list || p[-1] == ',') &&
		    (p[n] == ',' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

/* A type that this host takes, by key-types and by sshd. */
static int
choose_kind(const struct trial *t, size_t *ret_kind)
{
	struct mk_config config;
	unsigned types;
	size_t i;
	int e;

	e = mk_config_load(&t->s->root, NULL, &config, t->why);
	if (e != 0)
		return e;
	types = config.policy.key_types;
	mk_config_release(&config);
	for (i = 0; i < N_KINDS; i++) {
		if ((types & kinds[i].type) != 0 && (t->type == NULL ||
		    lists(t->type, kinds[i].algorithm)))
			break;
	}
	if (i == N_KINDS)
		return mk_fail(t->why, MK_E_ABSENT, "trial", "no trial login "
		    "with a profile: key-types of meshkeys.conf and "
		    "PubkeyAcceptedAlgorithms of sshd allow no type of key "
		    "that can be made without a device");
	*ret_kind = i;
	return 0;
}

/*
 * The key is known to nobody but the profile; where it was found is told
 * unless a Match block has another LogLevel.
 */
static int
judge_mesh(struct trial *t, const char *fingerprint)
{
	const char *where = t->heard.where;

	if (t->heard.end == SETUP_KEPT_OUT)
		return kept_out(t, "sshd refused the key of a good profile");
	if (t->heard.fingerprint == NULL ||
	    strcmp(t->heard.fingerprint, fingerprint) != 0)
		return refused(t, MK_E_REFUSED, "another key was accepted");
	if (where != NULL && !setup_heard_command(where, t->command))
		return refused(t, MK_E_REFUSED, "the key was accepted, but "
		    "not from '" SETUP_HELPER "'");
	if (has_no_session(t))
		return refused(t, MK_E_REFUSED, "PAM opens no session");
	return 0;
}

/* In the process of its own, and in the mounts of its own. */
static int
try_mesh(struct trial *t)
{
	struct setup_profile profile;
	struct mk_file pub = { 0 };
	char *fingerprint = NULL;
	const char *line;
	size_t kind = 0;
	int e;

	if ((e = choose_kind(t, &kind)) != 0 ||
	    (e = setup_mounts_enter(&t->s->root, t->why)) != 0 ||
	    (e = make_key(t, kind, &pub)) != 0)
		return e;
	line = (const char *)pub.data;
	if ((e = setup_profile_key(line, &fingerprint, t->why)) != 0 ||
	    (e = setup_profile_make(line, &profile, t->why)) != 0)
		goto out;
	e = setup_mounts_fill(&t->s->root, t->user, &profile, t->why);
	setup_profile_release(&profile);
	t->login.key = SETUP_TRIAL_KEY;
	t->login.seconds = SECONDS;
	if (e == 0 && (e = log_in(t)) == 0)
		e = judge_mesh(t, fingerprint);
out:
	free(fingerprint);
	mk_file_release(&pub);
	return e;
}

static int
no_proof(struct trial *t)
{
	return refused(t, MK_E_ABSENT, "sshd does not tell where it found the "
	    "key: its LogLevel in a Match block is lower than VERBOSE, or it "
	    "is older than OpenSSH 7.7");
}

static int
judge_way_in(struct trial *t)
{
	const struct setup_heard *h = &t->heard;

	if (h->end == SETUP_KEPT_OUT && t->login.key == NULL &&
	    !has_said(&t->login.said_sshd, " publickey for "))
		return kept_out(t, "sshd tells of no key that it was offered; "
		    "whether the agent answers and has one shows: ssh-add -l");
	if (h->end == SETUP_KEPT_OUT)
		return kept_out(t, "sshd refused the key");
	if (h->end == SETUP_HALF_IN)
		return refused(t, MK_E_REFUSED, "the key is right, but sshd "
		    "wants more than a key; look at AuthenticationMethods");
	if (h->where == NULL)
		return no_proof(t);
	if (t->command != NULL && setup_heard_command(h->where, t->command))
		return refused(t, MK_E_REFUSED, "only AuthorizedKeysCommand "
		    "knows this key, no file does");
	if (has_no_session(t))
		return refused(t, MK_E_REFUSED, "PAM opens no session");
	mk_buf_puts(&t->told, h->certificate ? "a certificate, trusted by " :
	    "a key in ");
	mk_buf_puts(&t->told, h->where);
	return 0;
}

/* ssh did not sign with it, and does not say why. */
static void
hint_passphrase(struct trial *t)
{
	if (t->login.terminal || t->login.key == NULL ||
	    t->heard.end != SETUP_KEPT_OUT ||
	    has_said(&t->login.said_sshd, "Failed publickey for ") ||
	    has_said(&t->login.said_ssh, "Load key "))
		return;
	mk_buf_puts(&t->told, "without a terminal nobody can be asked for a "
	    "passphrase: if the key has\none, add it to ssh-agent(1) first\n");
}

static int
try_way_in(struct trial *t)
{
	int e;

	if ((e = log_in(t)) == 0)
		e = judge_way_in(t);
	if (e == MK_E_REFUSED)
		hint_passphrase(t);
	return e;
}

/* ssh(1) would try other keys in place of one that it cannot read. */
static int
take_key(struct trial *t, const char *key)
{
	struct stat st;

	/* Which stands for other things in ssh's names of files. */
	if (strchr(key, '%') != NULL)
		return mk_fail(t->why, MK_E_USAGE, "trial", "cannot use the "
		    "key '%s': a percent sign in its name", key);
	if (access(key, R_OK) != 0 || stat(key, &st) != 0)
		return mk_fail(t->why, MK_E_NOPROFILE, "trial",
		    "cannot read the key '%s': %s", key, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mk_fail(t->why, MK_E_USAGE, "trial",
		    "the key '%s' is not a file", key);
	if (asprintf(&t->key, "%s%s", key[0] == '/' ? "" : "./", key) == -1) {
		t->key = NULL;
		return mk_fail(t->why, MK_E_SYSTEM, "memory",
		    "out of memory");
	}
	t->login.key = t->key;
	return 0;
}

static int
prepare_way_in(struct trial *t, const char *key)
{
	const char *agent = getenv("SSH_AUTH_SOCK");

	t->login.agent = agent != NULL && agent[0] != '\0';
	t->login.terminal = mk_terminal_there();
	t->login.seconds = t->login.terminal ? SECONDS_PERSON : SECONDS;
	if (key != NULL)
		return take_key(t, key);
	if (t->login.agent)
		return 0;
	return mk_fail(t->why, MK_E_USAGE, "trial", "no key to log in with as "
	    "'%s': name its file with --key, or forward ssh-agent(1) and keep "
	    "SSH_AUTH_SOCK in the environment", t->user);
}

/* What sshd does for her, from this host. */
static int
ask_sshd(struct trial *t, struct mk_sshd_settings **ret_settings)
{
	const struct mk_sshd_ask ask = { .user = t->user };
	int e = mk_sshd_settings(&t->s->sshd, &ask, ret_settings, t->why);

	if (e != 0)
		return e;
	t->command = mk_sshd_get(*ret_settings, "authorizedkeyscommand", 0);
	t->type = mk_sshd_get(*ret_settings, "pubkeyacceptedalgorithms", 0);
	return 0;
}

/* Otherwise no profile could ever let her in. */
static int
check_command(const struct trial *t)
{
	const size_t n = strlen(SETUP_HELPER);
	const char *command = t->command != NULL ? t->command : "none";

	if (strncmp(command, SETUP_HELPER, n) == 0 &&
	    (command[n] == ' ' || command[n] == '\0'))
		return 0;
	return mk_fail(t->why, MK_E_CONFIG, "trial", "for '%s' the "
	    "AuthorizedKeysCommand is '%s', not '" SETUP_HELPER "'", t->user,
	    command);
}

/* The sentences for people go where those of other failures do. */
static void
pass_on(const struct trial *t)
{
	if (t->told.failed == 0 && t->told.len > 0)
		mk_buf_puts(&t->s->m->hint, t->told.data);
}

int
setup_trial_mesh(const struct setup *s, const char *user, struct mk_why *why)
{
	struct trial t = { .s = s, .user = user, .why = why };
	struct mk_sshd_settings *settings = NULL;
	int e;

	mk_buf_init(&t.told, TOLD_MAX);
	if ((e = ask_sshd(&t, &settings)) == 0 &&
	    (e = check_command(&t)) == 0 && (e = apart(&t, try_mesh)) != 0)
		pass_on(&t);
	mk_sshd_settings_free(settings);
	mk_buf_release(&t.told);
	return e;
}

int
setup_trial_way_in(const struct setup *s, const char *user, const char *key,
    struct mk_why *why)
{
	struct trial t = { .s = s, .user = user, .why = why };
	struct mk_sshd_settings *settings = NULL;
	int e;

	mk_buf_init(&t.told, TOLD_MAX);
	if ((e = prepare_way_in(&t, key)) == 0 &&
	    (e = ask_sshd(&t, &settings)) == 0 &&
	    (e = apart(&t, try_way_in)) != 0)
		pass_on(&t);
	if (e == 0)
		setup_say(s, "sshd let '%s' in for trial by %s", user,
		    t.told.data);
	mk_sshd_settings_free(settings);
	mk_buf_release(&t.told);
	free(t.key);
	return e;
}
