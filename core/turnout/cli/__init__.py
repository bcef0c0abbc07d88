"""The command `turnout`, also `kubectl turnout`. Importing this imports no subcommand."""

import click

from turnout import __version__
from turnout.cli.program import Lazy, Program

__all__ = ["main"]

HELP = """\
Route inference traffic between the versions of a model while they come and go.

Declare one policy per model, then only deploy, replace and delete versions: the network follows.
"""

EPILOG = """\
Exit codes:
  0    done, and what was asked about is well
  1    what was asked about is not well: a plan that is refused, a plugin that cannot be loaded
  2    wrong usage, or input that cannot be used
  3    the cluster cannot be reached, or does not permit it
  4    what was asked about cannot be told: too little was seen
  5    there is no policy of that name
  6    what was waited for did not come in time
  7    what was begun did not succeed, and is undone
  8    what was waited for cannot come: no controller is at work
  70   an error in turnout itself
  130  interrupted
  141  whoever read the output has stopped
"""

main = Program(
    name="turnout",
    help=HELP,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    sections={
        "Write and try policies": {
            "template": Lazy("turnout.cli.template:command", "Turn a values file into manifests."),
            "plan": Lazy(
                "turnout.cli.plan:command", "Show what would be decided, and why, without a cluster."
            ),
            "demo": Lazy("turnout.cli.demo:command", "Play a rollout in memory."),
            "migrate": Lazy("turnout.cli.migrate:command", "Turn Iter8's objects into policies."),
        },
        "Look at a rollout": {
            "status": Lazy("turnout.cli.status:command", "Show a rollout, once or live."),
            "explain": Lazy("turnout.cli.explain:command", "Tell why calls go where they go."),
            "list": Lazy("turnout.cli.list:command", "List rollouts with their shares."),
            "wait": Lazy("turnout.cli.wait:command", "Wait until a rollout is where it should be."),
            "verify": Lazy("turnout.cli.verify:command", "Check who answers a model's calls, and how often."),
        },
        "Move a rollout": {
            "weights": Lazy("turnout.cli.weights:command", "Shift calls between versions."),
            "promote": Lazy("turnout.cli.promote:command", "Make the primary what the candidate is."),
            "abort": Lazy("turnout.cli.abort:command", "Give all calls to the primary."),
        },
        "Run the controller": {
            "run": Lazy("turnout.cli.run:command", "Run the controller."),
            "crds": Lazy("turnout.cli.crds:command", "Print the custom resource definitions."),
            "release": Lazy(
                "turnout.cli.release:command", "Let deleted versions go that no controller lets go."
            ),
            "plugins": Lazy("turnout.cli.plugins:command", "List the plugins that are installed."),
        },
        "Other": {
            "completion": Lazy("turnout.cli.completion:command", "Print a script that completes in a shell."),
        },
    },
)
click.version_option(__version__, message="%(prog)s %(version)s")(main)
