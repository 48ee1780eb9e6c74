"""What each statement of the pointer language does, in operations on memory.

A handler takes memory, the frame and its statement. `harness.model.machine` has the table.
"""
