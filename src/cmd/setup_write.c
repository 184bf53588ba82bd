/* SPDX-License-Identifier: ISC */
/*
 * What setup writes.  The drop-in for sshd: tests/lint/dropin.sh holds its
 * text against sshd_config.d/10-meshkeys.conf.in, which is installed as
 * something to copy.  And the command that was there before, as the last
 * line of meshkeys.conf; every other line stays as it is.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/setup.h"
#include "core/limits.h"
#include "edge/words.h"

#define DROPIN_MAX	(64u << 10)
#define SHOWN_MAX	4096u
#define CONFIG		"meshkeys.conf"
#define CONFIG_PATH	MK_CONFDIR "/" CONFIG

/* The text of 10-meshkeys.conf.in */
static const char dropin_text[] =
    "# The SSH keys of each user's devices, from her signed profile.\n"
    "#\n"
    "# One Match block: it wins over every drop-in that has none, whatever "
    "its\n"
    "# number.  root is left out, so that a way in remains if this one "
    "fails.\n"
    "# Copy to /etc/ssh/sshd_config.d/, then: sshd -t && systemctl reload "
    "ssh\n"
    "Match User *,!root\n"
    "\tAuthorizedKeysCommand " SETUP_HELPER " %u %t %k\n"
    "\tAuthorizedKeysCommandUser " SETUP_AKC_USER "\n";
/* End of the text. */

static void
show(const struct setup *s, const struct mk_file *file)
{
	struct mk_buf *hint = &s->m->hint;
	const char *line = (const char *)file->data, *end;
	const char *stop = line + (file->len < SHOWN_MAX ? file->len :
	    SHOWN_MAX);

	mk_buf_puts(hint, "it says:\n");
	for (; line < stop; line = end + 1) {
		end = memchr(line, '\n', (size_t)(stop - line));
		if (end == NULL)
			end = stop;
		mk_buf_puts(hint, "    ");
		show_clean(hint, line, (size_t)(end - line));
		mk_buf_putc(hint, '\n');
	}
}

int
setup_dropin_look(const struct setup *s, enum setup_dropin *ret_dropin,
    struct mk_why *why)
{
	struct mk_file file;
	struct mk_dir dir;
	int e;

	e = mk_dir_open(&s->root, MK_SSHD_DROPINS, MK_OWNED_BY_ROOT, &dir,
	    why);
	if (e == 0) {
		e = mk_dir_read(&dir, strrchr(SETUP_DROPIN, '/') + 1,
		    DROPIN_MAX, &file, why);
		mk_dir_close(&dir);
	}
	if (e == MK_E_ABSENT) {
		*ret_dropin = SETUP_DROPIN_ABSENT;
		return 0;
	}
	if (e == MK_E_TOOBIG)
		return mk_fail(why, MK_E_CONFIG, "sshd", "'%s' is not ours: "
		    "it has more than %u bytes", SETUP_DROPIN, DROPIN_MAX);
	if (e != 0)
		return e;
	*ret_dropin = SETUP_DROPIN_OURS;
	if (file.len != sizeof(dropin_text) - 1 ||
	    memcmp(file.data, dropin_text, file.len) != 0) {
		*ret_dropin = SETUP_DROPIN_OTHER;
		show(s, &file);
	}
	mk_file_release(&file);
	return 0;
}

int
setup_dropin_write(const struct setup *s, struct mk_why *why)
{
	return mk_undo_file(s->undo, SETUP_DROPIN, 
	    (const uint8_t *)dropin_text, sizeof(dropin_text) - 1, why);
}

/* As mk_words_split() takes it apart again. */
static void
put_word(struct mk_buf *out, const char *word)
{
	bool quote = word[0] == '\0' || word[0] == '#' ||
	    strpbrk(word, " \t") != NULL;

	mk_buf_putc(out, ' ');
	if (quote)
		mk_buf_putc(out, '"');
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			mk_buf_putc(out, '\\');
		mk_buf_putc(out, *word);
	}
	if (quote)
		mk_buf_putc(out, '"');
}

/* sshd gives the name of the user to a command without arguments. */
static void
put_line(struct mk_buf *out, char *const *argv)
{
	bool alone = argv[1] == NULL;

	mk_buf_puts(out, "chain");
	for (; *argv != NULL; argv++)
		put_word(out, *argv);
	mk_buf_puts(out, alone ? " %u\n" : "\n");
}

/* Also one that says "none": a keyword may stand once only. */
static bool
has_chain(const struct mk_file *file, bool *ret_same, const struct mk_buf *line)
{
	char *copy = malloc(file->len + 1), *cursor = copy, *text;
	struct mk_words words;
	bool found = false;
	size_t len;

	*ret_same = false;
	/* Not as a string, which would end at a NUL byte. */
	if (copy != NULL)
		memcpy(copy, file->data, file->len);
	while (copy != NULL && !found && (text = mk_line_next(&cursor,
	    copy + file->len, &len)) != NULL) {
		*ret_same = len + 1 == line->len &&
		    memcmp(text, line->data, len) == 0;
		found = mk_words_split(text, &words, NULL) == 0 &&
		    words.n > 0 && strcasecmp(words.word[0], "chain") == 0;
	}
	free(copy);
	return found;
}

static int
add(const struct setup *s, const struct mk_file *file,
    const struct mk_buf *line, struct mk_why *why)
{
	struct mk_config config;
	struct mk_buf text;
	bool same = false;
	int e;

	if (file->len > 0 && has_chain(file, &same, line)) {
		if (!same)
			return mk_fail(why, MK_E_CONFIG, "config", "'%s' has "
			    "another chain; take its line out, or use "
			    "--no-chain", CONFIG_PATH);
		setup_say(s, "'%s' has it as the chain already", CONFIG_PATH);
		return 0;
	}
	mk_buf_init(&text, MK_CONFIG_MAX);
	mk_buf_put(&text, file->data, file->len);
	if (file->len > 0 && file->data[file->len - 1] != '\n')
		mk_buf_putc(&text, '\n');
	mk_buf_put(&text, line->data, line->len);
	if ((e = mk_buf_check(&text, why, "config")) == 0)
		e = mk_undo_file(s->undo, CONFIG_PATH,
		    (const uint8_t *)text.data, text.len, why);
	mk_buf_release(&text);
	/* The helper must be able to read it, or nobody logs in by it. */
	if (e == 0 && (e = mk_config_load(&s->root, NULL, &config,
	    why)) == 0)
		mk_config_release(&config);
	if (e == 0)
		setup_say(s, "wrote the chain into '%s'", CONFIG_PATH);
	return e;
}

int
setup_chain_add(const struct setup *s, const struct setup_holder *holder,
    struct mk_why *why)
{
	struct mk_file file = { .data = NULL };
	struct mk_buf line;
	struct mk_dir dir;
	char **argv;
	int e;

	if ((e = mk_sshd_split(holder->command, &argv, why)) != 0)
		return e;
	mk_buf_init(&line, MK_CONFIG_MAX);
	put_line(&line, argv);
	free(argv);
	e = mk_buf_check(&line, why, "config");
	if (e == 0)
		e = mk_dir_open(&s->root, MK_CONFDIR, MK_OWNED_BY_ROOT, &dir,
		    why);
	if (e == 0) {
		e = mk_dir_read(&dir, CONFIG, MK_CONFIG_MAX, &file, why);
		mk_dir_close(&dir);
	}
	if (e == MK_E_TOOBIG)
		e = mk_fail(why, MK_E_CONFIG, "config", "'%s' is too large",
		    CONFIG_PATH);
	if (e == 0 || e == MK_E_ABSENT)
		e = add(s, &file, &line, why);
	mk_file_release(&file);
	mk_buf_release(&line);
	return e;
}
