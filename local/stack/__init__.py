"""The laptop cloud: start it, build and deploy to it, look at it, stop it."""
