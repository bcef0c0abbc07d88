"""A reference of classes, as lines of a page, from their sources: signatures as they are written, and docstrings."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from textwrap import dedent
from typing import Any

QUIET = ("model_config",)
"""What a class has that is no business of its users."""


def section(name: str, obj: Any) -> Iterator[str]:
    """The section of a class, or of anything else that has a docstring. `name`: as it is imported."""
    yield from ("", f"## {name}", "")
    if not inspect.isclass(obj):
        yield from _paragraphs(inspect.getdoc(obj) if inspect.isroutine(obj) else _plain(name))
        return
    (tree,) = ast.parse(dedent(inspect.getsource(obj))).body
    assert isinstance(tree, ast.ClassDef)
    yield from ("```python", *_head(tree, obj), "```", "")
    yield from _paragraphs(ast.get_docstring(tree))
    for told in _attributes(tree):
        yield told
    for method in _methods(tree):
        called = f"{tree.name}.{method.name}"
        yield from ("", f"### {called}", "")
        if not _is_property(method):
            yield from ("```python", *_signature(method), "```", "")
        yield from _paragraphs(ast.get_docstring(method))


def _head(tree: ast.ClassDef, obj: type) -> Iterator[str]:
    """A class as it is written, with its fields alone."""
    bases = ", ".join(ast.unparse(base) for base in tree.bases)
    yield f"class {tree.name}({bases}):" if bases else f"class {tree.name}:"
    told = False
    for node in tree.body:
        shown = isinstance(node, ast.AnnAssign) or (issubclass(obj, Enum) and isinstance(node, ast.Assign))
        if shown and not ast.unparse(node).startswith(("_", *QUIET)):
            told = True
            yield f"    {ast.unparse(node)}"
    if not told:
        yield "    ..."


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
            if not node.name.startswith("_"):
                yield node


def _signature(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """As it is written, without `self`, an argument a line where it is long."""
    kind = "async def" if isinstance(method, ast.AsyncFunctionDef) else "def"
    decorators = {ast.unparse(one) for one in method.decorator_list}
    if "asynccontextmanager" in decorators:
        kind = "async with"
    arguments = method.args
    positional = [one for one in arguments.args if one.arg not in ("self", "cls")]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    given = [_argument(one, default) for one, default in zip(positional, defaults, strict=True)]
    if arguments.kwonlyargs:
        given.append("*")
    given += [_argument(one, default) for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    line = f"{kind} {method.name}({', '.join(given)}){returns}"
    if len(line) <= 100:
        yield line
    else:
        yield from (f"{kind} {method.name}(", *(f"    {one}," for one in given), f"){returns}")


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    name = f"{one.arg}: {ast.unparse(one.annotation)}" if one.annotation else one.arg
    return f"{name} = {ast.unparse(default)}" if default else name


def _is_property(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(one) == "property" for one in method.decorator_list)


def _paragraphs(docstring: str | None) -> Iterator[str]:
    """A docstring's paragraphs, each on a line of its own; lists and the like stay as they are."""
    for number, paragraph in enumerate((docstring or "").split("\n\n")):
        if number:
            yield ""
        yield paragraph if paragraph.startswith(("- ", "    ")) else " ".join(paragraph.split())


def _plain(name: str) -> str:
    raise ValueError(f"{name}: neither a class nor a function, so it has no docstring to show")


def sections(of: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, obj in of:
        yield from section(name, obj)
