"""What can go wrong with the Hugging Face Hub, in one line that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from httpx2 import HTTPError
from huggingface_hub import constants, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import StoreUnavailable

_BUSY = {408, 409, 412, 425}
"""Statuses that say that a later attempt may succeed, beside 429 and those of a failing server."""


def check_repository(repository: str) -> str:
    """Return the token to push with; ask nothing of the Hub.

    Raises PublishError where the name is none, there is no token, or the Hub is switched off.
    """
    try:
        validate_repo_id(repository)
    except HFValidationError:
        named = False
    else:
        named = "/" in repository
    if not named:
        raise PublishError(
            f"{repository!r}: not a dataset on the Hub; they are named organisation/name"
        )
    if constants.is_offline_mode():
        raise PublishError(f"{repository}: HF_HUB_OFFLINE is set; unset it to push to the Hub")
    token = get_token()
    if token is None:
        raise PublishError(
            f"{repository}: there is no token of the Hub; set HF_TOKEN to one that may write there"
        )
    if not re.fullmatch(r"[!-~]+", token):  # the HTTP client's error would show it
        raise PublishError(f"{repository}: HF_TOKEN holds characters that no token has")
    return token


@contextmanager
def clear_errors(repository: str) -> Iterator[None]:
    """Raise what goes wrong with the Hub as PublishError, or StoreUnavailable where it may pass."""
    try:
        yield
    except OfflineModeIsEnabled:
        raise PublishError(f"{repository}: the Hub cannot be reached in offline mode") from None
    except HfHubHTTPError as error:
        raise _refused(repository, error) from None
    except HTTPError as error:
        raise _away(repository, error) from None
    except ValueError as error:  # what the library says of the release
        raise PublishError(f"{repository}: cannot be pushed to: {_line(error)}") from None
    except (OSError, RuntimeError) as error:
        # The library wraps what happened in its threads, and in its cache.
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            raise _refused(repository, cause) from None
        if isinstance(cause, HTTPError):
            raise _away(repository, cause) from None
        raise StoreUnavailable(f"{repository}: cannot be pushed to: {_line(error)}") from None


def _refused(repository: str, error: HfHubHTTPError) -> PublishError | StoreUnavailable:
    status = error.response.status_code
    said = f"{status}: {_line(error.server_message or error.response.reason_phrase)}"
    if status == 401:
        return PublishError(
            f"{repository}: the Hub does not know the token ({said}); set HF_TOKEN to a valid one"
        )
    if status == 403:
        return PublishError(
            f"{repository}: the token may not write there ({said}); name a dataset of yours or "
            "of your organisation, and set HF_TOKEN to a token that may write"
        )
    if status == 404:
        return PublishError(
            f"{repository}: the Hub does not find it ({said}); check the name of the organisation"
        )
    if status == 429:
        return StoreUnavailable(f"{repository}: the Hub limits requests ({said}); try again later")
    if status in _BUSY or status >= 500:
        return StoreUnavailable(f"{repository}: the Hub is in trouble ({said}); try again later")
    return PublishError(f"{repository}: the Hub refuses the release ({said})")


def _away(repository: str, error: HTTPError) -> StoreUnavailable:
    reason = _line(error) or type(error).__name__
    return StoreUnavailable(
        f"{repository}: the Hub ({constants.ENDPOINT}) does not answer: {reason}; try again later"
    )


def _line(message: object) -> str:
    return " ".join(str(message).split())
