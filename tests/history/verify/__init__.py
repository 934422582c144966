"""Judges recorded histories. Pure: no clock, no socket; each property has its file and its tests."""
