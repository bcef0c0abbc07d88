"""Reads whether ModelMesh has loaded the model that an InferenceService asks for now."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin.reading import mapping, text

UP_TO_DATE = "UpToDate"


def loaded(obj: Mapping[str, Any]) -> tuple[bool | None, str]:
    """False with what is in the way; None where the status says that the model is loaded, if it says so.

    Ready stays True while another model loads, as the former one answers. And nothing in a status tells for
    which generation it was written: the word for the former model looks like that for the new one.
    """
    said = mapping(mapping(obj.get("status")).get("modelStatus"))
    transition = text(said.get("transitionStatus"), 64)
    if not transition or transition == UP_TO_DATE:
        return None, ""
    target = text(mapping(said.get("states")).get("targetModelState"), 64)
    failure = text(mapping(said.get("lastFailureInfo")).get("message"))
    told = f"the transition to its model is {transition}"
    return False, ": ".join(filter(None, (told, failure or target)))
