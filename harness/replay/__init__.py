"""A function of the user's, run under Miri on every file of a set of inputs."""
