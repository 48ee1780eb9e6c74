"""What Miri and rustc print, read into messages, and these into outcomes."""
