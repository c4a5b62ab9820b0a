"""Attacks on the runner: by signals, limits, priorities, tracing, and through its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("raised PermissionError", same_user="returned None")
def kills_its_parent(x: int) -> None:
    import os
    import signal

    os.kill(os.getppid(), signal.SIGKILL)


@attack("raised PermissionError", same_user="returned None")
def stops_its_parent(x: int) -> None:
    import os
    import signal

    os.kill(os.getppid(), signal.SIGSTOP)


@attack("raised PermissionError", same_user="returned None")
def kills_process_1(x: int) -> None:
    import os
    import signal

    os.kill(1, signal.SIGKILL)


@attack("raised PermissionError", same_user="returned None")
def sends_process_1_every_signal(x: int) -> None:
    import os

    for number in range(1, 65):
        os.kill(1, number)


@attack("raised ProcessLookupError")
def kills_all(x: int) -> None:
    import os
    import signal

    os.kill(-1, signal.SIGKILL)


@attack("raised PermissionError", same_user="returned None")
def kills_by_descriptor(x: int) -> None:
    import os
    import signal

    signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)


@attack("returned 1")
def has_the_kernel_signal_its_parent(x: int) -> int:
    """The owner of a descriptor is signalled when it is ready; anyone can be made the owner."""
    import fcntl
    import os
    import signal

    fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(3, 10, signal.SIGKILL)  # F_SETSIG
    fcntl.fcntl(3, fcntl.F_SETFL, os.O_WRONLY | os.O_ASYNC)
    return x


@attack("returned 'PermissionError'", same_user="dropped: killed")
def takes_the_limits_of_its_parent(x: int) -> Any:
    import os
    import resource

    try:
        resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))
    except OSError as error:
        return type(error).__name__


@attack("returned ['PermissionError']")
def slows_its_parent(x: int) -> Any:
    import os

    parent = os.getppid()
    names = set()
    for call in (
        lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        lambda: os.sched_setaffinity(parent, [0]),
        lambda: os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0)),
    ):
        try:
            call()
        except OSError as error:
            names.add(type(error).__name__)
        else:
            names.add("allowed")
    return sorted(names)


# The process launcher has made /proc read-only.
@attack("raised PermissionError", process="raised OSError")
def offers_its_parent_to_the_memory_killer(x: int) -> None:
    import os

    with open(f"/proc/{os.getppid()}/oom_score_adj", "w") as file:
        file.write("1000")


@attack("raised PermissionError", process="raised OSError")
def hides_from_the_memory_killer(x: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable again: its files under /proc are its own
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")


# Memory of the runner


# The process launcher has made /proc read-only.
@attack("raised PermissionError", same_user="raised OSError")
def writes_the_memory_of_its_parent(x: int) -> None:
    import os

    with open(f"/proc/{os.getppid()}/mem", "r+b") as memory:
        memory.write(b"forged")


@attack("returned ['EPERM', 'EPERM', 'EPERM']")
def traces_its_parent(x: int) -> list[str]:
    import ctypes
    import errno
    import os

    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    errors = []
    for call in (
        lambda: libc.ptrace(16, parent, 0, 0),  # PTRACE_ATTACH
        lambda: libc.ptrace(0x4206, parent, 0, 0),  # PTRACE_SEIZE
        lambda: libc.process_vm_writev(parent, vector, 1, vector, 1, 0),
    ):
        assert call() == -1
        errors.append(errno.errorcode[ctypes.get_errno()])
    return errors


@attack("returned []", same_user="returned ['user']")
def becomes_root_of_its_own_namespaces(x: int) -> list[str]:
    """Where the kernel lets it, it has every privilege there, and still none over the runner."""
    import ctypes
    import os
    import signal

    libc = ctypes.CDLL(None)
    parent = os.getppid()
    libc.unshare(0x10000000)  # CLONE_NEWUSER
    libc.unshare(0x20000 | 0x8000000 | 0x40000000)  # CLONE_NEWNS, NEWIPC, NEWNET
    gained = []
    for name, call in {
        "memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDWR),
        "limits": lambda: open(f"/proc/{parent}/oom_score_adj", "w").write("1000"),
        "writing": lambda: os.open("/usr/case2code-attack", os.O_CREAT | os.O_WRONLY),
        "user": lambda: os.setuid(0) or os.kill(parent, signal.SIGTERM),
    }.items():
        try:
            call()
        except OSError:
            continue
        gained.append(name)
    libc.mount(None, b"/", None, 0x20 | 0x4000, None)  # MS_REMOUNT, MS_REC: writable again
    try:
        os.mkdir("/usr/case2code-attack")
    except OSError:
        return gained
    return [*gained, "mounts"]
