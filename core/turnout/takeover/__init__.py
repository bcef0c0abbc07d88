"""Reads Iter8's objects from a cluster, and hands a VirtualService from its controller to turnout's."""
