"""The router envoy with a real Envoy, its shipped bootstrap, and models that answer. No cluster, no mesh."""
