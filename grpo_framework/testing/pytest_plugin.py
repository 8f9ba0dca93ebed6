"""Pytest plugin of the kit for plugin authors."""
