"""The tutorial's rollout, played by the real controller over the in-memory cluster."""
