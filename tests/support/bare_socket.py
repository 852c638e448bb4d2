"""Answers that no API server gives, or not when a test wants them: from a socket, word by word."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import yaml

from netgw.kube.client import Cluster
from netgw.kube.transport import Transport


def against(
    answers: list[bytes],
    folder: Path,
    story: Callable[[Cluster], Coroutine[Any, Any, None]],
    requests: list[bytes] | None = None,
) -> list[str]:
    """Run the story against a socket; what it was asked, whole requests in `requests`.

    Each connection gets the next answer, the last one again and again; an empty one is never sent.
    """
    seen: list[str] = []
    calls: list[asyncio.Task[None]] = []

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(asyncio.create_task(answer(reader, writer)))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.decode().partition(" HTTP/")[0])
        if requests is not None:
            length = re.search(rb"(?i)content-length: (\d+)", head)
            requests.append(head + await reader.readexactly(int(length[1]) if length else 0))
        text = answers.pop(0) if len(answers) > 1 else answers[0]
        if not text:
            await reader.read()
        writer.write(text)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def told() -> None:
        async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
            async with Cluster(await Transport.open(kubeconfig_for(server, folder), seconds=0.5)) as ours:
                await story(ours)
            await asyncio.gather(*calls)

    asyncio.run(told())
    return seen


def kubeconfig_for(server: asyncio.Server, folder: Path) -> str:
    """The path of one that leads to a socket."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "made-up"}}],
        "current-context": "c",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def http(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
