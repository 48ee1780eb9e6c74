"""Explanations: a run of the abstract machine told step by step, for people."""
