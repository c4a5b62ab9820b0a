"""Keeping passwords out of what is shown: URIs may hold some, wherever a person wrote them."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"
_USER = re.compile(r"(?<=://)[^/\s@]*@")
_PARAMETER = re.compile(
    r"(?i)([?&;](?:x-amz-(?:signature|credential|security-token)|sig|signature|token|access_token"
    r"|api_?key|key|password|secret)=)[^&;\s]+"
)
_NAMES = re.compile(r"(?i)(password|passwd|secret|api_?key|token$|credential)")


def redacted(value: Any) -> Any:
    """Return a value of JSON without user names, passwords and signatures of URIs.

    Members that are called as secrets are (``api_key``) lose their value, too, where it is text.
    """
    if isinstance(value, str):
        return _PARAMETER.sub(rf"\1{HIDDEN}", _USER.sub(f"{HIDDEN}@", value))
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name, item) else redacted(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value


def _is_secret(name: object, value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value)
        and isinstance(name, str)
        and bool(_NAMES.search(name))
    )
