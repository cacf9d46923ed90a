"""Property tests: what is true of every input that Hypothesis finds."""
