"""What plugin authors get for their tests, and turnout uses itself."""
