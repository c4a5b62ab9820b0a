"""Names that are kept for examples and belong to nobody."""

from __future__ import annotations

_DOMAINS = ("example", "example.com", "example.net", "example.org", "invalid", "localhost", "test")
"""RFC 2606 and RFC 6761."""

_PLACEHOLDERS = ("domain.com", "domain.tld", "email.com", "host.com", "mail.com", "server.com")
"""Domains that people write for want of a name, though somebody owns them."""


def is_reserved_domain(domain: str) -> bool:
    """Tell whether a domain name, in lower case, is for examples, or no name of the Internet."""
    name = domain.strip(".")
    return "." not in name or any(
        name == reserved or name.endswith(f".{reserved}") for reserved in _DOMAINS + _PLACEHOLDERS
    )
