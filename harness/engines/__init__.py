"""Each way to run a program, behind one protocol."""
