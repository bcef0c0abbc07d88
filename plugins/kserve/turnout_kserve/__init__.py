"""The environment kserve: InferenceServices, each with a backend of its own."""
