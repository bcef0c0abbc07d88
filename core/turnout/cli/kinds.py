"""The kinds of which versions are made, by the names that people give them."""

from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from turnout import loading
from turnout.expectations import nearest
from turnout.plugin import Kind
from turnout.registry import Registry
from turnout.shown import shown


def watched(registry: Registry) -> list[Kind]:
    """The kinds of which versions are made, by name."""
    found = {kind for loaded in registry.environments.values() for kind in loaded.plugin.watches}
    return sorted(found, key=str)


def kind_of(text: str, known: Sequence[Kind], where: str) -> Kind:
    """A kind, by its plural or its own name, with or without the group, in any case."""
    by_name: dict[str, Kind] = {}
    for kind in known:
        for name in (kind.plural, kind.kind.lower()):
            by_name |= {f"{name}.{kind.group}": kind, name: by_name.get(name, kind)}
    if found := by_name.get(text.lower()):
        return found
    near = nearest(text, by_name)
    hint = f'did you mean "{near}"?' if near else f"environments watch {', '.join(map(str, known)) or 'none'}"
    raise click.BadParameter(f"no environment watches the kind {shown(text)}; {hint}", param_hint=where)


def kinds_to_type(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes a kind in a shell."""
    return [
        CompletionItem(kind.plural) for kind in watched(loading.load()) if kind.plural.startswith(incomplete)
    ]
