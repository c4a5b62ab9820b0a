"""Secrets in lines of Python text, as `detect-secrets` finds them."""

from __future__ import annotations

import re
import string
import tempfile
import threading
from collections.abc import Collection, Sequence
from typing import Any

from c2c_tasks.curation.reserved import is_reserved_domain

BY_SHAPE = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
"""Detectors of what can be nothing else: tokens with a prefix, private keys, passwords in URLs."""

BY_CONTEXT = (
    "ArtifactoryDetector",
    "Base64HighEntropyString",
    "HexHighEntropyString",
    "KeywordDetector",
)
"""Detectors of quoted texts that look random, or that are assigned to a ``password``. They are for
code: values that a program works on are full of digests, alphabets and made-up passwords."""

# Filters that look at the secret itself. Those that look at the line or the name of the file are
# left out: one lets pass whatever stands in a line with a call, another what a comment allows.
_FILTERS = [
    f"detect_secrets.filters.heuristic.{name}"
    for name in (
        "is_not_alphanumeric_string",
        "is_potential_uuid",
        "is_prefixed_with_dollar_sign",
        "is_sequential_string",
        "is_templated_secret",
    )
]

_LEAST_HEX_DIGITS = 20
"""Shorter runs of hexadecimal digits are words and numbers more often than keys."""

_LEAST_LETTERS = 20
"""Letters of the 26 that make a text without repetition an alphabet."""

_PLACEHOLDERS = {
    *("pass", "password", "passwd", "pwd", "pw", "secret", "xxx", "xxxx", "foo", "bar", "baz", "p"),
    *("****", "mypassword", "yourpassword", "pass123", "password123"),
}

# A line that every scan must find, first and last. It shows that the whole text was read, and
# keeps a text that begins with a bracket from being read as a file of settings.
_CANARY = 'canary = "AKIA' + 'C2CTASKSCANARY00"'

_SETTINGS_ARE_GLOBAL = threading.Lock()


def lines_with_secrets(lines: Sequence[str], detectors: Collection[str]) -> set[int]:
    """Return the positions of the lines in which one of the detectors finds a secret.

    A line must hold no line break. Each is looked at by itself, so the result does not depend on
    its neighbours. Documented examples and placeholders are not counted.
    """
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings

    settings = {
        "plugins_used": [{"name": name} for name in detectors],
        "filters_used": [{"path": path} for path in _FILTERS],
    }
    text = "\n".join((_CANARY, *lines, _CANARY))
    with tempfile.NamedTemporaryFile(prefix="c2c-", suffix=".py") as file:
        # ASCII alone, whatever encoding the library opens it with: what it cannot decode, it skips.
        file.write(text.encode("ascii", "backslashreplace"))
        file.flush()
        with _SETTINGS_ARE_GLOBAL, transient_settings(settings):
            secrets = list(scan_file(file.name))
    flagged = {secret.line_number - 1 for secret in secrets}
    if not {0, len(lines) + 1} <= flagged:
        raise RuntimeError("detect-secrets did not scan all of the text")
    return {
        secret.line_number - 2
        for secret in secrets
        if 2 <= secret.line_number <= len(lines) + 1
        and not _is_harmless(secret, lines[secret.line_number - 2])
    }


def _is_harmless(secret: Any, line: str) -> bool:
    """Tell whether a finding is a documented example or a placeholder."""
    value: str = secret.secret_value
    if value.upper().endswith(("EXAMPLE", "EXAMPLEKEY")):
        return True
    if "High Entropy" in secret.type:
        is_short = secret.type.startswith("Hex") and len(value) < _LEAST_HEX_DIGITS
        return is_short or _is_alphabet(value)
    if secret.type == "Basic Auth Credentials":
        host = re.search(rf":{re.escape(value)}@([\w.-]+)", line)
        return value.lower() in _PLACEHOLDERS or (
            host is not None and is_reserved_domain(host[1].lower())
        )
    return False


def _is_alphabet(value: str) -> bool:
    """Tell whether a text has most letters of an alphabet, and each once."""
    cases = (string.ascii_lowercase, string.ascii_uppercase)
    most = max(len(set(value) & set(letters)) for letters in cases)
    return len(set(value)) == len(value) and most >= _LEAST_LETTERS
