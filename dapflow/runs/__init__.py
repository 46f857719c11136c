"""What became of runs: asked by people, from the records that each run left."""
