"""Cases: one program each, with what is expected of it, and the loading of their files."""
