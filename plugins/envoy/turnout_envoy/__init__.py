"""The router envoy: a ConfigMap of routes that one Envoy, without a mesh, mounts and follows."""
