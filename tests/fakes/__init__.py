"""In-memory ports that behave like the real ones, and a small driver of the whole loop."""
