"""The suite. Flat: an inner package named like ours would shadow it."""
