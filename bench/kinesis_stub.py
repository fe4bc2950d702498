"""A stand-in for Kinesis in Oregon: accepts every record, and responds a fixed time after a request arrives.

It is its own process, so that it takes no time from the core on which a forwarder is measured.
"""

import asyncio
import json
import re
import sys

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_TAKEN = {
    "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
    "ShardId": "shardId-000000000000",
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    while head := await _head(reader):
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        await asyncio.sleep(seconds)
        writer.write(_answer(body.count(b'"PartitionKey"')))
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""


def _answer(records: int) -> bytes:
    body = json.dumps({"FailedRecordCount": 0, "Records": [_TAKEN] * records}).encode()
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def main(milliseconds: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(reader, writer, milliseconds / 1000)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
