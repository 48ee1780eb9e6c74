"""What is installed, and the one door through which it is called."""
