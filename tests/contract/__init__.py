"""What both the real API server and the in-memory cluster do: one suite over the two of them."""
