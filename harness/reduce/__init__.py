"""The reducer: a failing program made smaller, in small steps that keep the way it fails."""
