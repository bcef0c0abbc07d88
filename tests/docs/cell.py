"""Runs a file as a notebook runs a cell: in an event loop, where the code may await. `python cell.py FILE`."""

import ast
import asyncio
import inspect
import sys
from pathlib import Path


async def run(text: str, name: str) -> None:
    running = eval(compile(text, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {"__name__": "__main__"})
    if inspect.iscoroutine(running):  # it is none where nothing is awaited
        await running


asyncio.run(run(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[1]))
