"""`python -m turnout_envoy MODEL`: prints what to deploy for a model, for `kubectl apply -f -`."""

import sys

from turnout_envoy.deployment import manifests

if __name__ == "__main__":
    try:
        (model,) = sys.argv[1:]
        sys.stdout.write(manifests(model))
    except ValueError as error:
        sys.exit(f"usage: python -m turnout_envoy MODEL ({error})")
