"""References of what is imported, as lines of pages, from the sources: signatures and docstrings."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from textwrap import dedent

import turnout
from turnout import client, plugin
from turnout.plugin.hookspecs import TurnoutSpec
from turnout.rollout import Condition, RolloutVersion, Route
from turnout.runtime.errors import ApiError, NoCluster
from turnout.runtime.transport import ConnectionFailed


def of_python() -> Iterator[str]:
    """What programs of model owners import."""
    yield from (
        "# The Python API, class by class",
        "",
        "[How it is used](python.md). What is not on this page is no promise.",
    )
    told: list[tuple[str, type]] = [("turnout.Client", client.Client), ("turnout.Rollout", turnout.Rollout)]
    told += [(f"turnout.rollout.{one.__name__}", one) for one in (RolloutVersion, Condition, Route)]
    told += [(f"turnout.client.{name}", getattr(client, name)) for name in client.__all__ if name != "Client"]
    told += [(f"{one.__module__}.{one.__name__}", one) for one in (ApiError, NoCluster, ConnectionFailed)]
    yield from classes(told)


def of_plugins() -> Iterator[str]:
    """What plugins import."""
    yield from (
        "# The plugin API, class by class",
        "",
        "All that a plugin imports: `from turnout.plugin import …`. [How to write one](plugins.md).",
        "",
        "## Hooks",
        "",
        "Functions of an entry point's module that are marked `@hookimpl`. Each is called once, at start.",
        "",
    )
    for name, hook in vars(TurnoutSpec).items():
        if name.startswith("turnout_"):
            yield f"- `{name}`: {' '.join((hook.__doc__ or '').split())}"
    found = [(name, getattr(plugin, name)) for name in plugin.__all__]
    yield from classes((name, one) for name, one in found if inspect.isclass(one))
    folder = Path(plugin.__file__ or "").parent
    sources = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))]
    others = [name for name, one in found if not inspect.isclass(one) and name != "hookimpl"]
    yield from ("", "## Types", "", "```python", *(assigned(name, sources) for name in others), "```")


def classes(of: Iterable[tuple[str, type]]) -> Iterator[str]:
    """A section of each class, under the name by which it is imported."""
    for name, cls in of:
        yield from ("", f"## {name}", "")
        tree = next(n for n in ast.parse(dedent(inspect.getsource(cls))).body if isinstance(n, ast.ClassDef))
        if head := _head(tree, cls):
            yield from ("```python", *head, "```", "")
        yield from _paragraphs(ast.get_docstring(tree))
        yield from _attributes(tree)
        for method in _methods(tree):
            if issubclass(cls, Exception) and not _is_property(method):
                continue  # they are raised, and not made, by whoever reads this
            yield from ("", f"### {tree.name}.{method.name}", "")
            if not _is_property(method):
                yield from ("```python", *_signature(method, tree.name), "```", "")
            yield from _paragraphs(ast.get_docstring(method))


def assigned(name: str, sources: Iterable[str]) -> str:
    """How a name is assigned in one of the sources, as `Pairs = tuple[...]`. Raises LookupError."""
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                return _written(node)
    raise LookupError(f"{name} is assigned in none of the sources")


def _head(tree: ast.ClassDef, cls: type) -> list[str]:
    """A class as it is written, with its fields alone; nothing where that tells nothing."""
    bases = ", ".join(ast.unparse(base) for base in tree.bases)
    kinds = (ast.AnnAssign, ast.Assign) if issubclass(cls, Enum) else ast.AnnAssign
    written = [_written(node) for node in tree.body if isinstance(node, kinds)]
    fields = [f"    {line}" for line in written if not line.startswith("_")]
    if not bases and not fields:
        return []
    head = f"class {tree.name}({bases}):" if bases else f"class {tree.name}:"
    return [head, *fields] if fields else [f"{head} ..."]


def _attributes(tree: ast.ClassDef) -> Iterator[str]:
    """What the docstrings after attributes say, as a list."""
    told = [
        (ast.unparse(field.target), doc.value.value)
        for field, doc in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    ]
    if told:
        yield ""
    for name, said in told:
        yield f"- `{name}`: {' '.join(said.split())}"


def _methods(tree: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            yield from () if node.name.startswith("_") else (node,)


def _signature(method: ast.FunctionDef | ast.AsyncFunctionDef, of: str) -> Iterator[str]:
    """As it is written, without `self`, an argument a line where it is long."""
    kind = "async def" if isinstance(method, ast.AsyncFunctionDef) else "def"
    head = f"{kind} {method.name}"
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    if any(ast.unparse(one) == "asynccontextmanager" for one in method.decorator_list):
        head, returns = f"async with {of}.{method.name}", f" as {of.lower()}"
    arguments = method.args
    positional = [one for one in arguments.args if one.arg not in ("self", "cls")]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    given = [_argument(one, default) for one, default in zip(positional, defaults, strict=True)]
    if arguments.kwonlyargs:
        given.append("*")
    given += [
        _argument(one, default)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    line = f"{head}({', '.join(given)}){returns}"
    if len(line) <= 100:
        yield line
    else:
        yield from (f"{head}(", *(f"    {one}," for one in given), f"){returns}")


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    name = f"{one.arg}: {_written(one.annotation)}" if one.annotation else one.arg
    return f"{name} = {_written(default)}" if default else name


def _written(node: ast.AST) -> str:
    """As turnout's own sources are written: ast would quote otherwise."""
    return re.sub(r"'([^'\"\\]*)'", r'"\1"', ast.unparse(node))


def _is_property(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(one) == "property" for one in method.decorator_list)


def _paragraphs(docstring: str | None) -> Iterator[str]:
    """A docstring's paragraphs, each on a line of its own; lists and the like stay as they are."""
    for number, paragraph in enumerate((docstring or "").split("\n\n")):
        if number:
            yield ""
        yield paragraph if paragraph.startswith(("- ", "    ")) else " ".join(paragraph.split())
