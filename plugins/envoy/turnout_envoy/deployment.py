"""What to deploy beside the routes: an Envoy with its bootstrap, as `deploy.yaml` has it."""

import re
from importlib.resources import files

import yaml

FILE = "deploy.yaml"
MODEL = "wisdom"
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,45}[a-z0-9])?")
"""A Service's name, short enough for those that are made of it."""


def manifests(model: str = MODEL) -> str:
    """The manifests for a model, as YAML. Raises ValueError for a name that a Service cannot have."""
    if not LABEL.fullmatch(model):
        raise ValueError(f'found the model "{model}", expected 1 to 47 of a-z, 0-9 and -, first a letter')
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return re.sub(rf"\b{MODEL}\b", model, text)


def bootstrap() -> str:
    """Envoy's configuration in them."""
    documents = yaml.safe_load_all(manifests())
    found: str = next(one["data"]["bootstrap.yaml"] for one in documents if one["kind"] == "ConfigMap")
    return found
