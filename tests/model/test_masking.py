"""What is left of a line that holds a secret."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.masking import MASK, bare_line, hash_of_mark, mask_values, masked_line, safe_line, secret_mark
from elohim_kernel.model.matching import match

VALUES = st.text("abcdefghijkmnopqrtuvxyzABCDEFGHJKLMNPQRSTUVXYZ23456789!#%&*+-_", min_size=7, max_size=40)
HOLDERS = (
    'password = "{}"',
    "  'secret': '{}',",
    "DB_PASSWORD={}",
    "export TOKEN={} # mine",
    "password: {}",
    "<password>{}</password>",
    '<add key="secret" value="{}"/>',
    'url = "postgres://me:{}@example.org/db"',
    "DATABASE_URL=postgres://me:{}@example.org/db",
    "Authorization: Bearer {}",
    "curl -u me:{} https://example.org",
    "mysql -p{} things",
    "machine example.org login me password {}",
    "{}",
    "client.login(name='me', password={})",
    "PASSWORD='{}",
    "//registry.example.org/:_authToken={}",
)


@pytest.mark.parametrize("holder", HOLDERS)
@given(value=VALUES)
def test_a_line_known_to_hold_a_secret_shows_no_part_of_it(holder, value):
    parts = {value[place : place + 4] for place in range(len(value) - 3)}
    assume(not any(part in holder for part in parts))

    kept = bare_line(holder.format(value))

    assert MASK in kept
    assert not any(part in kept for part in parts)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('connect(host, password="hunter2")', 'connect(host, password="…")'),
        ('{"password": "hunter2"}', '{"password": "…"}'),
        ("<password>hunter2</password>", "<password>…</password>"),
        ("-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"),
        ("", MASK),
    ],
)
def test_names_stay_readable(line, kept):
    assert bare_line(line) == kept


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("login(user, password='hunter2')", "login(user, password='…')"),
        ("url = 'redis://:hunter2@cache:6379'", "url = 'redis://:…@cache:6379'"),
        ("send('Zk3p9QmXw7Lr2TbV8nYc')", "send('…')"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=…"),
    ],
)
def test_a_value_that_gives_itself_away_is_cut_out_of_any_line(line, kept):
    assert safe_line(line) == kept


@pytest.mark.parametrize(
    "line",
    [
        "token = read_token(request)",
        "def check(self, password: str, tries: int = 3) -> bool:",
        "return get_user_by_identifier_and_tenant_name(session, tenant)",
        "author = 'Ada Lovelace'",
        "raise KeyError(key)",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line):
    assert safe_line(line) == line


@given(line=st.text(max_size=60), spans=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_nothing_between_the_cuts_changes(line, spans):
    spans = [(min(pair), max(pair)) for pair in spans if min(pair) < max(pair) <= len(line)]

    masked = masked_line(line, spans)

    cut = {place for start, end in spans for place in range(start, end)}
    assert masked.replace(MASK, "") == "".join(c for place, c in enumerate(line) if place not in cut).replace(MASK, "")


def test_a_mark_shows_two_characters_of_a_long_value_and_none_of_a_short_one():
    assert secret_mark("ab12", "Zk3p9QmXw7Lr") == "k1:ab12:Lr"
    assert secret_mark("ab12", "Zk3p9QmXw7L") == "k1:ab12:"
    assert hash_of_mark("k1:ab12:Lr") == "ab12"
    assert hash_of_mark("something else") == ""


def test_a_value_inside_another_leaves_nothing_behind():
    assert mask_values("a hunter2hunter2 b HUNTER2", ["hunter2", "hunter2hunter2"]) == "a … b …"


def secret(line, source, mark):
    finding = Finding(
        rule="password", severity=Severity.HIGH, message="m", path="a.env", line=line, tool="secrets", category="secret"
    )
    (filled,) = fingerprinted([Finding(**{**_fields(finding), "secret": mark})], {"a.env": source})
    return filled


def _fields(finding):
    return {name: getattr(finding, name) for name in finding.__struct_fields__}


def test_another_value_on_the_same_line_is_another_finding():
    one = secret(1, b"PASSWORD=hunter2\n", "k1:aaaa:")
    same = secret(2, b"\nPASSWORD=hunter2\n", "k1:aaaa:")
    other = secret(1, b"PASSWORD=hunter3\n", "k1:bbbb:")

    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_decision_about_one_value_does_not_pass_to_its_successor():
    old = secret(1, b"PASSWORD=hunter2\n", "k1:aaaa:")
    moved, changed = secret(2, b"\nPASSWORD=hunter2\n", "k1:aaaa:"), secret(1, b"PASSWORD=hunter3\n", "k1:bbbb:")

    assert len(match([old], [moved], {}).pairs) == 1
    assert match([old], [changed], {}).pairs == ()


def test_without_the_key_the_value_takes_no_part_in_the_identity():
    one, other = secret(1, b"PASSWORD=hunter2\n", ""), secret(1, b"PASSWORD=hunter3\n", "")

    assert one.context == other.context


def test_a_value_named_a_secret_on_one_line_is_masked_on_the_others():
    source = b"password = 'Zk3p9Qmx7w'\nrun(eval('Zk3p9Qmx7w'))\n"
    finding = Finding(rule="S307", severity=Severity.LOW, message="m", path="a.py", line=2, tool="ruff")

    (filled,) = fingerprinted([finding], {"a.py": source})

    assert filled.snippet == "run(eval('…'))"


def test_a_finding_above_a_password_does_not_hash_it():
    finding = Finding(rule="F401", severity=Severity.LOW, message="m", path="a.py", line=1, tool="ruff")

    contexts = {
        fingerprinted([finding], {"a.py": b"import os\npassword = '%s'\n" % value})[0].context
        for value in (b"hunter2", b"hunter3")
    }

    assert len(contexts) == 1
