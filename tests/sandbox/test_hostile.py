"""Functions that attack: each among neighbours that must come to no harm."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.process import ProcessLauncher


@pytest.fixture(autouse=True)
def namespaces(request: pytest.FixtureRequest) -> None:
    """Attack nobody but the sandbox: without a pid namespace, these would reach the machine."""
    granted = ProcessLauncher(SandboxOptions()).facts["namespaces"]
    if "process" in request.node.name and "pid" not in granted:
        pytest.skip("this machine grants no pid namespace")


GIVEN_UP = {"killed", "protocol_violation", "failed_to_load"}


def attack(sandbox: Any, statement: str, **options: Any) -> Any:
    """Run the statements as a function's body; return its case, or None if it was dropped."""
    body = "".join(f"    {line}\n" for line in statement.splitlines())
    program = f"import os, sys, signal\ndef f(x):\n{body}    return 'done'\n"
    limits = {"case_seconds": 0.5, "function_seconds": 3, "memory_megabytes": 128, **options}
    row = sandbox.run_among_neighbours(program, "{'x': 1}", **limits)
    return row.cases[0] if row else None


@pytest.mark.parametrize(
    "statement",
    [
        "os._exit(0)",
        "os._exit(3)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_ending_itself(sandbox: Any, statement: str) -> None:
    assert attack(sandbox, statement).outcome == "killed"


def test_a_function_that_always_dies_is_dropped(sandbox: Any) -> None:
    program = "import os\ndef f(x):\n    os._exit(0)\n"
    good = sandbox.function("def g(x):\n    return x\n", "{'x': 1}", name="g")
    dying = sandbox.function(program, *(f"{{'x': {i}}}" for i in range(9)))
    rows = sandbox.run(good, dying, good)
    assert [row.entry_point for row in rows] == ["g", "g"]
    assert sandbox.dropped == {"killed": 1}
    assert sandbox.report.counters["functions_killed"] == 1
    assert any("owner/name/module.py:1: f: killed" in text for text in sandbox.report.problems)


def test_dying_while_loading(sandbox: Any) -> None:
    program = "import os\nos._exit(0)\ndef f(x):\n    return x\n"
    assert sandbox.run_among_neighbours(program, "{'x': 1}") is None
    assert sandbox.dropped == {"killed": 2}


@pytest.mark.parametrize(
    "statement",
    [
        "x = [0] * 10**9",
        "x = b'a' * 10**10",
        "while True: x = [x] * 1000",
        "x = 'a'\nwhile True: x += x",
    ],
)
def test_memory_bombs(sandbox: Any, statement: str) -> None:
    assert attack(sandbox, statement).outcome in ("killed", "timed_out")


def test_fork_bomb(sandbox: Any) -> None:
    case = attack(sandbox, "for _ in range(8): os.fork()", function_seconds=1)
    # Where the kernel refuses to fork, that is an exception; else the sweep ends it.
    assert case is None or case.outcome in ("raised", "timed_out", "killed")


def test_thread_bomb(sandbox: Any) -> None:
    statement = (
        "import threading, time\n"
        "for _ in range(500): threading.Thread(target=time.sleep, args=(9,)).start()"
    )
    case = attack(sandbox, statement)
    assert case is None or case.outcome in ("raised", "killed", "returned")


def test_a_daemon_that_is_left_behind_is_swept(sandbox: Any) -> None:
    statement = (
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        while True: pass\n"
        "    os._exit(0)"
    )
    attack(sandbox, statement, function_seconds=1)


@pytest.mark.parametrize("descriptor", ["3", "1", "0", "2"])
def test_writing_to_descriptors_forges_no_neighbour(sandbox: Any, descriptor: str) -> None:
    statement = (
        'line = b\'{"id": 1, "ended": "exit 0", "at": 0}\\n\'\n'
        'line += b\'[0, "returned", "666", null, null, []]\\n\'\n'
        f"os.write({descriptor}, line * 3)"
    )
    case = attack(sandbox, statement)
    assert sandbox.dropped.keys() <= GIVEN_UP
    assert (case is None) == (descriptor == "3")


def test_flooding_the_result_descriptor(sandbox: Any) -> None:
    assert attack(sandbox, "while True: os.write(3, b'x' * 65536)", case_seconds=5) is not None
    assert "protocol_violation" not in sandbox.dropped


def test_output_floods_and_giant_values(sandbox: Any) -> None:
    assert attack(sandbox, "for _ in range(2000): print('x' * 10000)").outcome == "returned"
    case = attack(sandbox, "return list(range(10**6))")
    assert case.outcome == "unrepresentable"


@pytest.mark.parametrize(
    ("statement", "outcome"),
    [
        ("sys.exit(0)", "raised"),
        ("def g(): g()\ng()", "raised"),
        ("x = []\nx.append(x)\nreturn x", "unrepresentable"),
        ("return (i for i in range(3))", "unrepresentable"),
        ("return float('nan')", "returned"),
        ("return '\\ud800'", "returned"),
        ("raise ValueError('\\ud800')", "raised"),
        ("return 10 ** 5000", "unrepresentable"),
        (
            "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
            "timed_out",
        ),
        ("class E(Exception):\n    def __str__(self): raise E\nraise E", "raised"),
        (
            "class M(type):\n    @property\n    def __name__(cls): os._exit(1)\n"
            "raise M('E', (Exception,), {})",
            "raised",
        ),
        ("class L(list):\n    def __repr__(self): return '666'\nreturn L([1])", "unrepresentable"),
        ("import builtins, json\nbuiltins.repr = json.dumps = lambda *a, **k: '666'", "returned"),
        ("signal.signal(signal.SIGPROF, signal.SIG_IGN)\nwhile True: pass", "timed_out"),
        (
            "for s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
            "    except (OSError, ValueError): pass\n"
            "while True: pass",
            "timed_out",
        ),
        ("open('/tmp/big', 'wb').write(b'x' * 10**6)", "raised"),
        ("open('/etc/case2code', 'w')", "raised"),
        ("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)", "raised"),
    ],
)
def test_tricks(sandbox: Any, statement: str, outcome: str) -> None:
    case = attack(sandbox, statement, function_seconds=2)
    assert case is not None and case.outcome == outcome


@pytest.mark.parametrize(
    "statement",
    [
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.kill(os.getppid(), signal.SIGSTOP)",
        "os.kill(-1, signal.SIGKILL)",
        "os.kill(1, signal.SIGKILL)",
        "import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))",
        "open(f'/proc/{os.getppid()}/mem', 'r+b')",
        "[os.write(int(fd), b'forged') for fd in os.listdir('/proc/self/fd')]",
    ],
)
def test_attacks_on_the_supervisor(sandbox: Any, statement: str) -> None:
    attack(sandbox, statement)
    assert sandbox.dropped.keys() <= GIVEN_UP


def test_the_host_cannot_be_reached(sandbox: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reached = threading.Event()
        threading.Thread(target=lambda: (server.accept(), reached.set()), daemon=True).start()
        port = server.getsockname()[1]
        statement = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)"
        assert attack(sandbox, statement).outcome == "raised"
        assert not reached.is_set()


def test_secrets_and_packages_of_the_host_are_out_of_sight(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    case = attack(sandbox, "return 'AWS_SECRET_ACCESS_KEY' in os.environ")
    assert case.output == "False"
    assert attack(sandbox, "import pyarrow").exception_type == "ModuleNotFoundError"
    assert attack(sandbox, "import c2c_tasks.config").exception_type == "ModuleNotFoundError"
