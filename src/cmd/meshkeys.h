/* SPDX-License-Identifier: ISC */
/*
 * The parts of meshkeys(8), the administrator's tool: a table of commands,
 * one file each, and what they share.
 */
#ifndef MK_CMD_MESHKEYS_H
#define MK_CMD_MESHKEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/cmdline.h"
#include "cmd/input.h"
#include "cmd/keep.h"
#include "cmd/show.h"
#include "core/buf.h"
#include "core/verify.h"
#include "edge/identity.h"

#define MESHKEYS_IDENT		"meshkeys"
#define MESHKEYS_OUT_MAX	(32u << 20)	/* what one command prints */

struct meshkeys;

struct meshkeys_command {
	struct cmdline_word cmd;
	int (*run)(struct meshkeys *m);
};

/* meshkeys_commands.c: the table. */
extern const struct meshkeys_command meshkeys_commands[];
extern const size_t meshkeys_n_commands;

struct meshkeys {
	/* What the command line says. */
	struct keep_place place;
	bool json, debug, yes, dry_run;
	bool gecos, split;		/* of map */
	const char *textfile;		/* of status */
	bool confirm, unconfirmed;	/* of setup and unsetup */
	bool chain, no_chain;		/* of setup */
	const char *way_in;		/* of setup: a user, or "console" */
	const char *key;		/* of setup: her private key, a file */
	const char *login;		/* of setup: who logs in for trial */
	char *const *args;	/* behind the command's name */
	int n_args;
	/* What is worked with. */
	const struct meshkeys_command *command;
	const char *user;
	struct keep keep;
	struct mk_identity identity;
	struct input input;	/* a set that she names */
	struct mk_buf out;	/* printed at the end of the command */
	struct mk_buf hint;	/* what to do about a failure */
	struct mk_why why;	/* of a failure */
	bool logged;		/* and it stands in the log */
	int status;		/* exit status of what was done: 0, and of
				   checks 1 for warnings, 2 for failures */
};

#define MESHKEYS_WARNED		1
#define MESHKEYS_FAILED		2

/* The commands, a file each; 0 or MK_E_* with the reason in m->why. */
int	meshkeys_accept(struct meshkeys *m);
int	meshkeys_check(struct meshkeys *m);
int	meshkeys_explain(struct meshkeys *m);
int	meshkeys_import(struct meshkeys *m);
int	meshkeys_keys(struct meshkeys *m);
int	meshkeys_map_add(struct meshkeys *m);
int	meshkeys_map_check(struct meshkeys *m);
int	meshkeys_map_list(struct meshkeys *m);
int	meshkeys_map_remove(struct meshkeys *m);
int	meshkeys_refresh(struct meshkeys *m);
int	meshkeys_setup(struct meshkeys *m);
int	meshkeys_status(struct meshkeys *m);
int	meshkeys_unsetup(struct meshkeys *m);

/*
 * Root's commands that read what strangers wrote, and write what is
 * root's, do the reading in a child that becomes the owner of the stores
 * first (as keep_become() does) and that nothing comes back from but text.
 *
 * Runs 'work' there; what it has put into its m->out comes back in 'text',
 * which has a maximum, with every byte but line feeds, tabs and printable
 * ASCII made '?'.  The result is that of 'work', its reason in m->why.
 * m->out here stays as it is.  MK_E_BUG if the child dies, MK_E_STALE
 * after ten minutes, MK_E_REFUSED for more text than that.
 */
typedef int meshkeys_work(struct meshkeys *m, void *arg);

int	meshkeys_apart(struct meshkeys *m, meshkeys_work *work, void *arg,
	    struct mk_buf *text);

/* MK_E_PERM, and what to run instead, unless root runs it or --root is
   given. */
int	meshkeys_need_root(struct meshkeys *m);

/* input_open(), and input_read() up to max-set. */
int	meshkeys_open_input(struct meshkeys *m, const char *name);
int	meshkeys_read_input(struct meshkeys *m);

/*
 * Becomes the owner of the stores, opens them and finds the user's
 * profiles, which may be none.
 */
int	meshkeys_begin(struct meshkeys *m, const char *user);

/* Gives up what the command does not need; 'portals': not those either. */
int	meshkeys_confine(struct meshkeys *m, bool portals);

/*
 * The profile of the user that the input says it is of.  MK_E_NOPROFILE for
 * a user who is not mapped, with a hint; MK_E_REFUSED if it is of none of
 * her profiles, with the reasons as the hint.
 */
int	meshkeys_choose(struct meshkeys *m,
	    const struct mk_mapped **ret_profile);

/* What is demanded of a set that nothing is known about. */
struct mk_demand meshkeys_demand(const struct meshkeys *m,
	    const struct mk_bytes *set, const struct mk_udf *udf);

/* show_clean() and show_json_string() of a NUL-ended text. */
void	meshkeys_put_clean(struct mk_buf *out, const char *s);
void	meshkeys_json_string(struct mk_buf *out, const char *name,
	    const char *s);

/*
 * A user as the argument of a command that takes "--", quoted as a shell
 * wants it, whatever bytes her name has.
 */
void	meshkeys_put_user(struct mk_buf *out, const char *user);

/*
 * A command of this program, to be run for the same root, about a user or
 * with NULL about nobody: as a shell takes it, whatever bytes her name has.
 */
void	meshkeys_put_command(const struct meshkeys *m, struct mk_buf *out,
	    const char *command, const char *user);

/* What is logged of a command. */
struct meshkeys_event {
	int code;		/* 0, or that of m->why */
	const char *text;	/* if it is 0 */
	const struct mk_udf *udf;
	int64_t seen, set;	/* versions: P's time, or MK_TIME_NONE */
};

/* One line, event=meshkeys.<command>. */
void	meshkeys_log(struct meshkeys *m, const struct meshkeys_event *event);

/* Prints m->out.  MK_E_SYSTEM: then nobody has seen it. */
int	meshkeys_print(struct meshkeys *m);

/* A difference between what the host has seen and what it is offered. */
struct meshkeys_offer {
	const struct mk_udf *udf;
	const char *from;		/* where the offered set lies */
	const struct keep_here *here;
	const struct mk_why *refusal;	/* what the memory says */
	const struct mk_verified_view *old;	/* in the cache, or NULL */
	const struct mk_accepted *accepted;
	const struct mk_policy *policy;
	const struct mk_device_change *changes;
	size_t n_changes;
};

/* Shows it, in m->out: for people, or as the object without its end. */
void	meshkeys_show_text(struct meshkeys *m,
	    const struct meshkeys_offer *offer);
void	meshkeys_show_json(struct meshkeys *m,
	    const struct meshkeys_offer *offer);

#endif
