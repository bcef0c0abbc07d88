"""The environment deployment: each version is a Deployment or a StatefulSet, and its Service."""
