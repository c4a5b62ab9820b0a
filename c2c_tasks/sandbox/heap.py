"""The supervisor's heap, as children are to find it: written to by none of them.

A child shares the supervisor's pages until it writes to one, and then the kernel copies that
page: some two microseconds each, and counting a reference is writing. Where the interpreter has
immortal objects, whose references are not counted (PEP 683), all objects that are there before
the first child are made immortal. This module is the sandbox's: it imports the standard library
alone.
"""

import ctypes
import gc
import sys
from types import CodeType
from typing import Any

IMMORTAL = 0xFFFFFFFF
"""What `Py_INCREF` and `Py_DECREF` leave alone in the lower half of a reference count."""


def freeze() -> None:
    """Have children share what is on the heap: the collector passes it over, and counts too."""
    gc.collect()
    if _has_immortal_objects():
        _make_immortal(gc.get_objects())
    gc.freeze()


def _make_immortal(left: list[Any]) -> None:
    """Make objects immortal, and all that is reached from them."""
    while left:
        new = []
        for thing in left:
            count = ctypes.c_uint32.from_address(id(thing))
            if count.value != IMMORTAL:
                count.value = IMMORTAL
                new.append(thing)
        left = gc.get_referents(*new)
        # Code does not tell the collector what it refers to.
        left += [part for code in new if type(code) is CodeType for part in _parts(code)]


def _has_immortal_objects() -> bool:
    """Return True where objects begin with a count whose lower half says that they are immortal."""
    return (
        sys.implementation.name == "cpython"
        and (3, 12) <= sys.version_info < (3, 14)
        and sys.maxsize > 2**32
        and sys.byteorder == "little"
        and "t" not in sys.abiflags  # without a global lock, objects begin otherwise
    )


def _parts(code: CodeType) -> tuple[Any, ...]:
    return code.co_consts, code.co_names, code.co_qualname, code.co_filename
