"""Finding plugins, and finding what is wrong with them."""
