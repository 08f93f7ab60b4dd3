"""The way from the domain to `scoring` and back: what a batch measures, and what it concludes."""
