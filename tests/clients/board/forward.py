"""A port forward to the board that can go dead: nothing passes and nothing ends, as with a closed laptop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Forward:
    """Connections that are open at `stall()` bring nothing any more; later ones are well."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stalled: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.address = ""

    def stall(self) -> None:
        self._stalled |= self._open

    async def serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await ended.wait()
        server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        board_reader, board_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, board_writer}
        with suppress(ConnectionError):
            await asyncio.gather(self._pass_on(reader, board_writer), self._pass_on(board_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while read := await reader.read(65536):
            if writer not in self._stalled:
                writer.write(read)
        writer.close()


@contextmanager
def forwarding(address: str) -> Iterator[Forward]:
    forward = Forward(int(address.rpartition(":")[2]))
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=[forward.serve(ready, ended)])
    thread.start()
    ready.wait()
    try:
        yield forward
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
