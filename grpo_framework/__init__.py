"""GRPO framework: make a frozen language model better by experiences in text."""
