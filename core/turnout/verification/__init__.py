"""Does the network share calls as decided? Sends calls, counts who answers, and judges the counts."""
