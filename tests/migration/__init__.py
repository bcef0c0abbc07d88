"""From Iter8."""
