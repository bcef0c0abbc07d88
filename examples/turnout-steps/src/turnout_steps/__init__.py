"""The strategy steps for turnout: the candidate gains traffic step by step."""
