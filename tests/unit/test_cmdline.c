/* SPDX-License-Identifier: ISC */
/* Options, a word and its arguments, as they are typed. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmdline.h"
#include "core/err.h"
#include "unit/unit.h"

#define ARGS_MAX	128
#define USAGE		"usage: prog [--where PLACE] WORD\n"
#define LIST		"\nwords:\n" \
			"  /fetch   get it\n" \
			"  /remove  take it away\n"
#define FETCH		"usage: prog /fetch FILE [FILE]\n"

static const struct cmdline_word words[] = {
	{ "fetch", "FILE [FILE]", "get it", "Gets it.\n", "fnqs", 1, 2 },
	{ "remove", "", "take it away", "Takes it away.\n", "", 0, 0 },
};

/* What is typed, and what came of it. */
static const char *where, *from, *number;
static bool quiet, loud, slow;
static struct cmdline line;
static char said[4096], complained[4096];
static FILE *files[2];

static const struct cmdline_word *
word_at(size_t i)
{
	return i < sizeof(words) / sizeof(words[0]) ? &words[i] : NULL;
}

/* Words of two parts. */
static const struct cmdline_word pairs[] = {
	{ "map add", "USER", "put her in", "Puts her in.\n", "q", 1, 1 },
	{ "map list", "", "who is in", "Tells.\n", "", 0, 0 },
	{ "mapping", "", "draw one", "Draws.\n", "", 0, 0 },
};

#define PAIRS		"\nwords:\n" \
			"  map add   put her in\n" \
			"  map list  who is in\n"

static const struct cmdline_word *
pair_at(size_t i)
{
	return i < sizeof(pairs) / sizeof(pairs[0]) ? &pairs[i] : NULL;
}

static const struct cmdline_option options[] = {
	{ "where", .value = &where },
	{ "from", 'f', .value = &from },
	{ "number", 'n', .value = &number },
	{ "quiet", 'q', .on = &quiet },
	{ "loud", 'l', .on = &loud },
	{ "slow", 's', .on = &slow },
};

static struct cmdline_program program;

static void
set_up(void)
{
	int i;

	program = (struct cmdline_program){ .ident = "prog", .noun = "word",
	    .prefix = "/", .usage = USAGE, .title = "words",
	    .tail = "That is all.\n", .word = word_at, .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .exclude = "qsfn" };
	for (i = 0; i < 2; i++) {
		files[i] = tmpfile();
		ck_assert_ptr_nonnull(files[i]);
	}
}

static void
tear_down(void)
{
	fclose(files[0]);
	fclose(files[1]);
}

static void
read_back(FILE *f, char text[4096])
{
	size_t n;

	rewind(f);
	n = fread(text, 1, 4095, f);
	text[n] = '\0';
}

/* One string, its words divided by blanks. */
static int
parse(const char *typed)
{
	/* getopt_long() permutes it, and 'line' points into it. */
	static char text[2048], *argv[ARGS_MAX];
	const int saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	int i, e, argc = 0;
	char *p;

	ck_assert_uint_lt(strlen(typed), sizeof(text) - 5);
	(void)snprintf(text, sizeof(text), "prog %s", typed);
	for (p = strtok(text, " "); p != NULL; p = strtok(NULL, " ")) {
		ck_assert_int_lt(argc, ARGS_MAX - 1);
		argv[argc++] = p;
	}
	argv[argc] = NULL;
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		rewind(files[i]);
		ck_assert_int_eq(ftruncate(fileno(files[i]), 0), 0);
		ck_assert_int_ne(dup2(fileno(files[i]), i + 1), -1);
	}
	e = cmdline_parse(&program, argc, argv, &line);
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		ck_assert_int_ne(dup2(saved[i], i + 1), -1);
		close(saved[i]);
	}
	read_back(files[0], said);
	read_back(files[1], complained);
	return e;
}

/* All of it is on standard error. */
static void
refused(const char *typed, const char *with)
{
	ck_assert_int_eq(parse(typed), MK_E_USAGE);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(complained, with);
}

static void
printed(const char *typed, const char *text)
{
	ck_assert_int_eq(parse(typed), CMDLINE_DONE);
	ck_assert_str_eq(complained, "");
	ck_assert_str_eq(said, text);
}

START_TEST(word)
{
	ck_assert_int_eq(parse("remove"), 0);
	ck_assert_uint_eq(line.word, 1);
	ck_assert_int_eq(line.n_args, 0);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(complained, "");
}
END_TEST

/* Arguments keep theirs. */
START_TEST(prefix)
{
	ck_assert_int_eq(parse("/fetch /a"), 0);
	ck_assert_uint_eq(line.word, 0);
	ck_assert_int_eq(line.n_args, 1);
	ck_assert_str_eq(line.args[0], "/a");
}
END_TEST

START_TEST(no_prefix)
{
	program.prefix = "";
	ck_assert_int_eq(parse("remove"), 0);
	refused("/remove", "prog: there is no word '/remove'\n" USAGE
	    "\nwords:\n  fetch   get it\n  remove  take it away\n");
}
END_TEST

/* Before the word, behind it, and behind its arguments. */
START_TEST(anywhere)
{
	ck_assert_int_eq(parse("--where here fetch --quiet a --from=there b"),
	    0);
	ck_assert_str_eq(where, "here");
	ck_assert_str_eq(from, "there");
	ck_assert(quiet && !loud && !slow);
	ck_assert_int_eq(line.n_args, 2);
	ck_assert_str_eq(line.args[0], "a");
	ck_assert_str_eq(line.args[1], "b");
}
END_TEST

START_TEST(end_of_options)
{
	ck_assert_int_eq(parse("fetch -- --quiet"), 0);
	ck_assert(!quiet);
	ck_assert_str_eq(line.args[0], "--quiet");
}
END_TEST

START_TEST(dash)
{
	ck_assert_int_eq(parse("fetch -"), 0);
	ck_assert_str_eq(line.args[0], "-");
}
END_TEST

START_TEST(beginning)
{
	ck_assert_int_eq(parse("fetch --qui a"), 0);
	ck_assert(quiet);
}
END_TEST

START_TEST(ambiguous)
{
	const struct cmdline_option two[] = {
		{ "key", .value = &from },
		{ "keyring", .value = &where },
		{ "keyword", .value = &number },
	};

	program.options = two;
	program.n_options = 3;
	program.exclude = "";
	refused("--keyr=a --ke=b", "prog: option '--ke' is ambiguous\n" USAGE);
}
END_TEST

START_TEST(ambiguous_not)
{
	const struct cmdline_option two[] = {
		{ "key", .value = &from },
		{ "keyring", .value = &where },
	};

	program.options = two;
	program.n_options = 2;
	program.exclude = "";
	ck_assert_int_eq(parse("remove --key a"), 0);
	ck_assert_str_eq(from, "a");
}
END_TEST

/* Nor is its value shown, which may be a secret. */
START_TEST(unknown)
{
	refused("fetch --nonsense=secret a",
	    "prog: option '--nonsense' is not known\n" FETCH);
}
END_TEST

START_TEST(unknown_before)
{
	refused("--nonsense fetch a",
	    "prog: option '--nonsense' is not known\n" USAGE);
}
END_TEST

START_TEST(unknown_letter)
{
	refused("fetch -qx a", "prog: option '-q' is not known\n" FETCH);
}
END_TEST

START_TEST(unclean)
{
	refused("fetch --a\033b\xc3 a",
	    "prog: option '--a?b?' is not known\n" FETCH);
}
END_TEST

/* 64 bytes of it are shown. */
START_TEST(endless)
{
	char typed[300], with[200];

	memset(typed, 'a', sizeof(typed) - 1);
	typed[sizeof(typed) - 1] = '\0';
	(void)snprintf(with, sizeof(with), "prog: there is no word '%.64s'\n",
	    typed);
	ck_assert_int_eq(parse(typed), MK_E_USAGE);
	ck_assert_int_eq(strncmp(complained, with, strlen(with)), 0);
	memcpy(typed, "--", 2);
	(void)snprintf(with, sizeof(with), "prog: option '%.64s' is not "
	    "known\n" USAGE, typed);
	/* Behind what was told before. */
	ck_assert_int_eq(parse(typed), MK_E_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, with));
}
END_TEST

START_TEST(no_value)
{
	refused("fetch a --from", "prog: option '--from' lacks its value\n"
	    FETCH);
}
END_TEST

START_TEST(value_of_switch)
{
	refused("fetch --quiet=yes a",
	    "prog: option '--quiet' takes no value\n" FETCH);
}
END_TEST

START_TEST(value_of_help)
{
	refused("--help=fetch", "prog: option '--help' takes no value\n"
	    USAGE);
}
END_TEST

START_TEST(value_of_version)
{
	refused("--version=1", "prog: option '--version' takes no value\n"
	    USAGE);
}
END_TEST

START_TEST(value_twice)
{
	refused("--from a fetch --from b c",
	    "prog: option '--from' is given twice\n" FETCH);
}
END_TEST

/* More often than there is room for different ones. */
START_TEST(switch_twice)
{
	char typed[1024] = "fetch a";
	int i;

	for (i = 0; i < 100; i++)
		strcat(typed, " --quiet");
	ck_assert_int_eq(parse(typed), 0);
	ck_assert(quiet);
}
END_TEST

/* The first that is given, not the first of the table. */
START_TEST(not_taken)
{
	refused("remove --slow --from a",
	    "prog: /remove takes no option '--slow'\nusage: prog /remove\n");
}
END_TEST

START_TEST(not_taken_before)
{
	refused("--loud fetch a", "prog: /fetch takes no option '--loud'\n"
	    FETCH);
}
END_TEST

START_TEST(excluded)
{
	refused("fetch --slow --quiet a",
	    "prog: '--quiet' and '--slow' exclude each other\n" FETCH);
}
END_TEST

START_TEST(excluded_second)
{
	refused("--number 1 fetch --from a b",
	    "prog: '--from' and '--number' exclude each other\n" FETCH);
}
END_TEST

START_TEST(excluded_not)
{
	ck_assert_int_eq(parse("fetch --quiet --from a --where b c"), 0);
}
END_TEST

START_TEST(too_few)
{
	refused("fetch", "prog: an argument is missing\n" FETCH);
}
END_TEST

START_TEST(too_many)
{
	refused("fetch a b c", "prog: too many arguments\n" FETCH);
}
END_TEST

START_TEST(no_word)
{
	refused("", "prog: which word?\n" USAGE LIST);
}
END_TEST

START_TEST(no_such_word)
{
	refused("fetc\b a", "prog: there is no word 'fetc?'\n" USAGE LIST);
}
END_TEST

START_TEST(help)
{
	printed("help", USAGE LIST "\nThat is all.\n");
}
END_TEST

START_TEST(help_option)
{
	printed("--help", USAGE LIST "\nThat is all.\n");
}
END_TEST

START_TEST(help_word)
{
	printed("/help /fetch", FETCH "\nGets it.\n");
}
END_TEST

START_TEST(help_option_word)
{
	printed("--help remove", "usage: prog /remove\n\nTakes it away.\n");
}
END_TEST

/* Whatever else it does not take. */
START_TEST(help_behind)
{
	printed("fetch --loud --help", FETCH "\nGets it.\n");
}
END_TEST

START_TEST(help_no_such_word)
{
	refused("help nonsense", "prog: there is no word 'nonsense'\n" USAGE
	    LIST);
}
END_TEST

START_TEST(version)
{
	printed("--version", PACKAGE_STRING "\n");
}
END_TEST

START_TEST(version_behind)
{
	printed("fetch --version", PACKAGE_STRING "\n");
}
END_TEST

START_TEST(too_many_options)
{
	program.n_options = CMDLINE_OPTIONS_MAX + 1;
	refused("remove", "prog: the program has too many options\n" USAGE);
}
END_TEST

static void
take_pairs(void)
{
	program.word = pair_at;
	program.prefix = "";
}

START_TEST(pair)
{
	take_pairs();
	ck_assert_int_eq(parse("--where here map add --quiet alice"), 0);
	ck_assert_uint_eq(line.word, 0);
	ck_assert_int_eq(line.n_args, 1);
	ck_assert_str_eq(line.args[0], "alice");
	ck_assert(quiet);
	ck_assert_int_eq(parse("map list"), 0);
	ck_assert_uint_eq(line.word, 1);
	ck_assert_int_eq(line.n_args, 0);
	ck_assert_int_eq(parse("mapping"), 0);
	ck_assert_uint_eq(line.word, 2);
}
END_TEST

START_TEST(pair_help)
{
	take_pairs();
	printed("help map list", "usage: prog map list\n\nTells.\n");
	printed("map add --help", "usage: prog map add USER\n\n"
	    "Puts her in.\n");
	printed("help map", USAGE PAIRS);
	printed("map --help", USAGE PAIRS);
}
END_TEST

START_TEST(pair_half)
{
	take_pairs();
	refused("map", "prog: which 'map'?\n" USAGE PAIRS);
	refused("map drop", "prog: there is no word 'map drop'\n" USAGE PAIRS);
	refused("map --quiet add", "prog: there is no word 'map --quiet'\n"
	    USAGE PAIRS);
	refused("add alice", "prog: there is no word 'add'\n" USAGE PAIRS
	    "  mapping   draw one\n");
}
END_TEST

START_TEST(pair_too_many)
{
	take_pairs();
	refused("map list alice", "prog: too many arguments\n"
	    "usage: prog map list\n");
}
END_TEST

static void
add_right(TCase *t)
{
	tcase_add_test(t, pair);
	tcase_add_test(t, pair_help);
	tcase_add_test(t, word);
	tcase_add_test(t, prefix);
	tcase_add_test(t, no_prefix);
	tcase_add_test(t, anywhere);
	tcase_add_test(t, end_of_options);
	tcase_add_test(t, dash);
	tcase_add_test(t, beginning);
	tcase_add_test(t, ambiguous_not);
	tcase_add_test(t, switch_twice);
	tcase_add_test(t, excluded_not);
	tcase_add_test(t, help);
	tcase_add_test(t, help_option);
	tcase_add_test(t, help_word);
	tcase_add_test(t, help_option_word);
	tcase_add_test(t, help_behind);
	tcase_add_test(t, version);
	tcase_add_test(t, version_behind);
}

static void
add_wrong(TCase *t)
{
	tcase_add_test(t, ambiguous);
	tcase_add_test(t, pair_half);
	tcase_add_test(t, pair_too_many);
	tcase_add_test(t, unknown);
	tcase_add_test(t, unknown_before);
	tcase_add_test(t, unknown_letter);
	tcase_add_test(t, unclean);
	tcase_add_test(t, endless);
	tcase_add_test(t, no_value);
	tcase_add_test(t, value_of_switch);
	tcase_add_test(t, value_of_help);
	tcase_add_test(t, value_of_version);
	tcase_add_test(t, value_twice);
	tcase_add_test(t, not_taken);
	tcase_add_test(t, not_taken_before);
	tcase_add_test(t, excluded);
	tcase_add_test(t, excluded_second);
	tcase_add_test(t, too_few);
	tcase_add_test(t, too_many);
	tcase_add_test(t, no_word);
	tcase_add_test(t, no_such_word);
	tcase_add_test(t, help_no_such_word);
	tcase_add_test(t, too_many_options);
}

Suite *
mk_suite(void)
{
	Suite *s = suite_create("cmdline");
	TCase *t = tcase_create("cmdline");

	tcase_add_checked_fixture(t, set_up, tear_down);
	add_right(t);
	add_wrong(t);
	suite_add_tcase(s, t);
	return s;
}
