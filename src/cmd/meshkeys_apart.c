/* SPDX-License-Identifier: ISC */
/*
 * What root has read for it: a child that becomes the owner of the stores,
 * and a pipe that only text comes back through.
 */
#include <sys/prctl.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/meshkeys.h"
#include "edge/child.h"
#include "edge/log.h"
#include "edge/pipe.h"

#define SECONDS		600	/* for the sets of a hundred thousand users */

/* What the child says behind its text; it may have been taken over. */
struct word {
	int code;
	struct mk_why why;
};

struct apart {
	struct meshkeys *m;
	meshkeys_work *work;
	void *arg;
};

/* In the child. */
static int
work_apart(void *arg)
{
	const struct apart *apart = arg;
	struct meshkeys *m = apart->m;
	struct word word;

	/* Its descriptor is closed, and the number may come again. */
	mk_log_close();
	memset(&word, 0, sizeof(word));
	mk_buf_cut(&m->out, 0);
	word.code = keep_become(&m->keep, &m->place, &m->why);
	/* Which a change of the user id takes away. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (word.code == 0)
		word.code = apart->work(m, apart->arg);
	word.why = m->why;
	if (word.code == 0)
		word.code = mk_buf_check(&m->out, &word.why, "output");
	if (word.code != 0)
		mk_buf_cut(&m->out, 0);
	return mk_write_all(STDOUT_FILENO, m->out.data, m->out.len) &&
	    mk_write_all(STDOUT_FILENO, &word, sizeof(word)) ? 0 : 1;
}

/* No control character of a stranger's reaches the terminal. */
static void
clean(struct mk_buf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		if ((text->data[i] < ' ' || text->data[i] > '~') &&
		    text->data[i] != '\n' && text->data[i] != '\t')
			text->data[i] = '?';
	}
}

/* The last thing in the buffer, which is taken out of it. */
static bool
take_word(struct mk_buf *text, struct word *ret_word)
{
	if (text->len < sizeof(*ret_word))
		return false;
	memcpy(ret_word, text->data + text->len - sizeof(*ret_word),
	    sizeof(*ret_word));
	mk_buf_cut(text, text->len - sizeof(*ret_word));
	return true;
}

/* The reason is a stranger's too: it is shown, and stands in the log. */
static int
settle(struct meshkeys *m, struct word *word)
{
	char *stage = word->why.stage, *p;

	if (word->code == 0)
		return 0;
	stage[sizeof(word->why.stage) - 1] = '\0';
	word->why.detail[sizeof(word->why.detail) - 1] = '\0';
	for (p = stage; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return mk_fail(&m->why, word->code, stage, "%s", word->why.detail);
}

int
meshkeys_apart(struct meshkeys *m, meshkeys_work *work, void *arg,
    struct mk_buf *text)
{
	static const char *const argv[] = { MESHKEYS_IDENT, NULL };
	struct apart apart = { m, work, arg };
	const struct mk_child child = { .argv = argv, .call = work_apart,
	    .arg = &apart, .seconds = SECONDS };
	struct word word;
	int e, status = 0;

	text->max += sizeof(word);
	e = mk_child_run(&child, text, &status, &m->why);
	text->max -= sizeof(word);
	if (e != 0)
		return e;
	if (status != 0 || !take_word(text, &word))
		return mk_fail(&m->why, MK_E_BUG, "child", "the process that "
		    "reads the stores did not finish its answer");
	clean(text);
	return settle(m, &word);
}

int
meshkeys_need_root(struct meshkeys *m)
{
	if (geteuid() == 0 || m->place.root_dir != NULL)
		return 0;
	return mk_fail(&m->why, MK_E_PERM, "rights",
	    "only root can do this; run: sudo meshkeys %s",
	    m->command->cmd.name);
}
