"""The decision: pure functions from what is observed to the routes that should be.

Read them in the order of a decision: objects (what is kept of an object), accept (is the policy
valid), join (its versions as observed), decide (ask the strategy, seal, or hold), render (manifests),
drift (what must be written).
"""
