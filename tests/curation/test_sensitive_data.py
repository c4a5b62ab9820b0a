"""Secrets and personal data: all that is planted is found, and real functions are left alone."""

from __future__ import annotations

import ast
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.sensitive_data import findings_in_cases, findings_in_programs

# Made up, and cut in two so that nobody's scanner takes this file for a leak.
TOKENS = {
    "AWS": "AKIA" + "Q3EGRZ7W2L5KHXPD",
    "GitHub": "ghp" + "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "GitLab": "glpat" + "-x7Kp2mQv9RtYb4NcWd3Z",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA",
    "JWT": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "Slack": "xoxb" + "-123456789012-1234567890123-abcdefGHIJKLmnopqrSTUVwx",
    "Slack hook": "https://hooks.slack.com/" + "services/T0QW8ABCD/B0QW8ABCD/k3jh4g5k3jh4",
    "Stripe": "sk" + "_live_4eC39HqLyjWDarjtT1zdp7dc",
    "SendGrid": "SG." + "aB3dE6gH9jK2mN5pQ8sT1v.aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nO2q",
    "URL": "postgres://svc:S3cr3t" + "Tr33@db.corp-internal.net/x",
}
ASSIGNED = [
    'password = "hunter2' + 'secret"',
    'def connect(user, password="Tr0ub4dor' + '&3"):',
    '    settings = {"api_key": "zq83' + 'hfk2"}',
    'key = "q8Zt3VxW0pLk7RmN' + '2sYb9HcJ4dFg6TaE"',
    'salt = "2f7c1b9a8d3e4f506172' + '8394a5b6c7d8e9f00112"',
]
PROGRAM = "def f(x):\n    {}\n    return x\n"


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("place", ['"""{}"""', "# {}", "y = '{}'", "y = call(1, t='{}')[0]"])
def test_tokens_in_programs(kind: str, place: str) -> None:
    text = place.format(TOKENS[kind].replace("\n", "\\n"))
    assert findings_in_programs([PROGRAM.format(text)]) == ["secret"]


@pytest.mark.parametrize("kind", TOKENS)
def test_tokens_in_cases(kind: str) -> None:
    value = TOKENS[kind]
    texts = [repr({"x": value}), repr([1, (value,)]), f"bad value: {value}"]
    assert findings_in_cases(texts) == ["secret"] * 3


@pytest.mark.parametrize("line", ASSIGNED)
def test_assigned_and_random_texts_in_programs(line: str) -> None:
    assert findings_in_programs([f"{line}\n", f"def g():\n    {line}\n"]) == ["secret"] * 2


def test_values_that_only_look_random_are_no_secrets_of_cases() -> None:
    digests = [repr(hash_(b"x").hexdigest()) for hash_ in (hashlib.md5, hashlib.sha256)]
    alphabet = repr("zyxwvutsrqponmlkjihgfedcba0123456789")
    assert findings_in_cases([*digests, alphabet, repr({"password": "abc123"})]) == [None] * 4


@pytest.mark.parametrize(
    "line",
    [
        "alphabet = 'zyxwvutsrqponmlkjihgfedcba'",
        "digits = '0123456789abcdef'",
        "key = 'AKIA" + "IOSFODNN7EXAMPLE'",
        "url = 'ftp://user:" + "password@ftp.acme.io'",
        "url = 'https://joe:s3cr3t" + "x@example.com/'",
        "password = ''",
        "password = options['password']",
        "uuid = '123e4567-e89b-12d3-a456-426614174000'",
    ],
)
def test_examples_and_placeholders_in_programs(line: str) -> None:
    assert findings_in_programs([PROGRAM.format(line)]) == [None]


PEOPLE = ["mary.miller@acme-tools.com", "m.miller+work@mail.uni-bonn.de", "mmiller@corp.acme.io"]
NOBODY = [
    *("a@b.c", "me@acme.com", "user@gmail.com", "user12@gmail.com", "info@acme.com", "x@y.com"),
    *("mary@example.com", "mary@mail.example.org", "mary@localhost", "mary@test.invalid"),
    *("noreply@acme.com", "no-reply@acme.com", "octo.noreply@github.com", "git@github.com:o/r.git"),
    *("weights@self.kernel", "@decorator.name", "mary@", "12345+mary@users.noreply", "mary@acme"),
]
MACHINES = ["93.184.216.34", "http://52.95.110.1:80/", "2a00:1450:4001:82a::200e"]
NO_MACHINES = [
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.20.0.14", "192.168.10.12", "169.254.10.20"),
    *("192.0.2.17", "198.51.100.23", "203.0.113.99", "100.64.10.11", "224.0.0.251", "8.8.8.8"),
    *("255.255.255.128", "1.2.3.4", "12.12.12.12", "93.184.216.0", "300.184.216.34"),
    *("version 10.15.7.22", "requests==22.10.3.11", "v14.16.12.10", "1.3.6.1.4.1.311.21"),
    *(
        "093.184.216.34",
        "x[::2]",
        "12:30:45",
        "2001:db8::17",
        "fe80::12",
        "::1",
        "00:1a:2b:3c:4d:5e",
    ),
    *("std::vector", "a[2001::3]"),
]


@pytest.mark.parametrize("address", PEOPLE)
def test_addresses_of_people(address: str) -> None:
    texts = [repr({"x": address}), f"no such user: {address}.", f"Author: <{address}>"]
    assert findings_in_cases(texts) == ["e_mail_address"] * 3
    assert (
        findings_in_programs([f'"""By {address}"""\nx = 1\n', f"# mailto:{address}\n"])
        == ["e_mail_address"] * 2
    )


@pytest.mark.parametrize("text", NOBODY)
def test_addresses_of_nobody(text: str) -> None:
    assert findings_in_cases([text, repr({"x": text})]) == [None, None]


@pytest.mark.parametrize("text", MACHINES)
def test_addresses_of_machines(text: str) -> None:
    assert findings_in_cases([repr({"x": text}), f"cannot reach {text}"]) == ["ip_address"] * 2


@pytest.mark.parametrize("text", NO_MACHINES)
def test_numbers_that_are_no_machines(text: str) -> None:
    assert findings_in_cases([text, repr({"x": text})]) == [None, None]


TOKEN = repr(TOKENS["AWS"])
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["[section]\nkey = value", "[1, 2]", "a = 'b'\r\n", "\x85\u2028\x0c", "%"]),
        st.text(max_size=10).map(lambda text: f"{text}{TOKEN}"),
    ),
    max_size=8,
)


@given(TEXTS)
def test_a_text_is_judged_by_itself(texts: list[str]) -> None:
    together = findings_in_cases(texts)
    assert together == [findings_in_cases([text])[0] for text in texts]
    assert all(
        finding == "secret" for text, finding in zip(texts, together, strict=True) if TOKEN in text
    )


def test_nothing_to_scan() -> None:
    assert findings_in_programs([]) == findings_in_cases([]) == []
    assert findings_in_programs([""]) == [None]


def test_threads_do_not_change_each_others_settings() -> None:
    assigned = [PROGRAM.format(ASSIGNED[0])]

    def scan(number: int) -> object:
        return (findings_in_programs if number % 2 else findings_in_cases)(assigned)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(scan, range(24))) == [[None], ["secret"]] * 12


def test_real_functions_and_their_cases_are_left_alone(shared_data: Path) -> None:
    lines = (shared_data / "case2code_test_half.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert set(findings_in_programs([row["program"] for row in rows])) == {None}
    inputs = [line for row in rows for line in row["written_inputs"].splitlines()]
    assert set(findings_in_cases(inputs)) == {None}
    outputs = [str(item) for row in rows for item in ast.literal_eval(str(row["outputs"]))]
    found = [finding for finding in findings_in_cases(outputs) if finding]
    assert len(found) <= 3  # a list of numbers that is joined by dots
