"""The children's side of `c2c_tasks.extraction.processes`: a foreman, which forks the workers.

The foreman is an interpreter of its own, with one thread and no state but what it imports, so
that forking is safe whatever its parent holds, and a worker that died is replaced in
milliseconds. It is told what to do over a socket, one request at a time, and when that ends, by
whatever end of its parent, it ends with all its workers.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import socket
import struct
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

START = b"s"
"""Request for a worker, with the worker's end of a socket; the reply is its process id."""
WAIT = b"w"
"""Request for the wait status of a worker, whose process id follows; so is the reply."""
NUMBER = struct.Struct("!q")


class Disconnected(Exception):
    """The other end of a socket is gone."""


def send(connection: socket.socket, message: object) -> None:
    """Send an object. Raises OSError where nobody can receive it."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    connection.sendall(NUMBER.pack(len(data)))
    connection.sendall(data)


def receive(connection: socket.socket) -> Any:
    """Return the next object that was sent. Raises Disconnected where there is none."""
    (size,) = NUMBER.unpack(receive_bytes(connection, NUMBER.size))
    return pickle.loads(receive_bytes(connection, size))


def receive_bytes(connection: socket.socket, size: int) -> bytearray:
    """Return so many bytes. Raises Disconnected where there are fewer."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        try:
            count = connection.recv_into(view)
        except ConnectionError:
            count = 0
        if not count:
            raise Disconnected
        view = view[count:]
    return data


def oversee(descriptor: int) -> None:
    """Do as the socket says, until it ends; then end all workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever it is meant for closes the socket
    control = socket.socket(fileno=descriptor)
    workers: set[int] = set()
    try:
        function, seconds, memory = receive(control)
        while True:
            request, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if request == START:
                workers.add(process := _fork(control, descriptors[0], function, seconds, memory))
                control.sendall(NUMBER.pack(process))
            elif request == WAIT:
                (process,) = NUMBER.unpack(receive_bytes(control, NUMBER.size))
                _, status = os.waitpid(process, 0)
                workers.discard(process)
                control.sendall(NUMBER.pack(status))
            else:
                break
    except (Disconnected, ConnectionError):
        pass
    finally:
        for process in workers:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def _fork(
    control: socket.socket,
    descriptor: int,
    function: Callable[[Any], Any],
    seconds: float,
    memory: int,
) -> int:
    process = os.fork()
    if process:
        os.close(descriptor)
        return process
    status = 1
    try:
        control.close()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        with suppress(Disconnected, ConnectionError):
            _work(socket.socket(fileno=descriptor), function, seconds)
        status = 0
    finally:
        os._exit(status)  # what is to be done at exit is the foreman's


def _work(connection: socket.socket, function: Callable[[Any], Any], seconds: float) -> None:
    """Answer each item with what the function makes of it, and whether it raised that."""
    while True:
        for item in receive(connection):
            # CPU time, so that a busy machine changes nothing; its signal ends C code too.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                answer = True, function(item)
            except MemoryError:
                os._exit(1)
            except Exception as error:
                error.add_note(f"In a process of its own:\n{traceback.format_exc()}")
                answer = False, error
            signal.setitimer(signal.ITIMER_PROF, 0)
            send(connection, answer)
