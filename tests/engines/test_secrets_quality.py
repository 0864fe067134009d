"""How often the detector is right, on labelled lines made anew from alphabets."""

import runpy
from collections import Counter
from pathlib import Path

import pytest

from elohim_kernel.engines._secrets_assignments import candidates, kind_of_name
from elohim_kernel.engines._secrets_child import Found, search
from elohim_kernel.engines._secrets_providers import FORMS

PLANTED = runpy.run_path(str(Path(__file__).with_name("planted_secrets.py")))


def told(line: str, how: str = "text") -> list[Found]:
    """What would count: guesses that are only information are left out."""
    return [each for each in search(line.encode(), how=how, name="app.conf") if each.sure != "weak"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_least_97_of_a_hundred_planted_secrets_are_found_and_every_kind(seed):
    seen: Counter[str] = Counter()
    planted: Counter[str] = Counter()

    for kind, _, line in PLANTED["positives"](seed, each=10):
        planted[kind] += 1
        seen[kind] += bool(told(line))

    assert len(planted) >= 30
    assert sum(planted.values()) >= 300
    assert sum(seen.values()) >= 0.97 * sum(planted.values())
    assert {kind: seen[kind] for kind in planted if seen[kind] < 7} == {}


@pytest.mark.parametrize("how", ["text", "code"])
def test_none_of_the_lines_that_only_look_like_it_counts(how):
    lines = list(PLANTED["negatives"](4))

    wrong = [(line, each.rule) for line in lines for each in told(line, how)]

    assert len(lines) >= 500
    assert wrong == []


def test_the_place_is_that_of_the_value():
    for kind, value, line in PLANTED["positives"](9, each=4):
        for each in told(line):
            cut = line.splitlines()[each.line - 1][each.start : each.end]
            assert cut.splitlines()[0] in value or value in cut, kind


@pytest.mark.parametrize(
    "line",
    [
        "PASSWORD=hunter2-is-my-favourite",
        "password: ${DB_PASSWORD}",
        "password: !vault |",
        "  password: cGFzc3dvcmQ=",
        "token = get_token(request)",
        "const token = jwt.sign(payload, process.env.SECRET)",
        '"passwordHash": "5f4dcc3b5aa765d61d8327deb882cf99"',
        "api_key = config['api_key']",
        'url = "postgres://user:pass@localhost/db"',
        'url = "https://example.org/@user:name"',
        "secretName: my-app-tls",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
        'password = "5f7"',
        "passwd:         files systemd",
        "if password != 'abc123xyz':",
    ],
)
def test_what_is_no_secret_in_ordinary_files_does_not_count(line):
    assert told(line) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("DB_PASSWORD2", "password"),
        ("userPwd", "password"),
        ("MYSQL_ROOT_PASSWORD", "password"),
        ("spring.datasource.password", "password"),
        ("access_token", "token"),
        ("X-Auth-Token", "token"),
        ("clientSecret", "token"),
        ("stripe_api_key", "key"),
        ("ENCRYPTION_KEY", "key"),
        ("password_file", ""),
        ("tokenUrl", ""),
        ("secret_name", ""),
        ("primary_key", ""),
        ("public_access_key", ""),
        ("no_password", ""),
        ("author", ""),
        ("compass", ""),
        ("keyboard", ""),
    ],
)
def test_a_name_says_whether_its_value_is_a_secret(name, kind):
    assert kind_of_name(name) == kind


def test_a_bare_word_is_a_value_only_where_text_needs_no_quotes():
    line = "password = kX9vQ2mZ7"

    in_code, in_settings = (list(candidates(line, quoted_only=quoted)) for quoted in (True, False))

    assert (in_code, len(in_settings)) == ([], 1)


def test_a_token_in_the_middle_of_a_long_line_is_found():
    kind, value, _ = next(PLANTED["positives"](5))
    line = "x" * 30_000 + f';a("{value}");' + "y" * 30_000

    (one,) = told(line, "forms")

    assert (kind, line[one.start : one.end]) == ("aws id", value)


def test_every_form_has_a_name_of_its_own_and_words_in_lower_case():
    rules = Counter(form.rule for form in FORMS)

    assert [rule for rule, count in rules.items() if count > 1] == []
    assert all(form.words and all(word == word.lower() for word in form.words) for form in FORMS)
