"""Local chat models: a GGUF file, run in this process by llama.cpp."""
