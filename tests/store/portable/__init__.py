"""An installation's history as JSON Lines."""
