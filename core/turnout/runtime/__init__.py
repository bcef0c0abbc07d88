"""The controller: everything that does I/O. Pure modules never import it."""
