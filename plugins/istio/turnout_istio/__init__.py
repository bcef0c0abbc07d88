"""The router istio: VirtualServices, with the Gateway and the ServiceEntry that clients need."""
