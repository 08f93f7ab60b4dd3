"""The fit: likelihoods, links, priors and the search for the estimate."""
