"""The abstract machine: what a pointer program does, and which rule it breaks."""
