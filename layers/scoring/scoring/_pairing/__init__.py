"""The plan of a wave: matchings, pair scores and the shown order."""
