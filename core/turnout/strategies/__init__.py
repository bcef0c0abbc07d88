"""The built-in strategies: blue-green, canary and mirror. Registered like anyone's plugin."""
