"""Every plugin that comes with turnout passes the suites that anyone's has to pass."""
