"""Records of fixed size, in parts by their first byte: in memory, beyond a limit in files of a folder."""

from pathlib import Path
from struct import Struct
from typing import Any

PARTS = 256
MEMORY_BYTES = 64 * 1024 * 1024


class PartedRecords:
    """form: of a record, which begins with a digest; name: of its files in `folder`, which exists."""

    def __init__(self, form: Struct, name: str, folder: Path) -> None:
        self._form = form
        self._files = [folder / f"{name}-{part:03}" for part in range(PARTS)]
        self._parts = [bytearray() for _ in range(PARTS)]
        self._memory_bytes = 0
        self.number = 0

    def add(self, record: bytes) -> None:
        self._parts[record[0]] += record
        self._memory_bytes += len(record)
        self.number += 1
        if self._memory_bytes >= MEMORY_BYTES:
            self._write()

    def _write(self) -> None:
        for part, file in zip(self._parts, self._files, strict=True):
            if part:
                with file.open("ab") as written:
                    written.write(part)
                part.clear()
        self._memory_bytes = 0

    def part(self, number: int) -> list[tuple[Any, ...]]:
        """The records of a part, in the order in which they were added."""
        file = self._files[number]
        data = (file.read_bytes() if file.exists() else b"") + self._parts[number]
        return list(self._form.iter_unpack(data))
