"""How fast and how frugal turnout is, each time against a floor that is measured in the same run."""
