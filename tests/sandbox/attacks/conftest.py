"""Runs the attacks of each module, by each launcher, and hands out what came of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.process import ProcessLauncher

pytest.register_assert_rewrite("tests.sandbox.attacks.arena")

from tests.sandbox.attacks.arena import Attack, Batch  # noqa: E402

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes an `attack` each of its module's."""
    if "attack" in metafunc.fixturenames:
        attacks = attacks_of(metafunc.module)
        metafunc.parametrize("attack", attacks, ids=[attack.name for attack in attacks])


def attacks_of(module: Any) -> list[Attack]:
    """Return a module's attacks, those in lists included, in the order of the text."""
    values = (v if isinstance(v, list) else [v] for v in vars(module).values())
    return [item for value in values for item in value if isinstance(item, Attack)]


@pytest.fixture(
    scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)]
)
def arena(request: pytest.FixtureRequest, make_sandbox: Callable[[str], Sandbox]) -> Sandbox:
    """The sandbox, by each launcher that is safe to attack on this machine."""
    if request.param == "process":
        granted = ProcessLauncher(SandboxOptions()).facts["namespaces"]
        if "pid" not in granted:
            pytest.skip("without a pid namespace, attacks would reach this machine's processes")
    return make_sandbox(request.param)


@pytest.fixture(scope="module")
def batch(request: pytest.FixtureRequest, arena: Sandbox) -> Batch:
    """The module's attacks, run with its `OPTIONS`."""
    options = getattr(request.module, "OPTIONS", {})
    return Batch(arena, attacks_of(request.module), **options)
