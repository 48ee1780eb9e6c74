"""Campaigns: which runs a call asks for, and the verdict on each."""
