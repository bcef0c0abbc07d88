"""The router gateway-api: HTTPRoute and GRPCRoute of the Kubernetes Gateway API."""
