"""What a controller counts and shows for Prometheus. `docs/metrics.md` is made from it."""
