"""What the use cases need from the outside world: protocols, named by the need."""
