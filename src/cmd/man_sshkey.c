/* SPDX-License-Identifier: ISC */
/*
 * SSH keys of this device.  Every key that is to be in the profile proves by
 * ssh-keygen(1) that its owner wants it there; no private key is ever read
 * here.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/man_sshkey.h"
#include "core/digest.h"
#include "core/sshsig.h"
#include "edge/child.h"
#include "edge/ssh_dir.h"
#include "edge/terminal.h"

#define PUB_MAX		(64u << 10)	/* bytes of a public key's file */
#define AGENT_MAX	(256u << 10)	/* bytes of 'ssh-add -L' */
#define AGENT_SECONDS	20u
#define AGENT_PUB	"agent-key.pub"	/* in the state directory */

/* One key on its way into the profile. */
struct enrolling {
	struct meshman *m;
	struct mk_arena *a;
	const struct mk_udf *master;
	bool anew;
};

int
meshman_ssh_public(struct mk_arena *a, const char *s, size_t len,
    struct mk_sshkey *ret_key, struct mk_why *why)
{
	const char *lf = memchr(s, '\n', len), *space;
	size_t n = lf != NULL ? (size_t)(lf - s) : len;

	space = memchr(s, ' ', n);
	if (space != NULL)
		space = memchr(space + 1, ' ', n - (size_t)(space + 1 - s));
	if (space != NULL)
		n = (size_t)(space - s);
	return mk_sshkey_parse_text(a, s, n, ret_key, why);
}

bool
meshman_ssh_listed(const struct mk_verified_view *view,
    const struct mk_udf *device, const struct mk_sshkey *key)
{
	size_t i;

	for (i = 0; view != NULL && i < view->n_keys; i++) {
		const struct mk_ssh_device *ssh = view->keys[i].ssh;

		if (!ssh->host && mk_udf_cmp(&ssh->device, device) == 0 &&
		    ssh->key.len == key->len &&
		    memcmp(ssh->key.blob, key->blob, key->len) == 0)
			return true;
	}
	return false;
}

void
meshman_put_ssh(struct mk_buf *out, const struct mk_ssh_device *ssh)
{
	uint8_t digest[MK_SHA256];

	if (ssh->host) {
		mk_buf_puts(out, "a host");
		return;
	}
	mk_sha256(ssh->key.blob, ssh->key.len, digest);
	meshman_put_clean(out, ssh->key.name, ssh->key.name_len);
	mk_buf_puts(out, " SHA256:");
	mk_buf_b64std(out, digest, sizeof(digest));
	/* As ssh-keygen(1) prints it, without the padding. */
	if (out->len > 0)
		mk_buf_cut(out, out->len - 1);
}

void
meshman_put_keys(struct meshman *m, const struct mk_udf *device,
    const char *indent)
{
	const struct mk_verified_view *view = m->profile.view;
	size_t i;

	for (i = 0; i < view->n_keys; i++) {
		if (mk_udf_cmp(&view->keys[i].ssh->device, device) != 0)
			continue;
		mk_buf_puts(&m->out, indent);
		meshman_put_ssh(&m->out, view->keys[i].ssh);
		mk_buf_putc(&m->out, '\n');
	}
}

/* Other types can neither prove themselves nor be used by a host. */
static const char *
unfit(const struct mk_sshkey *key)
{
	if (key->type == MK_SSH_OTHER)
		return "its type is not one that hosts take";
	if (key->type == MK_SSH_RSA && key->rsa_bits < MK_RSA_BITS_MIN)
		return "an RSA key of fewer than 2048 bits, which hosts "
		    "do not take";
	return NULL;
}

/*
 * What is to be signed stands on the standard input of ssh-keygen(1), which
 * takes that for a sign that a graphical program has to ask; a failure of
 * which it takes for an empty passphrase.  Whoever wants one says so.
 */
static void
ask_at_terminal(void)
{
	if (mk_terminal_there())
		(void)setenv("SSH_ASKPASS_REQUIRE", "never", 0);
}

/* Lets ssh-keygen(1) sign; it asks for passphrases and touches itself. */
static int
sign(struct enrolling *x, const char *file, struct mk_buf *armour)
{
	const char *const argv[] = { "ssh-keygen", "-q", "-Y", "sign", "-n",
	    MK_PROOF_NAMESPACE, "-f", file, NULL };
	struct mk_child child = { .argv = argv };
	struct meshman *m = x->m;
	struct mk_buf message;
	int status, e;

	mk_buf_init(&message, 2 * MK_UDF_TEXT + 1);
	mk_proof_message(x->master, &m->state.device, &message);
	if ((e = mk_buf_check(&message, &m->why, "ssh")) != 0)
		goto out;
	child.in = (const uint8_t *)message.data;
	child.in_len = message.len;
	ask_at_terminal();
	e = mk_child_run(&child, armour, &status, &m->why);
	if (e == MK_E_ABSENT)
		e = m->why.code = MK_E_SYSTEM;
	if (e == 0 && status != 0)
		e = mk_fail(&m->why, MK_E_REFUSED, "ssh", "ssh-keygen did "
		    "not sign with '%s'; its private half must be beside it "
		    "or in ssh-agent", file);
out:
	mk_buf_release(&message);
	return e;
}

static int
take_proof(struct enrolling *x, const struct mk_buf *armour,
    struct mk_ssh_device *ssh)
{
	const struct mk_text whole = { armour->data, armour->len };
	const uint8_t *blob;
	struct mk_buf text;
	size_t len;
	int e;

	e = mk_sshsig_unarmour(x->a, &whole, &blob, &len, &x->m->why);
	if (e != 0)
		return e;
	mk_buf_init(&text, MK_STRING_LONG);
	mk_buf_b64url(&text, blob, len);
	if ((e = mk_buf_check(&text, &x->m->why, "ssh")) == 0) {
		ssh->proof.s = mk_arena_dup(x->a, text.data, text.len);
		ssh->proof.len = text.len;
		if (ssh->proof.s == NULL)
			e = mk_arena_fail(x->a, &x->m->why);
	}
	mk_buf_release(&text);
	return e;
}

/* The element of a key: with its proof, which is verified before it goes. */
static int
prove(struct enrolling *x, const struct mk_sshkey *key, const char *file,
    struct mk_ssh_device *ret_ssh)
{
	struct mk_ssh_device ssh = { .device = x->m->state.device,
	    .key = *key, .mesh_form = key->ed25519 != NULL };
	struct mk_pubkey mesh;
	struct mk_buf armour;
	int e;

	if (ssh.mesh_form) {
		mk_pubkey_from_ed25519(key->ed25519, &mesh);
		ssh.key_udf = mesh.udf;
		ssh.has_key_udf = true;
	}
	mk_buf_init(&armour, 2 * MK_SSHSIG_MAX);
	if ((e = sign(x, file, &armour)) == 0 &&
	    (e = mk_buf_check(&armour, &x->m->why, "ssh")) == 0)
		e = take_proof(x, &armour, &ssh);
	mk_buf_release(&armour);
	if (e != 0)
		return e;
	if (!mk_proof_verify(x->master, &ssh))
		return mk_fail(&x->m->why, MK_E_REFUSED, "ssh", "what "
		    "ssh-keygen signed with '%s' is not by the public key "
		    "there; do its two halves belong together?", file);
	*ret_ssh = ssh;
	return 0;
}

/* One key from a file, unless this device has it. */
static int
enrol_file(struct enrolling *x, const char *file, const struct mk_buf *pub,
    struct meshman_ssh_keys *keys)
{
	struct meshman *m = x->m;
	struct mk_sshkey key;
	const char *why;
	int e;

	if ((e = meshman_ssh_public(x->a, pub->data != NULL ? pub->data : "",
	    pub->len, &key, &m->why)) != 0)
		return e;
	if ((why = unfit(&key)) != NULL)
		return mk_fail(&m->why, MK_E_REFUSED, "ssh", "'%s': %s",
		    file, why);
	if (!x->anew && meshman_ssh_listed(m->profile.view,
	    &m->state.device, &key)) {
		meshman_warn("'%s' is this device's already", file);
		return 0;
	}
	keys->list = mk_arena_array(x->a, 1, sizeof(*keys->list));
	if (keys->list == NULL)
		return mk_arena_fail(x->a, &m->why);
	e = prove(x, &key, file, keys->list);
	if (e == 0)
		keys->n = 1;
	return e;
}

static bool
ends_in(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);

	return n > k && strcmp(s + n - k, tail) == 0;
}

static int
cannot_read(struct enrolling *x, const char *file)
{
	return mk_fail(&x->m->why, MK_E_NOPROFILE, "ssh",
	    "cannot read '%s': %s", file, strerror(errno));
}

/* A public key, which nobody else needs to guard; but no pipe. */
static int
read_public(struct enrolling *x, const char *file, struct mk_buf *pub)
{
	char piece[4096];
	struct stat st;
	ssize_t n = -1;
	int fd, e = 0;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return cannot_read(x, file);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		e = mk_fail(&x->m->why, MK_E_REFUSED, "ssh",
		    "'%s' is not a regular file", file);
	while (e == 0 && pub->failed == 0 &&
	    (n = read(fd, piece, sizeof(piece))) > 0)
		mk_buf_put(pub, piece, (size_t)n);
	if (e == 0 && n == -1)
		e = cannot_read(x, file);
	(void)close(fd);
	return e;
}

/* Of a private key that has no public file beside it. */
static int
ask_public(struct enrolling *x, const char *file, struct mk_buf *pub)
{
	const char *const argv[] = { "ssh-keygen", "-y", "-f", file, NULL };
	const struct mk_child child = { .argv = argv,
	    .terminal = mk_terminal_there() };
	struct meshman *m = x->m;
	int status, e;

	if (access(file, R_OK) != 0)
		return cannot_read(x, file);
	e = mk_child_run(&child, pub, &status, &m->why);
	if (e == MK_E_ABSENT)
		e = m->why.code = MK_E_SYSTEM;
	if (e == 0 && status != 0)
		e = mk_fail(&m->why, MK_E_REFUSED, "ssh",
		    "'%s' holds no key that ssh-keygen can read", file);
	return e;
}

static int
read_key_file(struct enrolling *x, const char *file, struct mk_buf *pub)
{
	struct mk_buf beside;
	int e;

	mk_buf_init(&beside, strlen(file) + sizeof(".pub"));
	mk_buf_puts(&beside, file);
	mk_buf_puts(&beside, ".pub");
	if ((e = mk_buf_check(&beside, &x->m->why, "ssh")) != 0)
		goto out;
	if (ends_in(file, ".pub"))
		e = read_public(x, file, pub);
	else if (access(beside.data, F_OK) == 0)
		e = read_public(x, beside.data, pub);
	else
		e = ask_public(x, file, pub);
	if (e == 0)
		e = mk_buf_check(pub, &x->m->why, "ssh");
out:
	mk_buf_release(&beside);
	return e;
}

static int
keys_of_file(struct enrolling *x, const char *file,
    struct meshman_ssh_keys *keys)
{
	struct mk_buf pub;
	int e;

	mk_buf_init(&pub, PUB_MAX);
	if ((e = read_key_file(x, file, &pub)) == 0)
		e = enrol_file(x, file, &pub, keys);
	mk_buf_release(&pub);
	return e;
}

static bool
has_cert_type(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);

	return mk_sshkey_is_cert(line,
	    space != NULL ? (size_t)(space - line) : len);
}

/* Why a key of the agent is passed over, or NULL. */
static const char *
passed_over(struct enrolling *x, const char *line, size_t len,
    struct mk_sshkey *key)
{
	if (has_cert_type(line, len))
		return "a certificate";
	if (meshman_ssh_public(x->a, line, len, key, NULL) != 0)
		return "a key that cannot be read";
	if (!x->anew && meshman_ssh_listed(x->m->profile.view,
	    &x->m->state.device, key))
		return "a key that is this device's already";
	return unfit(key);
}

/* ssh-keygen(1) finds the private half in the agent by a public file. */
static int
prove_by_agent(struct enrolling *x, const struct mk_sshkey *key,
    const char *line, size_t len, struct mk_ssh_device *ret_ssh)
{
	struct meshman *m = x->m;
	struct mk_buf path;
	int e;

	mk_buf_init(&path, strlen(m->home.path) + sizeof("/" AGENT_PUB));
	mk_buf_puts(&path, m->home.path);
	mk_buf_puts(&path, "/" AGENT_PUB);
	if ((e = mk_buf_check(&path, &m->why, "ssh")) == 0 &&
	    (e = mk_home_write(&m->home, AGENT_PUB, line, len,
	    &m->why)) == 0)
		e = prove(x, key, path.data, ret_ssh);
	mk_buf_release(&path);
	return e;
}

/* One line of the agent's list, with its line feed. */
static int
take_agent_line(struct enrolling *x, const char *line, size_t len,
    struct meshman_ssh_keys *keys)
{
	struct meshman *m = x->m;
	struct mk_sshkey key;
	const char *why = passed_over(x, line, len, &key);
	int e;

	if (why != NULL) {
		meshman_warn("passed over in the agent: %s", why);
		return 0;
	}
	if (keys->n == MK_KEYS_PER_DEVICE)
		return mk_fail(&m->why, MK_E_REFUSED, "ssh", "the agent has "
		    "more than %u keys, the limit of a device; name one "
		    "with --key", MK_KEYS_PER_DEVICE);
	e = prove_by_agent(x, &key, line, len, &keys->list[keys->n]);
	if (e == 0)
		keys->n++;
	return e;
}

static int
list_agent(struct enrolling *x, struct mk_buf *list)
{
	const char *const argv[] = { "ssh-add", "-L", NULL };
	struct mk_child child = { .argv = argv, .seconds = AGENT_SECONDS };
	struct meshman *m = x->m;
	int status, e;

	e = mk_child_run(&child, list, &status, &m->why);
	if (e == MK_E_ABSENT)
		e = m->why.code = MK_E_SYSTEM;
	if (e == 0)
		e = mk_buf_check(list, &m->why, "ssh");
	if (e == 0 && status != 0)
		e = mk_fail(&m->why, MK_E_NOPROFILE, "ssh", "ssh-agent "
		    "cannot be asked, or has no keys; to see it, run: "
		    "ssh-add -L");
	return e;
}

static int
keys_of_agent(struct enrolling *x, struct meshman_ssh_keys *keys)
{
	struct meshman *m = x->m;
	struct mk_buf list;
	const char *line, *lf;
	int e;

	keys->list = mk_arena_array(x->a, MK_KEYS_PER_DEVICE,
	    sizeof(*keys->list));
	if (keys->list == NULL)
		return mk_arena_fail(x->a, &m->why);
	mk_buf_init(&list, AGENT_MAX);
	e = list_agent(x, &list);
	for (line = list.data; e == 0 && line != NULL &&
	    (lf = strchr(line, '\n')) != NULL; line = lf + 1)
		e = take_agent_line(x, line, (size_t)(lf + 1 - line), keys);
	mk_buf_release(&list);
	(void)mk_home_remove(&m->home, AGENT_PUB, NULL);
	if (e == 0)
		meshman_warn("keys taken from the agent: %zu", keys->n);
	return e;
}

/*
 * The key of the Mesh itself.  One that was made and never came into the
 * profile is taken again: a version with it may be under way.  What lies
 * under the final name and is not listed was deleted, perhaps since somebody
 * else has it, and comes to no honour again.
 */
static int
choose_mesh_key(struct enrolling *x, const struct mk_ssh_dir *dir,
    const char **ret_name)
{
	struct meshman *m = x->m;

	*ret_name = MK_SSH_KEY_NEW;
	if (mk_ssh_dir_has(dir, MK_SSH_KEY_NEW) && !m->opt.passphrase)
		return 0;
	return mk_ssh_dir_keygen(dir, m->state.has_account ?
	    m->state.account.text : MESHMAN_IDENT, m->opt.passphrase,
	    &m->why);
}

static int
keys_of_mesh(struct enrolling *x, struct meshman_ssh_keys *keys)
{
	struct meshman *m = x->m;
	struct mk_ssh_dir dir;
	char *file = NULL;
	const char *name;
	int e;

	if ((e = mk_ssh_dir_open(true, &dir, &m->why)) != 0)
		return e;
	e = choose_mesh_key(x, &dir, &name);
	if (e == 0 && (file = mk_ssh_dir_name(&dir, name)) == NULL)
		e = mk_fail(&m->why, MK_E_SYSTEM, "ssh", "out of memory");
	if (e == 0)
		e = keys_of_file(x, file, keys);
	keys->made = e == 0 && strcmp(name, MK_SSH_KEY_NEW) == 0;
	free(file);
	mk_ssh_dir_close(&dir);
	return e;
}

static int
keys(struct enrolling *x, struct meshman_ssh_keys *ret_keys)
{
	struct meshman_ssh_keys found = { 0 };
	int e;

	if (x->m->opt.agent)
		e = keys_of_agent(x, &found);
	else if (x->m->opt.key != NULL)
		e = keys_of_file(x, x->m->opt.key, &found);
	else
		e = keys_of_mesh(x, &found);
	if (e == 0)
		*ret_keys = found;
	return e;
}

int
meshman_ssh_keys(struct meshman *m, struct mk_arena *a,
    const struct mk_udf *master, struct meshman_ssh_keys *ret_keys)
{
	struct enrolling x = { m, a, master, false };

	return keys(&x, ret_keys);
}

int
meshman_ssh_keys_anew(struct meshman *m, struct mk_arena *a,
    const struct mk_udf *master, struct meshman_ssh_keys *ret_keys)
{
	struct enrolling x = { m, a, master, true };

	return keys(&x, ret_keys);
}
