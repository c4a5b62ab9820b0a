"""Personal data in texts: e-mail addresses of people, and IP addresses of machines.

Only what can be somebody's counts: not what standards set aside for examples, what names an
office, or numbers with dots that are versions.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from c2c_tasks.curation.reserved import is_reserved_domain

PersonalData = Literal["e_mail_address", "ip_address"]


def personal_data_in(text: str) -> PersonalData | None:
    """Return the kind of personal data that a text holds, or None."""
    if "@" in text and any(_is_somebodys(*match.groups()) for match in _E_MAIL.finditer(text)):
        return "e_mail_address"
    if any(_is_public_ipv4(match) for match in _IPV4.finditer(text)):
        return "ip_address"
    if ":" in text and any(_is_public_ipv6(match[0]) for match in _IPV6.finditer(text)):
        return "ip_address"
    return None


def _is_somebodys(local: str, domain: str) -> bool:
    name = local.lower().split("+")[0]
    host = domain.lower()
    top = host.rpartition(".")[2]
    if len(top) != 2 and top not in _TOP_LEVEL_DOMAINS:
        return False
    return (
        len(name) > 2
        and name.rstrip("0123456789") not in _NOBODY
        and not any(part in ("noreply", "example") for part in re.split(r"[-._]", name))
        and not name.replace("-", "").startswith(("noreply", "donotreply"))
        and not is_reserved_domain(host)
    )


def _is_public_ipv4(match: re.Match[str]) -> bool:
    octets = [int(part) for part in match[0].split(".")]
    if max(octets) < 10 or len(set(octets)) == 1 or octets[3] in (0, 255):
        return False  # a version or an object identifier; made up; a network, not a machine
    before = match.string[max(0, match.start() - _CONTEXT) : match.start()]
    if match[0] in _PUBLIC_RESOLVERS or _VERSION.search(before):
        return False
    try:
        address = ipaddress.IPv4Address(match[0])
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _is_public_ipv6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # What is in use of it: elsewhere, as in `a[::2]`, colons mean something else.
    return address in _GLOBAL_UNICAST and address.is_global and text not in _PUBLIC_RESOLVERS


_E_MAIL = re.compile(
    r"(?<![\w.+%/-])([A-Za-z0-9][\w.+%-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w@])"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA has given out so far."""

_CONTEXT = 20
_VERSION = re.compile(r"(?:version|release|\bver|\bv|[=<>~!]=)\W{0,4}$", re.I)

_PUBLIC_RESOLVERS = {
    *("8.8.8.8", "8.8.4.4", "9.9.9.9", "1.0.0.1", "208.67.222.222", "208.67.220.220"),
    *("2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111"),
}

# Mailboxes of offices (RFC 2142), and names that people make up.
_NOBODY = {
    *("abuse", "admin", "administrator", "billing", "contact", "dev", "developers", "email", "ftp"),
    *("git", "hello", "help", "hostmaster", "info", "legal", "list", "mail", "mailer-daemon"),
    *("marketing", "me", "news", "newsletter", "noc", "office", "postmaster", "press", "privacy"),
    *("root", "sales", "security", "service", "support", "team", "usenet", "webmaster", "www"),
    *("abc", "alice", "anonymous", "anyone", "bar", "baz", "bob", "customer", "def", "demo"),
    *("doe", "domain", "example", "first.last", "firstname.lastname", "foo", "foo.bar", "foobar"),
    *("jane", "jane.doe", "janedoe", "jdoe", "joe", "john", "john.doe", "john.smith", "johndoe"),
    *("local", "local-part", "localpart", "member", "my", "myemail", "name", "nobody", "other"),
    *("pass", "passwd", "password", "pwd"),
    *("person", "qux", "sample", "somebody", "someone", "test", "test.email", "test.user"),
    *("tester", "testuser", "user", "user.name", "username", "xyz", "you", "your", "your-email"),
    *("your.email", "your.name", "youremail", "yourname", "your_email", "your_name"),
}

# Besides those of countries, which have two letters: the domains that most addresses are under.
# Without such a list `weights@self.kernel` would be one.
_GENERIC_DOMAINS = """
academy aero agency app art asia berlin biz blog business cat church city cloud club coach
com community company coop cyou design dev digital edu education email engineering family
finance foundation fun fyi games global gmbh gov group guru health help host house info ink
institute int international jobs land legal life link live llc london ltd management market
marketing media mil mobi money museum name net network news nyc one online org organic page
partners paris party photo photography press pro productions pub red report rocks run school
science services shop site social software solutions space store studio support swiss
systems team tech technology today tokyo tools top tours training travel university ventures
video vip wang website wien wiki win work works world wtf xyz zone
"""
_TOP_LEVEL_DOMAINS = frozenset(_GENERIC_DOMAINS.split())
