"""The answers of a shard, kept as they come: what was answered is not asked again.

A shard's answers are objects of JSON Lines in one folder, numbered in the order in which they
were written, each claimed by a conditional write. Of two answers to one request, the one in the
lower number counts, so two attempts at a time, or one after the other, go on with the same
answers and make the same shard.
"""

from __future__ import annotations

import asyncio
import json

from c2c_tasks.inputs.completions import Completion
from c2c_tasks.store import StoreError, read, store_for

WRITE_SECONDS = 2.0
"""Between two objects: what a crash can lose."""


class Answers:
    """Answers by the key of their request, in memory and in a folder of the store."""

    def __init__(self, folder: str = "") -> None:
        """Read what earlier attempts left in the folder; without one, nothing is kept."""
        self.folder = folder
        self._known: dict[str, Completion] = {}
        self._new: dict[str, Completion] = {}
        self._number = 0
        self._written: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()
        if folder:
            self._read()

    def _read(self) -> None:
        while self._read_next():
            pass

    def _read_next(self) -> bool:
        """Read the object of the next number; tell whether there is one."""
        uri = self._uri()
        if store_for(uri).head(uri) is None:
            return False
        try:
            for line in read(uri).splitlines():
                fields = json.loads(line)
                self._known.setdefault(fields.pop("request"), Completion(**fields))
        except (ValueError, TypeError, KeyError):
            raise StoreError(f"{uri}: not the answers of a writer; remove it") from None
        self._number += 1
        return True

    def _uri(self) -> str:
        return f"{self.folder}/{self._number:05d}.jsonl"

    def get(self, key: str) -> Completion | None:
        """Return the answer to a request, if there is one."""
        return self._known.get(key)

    async def keep(self, key: str, completion: Completion) -> Completion:
        """Write an answer, together with others; return the one that counts.

        Raises StoreError where it cannot be written.
        """
        if not self.folder or key in self._known:
            return self._known.get(key, completion)
        self._new[key] = completion
        if self._written is None:
            self._written = asyncio.ensure_future(self._write_soon())
        await asyncio.shield(self._written)
        return self._known[key]

    async def close(self) -> None:
        """Write what is not yet written, or wait until it is."""
        await self._write_now()

    async def _write_soon(self) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        self._written = None
        await self._write_now()

    async def _write_now(self) -> None:
        async with self._writing:
            new, self._new = self._new, {}
            try:
                await asyncio.to_thread(self._write, new)
            except BaseException:
                self._new = {**new, **self._new}
                raise

    def _write(self, new: dict[str, Completion]) -> None:
        """Write answers as the next object, unless another attempt has answered them all."""
        while new := {key: value for key, value in new.items() if key not in self._known}:
            lines = [
                json.dumps({"request": key, **completion.to_json()})
                for key, completion in new.items()
            ]
            uri = self._uri()
            if store_for(uri).create(uri, "\n".join(lines).encode()) is not None:
                self._known.update(new)
                self._number += 1
            else:
                self._read_next()
