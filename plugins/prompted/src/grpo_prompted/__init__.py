"""Generators, critic and advisor as prompts over any chat model; the prompts are template files."""
