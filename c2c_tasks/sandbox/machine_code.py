"""The interpreter's own machine code, moved to where children inherit it.

A fork leaves out the mappings of files, so that every child takes a page fault for each piece of
the interpreter that it runs, and the kernel takes all those pages back at its end. Anonymous
memory is inherited, and in huge pages that is a few entries of a table. This module is the
sandbox's: it imports the standard library alone.
"""

import ctypes
import os
from typing import Any

HUGE_PAGE = 1 << 21
READ, WRITE, EXECUTE = 1, 2, 4
MAP_PRIVATE_ANONYMOUS = 0x22
MREMAP_MAYMOVE_FIXED = 3
MADV_HUGEPAGE = 14


def move_to_huge_pages() -> bool:
    """Replace the interpreter's code by a copy in anonymous memory; return whether that worked.

    A child tries it first: where a kernel takes it amiss, it is not done here.
    """
    start, end = _own_code()
    if start >= end:
        return False
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if _move(start, end) else 1)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0 and _move(start, end)


def _own_code() -> tuple[int, int]:
    """Return the whole huge pages in what is mapped, and not writable, of the interpreter's file.

    It is a library's or the program's, wherever the C API is.
    """
    inside = ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p).value or 0
    found: list[tuple[int, int, str]] = []
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - pathlib is not loaded here
        for line in maps:
            span, permissions, _, _, _, *path = line.split()
            start, end = (int(bound, 16) for bound in span.split("-"))
            if permissions[0] == "r" and permissions[1] == "-" and path:
                if found and found[-1][1:] == (start, path[0]):
                    start = found.pop()[0]
                found.append((start, end, path[0]))
    for start, end, _ in found:
        if start <= inside < end:
            return -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
    return 0, 0


def _move(start: int, end: int) -> bool:
    libc = _libc()
    size = end - start
    room = libc.mmap(None, size + HUGE_PAGE, READ | WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
    if room == ctypes.c_void_p(-1).value:
        return False
    copy = -(-room // HUGE_PAGE) * HUGE_PAGE
    if libc.madvise(copy, size, MADV_HUGEPAGE) != 0:
        return False
    libc.memcpy(copy, start, size)
    # The copy takes the place of what is running in one call: there is never nothing there.
    if libc.mprotect(copy, size, READ | EXECUTE) != 0:
        return False
    return bool(libc.mremap(copy, size, size, MREMAP_MAYMOVE_FIXED, start) == start)


def _libc() -> Any:
    libc = ctypes.CDLL(None)
    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    libc.mmap.argtypes = (address, size, number, number, number, ctypes.c_long)
    libc.mremap.argtypes = (address, size, size, number, address)
    libc.mprotect.argtypes = libc.madvise.argtypes = (address, size, number)
    libc.memcpy.argtypes = (address, address, size)
    libc.mmap.restype = libc.mremap.restype = address
    return libc
