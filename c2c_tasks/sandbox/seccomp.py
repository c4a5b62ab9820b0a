"""The system calls that no function needs: a seccomp filter refuses them with EPERM.

Namespaces and limits leave the kernel itself in reach, and a few things that no namespace holds:
sockets of the host's file system and of its hypervisor, memory and messages that outlive the
process (System V IPC), key rings. The filter is a list of refusals, not of permissions: it is
laid over an engine's own, which is one of permissions. It has no library behind it: libseccomp's
bindings are on no package index, and the sandbox has the standard library alone.

The filter is a program of classic BPF over `struct seccomp_data` (seccomp(2), linux/filter.h).
This module is the sandbox's: it imports the standard library alone.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Any

_CALLS = {  # name: number on x86_64, number on aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_PROCESSES = {"clone": (56, 220), "clone3": (435, 435), "fork": (57, None), "vfork": (58, None)}

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # linux/audit.h
_SECCOMP = (317, 277)
_SET_MODE_FILTER = 1
_SPEC_ALLOW = 4
"""Older kernels would slow down all that the process does (spec_store_bypass)."""
_X32 = 0x40000000
_EPERM = 1

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | _EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_calls(libc: Any) -> bool:
    """Refuse what no function needs, for this process and its children; return if that worked.

    Asks for ``PR_SET_NO_NEW_PRIVS`` to be set before.
    """
    return _install(libc, _CALLS.values())


def refuse_processes(libc: Any) -> bool:
    """Refuse new processes and threads to this process; return whether that worked."""
    return _install(libc, _PROCESSES.values())


def _install(libc: Any, calls: Iterable[tuple[int, int | None]]) -> bool:
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return False
    column, architecture = _ARCHITECTURES[machine]
    numbers = sorted(number for call in calls if (number := call[column]) is not None)
    code = _filter(architecture, numbers)
    program = _Program(len(code) // 8, code)
    call = (_SECCOMP[column], _SET_MODE_FILTER, _SPEC_ALLOW, ctypes.byref(program))
    return bool(libc.syscall(*call) == 0)


def _filter(architecture: int, numbers: list[int]) -> bytes:
    """Return the instructions that refuse the numbers, and every call of another architecture."""
    tests = [(_AT_LEAST, _X32), *((_EQUAL, number) for number in numbers)]
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER_AT),
        # Each jumps over the tests that are left, and over the permission.
        *((test, len(tests) - i, 0, value) for i, (test, value) in enumerate(tests)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
