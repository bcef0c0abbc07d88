"""The suites for plugin authors: sound plugins pass, and each check fails for a plugin that breaks its rule."""
