"""A crowd that means harm to a device endpoint, in a process of its own, which takes nothing from the honest.

``python hostile_crowd.py PORT COUNT SEED NAME PASSWORD``: they come, 500 a second, and do their worst.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import mqtt5

COME_PER_S = 500
STAY_S = 30.0
WRONG = mqtt5.ConnectPacket("x", username="nobody", password=b"guess").write()


@dataclass
class Crowd:
    port: int
    rng: random.Random
    name: str  # of a device whose password is known
    password: str

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def idle(self) -> None:
        """Connects, says nothing, and waits to be hung up on."""
        reader, writer = await self._open()
        await reader.read()
        writer.close()

    async def half(self) -> None:
        """A frame begun and never ended."""
        reader, writer = await self._open()
        writer.write(WRONG[: self.rng.randrange(1, len(WRONG))])
        await reader.read()
        writer.close()

    async def oversized(self) -> None:
        """A first packet that claims 256 MB."""
        reader, writer = await self._open()
        writer.write(b"\x10\xff\xff\xff\x7f" + b"x" * 20_000)
        await reader.read()
        writer.close()

    async def storm(self) -> None:
        """Comes with a wrong password and hangs up in the middle, over and over."""
        for _ in range(5):
            _, writer = await self._open()
            writer.write(WRONG)
            writer.transport.abort()
            await asyncio.sleep(self.rng.uniform(0, 2))

    async def bomb(self) -> None:
        """A known device that subscribes to a thousand things, many times over."""
        reader, writer = await self._open()
        hello = mqtt5.ConnectPacket(
            f"b{self.rng.random()}", username=self.name, password=self.password.encode()
        )
        writer.write(hello.write())
        await reader.read(100)
        filters = [mqtt5.TopicFilter(f"cm/v1/{n}/{self.name}/cmd") for n in range(1_000)]
        for number in range(1, 6):
            writer.write(mqtt5.SubscribePacket(number, filters).write())
            await asyncio.sleep(self.rng.uniform(0, 1))
        writer.close()

    async def come(self, number: int) -> None:
        """One of them, in its turn."""
        worst: list[Callable[[], Awaitable[None]]] = [
            self.idle,
            self.idle,
            self.half,
            self.oversized,
            self.storm,
        ]
        await asyncio.sleep(number / COME_PER_S)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(STAY_S):
                await (self.bomb if number % 100 == 0 else worst[number % len(worst)])()


async def main(port: int, count: int, seed: int, name: str, password: str) -> None:
    """All of them, until the last is gone."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(port, random.Random(seed), name, password)
    await asyncio.gather(*map(crowd.come, range(count)))


if __name__ == "__main__":
    port, count, seed, name, password = sys.argv[1:]
    asyncio.run(main(int(port), int(count), int(seed), name, password))
