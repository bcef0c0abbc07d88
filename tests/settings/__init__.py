"""The settings of the controller, and the options that they give to plugins."""
