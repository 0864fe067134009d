"""CODEOWNERS as GitHub reads it."""

import time

import pytest

from elohim_kernel.model.owners import Owners

EXAMPLE = """
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #this is an inline comment
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  notes@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/github
a\\ b/*.md @spaces
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("main.py", ("@global-owner1", "@global-owner2")),
        ("deep/down/main.py", ("@global-owner1", "@global-owner2")),
        ("web/app.js", ("@js-owner",)),
        ("x.go", ("docs@example.com",)),
        ("notes.txt", ("@octo-org/octocats",)),
        ("build/logs/today", ("@octocat",)),
        ("docs/index.md", ("@doctocat",)),
        ("docs/deep/index.md", ("@doctocat",)),
        ("site/docs/index.md", ("@global-owner1", "@global-owner2")),
        ("apps/x.c", ("@octocat",)),
        ("other/apps/x.c", ("@octocat",)),
        ("scripts/run.sh", ("@doctocat", "@octocat")),
        ("var/logs/x", ("@octocat",)),
        ("apps/github/x.c", ()),
        ("apps/githubs/x.c", ("@octocat",)),
        ("a b/notes.md", ("@spaces",)),
    ],
)
def test_the_last_pattern_that_matches_wins(path, owners):
    assert Owners(EXAMPLE).of(path) == owners


def test_a_star_after_a_folder_means_its_files_and_not_those_below():
    owners = Owners("docs/*  @a\n")

    assert (owners.of("docs/x.md"), owners.of("docs/y/x.md"), owners.of("z/docs/x.md")) == (("@a",), (), ())


def test_case_counts_and_a_question_mark_is_one_character():
    owners = Owners("Docs/?.md @a\n")

    assert [owners.of(path) for path in ("Docs/1.md", "docs/1.md", "Docs/12.md", "Docs/.md")] == [("@a",), (), (), ()]


@pytest.mark.parametrize("line", ["!keep.py @a", "[ab].py @a", "*.py not-an-owner", "a***b @a", "/ @a"])
def test_a_line_that_github_refuses_is_skipped_and_counted(line):
    owners = Owners(f"*.py @first\n{line}\n")

    assert (owners.of("keep.py"), owners.skipped) == (("@first",), 1)


def test_hostile_patterns_end():
    """A pattern may be anybody's; a regular expression made of it must not take for ever."""
    owners = Owners("".join(f"{'*a' * 40}b @a\n{'**/' * 40}b @a\n{'*a' * 12}b @a\n" for _ in range(3)))
    began = time.process_time()

    owners.of("a" * 200 + "/" + "a" * 200)

    assert time.process_time() - began < 20, "a bound against for ever, not a measurement"


def test_no_text_is_no_owner():
    assert Owners().of("a.py") == ()
