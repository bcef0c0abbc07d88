"""The built-in environments and routers, each by itself, and all of them together."""
