"""Single calls, by the number: for what needs no constant load."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.mesh.load import version_of
from turnout.inference import Answer, InferenceClient

AT_ONCE = 16


def ask(
    address: str, authority: str, number: int = 1, *, metadata: Sequence[tuple[str, str]] = ()
) -> list[Answer]:
    """Call a model so many times. Raises InferenceError where a call fails."""

    async def run() -> list[Answer]:
        async with InferenceClient(address, authority=authority, metadata=metadata) as client:
            free = asyncio.Semaphore(AT_ONCE)

            async def one() -> Answer:
                async with free:
                    return await client.infer("wisdom", timeout=10.0)

            return await asyncio.gather(*(one() for _ in range(number)))

    return asyncio.run(run())


def versions(answers: Sequence[Answer]) -> Counter[str]:
    """How many calls each version answered."""
    return Counter(version_of(answer.model_name) for answer in answers)
