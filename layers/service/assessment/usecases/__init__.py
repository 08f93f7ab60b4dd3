"""What the product does, one module per verb; the outside world comes in as ports."""
