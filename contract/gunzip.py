"""The plain bytes of a gzip file, in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator

_GZIP = 16 + zlib.MAX_WBITS
_STEP_BYTES = 1 << 20
"""Most that one step unpacks: 1 MB of gzip can hold 1 GB of zeros."""
_PIECE_BYTES = 8 << 10
_EMPTY_MEMBERS = 1_000
"""Members with nothing in them: bgzip ends a file with one. 500 MB of them would take minutes to unpack."""


class NotGzipError(Exception):
    """The bytes are no whole gzip file; the message goes on after "the file"."""


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of one or more gzip members (RFC 1952), at most 1 MiB at a time.

    Zeros after a member are padding, as for gzip(1). Raises NotGzipError.
    """
    member, members, inside = zlib.decompressobj(_GZIP), 0, False
    is_empty, empty = True, 0
    for piece in _pieces(chunks):
        rest = piece
        while rest:
            if members and not inside:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
            inside = True
            for plain in _steps(member, rest, members):
                is_empty = False
                yield plain
            rest = member.unconsumed_tail
            if member.eof:
                empty, is_empty = empty + is_empty, True
                if empty > _EMPTY_MEMBERS:
                    raise NotGzipError(
                        f"has more than {_EMPTY_MEMBERS:,} gzip members with nothing in them;"
                        " make it again with gzip"
                    )
                rest, inside, members = member.unused_data, False, members + 1
                member = zlib.decompressobj(_GZIP)
    if inside or not members:
        raise NotGzipError("is cut off: its gzip data has no end; make it and upload it again")


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What follows a member is copied, so a chunk of many members would be copied as many times."""
    for chunk in chunks:
        for at in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[at : at + _PIECE_BYTES]


def _steps(member: "zlib._Decompress", data: bytes, members: int) -> Iterator[bytes]:
    """One step, and what zlib still keeps when it has taken all of `data`."""
    while True:
        try:
            plain = member.decompress(data, _STEP_BYTES)
        except zlib.error as error:
            raise NotGzipError(_problem(error, members)) from error
        if plain:
            yield plain
        if len(plain) < _STEP_BYTES or member.unconsumed_tail or member.eof:
            return
        data = b""


def _problem(error: zlib.error, members: int) -> str:
    if "incorrect header check" not in str(error):
        return f"is damaged: its gzip data cannot be unpacked ({error}); make it and upload it again"
    if members:
        return "has bytes after the end of its gzip data; make it again with gzip"
    return "is not gzip; compress it, or let its name end in .csv"
